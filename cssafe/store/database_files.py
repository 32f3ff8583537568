"""Database files: copying, replacing and removing them with their logs."""

import os
from pathlib import Path

import duckdb

from cssafe.store.write_ahead_log import LOG_SUFFIXES


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
    """Replace a file atomically: a power cut leaves one of the two, whole."""
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
    """Remove a database file and its logs. The file goes last: a log alone would never be found."""
    for end in (*LOG_SUFFIXES, ""):
        Path(f"{path}{end}").unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Path for writing the successor of a database file."""
    return path.with_suffix(".new")


def sql_string(text: Path | str) -> str:
    """A text as an SQL string."""
    return "'{}'".format(str(text).replace("'", "''"))
