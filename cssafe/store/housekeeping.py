"""Daily backup, deletion down to the bytes of all files, and restoring a backup."""

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_
from cssafe.store import backups, statements
from cssafe.store.database import Database, StillRead
from cssafe.store.errors import is_damage, why_traces
from cssafe.store.migrations import migrate
from cssafe.store.summaries import summarise
from cssafe.store.write_queue import WriteQueue

log = logging.getLogger(__name__)

ERASING = "erasing"
"""Setting with the starts (ISO 8601, naive UTC) of deleted lessons whose bytes may still be in the file or in a backup. It
is written in the transaction of the deletion, and holds no name of a lesson."""

MISSING_SQL = """
    SELECT lesson FROM lessons ANTI JOIN minutes USING (lesson) SEMI JOIN observations USING (lesson)
    WHERE ended IS NOT NULL ORDER BY lesson
"""
"""SQL of the lessons whose summaries are missing."""

MAX_BATCH_LESSONS = 20
"""Lessons whose summaries are derived in one transaction."""


class Housekeeping:
    """Backups and deletions of one database. One in memory has no files, so nothing is done."""

    def __init__(self, database: Database, queue: WriteQueue) -> None:
        self._database, self._queue = database, queue
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cssafe-backup")
        self.backup_problem: StoreError | None = None
        """Why there is no backup of today, if it could not be written."""

    def resume(self) -> None:
        """Remove a half-written backup and finish a deletion after a crash."""
        if self._database.path is None:
            return
        with suppress(OSError):  # the next start tries again
            backups.remove_leftovers(self._database.path)
        if self.erasing():
            self._queue.submit(self._finish_deletion).result()
            self.schedule()

    def schedule(self) -> None:
        """Finish a deletion and make the backup of the day, on a thread of its own: a large database takes a minute."""
        if self._database.path is not None:
            with suppress(RuntimeError):  # closed meanwhile
                self._thread.submit(self._run)

    def close(self) -> None:
        """Wait until what is scheduled is done."""
        self._thread.shutdown()

    def _run(self) -> None:
        self._queue.submit(self._finish_deletion).result()
        self._back_up()
        if self.erasing():  # a deletion that had to wait for the backup, and may remove it
            self._queue.submit(self._finish_deletion).result()
            self._back_up()

    def _back_up(self) -> None:
        assert self._database.path is not None, "a database in memory has no backups"
        try:
            with self._database.cursor() as cursor:
                backups.make_backup(cursor, self._database.path)
            self.backup_problem = None
        except (duckdb.Error, OSError, StoreError) as error:
            self.backup_problem = backups.why_no_backup(error)

    def erasing(self) -> bool:
        """Whether a deletion is not finished."""
        with self._database.cursor() as cursor:
            return bool(_deleted(cursor))

    # From here on: on the writer thread.

    def delete(self, lessons: Sequence[int]) -> None:
        """Delete lessons from all tables, then from the bytes of the file and the backups unless others go on reading.

        Raises:
            StoreError: the lessons are deleted, but the disk refuses the rest.
        """
        with self._database.transaction() as connection:
            if self._database.path is not None:
                starts = statements.start_times(connection, lessons)
                statements.set_value(connection, ERASING, sorted({*_deleted(connection), *starts}))
            statements.delete_lessons(connection, lessons)
        self._database.pack()
        with suppress(StillRead):
            self.erase()

    def erase(self) -> None:
        """Remove deleted lessons from the bytes of the file, then remove the backups that hold them.

        Raises:
            StillRead: others go on reading.
            StoreError: the disk refuses.
        """
        path = self._database.path
        if path is None or not (starts := _deleted(self._database.connection)):
            return
        self._database.rewrite()
        try:
            backups.erase_backups(path, starts)
        except OSError as error:
            raise why_traces(path.parent / "backups", error) from error
        self._database.connection.execute("DELETE FROM settings WHERE key = ?", [ERASING])

    def restore(self, backup: Path) -> Path | None:
        """Replace the database by the backup; the path of the replaced one.

        Raises:
            StoreError: a lesson runs, others go on reading, the backup cannot be used or the disk refuses. All is as it
                was.
        """
        path = self._database.path
        assert path is not None, "a database in memory has no backups"
        self._queue.catch_up()
        if self._database.connection.execute("SELECT 1 FROM lessons WHERE ended IS NULL").fetchone():
            raise StoreError(N_("A lesson is running. End it, then restore the backup."))
        self.erase()  # or the replaced database would keep what was deleted
        with self._database.released():
            kept = backups.restore_backup(path, backup)
        migrate(self._database.connection)
        with self._database.transaction() as connection:
            for lesson in statements.open_lessons(connection):
                statements.end_open_lesson(connection, lesson)
        self.summarise_missing()
        self._finish_deletion()
        return kept

    def summarise_missing(self) -> None:
        """Derive the summaries of ended lessons that have observations and no minutes, as a step of the schema leaves them.

        Each batch is a transaction, so an interrupted run goes on at the next start. A damaged block stops it; the page that
        needs its rows names it.
        """
        try:
            rows = self._database.connection.execute(MISSING_SQL).fetchall()
            lessons = [lesson for (lesson,) in rows]
            for first in range(0, len(lessons), MAX_BATCH_LESSONS):
                with self._database.transaction() as connection:
                    summarise(connection, lessons[first : first + MAX_BATCH_LESSONS])
        except duckdb.Error as error:
            if not is_damage(error):
                raise

    def _finish_deletion(self) -> None:
        """Finish an earlier deletion, if possible now."""
        try:
            self.erase()
        except StoreError as error:
            log.warning("A deletion is not finished: %s", error)


def _deleted(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Starts of the lessons that are to be erased."""
    return json.loads(statements.get_value(connection, ERASING) or "[]")
