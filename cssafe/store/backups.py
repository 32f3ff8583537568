"""Dated backups: copies of the database in the folder `backups` beside it.

`cssafe-2026-11-29.duckdb` is the copy of a day on which lessons ended, `cssafe-2026-11-29-replaced-101500.duckdb` the
database that a restored backup replaced. A backup that holds a deleted lesson is removed.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_
from cssafe.store.database import (
    FILE_CONFIG,
    RESCUE_PREFIX,
    copy_database,
    remove_database,
    replace_file,
    sql_string,
    temporary_path,
)
from cssafe.store.errors import check_file_handles, first_line
from cssafe.store.migrations import MIGRATIONS
from cssafe.store.recovery import LOG_SUFFIXES

MAX_BACKUP_DAYS = 14
"""Days with lessons whose backups are kept. They span nearly three school weeks, so that a fault is still undone by
somebody who was ill for two. Days without lessons do not count: holidays remove no backup."""

MIN_FREE_BYTES = 200_000_000
"""Least that a backup leaves free on the disk: the lessons of several days, for recording comes before backups."""

_REPLACED = "-replaced-"


@dataclass(frozen=True)
class Backup:
    """day: ISO 8601. size: bytes. lessons: how many it holds, None if it cannot be read. replaced: for a database that a
    restored backup replaced, the time at which it did (HH:MM); else empty."""

    path: Path
    day: str
    size: int
    lessons: int | None
    replaced: str


def list_backups(database: Path) -> list[Backup]:
    """The backups of that database, newest first.

    Raises:
        StoreError: their folder cannot be read.
    """
    folder = database.parent / "backups"
    try:
        if folder.exists():
            os.listdir(folder)  # glob would find nothing in a folder that cannot be read
        return [
            Backup(path, _day(database, path), path.stat().st_size, _lessons(path), _replaced(path))
            for path in reversed(_files(database))
        ]
    except OSError as error:
        raise StoreError(
            N_("The backups in {path} cannot be listed: {problem} Make it a folder that CSSAFE may read and write."),
            path=folder,
            problem=first_line(error),
        ) from error


def newest_backup(database: Path) -> Path | None:
    """The newest dated backup of that database."""
    return max(_dated(database), default=None)


def backup_path(database: Path, day: object) -> Path:
    """Where the backup of a day is. day: a date, or ISO 8601."""
    return database.parent / "backups" / f"{database.stem}-{day}.duckdb"


def make_backup(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Make today's backup, if there is none yet, and remove those that are too old.

    Raises:
        duckdb.Error, OSError: the disk refuses, or has too little room; there is no backup of today.
    """
    backup = backup_path(database, date.today())
    if backup.exists():
        return
    backup.parent.mkdir(exist_ok=True)
    state = database.stat()
    if shutil.disk_usage(backup.parent).free < state.st_size + MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    new = temporary_path(backup)
    try:
        copy_database(connection, new)
        new.chmod(state.st_mode)
        replace_file(new, backup)
    finally:
        remove_database(new)
    oldest = _day(database, _dated(database)[-MAX_BACKUP_DAYS:][0])
    for path in _files(database):
        if _day(database, path) < oldest and path != backup:  # today's may be the oldest, where a clock was wrong
            remove_database(path)


def erase_backups(database: Path, starts: Sequence[str]) -> None:
    """Remove the backups with lessons that started then (ISO 8601, naive UTC), and those that cannot be read. Lessons are
    known by their start because restoring and importing change their numbers. What a stopped rescue left goes, too."""
    _discard_rescues(database)
    for path in _files(database):
        try:
            with _opened(path) as connection:
                held = connection.execute(
                    "SELECT 1 FROM lessons WHERE list_contains($1::TIMESTAMP[], started) LIMIT 1", [list(starts)]
                ).fetchone()
        except duckdb.Error:
            held = (1,)
        if held:
            remove_database(path)


def remove_leftovers(database: Path) -> None:
    """Remove what a crash left of backups that were being written, and of rescues."""
    _discard_rescues(database)
    for new in (database.parent / "backups").glob("*.new*"):
        new.unlink()


