"""State of the database files before opening, and the notice of what an unclean end may have lost."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from cssafe.language import N_, Sentence
from cssafe.observations import ROW_PERIOD
from cssafe.store.errors import NEWEST
from cssafe.store.write_ahead_log import LOG_HEADER_BYTES, log_path, running_marker_path

WRITE_LAG_S = 2
"""Maximum loss of a kill: the current second and the one before it, until its rows are written
(tests/store/test_store_processes.py)."""

MAX_COPY_LAG_S = 2
"""A log that is at most this much newer than its file may be a copy, whose times mean nothing."""


@dataclass(frozen=True)
class FileState:
    """State of the database files before opening.

    path: the database. missing: its file is gone. unclean: there are signs of an unclean end. checkpoint, log: when the file
    and its log were last written (aware); None: not there.
    """

    path: Path
    missing: bool
    unclean: bool
    checkpoint: datetime | None
    log: datetime | None


def inspect_files(path: Path) -> FileState:
    log = log_path(path)
    entries = log.exists() and log.stat().st_size > LOG_HEADER_BYTES
    missing = not path.exists()
    return FileState(
        path, missing, not missing and (entries or running_marker_path(path).exists()), _written(path), _written(log)
    )


def unclean_end_notice(
    before: FileState, kept: Path | None, connection: duckdb.DuckDBPyConnection, backup: Path | None = None
) -> Sentence | None:
    """Notice of what an unclean end may have lost; None if nothing. To be called before anything else is written.

    kept: the damaged log. backup: the newest one.

    A whole log lacks only the last seconds of a running lesson. With a damaged one, recording may have gone on until the log
    was last written; the last second that is certainly stored is that of the newest checkpoint or observation.
    """
    end = before.log or before.checkpoint or datetime.now(UTC)
    time = f"{end.astimezone():%Y-%m-%d %H:%M:%S}"
    if kept is None:
        if not before.unclean or not connection.execute("SELECT 1 FROM lessons WHERE ended IS NULL LIMIT 1").fetchone():
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


def _observed(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """End of the newest observed second; None if there is none, or it cannot be read."""
    try:
        row = connection.execute("SELECT max(time) FROM observations").fetchone()
    except duckdb.Error:
        return None
    return None if row is None or row[0] is None else row[0].replace(tzinfo=UTC) + ROW_PERIOD


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
