"""Export of a workspace into one file; `python -m cssafe export`.

The minimum group holds: of lessons whose profile shows no single faces, the tables with rows of faces are left out, and
`minutes` has the shareable means of the class.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pyarrow as pa
from pyarrow import csv, parquet

from cssafe import settings
from cssafe.exchange import ABOUT, FORMATS, PROGRAM, Progress
from cssafe.exchange.spreadsheet import escape
from cssafe.store import StoreError, Workspace, migrations, stored_settings, summaries

MAX_CHUNK_ROWS = 100_000
"""Approximate number of observations in memory."""

FACE_TABLES = ("observations", "tracks", "faces", "people", "empty_seconds")
"""Tables with rows of single faces, and that of the seconds without any, which has a use only beside them."""

INDIVIDUAL_LESSONS = (
    "SELECT lesson FROM lessons WHERE ended IS NOT NULL AND list_contains($individual::VARCHAR[], profile)"
)
CLASS_LESSONS = (
    "SELECT lesson FROM lessons WHERE ended IS NOT NULL AND NOT list_contains($individual::VARCHAR[], profile)"
)
INDIVIDUAL_PROFILES = [profile.name for profile in settings.PROFILES.values() if profile.individuals]


@dataclass(frozen=True)
class Contents:
    """Contents of a file. rows: table -> number. withheld: number of lessons without rows of single faces."""

    rows: dict[str, int]
    withheld: int


def export_file(workspace: Workspace, file: IO[bytes], form: str, progress: Progress = lambda share: None) -> Contents:
    """Export all lessons that are over, and the settings. form: one of FORMATS."""
    rows = {}
    packed = ZIP_STORED if form == "parquet" else ZIP_DEFLATED  # Parquet is packed already
    with workspace.cursor() as cursor, ZipFile(file, "w", packed, compresslevel=1) as archive:
        parts = _parts(cursor)
        chunks = sum(len(part.chunks) for part in parts)
        done = 0
        for part in parts:
            rows[part.table] = 0
            with archive.open(f"{part.table}.{form}", "w", force_zip64=True) as member:
                for number in _write(member, form, cursor, part):
                    rows[part.table] += number
                    done += 1
                    progress(done / chunks)
        counted = cursor.execute(f"SELECT count(*) FROM ({CLASS_LESSONS})", {"individual": INDIVIDUAL_PROFILES})
        [(withheld,)] = counted.fetchall()
        steps = [name for (name,) in cursor.execute("SELECT name FROM migrations ORDER BY name").fetchall()]
        about: dict[str, Any] = {
            "program": PROGRAM,
            "format": form,
            "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        }
        about |= {"database": steps, "rows": rows, "withheld": withheld}
        archive.writestr(ABOUT, json.dumps(about, indent=1))
    return Contents(rows, withheld)


@dataclass(frozen=True)
class Part:
    """One table of the file. sql: its rows. chunks: parameters of each piece in which they are read."""

    table: str
    sql: str
    chunks: tuple[Mapping[str, Any], ...] = ({},)


def _parts(cursor: Any) -> list[Part]:
    """The tables, `lessons` first, which the importer needs before all others."""
    belonging = migrations.lesson_tables(cursor)
    individual = {"individual": INDIVIDUAL_PROFILES}
    parts = [Part("lessons", "FROM lessons WHERE ended IS NOT NULL ORDER BY lesson")]
    for table in (name for name in belonging if name not in ("lessons", "minutes", "observations")):
        which = INDIVIDUAL_LESSONS if table in FACE_TABLES else "SELECT lesson FROM lessons WHERE ended IS NOT NULL"
        parts.append(
            Part(
                table,
                f"FROM {table} WHERE lesson IN ({which}) ORDER BY ALL",
                (individual if table in FACE_TABLES else {},),
            )
        )
    rows = cursor.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND database_name = current_database()"
    ).fetchall()
    for table in sorted({name for (name,) in rows} - {*belonging, "migrations", "settings"}):
        parts.append(Part(table, f"FROM {table} ORDER BY ALL"))
    kept = "FROM settings WHERE list_contains($travel::VARCHAR[], key) ORDER BY key"
    parts.append(Part("settings", kept, ({"travel": stored_settings.EXPORTED_SETTINGS},)))
    minutes = f"""
        WITH {summaries.shareable_minutes_sql(CLASS_LESSONS)}
        FROM minutes WHERE lesson IN ({INDIVIDUAL_LESSONS}) UNION ALL BY NAME FROM shareable ORDER BY ALL"""
    parts.append(Part("minutes", minutes, (individual,)))
    chunks = _chunks(cursor)
    # Earlier versions wrote seconds twice when the clock was set back, which the importer refuses.
    observations = f"""
        SELECT DISTINCT ON (observations.lesson, observations.time, track) observations.*, activity
        FROM observations ASOF LEFT JOIN activities
            ON observations.lesson = activities.lesson AND observations.time >= activities.time
        WHERE observations.lesson BETWEEN $first AND $last AND observations.lesson IN ({INDIVIDUAL_LESSONS})
        ORDER BY observations.lesson, observations.time, track"""
    pieces = ({"first": min(chunk, default=0), "last": max(chunk, default=0)} for chunk in chunks)
    parts.append(Part("observations", observations, tuple(individual | piece for piece in pieces)))
    return parts


def _chunks(cursor: Any) -> list[list[int]]:
    """Ascending numbers of the lessons of each piece; at least one piece, which may be empty."""
    counted = cursor.execute(
        f"SELECT lesson, count(*) FROM observations WHERE lesson IN ({INDIVIDUAL_LESSONS}) GROUP BY lesson ORDER BY lesson",
        {"individual": INDIVIDUAL_PROFILES},
    ).fetchall()
    chunks: list[list[int]] = [[]]
    held = 0
    for lesson, rows in counted:
        if held + rows > MAX_CHUNK_ROWS and chunks[-1]:
            chunks.append([])
            held = 0
        chunks[-1].append(lesson)
        held += rows
    return chunks


def _write(member: IO[bytes], form: str, cursor: Any, part: Part) -> Iterator[int]:
    """Write a part into a member, in one of FORMATS, piece by piece; the number of rows of each."""
    writer: Any = None
    with ExitStack() as stack:
        for chunk in part.chunks:
            piece = cursor.execute(part.sql, chunk).to_arrow_table()
            if form == "json":
                lines = cursor.execute(
                    f"SELECT to_json(line)::VARCHAR FROM (SELECT {exact_floats_sql(piece)} FROM piece) line"
                )
                while found := lines.fetchmany(MAX_CHUNK_ROWS):
                    member.writelines(f"{line}\n".encode() for (line,) in found)
            else:
                kind = csv.CSVWriter if form == "csv" else partial(parquet.ParquetWriter, compression="zstd")
                writer = writer or stack.enter_context(kind(member, piece.schema))
                writer.write_table(_escaped(piece) if form == "csv" else piece)
            yield piece.num_rows


def _escaped(piece: pa.Table) -> pa.Table:
    """The piece with escaped texts, which no spreadsheet executes."""
    for i, field in enumerate(piece.schema):
        if field.type == pa.string():
            cells = piece.column(i).combine_chunks().dictionary_encode()
            texts = [escape(text) for text in cells.dictionary.to_pylist()]
            piece = piece.set_column(i, field.name, pa.array(texts, pa.string()).take(cells.indices))
    return piece


def exact_floats_sql(table: pa.Table) -> str:
    """SQL for the table's columns with the shortest digits of 32-bit floats: 0.1, not 0.10000000149011612."""
    short = {field.name for field in table.schema if field.type == pa.float32()}
    return ", ".join(f'"{n}"::VARCHAR::DOUBLE AS "{n}"' if n in short else f'"{n}"' for n in table.column_names)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.zip", help="is made, or overwritten")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=f"of its tables (default: {FORMATS[0]})")


def main(args: argparse.Namespace) -> int:
    from cssafe.exchange.progress import progress_printer

    if args.file.is_dir() or not args.file.absolute().parent.is_dir():
        raise StoreError(f"{args.file}: expected the name of a file in a folder that is there.")
    chosen = settings.load()
    database = chosen.database
    if not database.is_file():
        raise StoreError(f"There is no database {database} yet, so there is nothing to export.")
    workspace = Workspace.open(database, chosen.profile.expression)
    half = args.file.with_name(args.file.name + ".part")
    try:
        with half.open("wb") as file:
            contents = export_file(workspace, file, args.format, progress_printer("Written"))
        os.replace(half, args.file)
    finally:
        half.unlink(missing_ok=True)
        workspace.close()
    print(f"In {args.file}: lessons {contents.rows['lessons']}, observations {contents.rows['observations']}.")
    if contents.withheld:
        print(f"Lessons with the means of the class only, as their profile shows no single faces: {contents.withheld}.")
    return 0
