"""Import of an export file into a workspace, empty or filled; `python -m cssafe import`.

A process of its own decodes the file (decoder.py) and sends it table by table.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any

import pyarrow as pa

from cssafe import settings
from cssafe.exchange import Progress
from cssafe.exchange.decoder import Arguments
from cssafe.language import N_, _
from cssafe.settings import ROOT, ImportLimits, Profile
from cssafe.store import StoreError, Workspace
from cssafe.store.importing import ImportResult

Columns = dict[str, pa.Schema]
"""Table -> its columns here."""


DECODER_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 18),
}
"""Environment of the decoder: no memory is reserved in advance, and freed memory is returned."""

TOO_LARGE = N_(
    "The file has {size} MB, and {most} MB is the most that can be imported here. Export fewer lessons into one file, or "
    "import it on your own computer."
)

EXIT_TIMEOUT_S = 5.0
"""Seconds until a decoder must have exited after the end of its output."""

OUT_OF_MEMORY_SIGNALS = (6, 9)
"""SIGABRT from a library without memory, SIGKILL from a system without memory."""

MEMORY_RAN_OUT = N_(
    "Reading the file was ended for want of memory: it may take {most} MB, or less where the computer has less left. Import a "
    "file with fewer lessons, or import it on your own computer with other programs closed."
)
DECODER_FAILED = N_(
    "Reading the file broke down (exit code {code}): it is damaged, or CSSAFE has a fault. Export it again where it came from, "
    "best in another format."
)

_importing = Lock()
"""One import into memory at a time: each takes several times the size of its rows while it is checked."""


def import_file(
    workspace: Workspace, file: IO[bytes], profile: Profile, progress: Progress = lambda share: None
) -> ImportResult:
    """Import a file of exporter.export_file, all of it or nothing. profile: this computer's.

    Raises:
        StoreError: the file cannot be read, is larger than settings.IMPORT_INTO_MEMORY or IMPORT_ONTO_DISK allow, or holds
            rows that cannot be imported; the workspace is as it was.
    """
    limits = settings.IMPORT_INTO_MEMORY if workspace.in_memory else settings.IMPORT_ONTO_DISK
    if (size := file.seek(0, os.SEEK_END)) > limits.file:
        raise StoreError(TOO_LARGE, size=f"{size / 1e6:,.0f}", most=f"{limits.file / 1e6:,.0f}")
    done = [0.0]

    def note(share: float) -> None:
        done[0] = share

    with (
        _importing if workspace.in_memory else nullcontext(),
        _as_real_file(file, workspace.in_memory) as real,
        closing(_parts(real, workspace, limits, lambda share: note(0.8 * share))) as parts,
        ThreadPoolExecutor(1) as pool,  # so that progress is reported on the caller's own thread
    ):
        job = pool.submit(workspace.import_tables, parts, profile.expression, lambda share: note(0.8 + 0.2 * share))
        while wait([job], timeout=0.2).not_done:
            progress(done[0])
        return job.result()


@contextmanager
def _as_real_file(file: IO[bytes], in_memory: bool) -> Iterator[IO[bytes]]:
    """The file with a descriptor that a process can inherit. in_memory: not on the disk, where the system can (Linux)."""
    try:
        file.fileno()
    except OSError:
        anonymous = in_memory and hasattr(os, "memfd_create")
        with os.fdopen(os.memfd_create("import"), "w+b") if anonymous else tempfile.TemporaryFile() as real:
            file.seek(0)
            shutil.copyfileobj(file, real)
            real.seek(0)
            yield real
    else:
        file.seek(0)
        yield file


def _parts(
    file: IO[bytes], workspace: Workspace, limits: ImportLimits, progress: Progress
) -> Generator[tuple[str, pa.Table], None, None]:
    """Tables and rows, `lessons` first and in one piece, with the columns of the database; missing ones are null."""
    columns = _columns(workspace)
    done = 0
    for table, schema, batches, about in _decoded(file, columns, workspace, limits):
        pieces: Iterable[pa.Table] = map(pa.table, batches)
        if table == "lessons":
            pieces = [pa.concat_tables([schema.empty_table(), *pieces])]
        for rows in pieces:
            yield table, rows
            done += rows.num_rows
            progress(min(1.0, done / max(1, about["rows"])))


def _decoded(
    file: IO[bytes], columns: Columns, workspace: Workspace, limits: ImportLimits
) -> Iterator[tuple[str, pa.Schema, Iterator[pa.RecordBatch], dict[str, Any]]]:
    """Table, its columns, its rows (to be read before the next table), and about.json."""
    types = {table: {field.name: str(field.type) for field in schema} for table, schema in columns.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "cssafe.exchange.decoder", Arguments(types, workspace.in_memory, limits).to_json()],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | DECODER_ENVIRONMENT,
    )
    about: dict[str, Any] = {}
    with process:
        assert process.stdout is not None, "it was asked for"
        try:
            while (message := _message(process, limits)).get("end") is None:
                if "about" in message:
                    about = message["about"]
                    _check_version(about, workspace)
                else:
                    table = message["table"]
                    yield table, columns[table], _batches(process, limits), about
        finally:
            process.kill()


def _message(process: "subprocess.Popen[bytes]", limits: ImportLimits) -> dict[str, Any]:
    """The decoder's next message. Raises StoreError: it refused the file, or crashed."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.endswith(b"\n"):
        raise _why_ended(process, limits)
    message = json.loads(line)
    if "refused" in message:
        raise StoreError(message["refused"], **message["places"])
    return message


