"""One file -> a workspace, empty or filled; `python -m cssafe import`.

What the file holds is decoded by a process of its own (decoder.py) and comes from it table by table.
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
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import IO, Any

import pyarrow as pa

from cssafe import settings
from cssafe.exchange import Progress
from cssafe.exchange.decoder import DAMAGED, Arguments
from cssafe.language import N_, Sentence, _
from cssafe.settings import ROOT, Profile
from cssafe.store import StoreError, Workspace
from cssafe.store.taking import Taken

Columns = dict[str, pa.Schema]
"""Table -> its columns here."""


_importing = Lock()
"""One import into memory at a time: each takes several times the size of its rows while it is checked."""


def read(workspace: Workspace, file: IO[bytes], profile: Profile, progress: Progress = lambda share: None) -> Taken:
    """Add what a file of `outgoing.write` holds, all of it or nothing. profile: this computer's.

    Raises:
        StoreError: the file cannot be read, is larger than settings.IMPORT_INTO_MEMORY or IMPORT_ONTO_DISK allow, or holds
            what cannot be taken; the workspace is as it was.
    """
    done = [0.0]

    def note(share: float) -> None:
        done[0] = share

    with (
        _importing if workspace.in_memory else nullcontext(),
        _as_real_file(file, workspace.in_memory) as real,
        closing(_parts(real, workspace, lambda share: note(0.8 * share))) as parts,
        ThreadPoolExecutor(1) as pool,  # so that progress is told on the caller's own thread
    ):
        job = pool.submit(workspace.take, parts, profile.expression, lambda share: note(0.8 + 0.2 * share))
        while wait([job], timeout=0.2).not_done:
            progress(done[0])
        return job.result()


@contextmanager
def _as_real_file(file: IO[bytes], in_memory: bool) -> Iterator[IO[bytes]]:
    """The file as one that a process can be given; in_memory: without the disk, where the system has such files (Linux)."""
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


def _parts(file: IO[bytes], workspace: Workspace, progress: Progress) -> Generator[tuple[str, pa.Table], None, None]:
    """Tables and rows, `lessons` first and in one piece; columns as in the database, those that the file lacks empty."""
    columns = _columns(workspace)
    done = 0
    try:
        for table, schema, batches, about in _decoded(file, columns, workspace):
            pieces: Iterable[pa.Table] = map(pa.table, batches)
            if table == "lessons":
                pieces = [pa.concat_tables([schema.empty_table(), *pieces])]
            for rows in pieces:
                yield table, rows
                done += rows.num_rows
                progress(min(1.0, done / max(1, about["rows"])))
    except (pa.ArrowException, OSError) as error:  # the decoder broke down in the middle of a table
        raise _broken() from error


def _decoded(
    file: IO[bytes], columns: Columns, workspace: Workspace
) -> Iterator[tuple[str, pa.Schema, Iterator[pa.RecordBatch], dict[str, Any]]]:
    """Table, its columns, its rows, which are to be read before the next table, and what the file says of itself."""
    limits = settings.IMPORT_INTO_MEMORY if workspace.in_memory else settings.IMPORT_ONTO_DISK
    types = {table: {field.name: str(field.type) for field in schema} for table, schema in columns.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "cssafe.exchange.decoder", Arguments(types, workspace.in_memory, limits).to_json()],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},  # no memory in advance
    )
    about: dict[str, Any] = {}
    with process:
        assert process.stdout is not None, "it was asked for"
        try:
            while (message := _message(process.stdout)).get("end") is None:
                if "about" in message:
                    about = message["about"]
                    _check_version(about, workspace)
                else:
                    table = message["table"]
                    yield table, columns[table], iter(pa.ipc.open_stream(process.stdout)), about
        finally:
            process.kill()


def _message(out: IO[bytes]) -> dict[str, Any]:
    """The next of the decoder's lines.

    Raises:
        StoreError: it has refused the file, or broken down over it.
    """
    line = out.readline()
    if not line.endswith(b"\n"):
        raise _broken()
    message = json.loads(line)
    if "refused" in message:
        raise StoreError(message["refused"], **message["places"])
    return message


def _broken() -> StoreError:
    return StoreError(DAMAGED, problem=Sentence(N_("its content cannot be decoded.")))


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
    words = _("Lessons that came in: {n}. Here already, and left as they are: {present}.").format(
        n=len(taken.lessons), present=taken.present
    )
    if taken.ignored:
        words += " " + _("Settings that are unknown here or belong to one computer, and were left out: {n}.").format(
            n=taken.ignored
        )
    return words
