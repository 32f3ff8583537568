"""A workspace: everything of one teacher or school in one DuckDB database, and the one thread that writes to it."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa

from cssafe.formula import Formula
from cssafe.language import N_
from cssafe.observations import COLUMNS
from cssafe.store import writing
from cssafe.store.database import Database
from cssafe.store.errors import StoreError, why_not_open, why_not_used
from cssafe.store.lesson import Lesson, naive_utc
from cssafe.store.migrations import migrate
from cssafe.store.stored_settings import STORED_SETTINGS, usable
from cssafe.store.summaries import summarise
from cssafe.store.taking import Taken, take

T = TypeVar("T")


class Workspace:
    """Writes go through one thread, in the order of the calls; reads use a cursor for each thread.

    `record` returns at once; should its writing fail later, the next call that writes raises. All other calls return
    when they are written, and raise StoreError where the database refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-writer")
        self._pending: list[pd.DataFrame] = []
        self._failure: BaseException | None = None
        self.written: datetime | None = None
        """When observations were last written (aware, UTC)."""
        self._lock = Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path | None) -> "Workspace":
        """Open the database at `path`, made if there is none; None keeps it in memory and off the disk altogether.

        Lessons that a crash left open are ended at their last observation.

        Raises:
            StoreError: another process has it open, a newer CSSAFE made it, it is no database, or the disk refuses. The
                file is left as it was.
        """
        database = None
        try:
            database = Database(path)
            migrate(database.connection)
            workspace = cls(database)
            workspace._whole(writing.end_open_lessons)
        except (duckdb.Error, OSError, StoreError) as error:
            if database is not None:
                database.close(kept_as_it_is=True)
            raise error if isinstance(error, StoreError) else why_not_open(path, error) from error
        return workspace

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread. Close it, or let it go out of scope."""
        try:
            return self._database.cursor()
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

    def record(self, lesson: int, observations: pd.DataFrame) -> None:
        """Queue rows of observations.COLUMNS for the writer thread, which takes all that is waiting in one insert.

        Rows of a lesson that is deleted meanwhile are dropped, and emotions and movements where the lesson's profile has none.
        """
        writing.check(observations, COLUMNS)
        self._raise_failure()
        if observations.empty:
            return
        with self._lock:
            self._pending.append(observations.assign(lesson=lesson))
        self._submit(self._drain).add_done_callback(self._notice)

    def end_lesson(self, lesson: int, ended: datetime) -> None:
        """Write what is waiting, set the end (aware) and make the tables that the charts read."""
        end = naive_utc(ended)

        def job() -> None:
            self._drain()
            with self._database.transaction() as connection:
                connection.execute("UPDATE lessons SET ended = ? WHERE lesson = ?", [end, lesson])
                summarise(connection, [lesson])
            self._database.pack()

        self._write(job)

    def add(self, lessons: Sequence[Lesson], ended: Sequence[datetime], observations: pd.DataFrame) -> list[int]:
        """Numbers of lessons added at once, in one transaction, already over (a recording, a synthetic term).

        ended: aware, one a lesson. observations: COLUMNS and `lesson`, the index into `lessons`.
        """
        writing.check(observations, ("lesson", *COLUMNS))

        def job() -> list[int]:
            self._database.check_room()
            with self._database.transaction() as connection:
                numbers = writing.insert_lessons(connection, lessons, [naive_utc(time) for time in ended])
                self._insert(observations.assign(lesson=observations["lesson"].map(dict(enumerate(numbers)))))
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
        self._write(lambda: self._connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", row))

    def switch(self, lesson: int, activity: str, time: datetime) -> None:
        """From that time on (aware) the lesson has another activity, one of labels.ACTIVITIES."""
        row = [(naive_utc(time), activity)]
        self._write(lambda: writing.add_activities(self._connection, lesson, row))

    def correct(self, lesson: int, activities: Sequence[tuple[datetime, str]], formula: Formula) -> None:
        """Say anew what a past lesson did, each from a time on (aware), and score it accordingly."""
        rows = [(naive_utc(time), activity) for time, activity in activities]
        self._whole(lambda connection: writing.correct(connection, lesson, rows, formula))

    def rate(self, lesson: int, minute: datetime, rating: int | None) -> None:
        """Keep what the teacher thought of the minute that begins then (aware): 0 low, 1 medium, 2 high, None if she cannot
        say. The first answer stays."""
        row = [lesson, naive_utc(minute), rating]
        twice = "WHERE NOT EXISTS (FROM ratings WHERE lesson = $1 AND time = $2)"
        self._write(lambda: self._connection.execute(f"INSERT INTO ratings SELECT $1, $2, $3 {twice}", row))

    def rescorable(self, formula: Formula) -> list[int]:
        """Past lessons that `rescore` would score anew."""
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

    def rename(self, lesson: int, name: str) -> None:
        if not name.strip():
            raise StoreError(N_("A lesson needs a name, this one is empty. Type one and save again."))
        row = [name.strip(), lesson]
        self._write(lambda: self._connection.execute("UPDATE lessons SET name = ? WHERE lesson = ?", row))

    def annotate(self, lesson: int, note: str, tags: Sequence[str]) -> None:
        """Keep the teacher's note on a lesson and its tags, in place of those before; an empty note is none."""
        self._whole(lambda connection: writing.annotate(connection, lesson, note, tags))

    def delete(self, *lessons: int) -> None:
        """Take lessons and all that was recorded of them out of every table, and write the file anew without them, for which
        the disk needs as much free space as the file has.

        Raises:
            StoreError: also if the lessons are deleted, but the file cannot be written anew.
        """

        def job() -> None:
            self._drain()
            with self._database.transaction() as connection:
                writing.delete(connection, lessons)
            self._database.pack()
            self._database.forget()

        self._write(job)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a setting, one of STORED_SETTINGS; the default where there is none, or none that can be used."""
        with self.cursor() as cursor:
            row = cursor.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
        return json.loads(row[0]) if row is not None and usable(key, row[0]) else default

    def set(self, key: str, value: Any) -> None:
        """Keep a setting, one of STORED_SETTINGS.

        Raises:
            StoreError: also if it is none that `get` would give back.
        """
        text = json.dumps(value)
        if not usable(key, text):
            raise StoreError(
                N_("The setting {key} cannot be kept. Expected is {shape}."), key=key, shape=STORED_SETTINGS[key].shape
            )

        def job(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute("DELETE FROM settings WHERE key = ?", [key])
            connection.execute("INSERT INTO settings VALUES (?, ?)", [key, text])

        self._whole(job)

    def flush(self) -> None:
        """Return when everything recorded so far is in the database."""
        self._write(self._drain)
        self._raise_failure()

    def close(self) -> None:
        """Write what is waiting and close the database. Closing twice is allowed."""
        try:
            if not self._closed:
                self.flush()
        finally:
            self._closed = True
            self._writer.shutdown()
            self._database.close()

    # From here on: on the writer thread, except for the bookkeeping of failures.

    def _drain(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
        if pending:
            self._insert(pd.concat(pending, ignore_index=True))

    def _insert(self, observations: pd.DataFrame) -> None:
        writing.insert_observations(self._connection, observations)
        self.written = datetime.now(UTC)

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self._database.connection

    def _submit(self, job: Callable[[], T]) -> "Future[T]":
        try:
            return self._writer.submit(job)
        except RuntimeError as error:
            raise StoreError(N_("The database has been closed. Reload the page, or start CSSAFE again.")) from error

    def _write(self, job: Callable[[], T]) -> T:
        self._raise_failure()
        try:
            return self._submit(job).result()
        except duckdb.Error as error:
            raise self._refused(error) from error

    def _whole(self, job: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Write all that the job does, or nothing of it."""

        def whole() -> None:
            with self._database.transaction() as connection:
                job(connection)

        self._write(whole)

    def _notice(self, future: "Future[None]") -> None:
        if error := future.exception():
            self._failure = error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._refused(failure) from failure

    def _refused(self, error: BaseException) -> StoreError:
        return why_not_used(self._database.path, error)
