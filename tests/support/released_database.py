"""A small database in the current schema: `python -m tests.support.released_database FILE` (tests/data/README.md says when)."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np

from cssafe.store import Workspace
from tests.support.lessons import START, add, rows

SMALL = "BLOCK_SIZE 16384, STORAGE_VERSION 'v1.2.0'"
"""The smallest block of a DuckDB file, in bytes, and the oldest format that packs statistics: a tenth of the usual room."""

LATER = {
    "switch_activity": ("group work", START + timedelta(minutes=10)),
    "save_rating": (START, 2),
    "record_empty": ((START + timedelta(seconds=90)).replace(tzinfo=None),),
    "save_note": ("Fractions went well.", ["pairs"]),
    "save_regions": ([{"name": "All", "left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}],),
}
"""Methods of a workspace that came with later schemas, and what they are called with after the lesson's number."""


def fill(path: Path) -> None:
    """Two lessons, the second one not measurable, with a marker, settings and what else this version can keep."""
    workspace = Workspace.open(path)
    lesson = add(workspace, rows(tracks=6, seconds=90))
    workspace.add_marker(lesson, "quiz", START + timedelta(seconds=30), "first")
    workspace.set("live", {"class_name": "7a", "time_zone": "Europe/Berlin"})
    for name, arguments in LATER.items():
        if hasattr(workspace, name):
            getattr(workspace, name)(lesson, *arguments)
    add(workspace, rows(tracks=5, start=START + timedelta(days=1), concentration=np.nan))
    workspace.close()


def shrink(path: Path, out: Path) -> None:
    """Copy a database into a file that takes less room; its tables and rows stay."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS whole (READ_ONLY); ATTACH '{out}' AS small ({SMALL})")
        connection.execute("COPY FROM DATABASE whole TO small")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder) / "whole.duckdb")
        shrink(Path(folder) / "whole.duckdb", Path(sys.argv[1]))
