"""A workspace: everything of one teacher or school in one DuckDB database, and the one thread that writes to it."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock, Timer
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa

from cssafe.formula import Formula
from cssafe.language import N_
from cssafe.observations import COLUMNS
from cssafe.store import writing
from cssafe.store.database import Database
from cssafe.store.errors import StoreError, first_line, why_not_open, why_not_used, why_unwritten, why_waiting
from cssafe.store.lesson import Lesson, naive_utc
from cssafe.store.migrations import migrate
from cssafe.store.summaries import summarise
from cssafe.store.taking import Taken, take
from cssafe.store.views import withhold_expression

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING_S = 900
"""Seconds of lessons that wait in memory while the database cannot be written: 15 minutes, in which somebody can make room
on the disk. With 30 faces a second takes 18 kB (measured), all of them 17 MB."""

RETRY_S = 5.0
"""Seconds between two tries to write what waits, when no lesson brings one a second."""

RETRIED = (duckdb.OperationalError, duckdb.FatalException)
"""Errors of the disk, the memory or the file, after which the same can be written later; others are of the data."""

BROKEN = (duckdb.FatalException, duckdb.ConnectionException)
"""Errors after which DuckDB serves nothing until the database is opened again."""


class Workspace:
    """Writes go through one thread, in the order of the calls; reads use a cursor for each thread.

    What a running lesson writes (`record`, `mark`, `switch`, `end_lesson`, `discard`) waits in memory while the disk is
    full, in its order, and is tried again until it is written; `problem` says so meanwhile. All other calls return when
    they are written, and raise StoreError where the database refuses.
    """

    def __init__(self, database: Database, expression: bool) -> None:
        self._database = database
        self.expression = expression
        """Whether emotions are read at all (views.py)."""
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-writer")
        self._waiting: list[pd.DataFrame] = []
        """One table a second and lesson, with `lesson`."""
        self._unfinished: list[Callable[[], object]] = []
        """What is to be written after them, in this order."""
        self._full: duckdb.Error | None = None
        """Why they cannot be written now."""
        self._failure: duckdb.Error | None = None
        """Why observations could not be written that are lost."""
        self._lost: Counter[int] = Counter()
        self._retry: Timer | None = None
        self.written: datetime | None = None
        """When observations were last written (aware, UTC)."""
        self._lock = Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path | None, expression: bool = True) -> "Workspace":
        """Open the database at `path`, made if there is none; None keeps it in memory and off the disk altogether.

        expression: of the profile. Without it, nobody reads emotions that were stored under another profile.

        Lessons that a crash left open are ended at their last observation.

        Raises:
            StoreError: another process has it open, a newer CSSAFE made it, it is no database, or the disk refuses. The
                file is left as it was.
        """
        database = None
        try:
            database = Database(path)
            migrate(database.connection)
            workspace = cls(database, expression)
            workspace._whole(writing.end_open_lessons)
        except (duckdb.Error, OSError, StoreError) as error:
            if database is not None:
                database.close(kept_as_it_is=True)
            raise error if isinstance(error, StoreError) else why_not_open(path, error) from error
        return workspace

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread. Close it, or let it go out of scope."""
        try:
            cursor = self._database.cursor()
            if not self.expression:
                withhold_expression(cursor)
            return cursor
        except duckdb.Error as error:
            raise self._refused(error) from error

    @property
    def in_memory(self) -> bool:
        return self._database.path is None

    def used(self) -> float:
        """Share of the memory in use, 0 to 1, of one in memory."""
        return self._database.used()

    def start_lesson(self, lesson: Lesson) -> int:
        """Number of the lesson now begun.

        Raises:
            StoreError: also if the time zone is unknown, or a database in memory is nearly full.
        """

        def job() -> int:
            self._database.check_room()
            return writing.insert_lessons(self._connection, [lesson], [None])[0]

        return self._write(job)

    @property
    def problem(self) -> str:
        """Why nothing can be written now, in words for the user; empty while all is well."""
        if (full := self._full) is None:
            return ""
        return str(why_waiting(self._database.path, full, MAX_WAITING_S // 60))

    def lost(self, lesson: int) -> int:
        """How many seconds of the lesson could neither be written nor wait any longer."""
        return self._lost[lesson]

    def record(self, lesson: int, observations: pd.DataFrame) -> None:
        """Queue one second, rows of observations.COLUMNS, for the writer thread, which takes all that is waiting in one insert.

        Rows of a lesson that is deleted meanwhile are dropped, and emotions and movements where the lesson's profile has none.
        """
        writing.check(observations, COLUMNS)
        if observations.empty:
            return
        with self._lock:
            self._waiting.append(observations.assign(lesson=lesson))
            self._drop_oldest()
        self._submit(self._catch_up)

    def end_lesson(self, lesson: int, ended: datetime) -> None:
        """Write what is waiting, set the end (aware) and make the tables that the charts read."""
        end = naive_utc(ended)

        def job() -> None:
            with self._database.transaction() as connection:
                connection.execute("UPDATE lessons SET ended = ? WHERE lesson = ?", [end, lesson])
                summarise(connection, [lesson])
            self._database.pack()

        self._write_in_turn(job)

    def discard(self, lesson: int) -> None:
        """`delete` a running lesson of which nothing was recorded. Where the file cannot be written anew without its name, that
        is done when the database closes."""

        def job() -> None:
            with suppress(StoreError):
                self._delete([lesson])

        self._write_in_turn(job)

    def add(self, lessons: Sequence[Lesson], ended: Sequence[datetime], observations: pd.DataFrame) -> list[int]:
        """Numbers of lessons added at once, in one transaction, already over (a recording, a synthetic term).

        ended: aware, one a lesson. observations: COLUMNS and `lesson`, the index into `lessons`.
        """
        writing.check(observations, ("lesson", *COLUMNS))

        def job() -> list[int]:
            self._database.check_room()
            with self._database.transaction() as connection:
                numbers = writing.insert_lessons(connection, lessons, [naive_utc(time) for time in ended])
                self._insert(
                    connection, observations.assign(lesson=observations["lesson"].map(dict(enumerate(numbers))))
                )
                summarise(connection, numbers)
            self._database.pack()
            return numbers

        return self._write(job)

    def take(self, parts: Iterable[tuple[str, pa.Table]], expression: bool, progress: Callable[[float], None]) -> Taken:
        """Add what another workspace gave, all of it or nothing; as in taking.take. The parts are asked for on the writer
        thread."""

        def job() -> Taken:
            self._database.check_room()
            with self._database.transaction() as connection:
                taken = take(connection, parts, expression, progress)
            self._database.pack()
            return taken

        return self._write(job)

    def mark(self, lesson: int, kind: str, time: datetime, note: str = "") -> None:
        """Note an event of the lesson (aware time): "question", "instruction", "quiz" ..."""
        row = [lesson, naive_utc(time), kind, note]
        self._write_in_turn(lambda: self._connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", row))

    def switch(self, lesson: int, activity: str, time: datetime) -> None:
        """From that time on (aware) the lesson has another activity, one of labels.ACTIVITIES."""
        row = [(naive_utc(time), activity)]
        self._write_in_turn(lambda: writing.add_activities(self._connection, lesson, row))

    def correct(self, lesson: int, activities: Sequence[tuple[datetime, str]], formula: Formula) -> None:
        """Say anew what a past lesson did, each from a time on (aware), and score it accordingly.

        Raises:
            StoreError: also if the formula weighs emotions, and this workspace reads none.
        """
        self._check_formula(formula)
        rows = [(naive_utc(time), activity) for time, activity in activities]
        self._whole(lambda connection: writing.correct(connection, lesson, rows, formula))

    def rate(self, lesson: int, minute: datetime, rating: int | None) -> None:
        """Keep what the teacher thought of the minute that begins then (aware): 0 low, 1 medium, 2 high, None if she cannot
        say. The first answer stays."""
        row = [lesson, naive_utc(minute), rating]
        twice = "WHERE NOT EXISTS (FROM ratings WHERE lesson = $1 AND time = $2)"
        self._write(lambda: self._connection.execute(f"INSERT INTO ratings SELECT $1, $2, $3 {twice}", row))

    def rescorable(self, formula: Formula) -> list[int]:
        """Past lessons that `rescore` would score anew; none where the formula weighs emotions, and none are read here."""
        if formula.emotion is not None and not self.expression:
            return []
        with self.cursor() as cursor:
            return writing.rescorable(cursor, formula)

    def rescore(self, formula: Formula, progress: Callable[[float], None] | None = None) -> int:
        """Score all past lessons by this formula that can be; how many were. Each is done whole or not at all, and lessons
        that run go on being recorded in between. progress: called with the share done, 0 to 1."""
        lessons = self.rescorable(formula)
        for i, lesson in enumerate(lessons):
            self._whole(partial(writing.rescore, lesson=lesson, formula=formula))
            if progress is not None:
                progress((i + 1) / len(lessons))
        self._write(self._database.pack)
        return len(lessons)

    def _check_formula(self, formula: Formula) -> None:
        if formula.emotion is not None and not self.expression:
            raise StoreError(
                N_(
                    "The formula {formula} weighs emotions, and the profile attention-only reads none. Choose another formula "
                    "on the page Formula."
                ),
                formula=str(formula),
            )

    def rename(self, lesson: int, name: str) -> None:
        if not name.strip():
            raise StoreError(N_("A lesson needs a name, this one is empty. Type one and save again."))
        row = [name.strip(), lesson]
        self._write(lambda: self._connection.execute("UPDATE lessons SET name = ? WHERE lesson = ?", row))

    def annotate(self, lesson: int, note: str, tags: Sequence[str]) -> None:
        """Keep the teacher's note on a lesson and its tags, in place of those before; an empty note is none."""
        self._whole(lambda connection: writing.annotate(connection, lesson, note, tags))

    def divide(self, lesson: int, regions: Sequence[Mapping[str, Any]]) -> None:
        """Keep the regions for which the lesson's figures are shown; those that it has stay.

        regions: name, left, top, right, bottom (shares of the picture).
        """
        self._whole(lambda connection: writing.divide(connection, lesson, regions))

    def delete(self, *lessons: int) -> None:
        """Take lessons and all that was recorded of them out of every table, and write the file anew without them, for which
        the disk needs as much free space as the file has.

        Raises:
            StoreError: also if the lessons are deleted, but the file cannot be written anew.
        """

        self._write(lambda: self._delete(lessons))

    def get(self, key: str, default: Any = None) -> Any:
        """The setting's value (anything that JSON can hold), or the default."""
        with self.cursor() as cursor:
            row = cursor.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, key: str, value: Any) -> None:
        text = json.dumps(value)

        def job(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute("DELETE FROM settings WHERE key = ?", [key])
            connection.execute("INSERT INTO settings VALUES (?, ?)", [key, text])

        self._whole(job)

    def flush(self) -> None:
        """Return when everything recorded so far is in the database.

        Raises:
            StoreError: it is not, or an earlier part of it is lost.
        """
        self._write(self._catch_up)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._refused(failure) from failure

    def close(self) -> None:
        """Write what is waiting and close the database. Closing twice is allowed.

        Raises:
            StoreError: something could not be written; the database is closed.
        """
        try:
            if not self._closed:
                self.flush()
        except StoreError as error:
            self._writer.shutdown()  # a second that it tries at this moment waits again afterwards
            seconds = len(self._waiting)
            log.error("The database is closed; %d seconds of lessons were not written.", seconds)
            if not seconds:
                raise
            raise why_unwritten(error, seconds) from error
        finally:
            self._closed = True
            if self._retry is not None:
                self._retry.cancel()
            self._writer.shutdown()
            self._database.close()

    # From here on: on the writer thread, except for what submits to it.

    def _catch_up(self) -> None:
        """Write what waits and what is unfinished. On a full disk one second is tried, then all the others together."""
        size = 1 if self._full else MAX_WAITING_S
        try:
            while batch := self._take_batch(size):
                self._insert_batch(batch)
                size = MAX_WAITING_S
            while self._unfinished:
                job = self._unfinished.pop(0)
                try:
                    job()
                except RETRIED:
                    self._unfinished.insert(0, job)
                    raise
        except RETRIED as error:
            if self._full is None:
                log.error("The database cannot be written; seconds of lessons wait in memory: %s", first_line(error))
            self._full = error
            self._retry_later()
            raise
        if self._full is not None:
            log.warning("The database is written again; seconds of lessons lost: %d.", self._lost.total())
            self._full = None

    def _take_batch(self, size: int) -> list[pd.DataFrame]:
        with self._lock:
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
        return batch

    def _insert_batch(self, batch: list[pd.DataFrame]) -> None:
        try:
            with self._database.transaction() as connection:
                self._insert(connection, pd.concat(batch, ignore_index=True))
        except RETRIED:
            with self._lock:
                self._waiting = batch + self._waiting
                self._drop_oldest()
            raise
        except duckdb.Error as error:
            self._failure = error
            self._lose(batch)

    def _drop_oldest(self) -> None:
        """Keep to MAX_WAITING_S. To be called with the lock."""
        dropped = max(0, len(self._waiting) - MAX_WAITING_S)
        self._lose(self._waiting[:dropped])
        del self._waiting[:dropped]

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
            self._submit(self._catch_up)

    def _insert(self, connection: duckdb.DuckDBPyConnection, observations: pd.DataFrame) -> None:
        writing.insert_observations(connection, observations)
        self.written = datetime.now(UTC)

    def _delete(self, lessons: Sequence[int]) -> None:
        with self._database.transaction() as connection:
            writing.delete(connection, lessons)
        self._database.pack()
        self._database.forget()

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self._database.connection

    def _submit(self, job: Callable[[], T]) -> "Future[T]":
        def reopening() -> T:
            try:
                return job()
            except BROKEN:
                with suppress(duckdb.Error):
                    self._database.reopen()
                raise

        try:
            return self._writer.submit(reopening)
        except RuntimeError as error:
            raise StoreError(N_("The database has been closed. Reload the page, or start CSSAFE again.")) from error

    def _write(self, job: Callable[[], T]) -> T:
        try:
            return self._submit(job).result()
        except duckdb.Error as error:
            raise self._refused(error) from error

    def _write_in_turn(self, job: Callable[[], object]) -> None:
        """Write after all that waits; while the disk is full this waits, too."""

        def queue() -> None:
            self._unfinished.append(job)
            self._catch_up()

        try:
            self._submit(queue).result()
        except RETRIED:  # `problem` says it
            pass
        except duckdb.Error as error:
            raise self._refused(error) from error

    def _whole(self, job: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Write all that the job does, or nothing of it."""

        def whole() -> None:
            with self._database.transaction() as connection:
                job(connection)

        self._write(whole)

    def _refused(self, error: BaseException) -> StoreError:
        return why_not_used(self._database.path, error)
