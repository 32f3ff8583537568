"""A workspace: everything of one teacher or school in one DuckDB database, and the one thread that writes to it."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import duckdb
import pandas as pd

from cssafe.formula import Formula
from cssafe.observations import COLUMNS
from cssafe.settings import THREADS
from cssafe.store import writing
from cssafe.store.errors import StoreError, why_not_open, why_not_used
from cssafe.store.lesson import Lesson, naive_utc
from cssafe.store.migrations import migrate
from cssafe.store.summaries import summarise

Limits = dict[str, str | bool | int | float | list[str]]

FILE: Limits = {"memory_limit": "192MB", "threads": THREADS}
"""Most that DuckDB may take for the database in a file: on a host with 1 GB the networks, Streamlit and the pages need the
rest."""

IN_MEMORY: Limits = {"memory_limit": "128MB", "threads": 1, "temp_directory": ""}
"""The same for one in memory, of which a host with visitors has many: a synthetic term takes 75 MB while it is made and
21 MB once packed. Without a folder for temporary files nothing of it can be spilled onto the disk."""

T = TypeVar("T")


class Workspace:
    """Writes go through one thread, in the order of the calls; reads use a cursor for each thread.

    `record` returns at once; should its writing fail later, the next call that writes raises. All other calls return
    when they are written, and raise StoreError where the database refuses.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
        self._root = connection
        self._connection = connection.cursor()  # the writer thread's own
        self._path = path
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
        connection = None
        try:
            if path is None:
                connection = duckdb.connect(":memory:", config=IN_MEMORY)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                connection = duckdb.connect(str(path), config=FILE)
            migrate(connection)
            workspace = cls(connection, path)
            workspace._write(workspace._recover)
        except (duckdb.Error, OSError, StoreError) as error:
            if connection is not None:
                with suppress(duckdb.Error):  # the log beside the file stays as it is, too
                    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
                connection.close()
            raise error if isinstance(error, StoreError) else StoreError(why_not_open(path, error)) from error
        return workspace

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread. Close it, or let it go out of scope."""
        with self._lock:
            try:
                return self._root.cursor()
            except duckdb.Error as error:
                raise self._refused(error) from error

    def start_lesson(self, lesson: Lesson) -> int:
        """Number of the lesson now begun.

        Raises:
            StoreError: also if the time zone is unknown.
        """
        return self._write(lambda: writing.insert_lessons(self._connection, [lesson], [None])[0])

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
            with self._transaction() as connection:
                connection.execute("UPDATE lessons SET ended = ? WHERE lesson = ?", [end, lesson])
                summarise(connection, [lesson])
            self._pack()

        self._write(job)

    def add(self, lessons: Sequence[Lesson], ended: Sequence[datetime], observations: pd.DataFrame) -> list[int]:
        """Numbers of lessons added at once, in one transaction, already over (a recording, a synthetic term).

        ended: aware, one a lesson. observations: COLUMNS and `lesson`, the index into `lessons`.
        """
        writing.check(observations, ("lesson", *COLUMNS))

        def job() -> list[int]:
            with self._transaction() as connection:
                numbers = writing.insert_lessons(connection, lessons, [naive_utc(time) for time in ended])
                self._insert(observations.assign(lesson=observations["lesson"].map(dict(enumerate(numbers)))))
                summarise(connection, numbers)
            self._pack()
            return numbers

        return self._write(job)

    def mark(self, lesson: int, kind: str, time: datetime, note: str = "") -> None:
        """Note an event of the lesson (aware time): "question", "group work", "quiz", "break" ..."""
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
        self._write(self._pack)
        return len(lessons)

    def rename(self, lesson: int, name: str) -> None:
        if not name.strip():
            raise StoreError("A lesson needs a name, this one is empty. Type one and save again.")
        row = [name.strip(), lesson]
        self._write(lambda: self._connection.execute("UPDATE lessons SET name = ? WHERE lesson = ?", row))

    def annotate(self, lesson: int, note: str, tags: Sequence[str]) -> None:
        """Keep the teacher's note on a lesson and its tags, in place of those before; an empty note is none."""
        self._whole(lambda connection: writing.annotate(connection, lesson, note, tags))

    def delete(self, *lessons: int) -> None:
        """Take lessons and all that was recorded of them out of every table. Freed space in a database file can keep
        traces until the file itself is written anew."""

        def job() -> None:
            self._drain()
            with self._transaction() as connection:
                writing.delete(connection, lessons)
            self._pack()

        self._write(job)

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
            self._root.close()

    # From here on: on the writer thread, except for the bookkeeping of failures.

    def _drain(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
        if pending:
            self._insert(pd.concat(pending, ignore_index=True))

    def _insert(self, observations: pd.DataFrame) -> None:
        writing.insert_observations(self._connection, observations)
        self.written = datetime.now(UTC)

    def _recover(self) -> None:
        with self._transaction() as connection:
            if lessons := writing.end_open_lessons(connection):
                summarise(connection, lessons)

    def _pack(self) -> None:
        """Make a database in memory small, to a fifth or so; one in a file does that by itself."""
        if self._path is None:
            with suppress(duckdb.TransactionException):  # somebody is reading: the next time will do
                self._connection.execute("CHECKPOINT")

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self._connection.begin()
        try:
            yield self._connection
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def _submit(self, job: Callable[[], T]) -> "Future[T]":
        try:
            return self._writer.submit(job)
        except RuntimeError as error:
            raise StoreError("The database has been closed. Reload the page, or start CSSAFE again.") from error

    def _write(self, job: Callable[[], T]) -> T:
        self._raise_failure()
        try:
            return self._submit(job).result()
        except duckdb.Error as error:
            raise self._refused(error) from error

    def _whole(self, job: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Write all that the job does, or nothing of it."""

        def whole() -> None:
            with self._transaction() as connection:
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
        return StoreError(why_not_used(self._path, error))