def restore_backup(database: Path, backup: Path) -> Path | None:
    """Put a copy of the backup in the place of a database that is closed; where the earlier one is kept, if there was one.

    Raises:
        StoreError: the backup cannot be used, or the disk refuses; the database is as it was.
    """
    new = temporary_path(database)
    try:
        with _opened(backup) as connection:
            _check(connection, backup)
            copy_database(connection, new)
        kept = _keep(database)
        for end in LOG_SUFFIXES:  # first, for beside the new file they would damage it
            Path(f"{database}{end}").unlink(missing_ok=True)
        replace_file(new, database)
    except (duckdb.Error, OSError) as error:
        raise StoreError(
            N_("The backup {path} could not be restored: {problem} The database is as it was. Choose another backup."),
            path=backup,
            problem=first_line(error),
        ) from error
    finally:
        remove_database(new)
    return kept


def delete_replaced(backup: Backup) -> None:
    """Delete a database that a restored backup replaced. Dated backups stay: they are removed by their age.

    Raises:
        StoreError: the disk refuses.
    """
    assert backup.replaced, "a dated backup is not deleted by hand"
    try:
        remove_database(backup.path)
    except OSError as error:
        raise StoreError(
            N_("The file {path} could not be deleted: {problem} Make its folder one that CSSAFE may read and write."),
            path=backup.path,
            problem=first_line(error),
        ) from error


def why_no_backup(error: Exception) -> StoreError:
    """Why there is no backup of today."""
    return StoreError(
        N_(
            "There is no backup of today, because it could not be written: {problem} Make room on the disk of the database. "
            "CSSAFE tries again when the next lesson ends; recording goes on."
        ),
        problem=first_line(error),
    )


def _discard_rescues(database: Path) -> None:
    """Remove the copies of whole databases that rescues made here; one that runs has to be repeated."""
    for folder in database.parent.glob(f"{RESCUE_PREFIX}*"):
        shutil.rmtree(folder)


def _files(database: Path) -> list[Path]:
    """All backups, by date."""
    return sorted((database.parent / "backups").glob(f"{database.stem}-????-??-??*.duckdb"))


def _day(database: Path, path: Path) -> str:
    return path.name.removeprefix(f"{database.stem}-")[: len("2026-11-29")]


def _replaced(path: Path) -> str:
    _before, _mark, time = path.stem.partition(_REPLACED)
    return time and f"{time[:2]}:{time[2:4]}"


def _dated(database: Path) -> list[Path]:
    return [path for path in _files(database) if _REPLACED not in path.name]


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the file, and writes nothing into it or beside it."""
    check_file_handles()
    with duckdb.connect(config=FILE_CONFIG | {"temp_directory": ""}) as connection:
        connection.execute(f"ATTACH {sql_string(path)} AS backup (READ_ONLY)")
        connection.execute("USE backup")
        yield connection


def _lessons(path: Path) -> int | None:
    try:
        with _opened(path) as connection:
            return connection.execute("SELECT count(*) FROM lessons").fetchall()[0][0]
    except duckdb.Error:
        return None


def _check(connection: duckdb.DuckDBPyConnection, backup: Path) -> None:
    steps = {name for (name,) in connection.execute("SELECT name FROM migrations").fetchall()}
    if newer := steps - {step.__name__ for step in MIGRATIONS}:
        raise StoreError(
            N_("The backup {path} was made by a newer version of CSSAFE (it contains {newer}). Update CSSAFE."),
            path=backup,
            newer=", ".join(sorted(newer)),
        )


def _keep(database: Path) -> Path | None:
    """Copy the database as it is, with its log, into the folder of the backups."""
    if not database.exists():
        return None
    kept = backup_path(database, f"{datetime.now():%Y-%m-%d-replaced-%H%M%S}")
    kept.parent.mkdir(exist_ok=True)
    for end in (*LOG_SUFFIXES, ""):  # the logs first: without them the file would be taken for the whole
        if (source := Path(f"{database}{end}")).exists():
            new = temporary_path(kept)
            try:
                shutil.copy2(source, new)
                replace_file(new, Path(f"{kept}{end}"))
            finally:
                new.unlink(missing_ok=True)
    return kept
