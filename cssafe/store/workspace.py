"""A workspace: everything of one teacher or school in one DuckDB database, and the one thread that writes to it."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
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
from cssafe.store import backups, writing
from cssafe.store.database import Database, StillRead
from cssafe.store.errors import (
    Notice,
    StoreError,
    first_line,
    is_damage,
    why_damaged,
    why_not_open,
    why_not_used,
    why_traces,
    why_unwritten,
    why_waiting,
)
from cssafe.store.lesson import Lesson, naive_utc
from cssafe.store.migrations import migrate
from cssafe.store.recovery import damaged_lessons, notice, remains
from cssafe.store.summaries import summarise
from cssafe.store.taking import Taken, take

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

ERASING = "erasing"
"""Setting with the starts (ISO 8601, naive UTC) of deleted lessons whose bytes may still be in the file or in a backup. It
is written with the deletion, so that a crash cannot part the two, and no word of the lessons is in it."""


class Workspace:
    """Writes go through one thread, in the order of the calls; reads use a cursor for each thread.

    What a running lesson writes (`record`, `mark`, `switch`, `end_lesson`, `discard`) waits in memory while the disk is
    full, in its order, and is tried again until it is written; `problem` says so meanwhile. All other calls return when
    they are written, and raise StoreError where the database refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-writer")
        self._archivist = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-backup")
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
        self.notice: Notice | None = None
        """What may be missing after an unclean end, until somebody has read it and sets it back."""
        self.backup_problem: StoreError | None = None
        """Why there is no backup of today, if it could not be written."""
        self._lock = Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path | None) -> "Workspace":
        """Open the database at `path`, made if there is none; None keeps it in memory and off the disk altogether.

        Lessons that a crash left open are ended at their last observation, a deletion that it interrupted is finished, and a
        damaged write-ahead log is set aside; `notice` and the log then say what may be missing.

        Raises:
            StoreError: another process has it open, a newer CSSAFE made it, it is no database, or the disk refuses. The
                file is left as it was.
        """
        database = None
        try:
            before = None if path is None else remains(path)
            database = Database(path)
            migrate(database.connection)
            workspace = cls(database)
            if before is not None:
                workspace.notice = notice(before, database.damaged_log, database.connection)
            workspace._whole(writing.end_open_lessons)
            if path is not None:
                with suppress(OSError):  # the next start tries again
                    backups.sweep(path)
            if workspace.erasing:
                workspace._submit(workspace._finish_deletion).result()
                workspace._look_after_files()
        except (duckdb.Error, OSError, StoreError) as error:
            if database is not None:
                database.close(kept_as_it_is=True)
            if isinstance(error, StoreError):
                raise
            raise why_not_open(path, error, None if path is None else backups.newest(path)) from error
        database.mark_running()
        if workspace.notice is not None:
            log.warning("%s", workspace.notice)
        return workspace

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread. Close it, or let it go out of scope."""
        try:
            return self._database.cursor()
        except duckdb.Error as error:
            raise self._refused(error) from error

    def why_damaged(self, error: BaseException) -> StoreError:
        """The error for a block of the file that turned out damaged while it was read; it names the lessons if that can be
        told."""
        assert self._database.path is not None, "memory has no blocks of a file"
        try:
            with self._database.cursor() as cursor:
                lessons = damaged_lessons(cursor)
        except duckdb.Error:
            lessons = []
        return why_damaged(self._database.path, error, lessons)

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
        self._look_after_files()

    def discard(self, lesson: int) -> None:
        """`delete` a running lesson of which nothing was recorded; what the disk refuses is left for later."""

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

        numbers = self._write(job)
        self._look_after_files()
        return numbers

    def take(self, parts: Iterable[tuple[str, pa.Table]], expression: bool, progress: Callable[[float], None]) -> Taken:
        """Add what another workspace gave, all of it or nothing; as in taking.take. The parts are asked for on the writer
        thread."""

        def job() -> Taken:
            self._database.check_room()
            with self._database.transaction() as connection:
                taken = take(connection, parts, expression, progress)
            self._database.pack()
            return taken

        taken = self._write(job)
        self._look_after_files()
        return taken

    def mark(self, lesson: int, kind: str, time: datetime, note: str = "") -> None:
        """Note an event of the lesson (aware time): "question", "instruction", "quiz" ..."""
        row = [lesson, naive_utc(time), kind, note]
        self._write_in_turn(lambda: self._connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", row))

    def switch(self, lesson: int, activity: str, time: datetime) -> None:
        """From that time on (aware) the lesson has another activity, one of labels.ACTIVITIES."""
        row = [(naive_utc(time), activity)]
        self._write_in_turn(lambda: writing.add_activities(self._connection, lesson, row))

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
        """Take lessons and all that was recorded of them out of every table, then out of the bytes of the file and of the
        backups, for which the disk needs as much free space as the file has. While others go on reading, that is left
        for later, and `erasing` is true.

        Raises:
            StoreError: also if the lessons are deleted, but the file cannot be rewritten.
        """

        self._write(lambda: self._delete(lessons))
        self._look_after_files()

    @property
    def erasing(self) -> bool:
        """Whether bytes of deleted lessons may still be in the file. CSSAFE tries to erase them when a lesson ends, when it
        closes and when it starts."""
        return bool(self.get(ERASING))

    def restore(self, backup: Path) -> Path | None:
        """Replace all that is here by what the backup holds; where the replaced database is kept.

        Raises:
            StoreError: a lesson runs, others go on reading, the backup cannot be used or the disk refuses. All is as it
                was.
        """
        path = self._database.path
        assert path is not None, "a database in memory has no backups"

        def job() -> Path | None:
            self._catch_up()
            if self._connection.execute("SELECT 1 FROM lessons WHERE ended IS NULL").fetchone():
                raise StoreError(N_("A lesson is running. End it, then restore the backup."))
            self._erase()  # or the replaced database would keep what was deleted
            with self._database.released():
                kept = backups.restore(path, backup)
            migrate(self._connection)
            with self._database.transaction() as connection:
                writing.end_open_lessons(connection)
            self._finish_deletion()
            return kept

        return self._write(job)

    def get(self, key: str, default: Any = None) -> Any:
        """The setting's value (anything that JSON can hold), or the default."""
        with self.cursor() as cursor:
            row = cursor.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, key: str, value: Any) -> None:
        self._whole(lambda connection: writing.set_value(connection, key, value))

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
        """Write what is waiting, finish a backup and a deletion, and close the database. Closing twice is allowed.

        Raises:
            StoreError: something could not be written; the database is closed.
        """
        try:
            self._archivist.shutdown()
            if not self._closed:
                self.flush()
                with suppress(StillRead):
                    self._write(self._erase)
        except StoreError as error:
            self._writer.shutdown()  # a second that it tries at this moment waits again afterwards
            seconds = len(self._waiting)
            if not seconds:
                raise
            log.error("The database is closed; %d seconds of lessons were not written.", seconds)
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
                except RETRIED as error:
                    if is_damage(error):  # a retry would meet the same block
                        raise self._refused(error) from error
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
            if not self.in_memory:
                starts = writing.starts(connection, lessons)
                writing.set_value(connection, ERASING, sorted({*self._deleted(), *starts}))
            writing.delete(connection, lessons)
        self._database.pack()
        with suppress(StillRead):
            self._erase()

    def _look_after_files(self) -> None:
        """Finish a deletion and make the backup of the day, on a thread of its own: a large database takes a minute."""
        if not self.in_memory:
            with suppress(RuntimeError):  # closed meanwhile
                self._archivist.submit(self._tend)

    def _tend(self) -> None:
        self._submit(self._finish_deletion).result()
        self._back_up()
        if self.erasing:  # a deletion that had to wait for the backup, and may remove it
            self._submit(self._finish_deletion).result()
            self._back_up()

    def _back_up(self) -> None:
        assert self._database.path is not None, "a database in memory has no backups"
        try:
            with self.cursor() as cursor:
                backups.make(cursor, self._database.path)
            self.backup_problem = None
        except (duckdb.Error, OSError, StoreError) as error:
            self.backup_problem = backups.no_backup(error)

    def _deleted(self) -> list[str]:
        """Starts of the lessons that are to be erased."""
        row = self._connection.execute("SELECT value FROM settings WHERE key = ?", [ERASING]).fetchone()
        return [] if row is None else json.loads(row[0])

    def _erase(self) -> None:
        """Take deleted lessons out of the bytes of the file, then remove the backups that hold them.

        Raises:
            StillRead: others go on reading.
            StoreError: the disk refuses.
        """
        if self.in_memory or not (starts := self._deleted()):
            return
        path = self._database.path
        assert path is not None
        self._database.rewrite()
        try:
            backups.erase(path, starts)
        except OSError as error:
            raise why_traces(path.parent / "backups", error) from error
        self._connection.execute("DELETE FROM settings WHERE key = ?", [ERASING])

    def _finish_deletion(self) -> None:
        """Erase what is left of an earlier deletion, if that is possible now."""
        try:
            self._erase()
        except StoreError as error:
            log.warning("A deletion is not finished: %s", error)

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
        path = self._database.path
        if path is None or not is_damage(error):
            return why_not_used(path, error)
        return self.why_damaged(error)


def restore_file(path: Path, backup: Path) -> Path | None:
    """Put a backup in the place of a database that no program has open, also of one that cannot be opened; where the
    replaced one is kept.

    Raises:
        StoreError: as Workspace.restore, or a program has the database open.
    """
    if not path.exists():
        return backups.restore(path, backup)
    try:
        workspace = Workspace.open(path)
    except StoreError as error:
        if "lock on file" in str(error.__cause__) or "used by another process" in str(error.__cause__):
            raise
        return backups.restore(path, backup)
    with closing(workspace):
        return workspace.restore(backup)
