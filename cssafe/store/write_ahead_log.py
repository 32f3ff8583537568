"""Opening a database file with its write-ahead log; a damaged log is set aside, never lost.

DuckDB replays the log up to its last whole entry and ignores the rest. It refuses a log with a wrong checksum in the middle,
or of another state of the file. It silently drops a log with a damaged header, the entries after one of a wrong size, and a
log whose database file is gone; here all are kept.
"""

import glob
import itertools
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_
from cssafe.store.errors import first_line, is_in_use, is_newer

LOG_FILES = ("", ".checkpoint", ".recovery")
"""Suffixes of the log's name: DuckDB writes the second during a checkpoint and the third during recovery."""

LOG_SUFFIXES = tuple(f".wal{end}" for end in LOG_FILES)
"""Suffixes of the database's name for the same files."""

LOG_START = bytes.fromhex("64006265")
"""First bytes of a log: field 100 (kind of entry) with value 98 (version), and field 101 (version number)."""

ENTRY_HEADER_BYTES = 16
"""Size and checksum, 8 bytes each, before the position in DuckDB's message."""

LOG_HEADER_BYTES = 50
"""Maximum size of a log without entries: version, identifier of the database and number of its checkpoint."""

_LOG_HEADER = re.compile(
    rb"\x64\x00\x62\x65\x00\x02(?:\x66\x00\x10(?:[\x80-\xff]?[\x00-\x7f]){16})?(?:\x67\x00[\x80-\xff]*[\x00-\x7f])?\xff\xff"
)
"""These fields, numbers of 7 bits a byte, and the end mark."""

MAX_KEPT_LOGS = 14
"""Damaged logs kept beside a database, as many as backups."""

_ENTRY = re.compile(r"entry at byte position (\d+)")


def log_path(path: Path) -> Path:
    return Path(f"{path}.wal")


def running_marker_path(path: Path) -> Path:
    """Path of the marker file, which exists while the database is open."""
    return Path(f"{path}.running")


def connect(path: Path, config: dict[str, Any]) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """Open the file; the connection, and the path of a damaged log that was set aside, None if there was none.

    Raises:
        StoreError: the log is a folder, or may not be read.
        duckdb.Error: the file cannot be opened; it and its log are as they were.
    """
    _check_readable(log_path(path))
    connection, kept = _connect(path, config)
    for old in sorted(path.parent.glob(f"{glob.escape(log_path(path).name)}.damaged-*"))[:-MAX_KEPT_LOGS]:
        old.unlink(missing_ok=True)
    return connection, kept


def _connect(path: Path, config: dict[str, Any]) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    log = log_path(path)
    kept = None if path.exists() else _set_aside(log)
    torn = _torn(path)
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        if is_in_use(error) or is_newer(error) or not log.exists():
            raise
        return _without_damage(path, config, error)
    # After opening: until the file is locked, the log may be one that another process begins to write.
    if _has_damaged_header(log):
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.close()
        kept = _set_aside(log)
        connection = duckdb.connect(str(path), config=config)
    elif torn is not None:
        kept = Path(_free_name(log))
        with suppress(OSError):  # a full disk must not prevent opening
            kept.write_bytes(torn)
    return connection, kept


def _has_damaged_header(log: Path) -> bool:
    """Whether DuckDB, which ends a log at its first field that is not in order, has dropped one with content."""
    content = log.read_bytes() if log.exists() else b""
    if len(content) <= LOG_HEADER_BYTES:
        return content[: len(LOG_START)] != LOG_START[: len(content)]
    return _LOG_HEADER.match(content) is None


def _check_readable(log: Path) -> None:
    try:
        if log.exists():
            with log.open("rb"):
                pass
    except OSError as error:
        raise StoreError(
            N_(
                "The write-ahead log {log} could not be opened: {problem} It and the database were left as they are. Make it a "
                "file that CSSAFE may read and write, move it away, or choose another folder with CSSAFE_DATA."
            ),
            log=log,
            problem=first_line(error),
        ) from error


def _torn(path: Path) -> bytes | None:
    """Content of a log whose last entry does not end with the file; None for a whole log, no log, or another beginning. A log
    without entries stays after a clean end."""
    log = log_path(path)
    if not log.exists():
        return None
    content = log.read_bytes()
    header = _LOG_HEADER.match(content)
    if len(content) <= LOG_HEADER_BYTES:
        return content if running_marker_path(path).exists() and not _LOG_HEADER.fullmatch(content) else None
    if header is None:
        return None
    at = header.end()
    while size := int.from_bytes(content[at : at + 8], "little"):
        at += ENTRY_HEADER_BYTES + size
    return None if at == len(content) else content


def _free_name(log: Path) -> str:
    """Unused name with date and time for a damaged log."""
    stem = f"{log}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    stems = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
    return next(name for name in stems if not any(Path(name + end).exists() for end in LOG_FILES))


def _set_aside(log: Path) -> Path | None:
    """Rename the log to an unused name; its new path."""
    kept = Path(_free_name(log))
    _rename(log, kept)
    return kept if kept.exists() else None


def _rename(log: Path, new: Path) -> None:
    for end in LOG_FILES:
        if (part := Path(f"{log}{end}")).exists():
            part.rename(f"{new}{end}")


def _without_damage(
    path: Path, config: dict[str, Any], error: duckdb.Error
) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """Open the file with the entries before the damaged one, or without any."""
    log = log_path(path)
    try:
        kept = _set_aside(log)
    except OSError:
        raise error from None
    try:
        if kept is not None and (entry := _ENTRY.search(str(error))):
            with kept.open("rb") as whole:
                log.write_bytes(whole.read(int(entry[1]) - ENTRY_HEADER_BYTES))
            try:
                return duckdb.connect(str(path), config=config), kept
            except duckdb.Error:
                log.unlink()
        return duckdb.connect(str(path), config=config), kept
    except (duckdb.Error, OSError):
        log.unlink(missing_ok=True)
        if kept is not None:
            _rename(kept, log)
        raise
