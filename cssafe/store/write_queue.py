"""Writer thread of a database, with a queue in memory for a full disk."""

import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock, Timer
from typing import TypeVar

import duckdb
import pandas as pd

from cssafe.errors import StoreError
from cssafe.language import N_
from cssafe.store import statements
from cssafe.store.database import Database
from cssafe.store.errors import first_line, is_broken, is_damage, why_waiting

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING_S = 900
"""Seconds of lessons that wait in memory while the database cannot be written: 15 minutes to make room on the disk. With 30
faces a second takes 18 kB (measured), all of them 17 MB."""

RETRY_S = 5.0
"""Seconds between two tries to write waiting seconds, when no lesson brings one a second."""

RETRIED_ERRORS = (duckdb.OperationalError, duckdb.FatalException)
"""Errors of the disk, the memory or the file, after which the same rows can be written later; others are of the data."""


INSERTED = {"observations": statements.insert_observations, "empty_seconds": statements.insert_empty_seconds}
"""Tables of recorded seconds, and the statement that inserts their rows."""


class WriteQueue:
    """Runs jobs on one thread, in the order of the calls. After a fatal error the database is opened again.

    Recorded seconds, and the jobs of `run_in_turn` after them, wait in memory while the disk is full, and are retried;
    `problem` says so meanwhile.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-writer")
        self._lock = Lock()
        self._seconds: list[tuple[str, pd.DataFrame]] = []
        """Waiting rows with `lesson`, each of one second and lesson, with the table of INSERTED they are for."""
        self._unfinished: list[tuple[Callable[[], object], Future[None]]] = []
        """Jobs to run after them, each with its outcome."""
        self._full: duckdb.Error | None = None
        """The error that keeps them from being written."""
        self._failure: duckdb.Error | None = None
        """The error with which the database refused lost observations."""
        self._lost: Counter[int] = Counter()
        self._retry: Timer | None = None
        self.written: datetime | None = None
        """When observations were last written (aware, UTC)."""

    @property
    def problem(self) -> str:
        """Message for the user while nothing can be written; else empty."""
        if (full := self._full) is None:
            return ""
        return str(why_waiting(self._database.path, full, MAX_WAITING_S // 60))

    def lost_seconds(self, lesson: int) -> int:
        """Seconds of the lesson that could neither be written nor wait any longer."""
        return self._lost[lesson]

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """Run the job on the writer thread; the future raises what the job raises.

        Raises:
            StoreError: the queue is closed.
        """

        def reopening() -> T:
            try:
                return job()
            except duckdb.Error as error:
                if is_broken(error):
                    with suppress(duckdb.Error):
                        self._database.reopen()
                raise

        try:
            return self._thread.submit(reopening)
        except RuntimeError as error:
            raise StoreError(N_("The database has been closed. Reload the page, or start CSSAFE again.")) from error

    def run(self, job: Callable[[], T]) -> T:
        """Run the job and wait for it.

        Raises:
            StoreError: the database refuses.
        """
        return self._result(self.submit(job))

    def run_whole(self, job: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """As `run`, in one transaction."""

        def whole() -> None:
            with self._database.transaction() as connection:
                job(connection)

        self.run(whole)

    def run_in_turn(self, job: Callable[[], object]) -> None:
        """As `run`, after all waiting seconds; while the disk is full the job waits, too, and a later error is logged."""
        outcome: Future[None] = Future()

        def queue() -> None:
            self._unfinished.append((job, outcome))
            self.catch_up()

        try:
            self.submit(queue).result()
        except RETRIED_ERRORS:  # `problem` says it
            outcome.add_done_callback(_log_refusal)
        else:
            self._result(outcome)

    def record(self, table: str, second: pd.DataFrame) -> None:
        """Queue one second of one lesson, rows of a table of INSERTED. All waiting seconds are written in one transaction."""
        with self._lock:
            self._seconds.append((table, second))
            self._drop_oldest()
        self.submit(self.catch_up)

    def flush(self) -> None:
        """Wait until all recorded seconds are in the database.

        Raises:
            StoreError: they are not, or earlier ones are lost.
        """
        self.run(self.catch_up)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._database.why_refused(failure) from failure

    def close(self) -> int:
        """Finish the jobs and end the thread; the number of seconds that were not written."""
        self._thread.shutdown()  # a second being tried now waits again afterwards
        if self._retry is not None:
            self._retry.cancel()
        return len(self._seconds)

    def _result(self, future: "Future[T]") -> T:
        try:
            return future.result()
        except duckdb.Error as error:
            raise self._database.why_refused(error) from error

    # From here on: on the writer thread.

    def insert_whole(self, job: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run a job that inserts observations, in one transaction; `written` counts only what is committed."""
        with self._database.transaction() as connection:
            result = job(connection)
        self.written = datetime.now(UTC)
        return result

    def catch_up(self) -> None:
        """Write waiting seconds and run unfinished jobs. On a full disk one second is tried first, then all others."""
        try:
            self._write_seconds()
            self._run_unfinished()
        except RETRIED_ERRORS as error:
            if self._full is None:
                log.error("The database cannot be written; seconds of lessons wait in memory: %s", first_line(error))
            self._full = error
            self._retry_later()
            raise
        if self._full is not None:
            log.warning("The database is written again; seconds of lessons lost: %d.", self._lost.total())
            self._full = None

    def _write_seconds(self) -> None:
        size = 1 if self._full else MAX_WAITING_S
        while batch := self._take_batch(size):
            self._insert_batch(batch)
            size = MAX_WAITING_S

    def _run_unfinished(self) -> None:
        """Run jobs until the disk refuses one. A job that fails for another reason, such as a damaged block, is not retried."""
        while self._unfinished:
            job, outcome = self._unfinished[0]
            try:
                job()
            except Exception as error:
                if isinstance(error, RETRIED_ERRORS) and not is_damage(error):
                    raise
                outcome.set_exception(error)
            else:
                outcome.set_result(None)
            del self._unfinished[0]

    def _take_batch(self, size: int) -> list[tuple[str, pd.DataFrame]]:
        with self._lock:
            batch, self._seconds = self._seconds[:size], self._seconds[size:]
        return batch

    def _insert_batch(self, batch: list[tuple[str, pd.DataFrame]]) -> None:
        def insert(connection: duckdb.DuckDBPyConnection) -> None:
            for table, insert_rows in INSERTED.items():
                if rows := [second for name, second in batch if name == table]:
                    insert_rows(connection, pd.concat(rows, ignore_index=True))

        try:
            self.insert_whole(insert)
        except RETRIED_ERRORS:
            with self._lock:
                self._seconds = batch + self._seconds
                self._drop_oldest()
            raise
        except duckdb.Error as error:
            self._failure = error
            self._lose(batch)

    def _drop_oldest(self) -> None:
        """Keep to MAX_WAITING_S. To be called with the lock."""
        dropped = max(0, len(self._seconds) - MAX_WAITING_S)
        self._lose(self._seconds[:dropped])
        del self._seconds[:dropped]

    def _lose(self, batch: list[tuple[str, pd.DataFrame]]) -> None:
        for _table, second in batch:
            self._lost[int(second["lesson"].iloc[0])] += 1

    def _retry_later(self) -> None:
        if self._retry is None:
            self._retry = Timer(RETRY_S, self._try_again)
            self._retry.daemon = True
            self._retry.start()

    def _try_again(self) -> None:
        self._retry = None
        with suppress(StoreError):  # closed meanwhile
            self.submit(self.catch_up)


def _log_refusal(outcome: "Future[None]") -> None:
    if error := outcome.exception():
        log.error("A change that waited could not be written: %s", first_line(error))
