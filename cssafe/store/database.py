"""A database in a file or in memory: its connections, the room that it has, and rewriting the file without deleted rows."""

import glob
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from weakref import WeakSet

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_
from cssafe.settings import THREADS
from cssafe.store.errors import check_file_handles, is_damage, why_damaged, why_not_open, why_not_used, why_traces
from cssafe.store.recovery import LOG_SUFFIXES, connect, damaged_lessons, running_marker_path

RESCUE_PREFIX = "cssafe-rescue-"
"""Beginning of the name of the folder, beside the new database, in which a rescue works on a copy of the damaged one."""

Limits = dict[str, str | bool | int | float | list[str]]

NO_EXTENSIONS: Limits = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""Nothing is downloaded, such as what would read the database of another program."""

FILE_CONFIG: Limits = {
    "memory_limit": "192MB",
    "threads": THREADS,
    "storage_compatibility_version": "v1.4.0",
    "wal_autocheckpoint_entries": "360",
    **NO_EXTENSIONS,
}
"""Most that DuckDB may take for the database in a file: on a host with 1 GB the networks, Streamlit and the pages need the
rest. A file made in this form or a later one knows a write-ahead log that is not its own. The log goes into the file after
120 inserts of three entries each: a damaged log costs two minutes of recording, not the hour that 16 MB of it hold; with 25
faces that takes .2 s (measured), on the writer's thread alone."""

MEMORY_CONFIG: Limits = {"memory_limit": "128MB", "threads": 1, "temp_directory": "", **NO_EXTENSIONS}
"""The same for one in memory, of which a host with visitors has many: a synthetic term takes 75 MB while it is made and
21 MB once packed. Without a folder for temporary files nothing of it can be spilled onto the disk."""

MAX_MEMORY_SHARE = 0.45
"""Share of the memory in use, packed, from which on no lesson is added: one of 25 faces and 20 minutes, added at once, takes
.39 more until it is packed."""

PACKING_MEMORY_LIMIT = "256MB"
"""Most that it may take while it is packed, when old and new lie side by side: a database that runs out of memory there is
lost. Only one at a time is packed."""

READERS_TIMEOUT_S = 5.0
"""Seconds that replacing the file waits for others to finish reading."""

COMMITTED = "COMMIT succeeded"
"""In DuckDB's message of a fatal error: what was to be written is in the log; only moving it into the file failed."""

_packing = Lock()


class StillRead(StoreError):
    """The file cannot be replaced, for others go on reading it."""

    def __init__(self) -> None:
        super().__init__(
            N_(
                "The database is being read, by a report or an export for example. Wait until that is done, then try again."
            )
        )


