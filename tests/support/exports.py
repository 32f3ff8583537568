"""Workspaces with everything in them, and their export files."""

import io
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
from pyarrow import parquet

from cssafe.exchange import exporter
from cssafe.store import Workspace
from cssafe.store.migrations import lesson_tables
from tests.support.lessons import LESSON, START, add, rows


def filled(workspace: Workspace) -> int:
    """A lesson with everything that can be kept of one, an awkward name and a note, and settings."""
    lesson = replace(LESSON, name='7a, "Ä\n= 1"')
    number = add(
        workspace,
        rows(tracks=6, seconds=90, quality=0.123456),
        rows(start=START + timedelta(seconds=90)),
        lesson=lesson,
    )
    workspace.add_marker(number, "quiz", START, "")
    workspace.switch_activity(number, "desk work", START + timedelta(seconds=30))
    workspace.save_rating(number, START, 2)
    workspace.save_rating(number, START + timedelta(minutes=1), None)
    workspace.set("periods", [{"name": "1", "start": "08:00", "end": "08:45"}])
    workspace.set("agreed", True)
    workspace.set("room", {"source": "rtsp://me:password@camera", "time_zone": "UTC"})
    return number


def written(workspace: Workspace, form: str = "parquet") -> bytes:
    file = io.BytesIO()
    exporter.export_file(workspace, file, form)
    return file.getvalue()


def contents(workspace: Workspace) -> dict[str, list]:
    """Every row of every table that belongs to lessons, the lessons' numbers left out."""
    with workspace.cursor() as cursor:
        return {
            name: cursor.execute(f"SELECT * EXCLUDE (lesson) FROM {name} ORDER BY ALL").fetchall()
            for name in lesson_tables(cursor)
        }


def in_parquet(table: pa.Table, **options) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd", **options)
    return file.getvalue()
