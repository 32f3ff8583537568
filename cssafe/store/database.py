"""Database in a file or in memory: connections, memory limits, and rewriting the file without deleted rows."""

import glob
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
from cssafe.store.damaged_blocks import damaged_lessons
from cssafe.store.database_files import copy_database, remove_database, replace_file, temporary_path
from cssafe.store.errors import check_file_handles, is_damage, why_damaged, why_not_open, why_not_used, why_traces
from cssafe.store.write_ahead_log import connect, running_marker_path

RESCUE_PREFIX = "cssafe-rescue-"
"""Name prefix of the folder beside the new database in which a rescue works on a copy of the damaged one."""

Limits = dict[str, str | bool | int | float | list[str]]

NO_EXTENSIONS: Limits = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""No downloads, such as an extension that reads another program's database."""

FILE_CONFIG: Limits = {
    "memory_limit": "192MB",
    "threads": THREADS,
    "storage_compatibility_version": "v1.4.0",
    "wal_autocheckpoint_entries": "360",
    **NO_EXTENSIONS,
}
"""Configuration of a database file. Memory: on a host with 1 GB the networks, Streamlit and the pages need the rest. Files of
this storage version or a later one recognise a foreign write-ahead log. The log goes into the file after 120 inserts of three
entries each, so that a damaged log costs two minutes of recording, not the hour in 16 MB; with 25 faces that takes .2 s of the
writer's thread (measured)."""

MEMORY_CONFIG: Limits = {"memory_limit": "128MB", "threads": 1, "temp_directory": "", **NO_EXTENSIONS}
"""Configuration of a database in memory; a host has one for each visitor: a synthetic term takes 75 MB while it is made
and 21 MB once packed. Without a folder for temporary files nothing can spill onto the disk."""

MAX_MEMORY_SHARE = 0.45
"""Share of the memory in use, packed, above which no lesson is added: one of 25 faces and 20 minutes takes .39 more until it is
packed."""

PACKING_MEMORY_LIMIT = "256MB"
"""Memory while a database is packed, when old and new lie side by side: one that runs out of memory there is lost. Only one is
packed at a time."""

READERS_TIMEOUT_S = 5.0
"""Wait for readers to finish before the file is replaced."""

COMMITTED = "COMMIT succeeded"
"""In DuckDB's message of a fatal error: the log has the rows; only moving them into the file failed."""

_packing = Lock()


class StillRead(StoreError):
    """The file cannot be replaced because others go on reading it."""

    def __init__(self) -> None:
        super().__init__(
            N_(
                "The database is being read, by a report or an export for example. Wait until that is done, then try again."
            )
        )


class Database:
    """`connection` belongs to the writer's thread; readers use cursors."""

    def __init__(self, path: Path | None, newest_backup: Callable[[], Path | None] = lambda: None) -> None:
        """path: of the file, made if there is none; None: in memory, never on the disk. newest_backup: for messages about a
        damaged file."""
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
        self._reader_lock = Lock()
        if path is not None:  # of a crash; nobody else has the file open
            remove_database(temporary_path(path))
            shutil.rmtree(f"{path}.tmp", ignore_errors=True)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading, for one thread."""
        with self._reader_lock:
            cursor = self._root.cursor()
            self._readers.add(cursor)
            return cursor

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction: all or nothing is written."""
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
        """Open the file again after a fatal error, from which on DuckDB refuses everything; a database in memory would be lost.
        Waits for readers, because the lock on the file is released with its last connection.

        Raises:
            duckdb.Error: it cannot be opened now.
        """
        if self.path is None:
            return
        with self._reader_lock:
            if self._unread():
                self.connection.close()
                self._root.close()
                try:
                    self._open()
                except duckdb.Error as error:
                    self._not_reopened = error
                    raise

    def why_refused(self, error: BaseException) -> StoreError:
        """The error for a refusal of the database."""
        if self._not_reopened is not None:
            return why_not_open(self.path, self._not_reopened, self._newest_backup())
        if self.path is None or not is_damage(error):
            return why_not_used(self.path, error)
        return self.why_damaged(error)

    def why_damaged(self, error: BaseException) -> StoreError:
        """The error for a damaged block, with its lessons if they can be determined, else the newest backup."""
        assert self.path is not None, "memory has no blocks of a file"
        try:
            with self.cursor() as cursor:
                lessons = damaged_lessons(cursor)
        except duckdb.Error:
            lessons = []
        return why_damaged(self.path, error, lessons, self._newest_backup())

    def memory_share(self) -> float:
        """Used share of the memory limit, 0 to 1."""
        with self.cursor() as cursor:
            [(share,)] = cursor.execute(
                "SELECT sum(memory_usage_bytes) / parse_formatted_bytes(current_setting('memory_limit'))"
                " FROM duckdb_memory()"
            ).fetchall()
        return float(share)

    def check_room(self) -> None:
        """Refuse before a database in memory is so full that rows could be lost.

        Raises:
            StoreError: another lesson may not find room.
        """
        if self.path is None and self.memory_share() > MAX_MEMORY_SHARE:
            raise StoreError(
                N_(
                    "There may be no room for another lesson: the memory of this visit is nearly full. Download what you want "
                    "to keep on the page Data, then delete lessons on the page Lessons, or reload the page to start again."
                )
            )

    def pack(self) -> None:
        """Compress a database in memory, to about a fifth; one in a file does that by itself."""
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
        """Replace the file by a copy without the bytes of deleted rows, and remove logs set aside, which may hold them.

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
        """Close the file, with no log beside it, so that it can be replaced; open it again afterwards.

        Raises:
            StillRead: others go on reading.
            OSError: the log could not be written into the file.
        """
        with self._reader_lock:
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
        """Make a marker file beside the database, which is there until it is closed."""
        if self.path is not None:
            with suppress(OSError):  # a full disk: the log beside the file is a sign, too
                running_marker_path(self.path).touch()

    def close(self, kept_as_it_is: bool = False) -> None:
        """kept_as_it_is: nothing more is written into the file, not even its log."""
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
        """Wait for readers until READERS_TIMEOUT_S; whether all have finished. To be called with the lock."""
        until = time.monotonic() + READERS_TIMEOUT_S
        while self._readers and time.monotonic() < until:
            time.sleep(0.01)
        return not self._readers
