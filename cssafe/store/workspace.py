"""A workspace: everything of one teacher or school in one DuckDB database, and the one thread that writes to it."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from cssafe.errors import StoreError
from cssafe.language import N_, Sentence
from cssafe.observations import COLUMNS
from cssafe.scoring.formula import Formula
from cssafe.store import backups, statements
from cssafe.store.database import Database, StillRead
from cssafe.store.errors import is_damage, is_in_use, why_not_imported, why_not_open, why_unwritten
from cssafe.store.housekeeping import Housekeeping
from cssafe.store.importing import ImportResult, import_tables
from cssafe.store.lesson import Lesson, naive_utc
from cssafe.store.migrations import migrate
from cssafe.store.recovery import inspect_files, unclean_end_notice
from cssafe.store.stored_settings import STORED_SETTINGS, is_usable
from cssafe.store.summaries import summarise
from cssafe.store.views import withhold_expression
from cssafe.store.write_queue import WriteQueue

log = logging.getLogger(__name__)


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
        self._queue = WriteQueue(database)
        self._housekeeping = Housekeeping(database, self._queue)
        self.notice: Sentence | None = None
        """What may be missing after an unclean end, until somebody has read it and sets it back."""
        self._unwritten_ends: dict[int, datetime] = {}
        self._closed = False

    @classmethod
    def open(cls, path: Path | None, expression: bool = True) -> "Workspace":
        """Open the database at `path`, made if there is none; None keeps it in memory and off the disk altogether.

        expression: of the profile. Without it, nobody reads emotions that were stored under another profile.

        Lessons that a crash left open are ended at their last observation, a deletion that it interrupted is finished, and a
        damaged write-ahead log is set aside; `notice` and the log then say what may be missing.

        Raises:
            StoreError: another process has it open, a newer CSSAFE made it, it is no database, or the disk refuses. The
                file is left as it was.
        """
        database = None
        try:
            before = None if path is None else inspect_files(path)
            database = Database(path, lambda: None if path is None else backups.newest_backup(path))
            migrate(database.connection)
            workspace = cls(database, expression)
            if before is not None:
                workspace.notice = unclean_end_notice(
                    before, database.damaged_log, database.connection, backups.newest_backup(before.path)
                )
            workspace._end_open_lessons()
            workspace._housekeeping.resume()
        except (duckdb.Error, OSError, StoreError) as error:
            if database is not None:
                database.close(kept_as_it_is=True)
            cause = error.__cause__ if isinstance(error, StoreError) else error
            raise why_not_open(path, error, None if path is None else backups.newest_backup(path)) from cause
        database.mark_running()
        if workspace.notice is not None:
            log.warning("%s", workspace.notice)
        return workspace

    def _end_open_lessons(self) -> None:
        """A lesson whose observations are damaged keeps nobody out: it ends when it started, and `notice` says why."""
        for lesson in self._queue.run(lambda: statements.open_lessons(self._connection)):
            try:
                self._queue.run_whole(partial(statements.end_open_lesson, lesson=lesson))
            except StoreError as error:
                if not isinstance(error.__cause__, duckdb.Error) or not is_damage(error.__cause__):
                    raise
                self._queue.run_whole(partial(statements.end_at_start, lesson=lesson))
                self.notice = Sentence("{notice} {damage}", notice=self.notice or "", damage=error)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread. Close it, or let it go out of scope."""
        try:
            cursor = self._database.cursor()
            if not self.expression:
                withhold_expression(cursor)
            return cursor
        except duckdb.Error as error:
            raise self._database.why_refused(error) from error

    def why_refused(self, error: BaseException) -> StoreError:
        """The error for what the database refused while it was read. Of a damaged block it names the lessons if that can be
        told, else the newest backup."""
        return self._database.why_refused(error)

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
            return statements.insert_lessons(self._connection, [lesson], [None])[0]

        return self._queue.run(job)

    @property
    def problem(self) -> str:
        """Why nothing can be written now, in words for the user; empty while all is well."""
        return self._queue.problem

    def lost(self, lesson: int) -> int:
        """How many seconds of the lesson could neither be written nor wait any longer."""
        return self._queue.lost(lesson)

    @property
    def written(self) -> datetime | None:
        """When observations were last written (aware, UTC)."""
        return self._queue.written

    @property
    def backup_problem(self) -> StoreError | None:
        """Why there is no backup of today, if it could not be written."""
        return self._housekeeping.backup_problem

    def record(self, lesson: int, observations: pd.DataFrame) -> None:
        """Queue one second, rows of observations.COLUMNS, for the writer thread, which takes all that is waiting in one insert.

        Rows of a lesson that is deleted meanwhile are dropped, and emotions and movements where the lesson's profile has none.
        """
        statements.check_columns(observations, COLUMNS)
        if not observations.empty:
            self._queue.record(observations.assign(lesson=lesson))

    def end_lesson(self, lesson: int, ended: datetime) -> None:
        """Write what is waiting, set the end (aware) and make the tables that the charts read."""
        end = naive_utc(ended)
        self._unwritten_ends[lesson] = ended

        def job() -> None:
            with self._database.transaction() as connection:
                connection.execute("UPDATE lessons SET ended = ? WHERE lesson = ?", [end, lesson])
                summarise(connection, [lesson])
            self._unwritten_ends.pop(lesson, None)
            self._database.pack()

        self._queue.run_in_turn(job)
        self._housekeeping.schedule()

    def unwritten_end(self, lesson: int) -> datetime | None:
        """When a lesson ended (aware) whose end could not be written yet; None for any other."""
        return self._unwritten_ends.get(lesson)

    def discard(self, lesson: int) -> None:
        """`delete` a running lesson of which nothing was recorded; what the disk refuses is left for later."""

        def job() -> None:
            with suppress(StoreError):
                self._housekeeping.delete([lesson])

        self._queue.run_in_turn(job)

    def add(self, lessons: Sequence[Lesson], ended: Sequence[datetime], observations: pd.DataFrame) -> list[int]:
        """Numbers of lessons added at once, in one transaction, already over (a recording, a synthetic term).

        ended: aware, one a lesson. observations: COLUMNS and `lesson`, the index into `lessons`.
        """
        statements.check_columns(observations, ("lesson", *COLUMNS))

        def insert(connection: duckdb.DuckDBPyConnection) -> list[int]:
            numbers = statements.insert_lessons(connection, lessons, [naive_utc(time) for time in ended])
            numbered = observations.assign(lesson=observations["lesson"].map(dict(enumerate(numbers))))
            statements.insert_observations(connection, numbered)
            summarise(connection, numbers)
            return numbers

        def job() -> list[int]:
            self._database.check_room()
            numbers = self._queue.insert_whole(insert)
            self._database.pack()
            return numbers

        numbers = self._queue.run(job)
        self._housekeeping.schedule()
        return numbers

    def take(
        self, parts: Iterable[tuple[str, pa.Table]], expression: bool, progress: Callable[[float], None]
    ) -> ImportResult:
        """Add what another workspace gave, all of it or nothing; as in taking.take. The parts are asked for on the writer
        thread."""

        def job() -> ImportResult:
            self._database.check_room()
            try:
                with self._database.transaction() as connection:
                    taken = import_tables(connection, parts, expression, progress)
            except duckdb.OutOfMemoryException as error:
                if not self.in_memory:
                    raise
                raise why_not_imported() from error
            self._database.pack()
            return taken

        taken = self._queue.run(job)
        self._housekeeping.schedule()
        return taken

    def mark(self, lesson: int, kind: str, time: datetime, note: str = "") -> None:
        """Note an event of the lesson (aware time): "question", "instruction", "quiz" ..."""
        row = [lesson, naive_utc(time), kind, note]
        self._queue.run_in_turn(lambda: self._connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", row))

    def switch(self, lesson: int, activity: str, time: datetime) -> None:
        """From that time on (aware) the lesson has another activity, one of labels.ACTIVITIES."""
        row = [(naive_utc(time), activity)]
        self._queue.run_in_turn(lambda: statements.add_activities(self._connection, lesson, row))

    def correct(self, lesson: int, activities: Sequence[tuple[datetime, str]], formula: Formula) -> None:
        """Say anew what a past lesson did, each from a time on (aware), and score it accordingly.

        Raises:
            StoreError: also if the formula weighs emotions, and this workspace reads none.
        """
        self._check_formula(formula)
        rows = [(naive_utc(time), activity) for time, activity in activities]
        self._queue.run_whole(lambda connection: statements.correct_activities(connection, lesson, rows, formula))

    def rate(self, lesson: int, minute: datetime, rating: int | None) -> None:
        """Keep what the teacher thought of the minute that begins then (aware): 0 low, 1 medium, 2 high, None if she cannot
        say. The first answer stays."""
        row = [lesson, naive_utc(minute), rating]
        twice = "WHERE NOT EXISTS (FROM ratings WHERE lesson = $1 AND time = $2)"
        self._queue.run(lambda: self._connection.execute(f"INSERT INTO ratings SELECT $1, $2, $3 {twice}", row))

    def rescorable(self, formula: Formula) -> list[int]:
        """Past lessons that `rescore` would score anew; none where the formula weighs emotions, and none are read here."""
        if formula.emotion is not None and not self.expression:
            return []
        with self.cursor() as cursor:
            return statements.rescorable_lessons(cursor, formula)

    def rescore(self, formula: Formula, progress: Callable[[float], None] | None = None) -> int:
        """Score all past lessons by this formula that can be; how many were. Each is done whole or not at all, and lessons
        that run go on being recorded in between. progress: called with the share done, 0 to 1."""
        lessons = self.rescorable(formula)
        for i, lesson in enumerate(lessons):
            self._queue.run_whole(partial(statements.rescore_lesson, lesson=lesson, formula=formula))
            if progress is not None:
                progress((i + 1) / len(lessons))
        self._queue.run(self._database.pack)
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
        self._queue.run(lambda: self._connection.execute("UPDATE lessons SET name = ? WHERE lesson = ?", row))

    def annotate(self, lesson: int, note: str, tags: Sequence[str]) -> None:
        """Keep the teacher's note on a lesson and its tags, in place of those before; an empty note is none."""
        self._queue.run_whole(lambda connection: statements.replace_note(connection, lesson, note, tags))

    def divide(self, lesson: int, regions: Sequence[Mapping[str, Any]]) -> None:
        """Keep the regions for which the lesson's figures are shown; those that it has stay.

        regions: name, left, top, right, bottom (shares of the picture).
        """
        self._queue.run_whole(lambda connection: statements.insert_regions(connection, lesson, regions))

    def delete(self, *lessons: int) -> None:
        """Take lessons and all that was recorded of them out of every table, then out of the bytes of the file and of the
        backups, for which the disk needs as much free space as the file has. While others go on reading, that is left
        for later, and `erasing` is true.

        Raises:
            StoreError: also if the lessons are deleted, but the file cannot be rewritten.
        """

        self._queue.run(lambda: self._housekeeping.delete(lessons))
        self._housekeeping.schedule()

    @property
    def erasing(self) -> bool:
        """Whether bytes of deleted lessons may still be in the file. CSSAFE tries to erase them when a lesson ends, when it
        closes and when it starts."""
        return self._housekeeping.erasing()

    def restore(self, backup: Path) -> Path | None:
        """Replace all that is here by what the backup holds; where the replaced database is kept.

        Raises:
            StoreError: a lesson runs, others go on reading, the backup cannot be used or the disk refuses. All is as it
                was.
        """
        kept = self._queue.run(lambda: self._housekeeping.restore(backup))
        self.notice = None
        self._unwritten_ends.clear()
        return kept

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a setting, one of STORED_SETTINGS; the default where there is none, or none that can be used."""
        with self.cursor() as cursor:
            text = statements.get_value(cursor, key)
        return json.loads(text) if text is not None and is_usable(key, text) else default

    def set(self, key: str, value: Any) -> None:
        """Keep a setting, one of STORED_SETTINGS.

        Raises:
            StoreError: also if it is none that `get` would give back.
        """
        if not is_usable(key, json.dumps(value)):
            raise StoreError(
                N_("The setting {key} cannot be kept. Expected is {shape}."),
                key=key,
                shape=Sentence(STORED_SETTINGS[key].shape),
            )
        self._queue.run_whole(lambda connection: statements.set_value(connection, key, value))

    def flush(self) -> None:
        """Return when everything recorded so far is in the database.

        Raises:
            StoreError: it is not, or an earlier part of it is lost.
        """
        self._queue.flush()

    def close(self) -> None:
        """Write what is waiting, finish a backup and a deletion, and close the database. Closing twice is allowed.

        Raises:
            StoreError: something could not be written; the database is closed.
        """
        try:
            self._housekeeping.close()
            if not self._closed:
                self.flush()
                with suppress(StillRead):
                    self._queue.run(self._housekeeping.erase)
        except StoreError as error:
            seconds = self._queue.close()
            if not seconds:
                raise
            log.error("The database is closed; %d seconds of lessons were not written.", seconds)
            raise why_unwritten(error, seconds) from error
        finally:
            self._closed = True
            self._queue.close()
            self._database.close()

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The writer thread's."""
        return self._database.connection


def restore_file(path: Path, backup: Path) -> Path | None:
    """Put a backup in the place of a database that no program has open, also of one that cannot be opened; where the
    replaced one is kept.

    Raises:
        StoreError: as Workspace.restore, or a program has the database open.
    """
    if not path.exists():
        return backups.restore_backup(path, backup)
    try:
        workspace = Workspace.open(path)
    except StoreError as error:
        if is_in_use(error.__cause__):
            raise
        return backups.restore_backup(path, backup)
    with closing(workspace):
        return workspace.restore(backup)
