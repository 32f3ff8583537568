"""One file -> a workspace, empty or filled; `python -m cssafe import`."""

import argparse
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.json
from pyarrow import csv, parquet

from cssafe import settings
from cssafe.exchange import ABOUT, FORMATS, HERE, PROGRAM, Progress
from cssafe.language import N_, _
from cssafe.settings import Profile
from cssafe.store import StoreError, Workspace
from cssafe.store.taking import Taken

BLOCK = 1 << 22
"""Bytes of text that are read at a time."""

BATCH = 50_000
"""Rows of Parquet that are read at a time."""

LARGEST = 4 * settings.UPLOAD_LIMIT * 1_000_000
"""Bytes of all tables of a file that is read into memory, unpacked: a small file can unpack to what no host holds."""

DERIVED = ("activity",)
"""Columns that are written for those who read the file elsewhere, and come from another table."""


def read(workspace: Workspace, file: IO[bytes], profile: Profile, progress: Progress = lambda share: None) -> Taken:
    """Add what a file of `outgoing.write` holds, all of it or nothing. profile: this computer's.

    Raises:
        StoreError: the file cannot be read or holds what cannot be taken; the workspace is as it was.
    """
    done = [0.0]

    def note(share: float) -> None:
        done[0] = share

    try:
        with ZipFile(file) as archive:
            about = _about(archive, workspace)
            parts = _parts(archive, about, workspace, lambda share: note(0.8 * share))
            with ThreadPoolExecutor(1) as pool:  # so that progress is told on the caller's own thread
                job = pool.submit(workspace.take, parts, profile.expression, lambda share: note(0.8 + 0.2 * share))
                while wait([job], timeout=0.2).not_done:
                    progress(done[0])
                return job.result()
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        damaged = N_("The file is damaged, or no file that CSSAFE has exported: {problem}")
        raise StoreError(damaged, problem=_line(error)) from error


def _about(archive: ZipFile, workspace: Workspace) -> dict[str, Any]:
    """What the file says of itself, as far as it can be used."""
    foreign = StoreError(
        N_("This is no file that CSSAFE has exported: a ZIP with {about} and its tables is expected."), about=ABOUT
    )
    try:
        about = json.loads(archive.read(ABOUT))
        form, steps, rows = about["format"], set(about["database"]), dict(about["rows"])
        known = about["program"] == PROGRAM and form in FORMATS and all(isinstance(n, int) for n in rows.values())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise foreign from error
    if not known or f"lessons.{form}" not in archive.namelist():
        raise foreign
    with workspace.cursor() as cursor:
        ours = {name for (name,) in cursor.execute("SELECT name FROM migrations").fetchall()}
    if newer := steps - ours:
        raise StoreError(
            N_("This file was exported by a newer version of CSSAFE (it contains {newer}). Update CSSAFE."),
            newer=", ".join(sorted(newer)),
        )
    if workspace.in_memory and sum(info.file_size for info in archive.infolist()) > LARGEST:
        raise StoreError(
            N_(
                "This file holds more than {most} MB, too much for the memory of a visit. Run CSSAFE on a computer of your "
                "own and import it there."
            ),
            most=LARGEST // 1_000_000,
        )
    return about


def _parts(archive: ZipFile, about: dict, workspace: Workspace, progress: Progress) -> Iterator[tuple[str, pa.Table]]:
    """Tables and rows, `lessons` first and in one piece; columns as in the database, those that the file lacks empty."""
    form, total, done = about["format"], max(1, sum(about["rows"].values())), 0
    with workspace.cursor() as cursor:
        names = [
            name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
        ]
        schemas = {name: cursor.execute(f"FROM {name} LIMIT 0").to_arrow_table().schema for name in sorted(names)}
    del schemas["migrations"]
    for table in sorted(schemas, key=lambda name: (name != "lessons", name)):
        if f"{table}.{form}" not in archive.namelist():
            continue
        pieces = _pieces(archive, f"{table}.{form}", form, schemas[table], workspace.in_memory)
        if table == "lessons":
            pieces = iter([pa.concat_tables([schemas[table].empty_table(), *pieces])])
        for rows in pieces:
            if table == "settings":
                rows = rows.filter(pa.compute.invert(pa.compute.is_in(rows["key"], pa.array(HERE))))
            yield table, rows
            done += rows.num_rows
            progress(min(1.0, done / total))


def _pieces(archive: ZipFile, name: str, form: str, schema: pa.Schema, in_memory: bool) -> Iterator[pa.Table]:
    """The rows of one member, with the columns of the schema."""
    types = schema.append(pa.field(DERIVED[0], pa.string()))
    try:
        with archive.open(name) as member:
            if form == "csv":
                options = csv.ConvertOptions(
                    column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False
                )
                parsed = csv.ParseOptions(newlines_in_values=True)
                batches: Any = csv.open_csv(member, csv.ReadOptions(block_size=BLOCK), parsed, options)
            elif form == "json":
                if archive.getinfo(name).file_size == 0:
                    return
                batches = pyarrow.json.open_json(
                    member, pyarrow.json.ReadOptions(block_size=BLOCK), pyarrow.json.ParseOptions(explicit_schema=types)
                )
            else:
                seekable = BytesIO() if in_memory else tempfile.TemporaryFile()
                shutil.copyfileobj(member, seekable)
                batches = parquet.ParquetFile(seekable).iter_batches(BATCH)
            for batch in batches:
                yield _conform(pa.table(batch), schema, name)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StoreError(
            N_("The file's table {table} cannot be read: {problem} Export it again where it came from."),
            table=name,
            problem=_line(error),
        ) from error


def _conform(rows: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    if strange := set(rows.column_names) - {*schema.names, *DERIVED}:
        raise StoreError(
            N_("The file's table {table} has a column {column}, which no CSSAFE of this version knows."),
            table=name,
            column=min(strange),
        )
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _line(error: BaseException) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__).rstrip(".") + "."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE.zip", help="as python -m cssafe export or the page Data makes it"
    )


def main(args: argparse.Namespace) -> int:
    from cssafe.exchange.telling import tell

    chosen = settings.read()
    database = chosen.database
    if not chosen.profile.stored:
        raise StoreError(f"The profile {chosen.profile.name} stores nothing: set CSSAFE_PROFILE to consent.")
    with args.file.open("rb") as file:
        workspace = Workspace.open(database, chosen.profile.expression)
        try:
            taken = read(workspace, file, chosen.profile, tell("Read"))
        finally:
            workspace.close()
    print(told(taken))
    return 0


def told(taken: Taken) -> str:
    """What came in, in words."""
    return _("Lessons that came in: {n}. Here already, and left as they are: {present}.").format(
        n=len(taken.lessons), present=taken.present
    )
