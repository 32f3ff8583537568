"""Opening a database file after an unclean end: set a damaged write-ahead log aside, and work out what may be missing.

DuckDB replays the log up to its last whole entry and ignores the rest. It refuses a log with a wrong checksum in the middle,
or of another state of the file, and silently drops one without a readable beginning, what follows an entry of a wrong size,
and a log whose database file is gone; here all are kept.
"""

import glob
import itertools
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_, Sentence
from cssafe.store.errors import NEWEST, first_line, is_in_use, is_newer

WRITE_LAG_S = 2
"""Recording that is not on the disk yet: the second under way, and the one before it until its row is written. A kill
loses no more (tests/store/test_store_processes.py)."""

LOG_FILES = ("", ".checkpoint", ".recovery")
"""Endings of the log's own name: DuckDB writes into the second while it checkpoints, and makes the third while it recovers."""

LOG_SUFFIXES = tuple(f".wal{end}" for end in LOG_FILES)
"""Endings of the database's name for the same files."""

LOG_START = bytes.fromhex("64006265")
"""A log begins with the field 100 (kind of entry) of value 98 (version) and the field 101 (the version's number)."""

ENTRY_HEADER_BYTES = 16
"""Size and checksum, 8 bytes each; the position that DuckDB names comes after them."""

LOG_HEADER_BYTES = 50
"""Most that a log without entries takes: version, identifier of the database and number of its checkpoint."""

_LOG_HEADER = re.compile(
    rb"\x64\x00\x62\x65\x00\x02(?:\x66\x00\x10(?:[\x80-\xff]?[\x00-\x7f]){16})?(?:\x67\x00[\x80-\xff]*[\x00-\x7f])?\xff\xff"
)
"""These fields, numbers of 7 bits a byte, with the mark of the end."""

MAX_KEPT_LOGS = 14
"""Damaged logs that are kept beside a database, as many as backups."""

MAX_COPY_LAG_S = 2
"""A log that is this much newer than its file, or less, may be a copy, of which the times say nothing."""

_ENTRY = re.compile(r"entry at byte position (\d+)")

VECTOR_ROWS = 2048
"""Rows that DuckDB reads together at least."""

MAX_SEARCHED_PIECES = 200
"""Unreadable pieces, some 400,000 rows, up to which their lessons are looked for: a page waits for it, 20 ms a piece (measured
on two busy cores)."""


@dataclass(frozen=True)
class FileState:
    """Signs of an unclean end, read before the database is opened.

    path: the database. missing: whether its file is gone. unclean: whether there are signs. checkpoint, log: when the file and
    its log were last written (aware); None: not there.
    """

    path: Path
    missing: bool
    unclean: bool
    checkpoint: datetime | None
    log: datetime | None


def log_path(path: Path) -> Path:
    return Path(f"{path}.wal")


def running_marker_path(path: Path) -> Path:
    """The file that is there as long as the database is open."""
    return Path(f"{path}.running")


def inspect_files(path: Path) -> FileState:
    log = log_path(path)
    entries = log.exists() and log.stat().st_size > LOG_HEADER_BYTES
    missing = not path.exists()
    return FileState(
        path, missing, not missing and (entries or running_marker_path(path).exists()), _written(path), _written(log)
    )


def connect(path: Path, config: dict[str, Any]) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """Open the file; with it, the name under which a damaged log is kept, None if there was none.

    Raises:
        StoreError: the log is a folder, or may not be read.
        duckdb.Error: the file cannot be opened; it and its log are as they were.
    """
    _check_readable(log_path(path))
    connection, kept = _connect(path, config)
    _remove_oldest(log_path(path))
    return connection, kept


def unclean_end_notice(
    before: FileState, kept: Path | None, connection: duckdb.DuckDBPyConnection, backup: Path | None = None
) -> Sentence | None:
    """The sentence about an unclean end; None if nothing is missing. To be asked for before anything else is written.

    kept: the damaged log. backup: the newest one.

    A log that was replayed whole lacks what the kill interrupted, in a running lesson alone. With a damaged one, recording may
    have gone on until the log was last written; the last second that is certainly stored is that of the newest checkpoint or
    observation.
    """
    end = before.log or before.checkpoint or datetime.now(UTC)
    time = f"{end.astimezone():%Y-%m-%d %H:%M:%S}"
    if kept is None:
        if not before.unclean or not _lesson_open(connection):
            return None
        words = N_(
            "CSSAFE did not end properly last time. Up to {seconds} seconds of recording before {time} may be missing; the "
            "lesson that was running ends at its last observation."
        )
        return Sentence(words, seconds=WRITE_LAG_S, time=time)
    if before.missing:
        words = N_("The database file {path} is missing, and an empty one was made. Its newest part is kept as {log}.")
        lost = Sentence(words, path=before.path, log=kept.name)
        return lost if backup is None else Sentence("{lost} {help}", lost=lost, help=Sentence(NEWEST, backup=backup))
    if before.checkpoint is None or end - before.checkpoint <= timedelta(seconds=MAX_COPY_LAG_S):
        words = N_(
            "The newest part of the database was damaged and is kept as {log}. An unknown number of seconds of recording may "
            "be missing, and other changes."
        )
        return Sentence(words, log=kept.name)
    observed = _observed(connection)
    stored = max(time for time in (before.checkpoint, observed) if time and time <= end)
    words = N_(
        "The newest part of the database was damaged and is kept as {log}. Up to {seconds} seconds of recording before {time} "
        "may be missing, and other changes."
    )
    seconds = WRITE_LAG_S + math.ceil((end - stored).total_seconds())
    return Sentence(words, log=kept.name, seconds=seconds, time=time)


