"""Opening a database file after an unclean end: set a damaged write-ahead log aside, and work out what may be missing.

DuckDB replays the log up to its last whole entry and ignores the rest. It refuses a log with a wrong checksum in the middle,
and silently drops one without a readable beginning, or one whose database file is gone; here both are kept.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from cssafe.language import N_, Sentence
from cssafe.store.errors import StoreError, first_line

WRITE_LAG_S = 2
"""Recording that is not on the disk yet: the second under way, and the one before it until its row is written. A kill
loses no more (tests/test_store_processes.py)."""

LOG_FILES = ("", ".checkpoint", ".recovery")
"""Endings of the log's own name: DuckDB writes into the second while it checkpoints, and makes the third while it recovers."""

LOGS = tuple(f".wal{end}" for end in LOG_FILES)
"""Endings of the database's name for the same files."""

LOG_START = bytes.fromhex("64006265")
"""A log begins with the field 100 (kind of entry) of value 98 (version) and the field 101 (the version's number)."""

ENTRY_HEADER_BYTES = 16
"""Size and checksum, 8 bytes each; the position that DuckDB names comes after them."""

_ENTRY = re.compile(r"entry at byte position (\d+)")

VECTOR_ROWS = 2048
"""Rows that DuckDB reads together at least."""


@dataclass(frozen=True)
class Remains:
    """Signs of an unclean end, read before the database is opened.

    unclean: whether there are any. checkpoint, log: when the file and its log were last written (aware); None: not there.
    """

    unclean: bool
    checkpoint: datetime | None
    log: datetime | None


def log_of(path: Path) -> Path:
    return Path(f"{path}.wal")


def marker_of(path: Path) -> Path:
    """The file that is there as long as the database is open."""
    return Path(f"{path}.running")


def remains(path: Path) -> Remains:
    log = _written(log_of(path))
    return Remains(path.exists() and (log is not None or marker_of(path).exists()), _written(path), log)


def connect(path: Path, config: dict[str, Any]) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """Open the file; with it, the name under which a damaged log is kept, None if there was none.

    Raises:
        StoreError: the log is a folder, or may not be read.
        duckdb.Error: the file cannot be opened; it and its log are as they were.
    """
    log = log_of(path)
    _check_readable(log)
    kept = None if path.exists() else _set_aside(log)
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        if "replaying WAL" not in str(error) or "can only read version" in str(error):
            raise
        return _without_damage(path, config, error)
    # Only now: until the file is locked, the log may be another process's, which has just begun to write it.
    if not log.exists() or not log.stat().st_size or log.read_bytes()[: len(LOG_START)] == LOG_START:
        return connection, kept
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    connection.close()
    kept = _set_aside(log)
    return duckdb.connect(str(path), config=config), kept


def notice(before: Remains, kept: Path | None, connection: duckdb.DuckDBPyConnection) -> Sentence | None:
    """The sentence about an unclean end; None after a clean one. To be asked for before anything else is written.

    The last second that is certainly stored is that of the newest checkpoint or observation; recording may have gone on until
    the log was last written, and WRITE_LAG_S longer.
    """
    if kept is None and not before.unclean:
        return None
    observed = _observed(connection)
    end = before.log or before.checkpoint or datetime.now(UTC)
    stored = max((time for time in (before.checkpoint, observed) if time and time <= end), default=end)
    gap = math.ceil((end - stored).total_seconds())
    seconds = WRITE_LAG_S + (gap if gap > WRITE_LAG_S else 0)
    if kept is None:
        return Sentence(
            N_(
                "CSSAFE did not end properly last time. Up to {seconds} seconds of recording before {time} may be missing. A "
                "lesson that was running ends at its last observation."
            ),
            seconds=seconds,
            time=f"{end.astimezone():%Y-%m-%d %H:%M:%S}",
        )
    return Sentence(
        N_(
            "CSSAFE did not end properly last time, and the newest part of the database, its write-ahead log, was damaged. "
            "Up to {seconds} seconds of recording before {time} may be missing. Everything else is here. The damaged log is "
            "kept as {log}."
        ),
        seconds=seconds,
        time=f"{end.astimezone():%Y-%m-%d %H:%M:%S}",
        log=kept.name,
    )


def damaged_lessons(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names and days of the lessons with observations that cannot be read; none where that cannot be told. Reads the table
    once."""
    try:
        spans = unreadable(connection, "observations")
        if not spans:
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


def unreadable(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[int, int]]:
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

    return list(search(0, end))


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


def _set_aside(log: Path) -> Path | None:
    """Rename the log with date and time, never over an older one; its new name."""
    stem = f"{log}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    stems = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
    stem = next(name for name in stems if not any(Path(name + end).exists() for end in LOG_FILES))
    for end in LOG_FILES:
        if (part := Path(f"{log}{end}")).exists():
            part.rename(stem + end)
    return Path(stem) if Path(stem).exists() else None


def _put_back(kept: Path, log: Path) -> None:
    for end in LOG_FILES:
        if (part := Path(f"{kept}{end}")).exists():
            part.rename(f"{log}{end}")


def _without_damage(
    path: Path, config: dict[str, Any], error: duckdb.Error
) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """Open the file with the entries before the damaged one, or without any if none can be used."""
    log = log_of(path)
    kept = _set_aside(log)
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