def _batches(process: "subprocess.Popen[bytes]", limits: ImportLimits) -> Iterator[pa.RecordBatch]:
    """The rows of a table. Raises StoreError: the decoder crashed in the middle of it."""
    try:
        yield from pa.ipc.open_stream(process.stdout)
    except (pa.ArrowException, OSError) as error:
        raise _why_ended(process, limits) from error


def _why_ended(process: "subprocess.Popen[bytes]", limits: ImportLimits) -> StoreError:
    """The error for a decoder that ended before the file did."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(EXIT_TIMEOUT_S)
    code = process.poll()
    if code is not None and -code in OUT_OF_MEMORY_SIGNALS:
        return StoreError(MEMORY_RAN_OUT, most=f"{limits.memory // 1_000_000:,}")
    return StoreError(DECODER_FAILED, code=code)


def _check_version(about: dict[str, Any], workspace: Workspace) -> None:
    with workspace.cursor() as cursor:
        ours = {name for (name,) in cursor.execute("SELECT name FROM migrations").fetchall()}
    if newer := set(about["database"]) - ours:
        raise StoreError(
            N_("This file was exported by a newer version of CSSAFE (it contains {newer}). Update CSSAFE."),
            newer=", ".join(sorted(newer))[:200],
        )


def _columns(workspace: Workspace) -> Columns:
    with workspace.cursor() as cursor:
        names = cursor.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND database_name = current_database()"
        ).fetchall()
        columns = {name: cursor.execute(f"FROM {name} LIMIT 0").to_arrow_table().schema for (name,) in names}
    del columns["migrations"]
    return columns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE.zip", help="as python -m cssafe export or the page Data makes it"
    )


def main(args: argparse.Namespace) -> int:
    from cssafe.exchange.progress import progress_printer

    chosen = settings.load()
    database = chosen.database
    if not chosen.profile.stored:
        raise StoreError(f"The profile {chosen.profile.name} stores nothing: set CSSAFE_PROFILE to consent.")
    with args.file.open("rb") as file:
        workspace = Workspace.open(database, chosen.profile.expression)
        try:
            taken = import_file(workspace, file, chosen.profile, progress_printer("Read"))
        finally:
            workspace.close()
    print(describe_import(taken))
    return 0


def describe_import(taken: ImportResult) -> str:
    """Sentence about the numbers of imported lessons and ignored settings."""
    words = _("Lessons that came in: {n}. Here already, and left as they are: {present}.").format(
        n=len(taken.lessons), present=taken.present
    )
    if taken.ignored:
        words += " " + _("Settings that are unknown here or belong to one computer, and were left out: {n}.").format(
            n=taken.ignored
        )
    return words
