"""The one thread that writes to a database, and what waits in memory until it can be written."""

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
"""Seconds of lessons that wait in memory while the database cannot be written: 15 minutes, in which somebody can make room
on the disk. With 30 faces a second takes 18 kB (measured), all of them 17 MB."""

RETRY_S = 5.0
"""Seconds between two tries to write what waits, when no lesson brings one a second."""

RETRIED = (duckdb.OperationalError, duckdb.FatalException)
"""Errors of the disk, the memory or the file, after which the same can be written later; others are of the data."""


class WriteQueue:
    """Jobs run on one thread, in the order of the calls. After a fatal error the database is opened again.

    Recorded seconds, and the jobs of `run_in_turn` after them, wait in memory while the disk is full, and are tried again
    until they are written; `problem` says so meanwhile.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-writer")
        self._lock = Lock()
        self._seconds: list[pd.DataFrame] = []
        """Waiting observations with `lesson`: one table a second and lesson."""
        self._unfinished: list[tuple[Callable[[], object], Future[None]]] = []
        """Jobs to run after them, in this order, each with its outcome."""
        self._full: duckdb.Error | None = None
        """Why they cannot be written now."""
        self._failure: duckdb.Error | None = None
        """Why observations were lost that the database refused."""
        self._lost: Counter[int] = Counter()
        self._retry: Timer | None = None
        self.written: datetime | None = None
        """When observations were last written (aware, UTC)."""

    @property
    def problem(self) -> str:
        """Why nothing can be written now, in words for the user; empty while all is well."""
        if (full := self._full) is None:
            return ""
        return str(why_waiting(self._database.path, full, MAX_WAITING_S // 60))

    def lost(self, lesson: int) -> int:
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
        """As `run`, in one transaction: all that the job writes, or nothing."""

        def whole() -> None:
            with self._database.transaction() as connection:
                job(connection)

        self.run(whole)

    def run_in_turn(self, job: Callable[[], object]) -> None:
        """As `run`, after all that waits; while the disk is full the job waits, too, and what refuses it then is logged."""
        outcome: Future[None] = Future()

        def queue() -> None:
            self._unfinished.append((job, outcome))
            self.catch_up()

        try:
            self.submit(queue).result()
        except RETRIED:  # `problem` says it
            outcome.add_done_callback(_log_refusal)
        else:
            self._result(outcome)

    def record(self, second: pd.DataFrame) -> None:
        """Queue one second of one lesson, observations with `lesson`. All that waits is written in one insert."""
        with self._lock:
            self._seconds.append(second)
            self._drop_oldest()
        self.submit(self.catch_up)

    def flush(self) -> None:
        """Return when everything recorded so far is in the database.

        Raises:
            StoreError: it is not, or an earlier part of it is lost.
        """
        self.run(self.catch_up)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._database.why_refused(failure) from failure

    def close(self) -> int:
        """Finish the jobs and end the thread; the number of seconds that still wait and are lost."""
        self._thread.shutdown()  # a second that it tries at this moment waits again afterwards
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
        """Write what waits and what is unfinished. On a full disk one second is tried, then all the others together."""
        try:
            self._write_seconds()
            self._run_unfinished()
        except RETRIED as error:
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
        """Run each job until the disk refuses one. One that fails for another reason, such as a damaged block that a retry
        would meet again, holds up none of the others."""
        while self._unfinished:
            job, outcome = self._unfinished[0]
            try:
                job()
            except Exception as error:
                if isinstance(error, RETRIED) and not is_damage(error):
                    raise
                outcome.set_exception(error)
            else:
                outcome.set_result(None)
            del self._unfinished[0]

    def _take_batch(self, size: int) -> list[pd.DataFrame]:
        with self._lock:
            batch, self._seconds = self._seconds[:size], self._seconds[size:]
        return batch

    def _insert_batch(self, batch: list[pd.DataFrame]) -> None:
        try:
            observations = pd.concat(batch, ignore_index=True)
            self.insert_whole(lambda connection: statements.insert_observations(connection, observations))
        except RETRIED:
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

    def _lose(self, batch: list[pd.DataFrame]) -> None:
        for second in batch:
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