def damaged_lessons(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names and days of the lessons with observations that cannot be read; none where that cannot be told, or where more than
    MAX_SEARCHED_PIECES cannot be read. Reads the table once."""
    try:
        spans = list(itertools.islice(unreadable_spans(connection, "observations"), MAX_SEARCHED_PIECES + 1))
        if not 1 <= len(spans) <= MAX_SEARCHED_PIECES:
            return []
        inside = " OR ".join(f"rowid >= {first} AND rowid < {end}" for first, end in spans)
        try:
            rows = connection.execute(f"SELECT DISTINCT lesson FROM observations WHERE {inside}").fetchall()
        except duckdb.Error:  # the lessons' numbers are damaged, too: those of whose observations fewer can be read
            rows = connection.execute(
                f"""SELECT lesson FROM (SELECT lesson, sum(measured) AS n FROM tracks GROUP BY lesson)
                LEFT JOIN (SELECT lesson, count(*) AS here FROM observations WHERE NOT ({inside}) GROUP BY lesson)
                USING (lesson) WHERE n > coalesce(here, 0)"""
            ).fetchall()
        names = connection.execute(
            "SELECT name, started FROM lessons WHERE list_contains($1::INTEGER[], lesson) ORDER BY started, lesson",
            [[lesson for (lesson,) in rows]],
        ).fetchall()
    except duckdb.Error:
        return []
    return [f'"{name}" ({started:%Y-%m-%d})' for name, started in names]


def unreadable_spans(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[tuple[int, int]]:
    """First row id and the one after the last, of each piece of the table of which a column cannot be read, in order; pieces
    may touch each other."""
    (end,) = connection.execute(f"SELECT coalesce(max(rowid) + 1, 0) FROM {table}").fetchone() or (0,)

    def readable(first: int, end: int) -> bool:
        try:
            connection.execute(
                f"SELECT bit_xor(hash(t)) FROM {table} t WHERE rowid >= {first} AND rowid < {end}"
            ).fetchall()
        except duckdb.Error:
            return False
        return True

    def search(first: int, end: int) -> Iterator[tuple[int, int]]:
        if readable(first, end):
            return
        if end - first <= VECTOR_ROWS and not readable(first, first + 1) and not readable(end - 1, end):
            yield first, end
        else:
            yield from search(first, (first + end) // 2)
            yield from search((first + end) // 2, end)

    yield from search(0, end)


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
    # Only now: until the file is locked, the log may be another process's, which has just begun to write it.
    if log.exists() and log.stat().st_size and log.read_bytes()[: len(LOG_START)] != LOG_START:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.close()
        kept = _set_aside(log)
        connection = duckdb.connect(str(path), config=config)
    elif torn is not None:
        kept = Path(_free_name(log))
        with suppress(OSError):  # a full disk keeps nobody out
            kept.write_bytes(torn)
    return connection, kept


def _lesson_open(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute("SELECT 1 FROM lessons WHERE ended IS NULL LIMIT 1").fetchone() is not None


def _observed(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """End of the newest observed second; None if there is none, or it cannot be read."""
    try:
        row = connection.execute("SELECT max(time) FROM observations").fetchone()
    except duckdb.Error:
        return None
    return None if row is None or row[0] is None else row[0].replace(tzinfo=UTC) + timedelta(seconds=1)


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


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
    """The content of a log whose entries do not end where it ends; None if they do, if there is no log, or if it begins in
    another way. A log without entries stays after a clean end."""
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
    """A name with date and time for a damaged log, not that of an older one."""
    stem = f"{log}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    stems = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
    return next(name for name in stems if not any(Path(name + end).exists() for end in LOG_FILES))


def _set_aside(log: Path) -> Path | None:
    """Rename the log, never over an older one; its new name."""
    stem = _free_name(log)
    for end in LOG_FILES:
        if (part := Path(f"{log}{end}")).exists():
            part.rename(stem + end)
    return Path(stem) if Path(stem).exists() else None


def _remove_oldest(log: Path) -> None:
    kept = sorted(log.parent.glob(f"{glob.escape(log.name)}.damaged-*"))
    for old in kept[:-MAX_KEPT_LOGS]:
        old.unlink(missing_ok=True)


def _put_back(kept: Path, log: Path) -> None:
    for end in LOG_FILES:
        if (part := Path(f"{kept}{end}")).exists():
            part.rename(f"{log}{end}")


def _without_damage(
    path: Path, config: dict[str, Any], error: duckdb.Error
) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """Open the file with the entries before the damaged one, or without any if none can be used."""
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
            _put_back(kept, log)
        raise