class Database:
    """`connection` is the writer's, used on its thread alone; everybody else has a cursor."""

    def __init__(self, path: Path | None, newest_backup: Callable[[], Path | None] = lambda: None) -> None:
        """path: where the file is, or is made; None: in memory, off the disk altogether. newest_backup: for the sentences
        about a damaged file."""
        self.path = path
        self._newest_backup = newest_backup
        self._not_reopened: duckdb.Error | None = None
        """Why the file could not be opened again after a fatal error."""
        self.damaged_log: Path | None = None
        """Where a write-ahead log is kept that was damaged when the file was opened."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._open()
        self._readers: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
        self._door = Lock()
        if path is not None:  # of a crash; nobody else has the file open
            remove_database(temporary_path(path))
            shutil.rmtree(f"{path}.tmp", ignore_errors=True)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread."""
        with self._door:
            cursor = self._root.cursor()
            self._readers.add(cursor)
            return cursor

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All that is written in it, or nothing."""
        self.connection.begin()
        try:
            yield self.connection
        except BaseException:
            with suppress(duckdb.Error):  # out of memory, it has been rolled back already
                self.connection.rollback()
            raise
        try:
            self.connection.commit()
        except duckdb.FatalException as error:
            if COMMITTED not in str(error):
                raise
            with suppress(duckdb.Error):
                self.reopen()

    def reopen(self) -> None:
        """Open the file again after a fatal error, on which DuckDB refuses everything; one in memory would be lost. Only once
        no reader holds it: the lock on the file goes with the last connection of before.

        Raises:
            duckdb.Error: it cannot be opened now.
        """
        if self.path is None:
            return
        with self._door:
            if self._unread():
                self.connection.close()
                self._root.close()
                try:
                    self._open()
                except duckdb.Error as error:
                    self._not_reopened = error
                    raise

    def why_refused(self, error: BaseException) -> StoreError:
        """The error for what the database refused."""
        if self._not_reopened is not None:
            return why_not_open(self.path, self._not_reopened, self._newest_backup())
        if self.path is None or not is_damage(error):
            return why_not_used(self.path, error)
        return self.why_damaged(error)

    def why_damaged(self, error: BaseException) -> StoreError:
        """The error for a block of the file that turned out damaged while it was read; it names the lessons if that can be
        told, else the newest backup."""
        assert self.path is not None, "memory has no blocks of a file"
        try:
            with self.cursor() as cursor:
                lessons = damaged_lessons(cursor)
        except duckdb.Error:
            lessons = []
        return why_damaged(self.path, error, lessons, self._newest_backup())

    def used(self) -> float:
        """Share of the memory that the database may take and takes, 0 to 1."""
        with self.cursor() as cursor:
            row = cursor.execute(
                "SELECT sum(memory_usage_bytes) / parse_formatted_bytes(current_setting('memory_limit'))"
                " FROM duckdb_memory()"
            ).fetchone()
        assert row is not None, "an aggregate without groups has one row"
        return float(row[0])

    def check_room(self) -> None:
        """Refuse before a database in memory is so full that something could be lost.

        Raises:
            StoreError: another lesson may not find room.
        """
        if self.path is None and self.used() > MAX_MEMORY_SHARE:
            raise StoreError(
                N_(
                    "There may be no room for another lesson: the memory of this visit is nearly full. Download what you want "
                    "to keep on the page Data, then delete lessons on the page Lessons, or reload the page to begin anew."
                )
            )

    def pack(self) -> None:
        """Make a database in memory small, to a fifth or so; one in a file does that by itself."""
        if self.path is not None:
            return
        with _packing:
            (limit,) = self.connection.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
            self.connection.execute(f"SET memory_limit = '{PACKING_MEMORY_LIMIT}'")
            try:
                with suppress(duckdb.TransactionException):  # somebody is reading: the next time will do
                    self.connection.execute("CHECKPOINT")
            finally:
                self.connection.execute(f"SET memory_limit = '{limit}'")

    def rewrite(self) -> None:
        """Replace the file by a copy without the bytes of deleted rows. Logs that were set aside beside it may hold them, too,
        and go.

        Raises:
            StillRead: others go on reading; the file is as it was.
            StoreError: the disk refuses; the file is as it was.
        """
        assert self.path is not None, "a database in memory leaves nothing behind"
        new = temporary_path(self.path)
        try:
            copy_database(self.connection, new)
            new.chmod(self.path.stat().st_mode)
            with self.released():
                replace_file(new, self.path)
                for log in self.path.parent.glob(f"{glob.escape(self.path.name)}.wal*"):
                    log.unlink()
        except (duckdb.Error, OSError) as error:
            raise why_traces(self.path, error) from error
        finally:
            remove_database(new)

    @contextmanager
    def released(self) -> Iterator[None]:
        """The file closed, with no log beside it, so that it may be replaced; afterwards it is open again.

        Raises:
            StillRead: others go on reading.
            OSError: the log could not be written into the file.
        """
        with self._door:
            if not self._unread():
                raise StillRead
            self.connection.close()
            self._root.close()
            try:
                if Path(f"{self.path}.wal").exists():  # a new file beside the log of the old one would be damaged by it
                    raise OSError("The newest rows could not be written into the file.")
                yield
            finally:
                self._open()

    def mark_running(self) -> None:
        """Leave a file beside the database until it is closed, as a sign of an unclean end."""
        if self.path is not None:
            with suppress(OSError):  # a full disk: the log beside the file tells the same
                running_marker_path(self.path).touch()

    def close(self, kept_as_it_is: bool = False) -> None:
        """kept_as_it_is: nothing more is written into the file, nor the log beside it into the file."""
        try:
            if kept_as_it_is:
                with suppress(duckdb.Error):
                    self.connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        finally:
            self.connection.close()
            self._root.close()
            if self.path is not None and not kept_as_it_is:
                with suppress(OSError):  # in a read-only folder
                    running_marker_path(self.path).unlink(missing_ok=True)

    def _open(self) -> None:
        check_file_handles()
        if self.path is None:
            self._root = duckdb.connect(":memory:", config=MEMORY_CONFIG)
        else:
            self._root, kept = connect(self.path, FILE_CONFIG)
            self.damaged_log = kept or self.damaged_log
        self.connection = self._root.cursor()
        self._not_reopened = None

    def _unread(self) -> bool:
        """Whether all readers have finished, within PATIENCE. To be called with the door closed."""
        until = time.monotonic() + READERS_TIMEOUT_S
        while self._readers and time.monotonic() < until:
            time.sleep(0.01)
        return not self._readers


def copy_database(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Write the connection's current database into a new file, without the bytes of deleted rows."""
    remove_database(target)
    (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    new = f'"{target.name}"'  # of the whole process, where a backup and a rewrite may meet
    connection.execute(f"ATTACH {sql_string(target)} AS {new}")
    try:
        connection.execute(f'COPY FROM DATABASE "{name}" TO {new}')
        connection.execute(f"CHECKPOINT {new}")
    finally:
        connection.execute(f"DETACH {new}")


def replace_file(new: Path, path: Path) -> None:
    """Put a file in the place of another: a power cut leaves one of the two, whole."""
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    new.replace(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_database(path: Path) -> None:
    """Remove a database file and its logs, those that are there. The file goes last: a log alone would never be found."""
    for end in (*LOG_SUFFIXES, ""):
        Path(f"{path}{end}").unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Where the successor of a database file is written."""
    return path.with_suffix(".new")


def sql_string(text: Path | str) -> str:
    """A path or another text as a string of SQL."""
    return "'{}'".format(str(text).replace("'", "''"))
