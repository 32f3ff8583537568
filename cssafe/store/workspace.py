"""Workspace: the lessons and settings of one teacher or school in one DuckDB database, written by one thread."""

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
from cssafe.labels import FORMER_MARKERS, MARKERS
from cssafe.language import N_, Sentence
from cssafe.names import clean_text
from cssafe.observations import COLUMNS
from cssafe.scoring.formula import Formula, choose_formula
from cssafe.store import backups, errors, migrations, recovery, statements, stored_settings, summaries, views
from cssafe.store.database import Database, StillRead
from cssafe.store.housekeeping import Housekeeping
from cssafe.store.importing import ImportResult, import_tables
from cssafe.store.lesson import MAX_EXPECTED, Lesson, naive_utc
from cssafe.store.write_queue import WriteQueue

log = logging.getLogger(__name__)


class Workspace:
    """Writes run on one thread, in the order of the calls; reads use a cursor for each thread.

    The writes of a running lesson (`record`, `record_empty`, `add_marker`, `switch_activity`, `end_lesson`, `discard`) wait in
    memory, in order, while the disk is full; `problem` says so meanwhile. All other methods return when they are written, and
    raise StoreError where the database refuses.
    """

    def __init__(self, database: Database, expression: bool) -> None:
        self._database = database
        self.expression = expression
        """Whether emotions may be read (views.py)."""
        self._queue = WriteQueue(database)
        self._housekeeping = Housekeeping(database, self._queue)
        self.notice: Sentence | None = None
        """Notice of what an unclean end may have lost, until a page resets it."""
        self._unwritten_ends: dict[int, datetime] = {}
        self._closed = False

    @classmethod
    def open(cls, path: Path | None, expression: bool = True) -> "Workspace":
        """Open the database at `path`, made if there is none; None: in memory, never on the disk.

        expression: of the profile. Without it, emotions stored under another profile cannot be read.

        After a crash, open lessons are ended at their last observation, an interrupted deletion is finished, and a damaged
        write-ahead log is set aside; `notice` and the log say what may be missing.

        Raises:
            StoreError: another process has it open, a newer CSSAFE made it, it is no database, or the disk refuses. The
                file is as it was.
        """
        database = None
        try:
            before = None if path is None else recovery.inspect_files(path)
            database = Database(path, lambda: None if path is None else backups.newest_backup(path))
            migrations.migrate(database.connection)
            workspace = cls(database, expression)
            if before is not None:
                workspace.notice = recovery.unclean_end_notice(
                    before, database.damaged_log, database.connection, backups.newest_backup(before.path)
                )
            workspace._end_open_lessons()
            workspace._housekeeping.summarise_missing()
            workspace._housekeeping.resume()
        except (duckdb.Error, OSError, StoreError) as error:
            if database is not None:
                database.close(kept_as_it_is=True)
            cause = error.__cause__ if isinstance(error, StoreError) else error
            raise errors.why_not_open(path, error, None if path is None else backups.newest_backup(path)) from cause
        database.mark_running()
        if workspace.notice is not None:
            log.warning("%s", workspace.notice)
        return workspace

    def _end_open_lessons(self) -> None:
        """End lessons left open. One with damaged observations ends at its start, and `notice` says why."""
        for lesson in self._queue.run(lambda: statements.open_lessons(self._connection)):
            try:
                self._queue.run_whole(partial(statements.end_open_lesson, lesson=lesson))
            except StoreError as error:
                if not isinstance(error.__cause__, duckdb.Error) or not errors.is_damage(error.__cause__):
                    raise
                self._queue.run_whole(partial(statements.end_at_start, lesson=lesson))
                self.notice = Sentence("{notice} {damage}", notice=self.notice or "", damage=error)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread. Close it, or let it go out of scope."""
        try:
            cursor = self._database.cursor()
            if not self.expression:
                views.withhold_expression(cursor)
            return cursor
        except duckdb.Error as error:
            raise self._database.why_refused(error) from error

    def why_refused(self, error: BaseException) -> StoreError:
        """The error for a refusal of the database; for a damaged block with its lessons if they can be determined, else the
        newest backup."""
        return self._database.why_refused(error)

    @property
    def in_memory(self) -> bool:
        return self._database.path is None

    def memory_share(self) -> float:
        """Used share of the memory limit, 0 to 1."""
        return self._database.memory_share()

    def start_lesson(self, lesson: Lesson) -> int:
        """Start a lesson; its number.

        Raises:
            StoreError: also if the time zone is unknown, or a database in memory is nearly full.
        """

        def job() -> int:
            self._database.check_room()
            return statements.insert_lessons(self._connection, [lesson], [None])[0]

        return self._queue.run(job)

    @property
    def problem(self) -> str:
        """Message for the user while nothing can be written; else empty."""
        return self._queue.problem

    def lost_seconds(self, lesson: int) -> int:
        """Seconds of the lesson that could neither be written nor wait any longer."""
        return self._queue.lost_seconds(lesson)

    @property
    def written(self) -> datetime | None:
        """When observations were last written (aware, UTC)."""
        return self._queue.written

    @property
    def backup_problem(self) -> StoreError | None:
        """The error if today's backup could not be written."""
        return self._housekeeping.backup_problem

    def record(self, lesson: int, observations: pd.DataFrame) -> None:
        """Queue one second of a lesson, rows of observations.COLUMNS; the writer inserts all waiting seconds at once.

        Rows of a deleted lesson are dropped, and emotions and movements where the lesson's profile has none.
        """
        statements.check_columns(observations, COLUMNS)
        if not observations.empty:
            self._queue.record("observations", observations.assign(lesson=lesson))

    def record_empty(self, lesson: int, time: datetime) -> None:
        """Queue one second (naive UTC) of a lesson in which the camera gave a picture and nobody was found."""
        self._queue.record("empty_seconds", pd.DataFrame({"lesson": [lesson], "time": [time]}))

    def end_lesson(self, lesson: int, ended: datetime) -> None:
        """Write waiting seconds, set the end (aware) and derive the charts' tables."""
        end = naive_utc(ended)
        self._unwritten_ends[lesson] = ended

        def job() -> None:
            with self._database.transaction() as connection:
                connection.execute("UPDATE lessons SET ended = ? WHERE lesson = ?", [end, lesson])
                summaries.summarise(connection, [lesson])
            self._unwritten_ends.pop(lesson, None)
            self._database.pack()

        self._queue.run_in_turn(job)
        self._housekeeping.schedule()

    def unwritten_end(self, lesson: int) -> datetime | None:
        """End (aware) of a lesson whose end is not written yet; None for any other."""
        return self._unwritten_ends.get(lesson)

    def discard(self, lesson: int) -> None:
        """Delete a running lesson without observations; what the disk refuses is left for later."""

        def job() -> None:
            with suppress(StoreError):
                self._housekeeping.delete([lesson])

        self._queue.run_in_turn(job)

    def add(
        self,
        lessons: Sequence[Lesson],
        ended: Sequence[datetime],
        observations: pd.DataFrame,
        empty: pd.DataFrame | None = None,
    ) -> list[int]:
        """Add lessons that are over (a recording, a synthetic term), in one transaction; their numbers.

        ended: aware, one a lesson. observations: COLUMNS and `lesson`, the index into `lessons`. empty: `lesson` and `time`
        (naive UTC) of seconds in which nobody was found; None if unknown.
        """
        statements.check_columns(observations, ("lesson", *COLUMNS))

        def insert(connection: duckdb.DuckDBPyConnection) -> list[int]:
            numbers = statements.insert_lessons(connection, lessons, [naive_utc(time) for time in ended])
            number_of = dict(enumerate(numbers))
            statements.insert_observations(
                connection, observations.assign(lesson=observations["lesson"].map(number_of))
            )
            if empty is not None:
                statements.insert_empty_seconds(connection, empty.assign(lesson=empty["lesson"].map(number_of)))
            summaries.summarise(connection, numbers)
            return numbers

        def job() -> list[int]:
            self._database.check_room()
            numbers = self._queue.insert_whole(insert)
            self._database.pack()
            return numbers

        numbers = self._queue.run(job)
        self._housekeeping.schedule()
        return numbers

    def import_tables(
        self, parts: Iterable[tuple[str, pa.Table]], expression: bool, progress: Callable[[float], object]
    ) -> ImportResult:
        """Import the tables of an export file, all or nothing, as importing.import_tables. The parts are read on the writer
        thread."""

        def job() -> ImportResult:
            self._database.check_room()
            try:
                with self._database.transaction() as connection:
                    result = import_tables(connection, parts, expression, progress)
            except duckdb.OutOfMemoryException as error:
                raise errors.why_not_imported(self._database.path) from error
            self._database.pack()
            return result

        result = self._queue.run(job)
        self._housekeeping.schedule()
        return result

    def add_marker(self, lesson: int, kind: str, time: datetime, note: str = "") -> None:
        """Add a marker at a time (aware).

        Raises:
            StoreError: also for a kind that is none of labels.MARKERS, or of earlier versions.
        """
        if kind not in (*MARKERS, *FORMER_MARKERS):
            words = N_("There is no marker {kind}. Choose one of these: {kinds}.")
            raise StoreError(words, kind=clean_text(kind, 40), kinds=", ".join(MARKERS))
        row = [lesson, naive_utc(time), kind, note]
        self._queue.run_in_turn(lambda: self._connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", row))

    def switch_activity(self, lesson: int, activity: str, time: datetime) -> None:
        """Add an activity from a time on (aware). activity: of labels.ACTIVITIES."""
        row = [(naive_utc(time), activity)]
        self._queue.run_in_turn(lambda: statements.add_activities(self._connection, lesson, row))

    def correct_activities(self, lesson: int, activities: Sequence[tuple[datetime, str]], formula: Formula) -> None:
        """Replace the activities of a past lesson, each from a time on (aware), and rescore it.

        Raises:
            StoreError: also if the formula weighs emotions, and this workspace reads none.
        """
        self._check_formula(formula)
        rows = [(naive_utc(time), activity) for time, activity in activities]
        self._queue.run_whole(lambda connection: statements.correct_activities(connection, lesson, rows, formula))

    def save_rating(self, lesson: int, minute: datetime, rating: int | None) -> None:
        """Save a teacher's rating of the minute from that time on (aware): 0 low, 1 medium, 2 high, None for no answer. The
        first one stays."""
        row = [lesson, naive_utc(minute), rating]
        twice = "WHERE NOT EXISTS (FROM ratings WHERE lesson = $1 AND time = $2)"
        self._queue.run(lambda: self._connection.execute(f"INSERT INTO ratings SELECT $1, $2, $3 {twice}", row))

    def rescorable_lessons(self, formula: Formula) -> list[int]:
        """Past lessons that `rescore` would change; none where the formula weighs emotions and this workspace reads none."""
        if formula.emotion is not None and not self.expression:
            return []
        with self.cursor() as cursor:
            return statements.rescorable_lessons(cursor, formula)

    def unscorable_lessons(self, formula: Formula) -> int:
        """Number of past lessons with scores by another formula that this one cannot score: their signals were not stored."""
        with self.cursor() as cursor:
            rows = cursor.execute(
                """SELECT lesson FROM lessons SEMI JOIN (FROM minutes WHERE seconds > 0) USING (lesson)
                WHERE ended IS NOT NULL AND formula <> $1""",
                [str(formula)],
            ).fetchall()
        return len({lesson for (lesson,) in rows} - set(self.rescorable_lessons(formula)))

    def rescore(self, formula: Formula, progress: Callable[[float], object] | None = None) -> int:
        """Rescore past lessons by the formula, each in a transaction, while running lessons are recorded; their number.

        progress: called with the share done, 0 to 1.
        """
        lessons = self.rescorable_lessons(formula)
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

    def set_expected(self, lesson: int, expected: int) -> None:
        """Set the number of people expected in a past lesson, 0 if unknown, and compute its figures with it."""
        if not 0 <= expected <= MAX_EXPECTED:
            raise StoreError(
                N_("{expected} people cannot be expected. Type a number from 1 to {most}, or 0 if it is unknown."),
                expected=expected,
                most=MAX_EXPECTED,
            )
        self._queue.run_whole(lambda connection: statements.set_expected(connection, lesson, expected))

    def save_note(self, lesson: int, note: str, tags: Sequence[str]) -> None:
        """Replace the teacher's note and tags of a lesson; an empty note is none."""
        self._queue.run_whole(lambda connection: statements.replace_note(connection, lesson, note, tags))

    def save_regions(self, lesson: int, regions: Sequence[Mapping[str, Any]]) -> None:
        """Save the regions for which the lesson's figures are shown, unless it has some.

        regions: name, left, top, right, bottom (shares of the picture).
        """
        self._queue.run_whole(lambda connection: statements.insert_regions(connection, lesson, regions))

    def delete(self, *lessons: int) -> None:
        """Delete lessons from every table, then from the bytes of the file and the backups, which takes as much free space as
        the file has. While others go on reading, the bytes are left for later, and `erasing` is true.

        Raises:
            StoreError: also if the lessons are deleted, but the file cannot be rewritten.
        """

        self._queue.run(lambda: self._housekeeping.delete(lessons))
        self._housekeeping.schedule()

    @property
    def erasing(self) -> bool:
        """Whether bytes of deleted lessons may still be in the file. They are erased when a lesson ends, and when CSSAFE closes
        or starts."""
        return self._housekeeping.erasing()

    def restore(self, backup: Path) -> Path | None:
        """Replace the database by a backup; the path of the replaced one.

        Raises:
            StoreError: a lesson runs, others go on reading, the backup cannot be used or the disk refuses. All is as it
                was.
        """
        kept = self._queue.run(lambda: self._housekeeping.restore(backup))
        self.notice = None
        self._unwritten_ends.clear()
        return kept

    def get(self, key: str, default: Any = None) -> Any:
        """Value of a setting of STORED_SETTINGS; the default if there is none, or an invalid one."""
        with self.cursor() as cursor:
            text = statements.get_value(cursor, key)
        return json.loads(text) if text is not None and stored_settings.is_usable(key, text) else default

    def formula(self) -> Formula:
        """The formula in force: it scores lessons to come, and figures rest on lessons scored by it."""
        return choose_formula(self.get("formula"), self.expression)

    def set(self, key: str, value: Any) -> None:
        """Save a setting of STORED_SETTINGS.

        Raises:
            StoreError: also for an invalid value.
        """
        if not stored_settings.is_usable(key, json.dumps(value)):
            raise StoreError(
                N_("The setting {key} cannot be kept. Expected is {shape}."),
                key=key,
                shape=Sentence(stored_settings.STORED_SETTINGS[key].shape),
            )
        self._queue.run_whole(lambda connection: statements.set_value(connection, key, value))

    def flush(self) -> None:
        """Wait until all recorded seconds are in the database.

        Raises:
            StoreError: they are not, or earlier ones are lost.
        """
        self._queue.flush()

    def close(self) -> None:
        """Write waiting seconds, finish a backup and a deletion, and close the database. Closing twice is allowed.

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
            raise errors.why_unwritten(error, seconds) from error
        finally:
            self._closed = True
            self._queue.close()
            self._database.close()

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The writer thread's."""
        return self._database.connection


def restore_file(path: Path, backup: Path) -> Path | None:
    """Replace a database that no program has open, even a damaged one, by a backup; the path of the replaced one.

    Raises:
        StoreError: as Workspace.restore, or a program has the database open.
    """
    if not path.exists():
        return backups.restore_backup(path, backup)
    try:
        workspace = Workspace.open(path)
    except StoreError as error:
        if errors.is_in_use(error.__cause__):
            raise
        return backups.restore_backup(path, backup)
    with closing(workspace):
        return workspace.restore(backup)
