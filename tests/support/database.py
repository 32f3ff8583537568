"""Database files: what can be read of them, how they are laid out, what must always hold."""

from contextlib import closing
from pathlib import Path

from cssafe.store import Workspace


def fetch(path: Path, sql: str) -> list[tuple]:
    with closing(Workspace.open(path)) as workspace:
        return workspace.cursor().execute(sql).fetchall()


def folder_contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


INVARIANTS = {
    "a second twice": "FROM observations GROUP BY lesson, time, track HAVING count(*) > 1",
    "an end before the start": "FROM lessons WHERE ended < started",
}

FIRST_BLOCK, BLOCK_BYTES = 12_288, 262_144
"""Of a DuckDB file: where its first block begins, after three headers, and how large each is."""
