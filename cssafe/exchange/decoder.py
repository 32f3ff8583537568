"""Decoder of an export file: `python -m cssafe.exchange.decoder ARGUMENTS`, the ZIP on stdin, Arrow tables on stdout.

A small file can unpack to more than a host holds, and its metadata can lie about its size. So the unpacked bytes are counted,
and the memory of this process is limited (on Linux). A crash of the decoder affects no other process.

ARGUMENTS: JSON of Arguments. stdout has lines of JSON: first `about`; then for each table `table`, followed by one Arrow
stream; at last `end`. At any of these places it may be `refused`, words of N_("...") with their fields in `places`.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from cssafe import settings
from cssafe.exchange import ABOUT, FORMATS, PROGRAM
from cssafe.exchange.import_budget import TOO_MUCH_MEMORY, Budget, CountedMember, Refusal, first_line, millions
from cssafe.exchange.table_readers import read_table
from cssafe.language import N_
from cssafe.settings import ImportLimits

MAX_ABOUT_BYTES = 100_000
"""Size of about.json, a list of about 20 tables."""


@dataclass(frozen=True)
class Arguments:
    """columns: table -> column -> Arrow type. in_memory: nothing may reach the disk."""

    columns: dict[str, dict[str, str]]
    in_memory: bool
    limits: ImportLimits

    @classmethod
    def from_json(cls, text: str) -> "Arguments":
        values = json.loads(text)
        return cls(values["columns"], values["in_memory"], ImportLimits(**values["limits"]))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


TOO_MANY_MEMBERS = N_("The ZIP has more than {most} members. Export the file again where it came from.")

DAMAGED = N_("The file is damaged, or no file that CSSAFE has exported: {problem}")

MEMBER_TWICE = N_("The ZIP has {member} twice. Export the file again where it came from.")

FOREIGN = N_("This is no file that CSSAFE has exported: a ZIP with {about} and its tables is expected.")


def main() -> None:
    arguments = Arguments.from_json(sys.argv[1])
    out = sys.stdout.buffer
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    _limit_memory(arguments.limits.memory)
    try:
        decode_file(sys.stdin.buffer, out, arguments)
    except Refusal as refusal:
        _say(out, refused=refusal.words, places=refusal.places)
    except MemoryError:
        _say(out, refused=TOO_MUCH_MEMORY, places={"member": "ZIP", "most": millions(arguments.limits.memory)})
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        _say(out, refused=DAMAGED, places={"problem": first_line(error)})


def decode_file(file: IO[bytes], out: IO[bytes], arguments: Arguments) -> None:
    """Write the messages and tables of the module's docstring.

    Raises:
        Refusal: a limit, or a table that cannot be read.
    """
    budget = Budget(arguments.limits)
    with ZipFile(file) as archive:
        if len(archive.infolist()) > settings.MAX_IMPORT_MEMBERS:
            raise Refusal(TOO_MANY_MEMBERS, most=settings.MAX_IMPORT_MEMBERS)
        members = _members(archive)
        about = _about(archive, members)
        _say(out, about=about)
        for table in sorted(arguments.columns, key=lambda name: (name != "lessons", name)):
            if (member := f"{table}.{about['format']}") not in members:
                continue
            schema = pa.schema([(n, pa.type_for_alias(t)) for n, t in arguments.columns[table].items()])
            _say(out, table=table)
            with pa.ipc.new_stream(out, schema) as writer:
                for rows in _rows(archive, members[member], member, schema, budget, arguments):
                    budget.decode(member, rows)
                    writer.write_table(rows)
    _say(out, end=True)


def _rows(
    archive: ZipFile, path: str, name: str, schema: pa.Schema, budget: Budget, arguments: Arguments
) -> Iterator[pa.Table]:
    """Rows of one member, as of read_table."""
    try:
        yield from read_table(
            lambda: CountedMember(archive.open(path), name, budget), schema, name, arguments.in_memory
        )
    except MemoryError:
        raise Refusal(TOO_MUCH_MEMORY, member=name, most=millions(arguments.limits.memory)) from None


def _say(out: IO[bytes], **message: object) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _limit_memory(allowed: int) -> None:
    """Limit further allocations to so many bytes (RLIMIT_DATA counts all private memory since Linux 4.7)."""
    with suppress(ImportError, OSError):
        import resource

        with open("/proc/self/status", encoding="ascii") as status:
            [held] = (int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
        resource.setrlimit(resource.RLIMIT_DATA, (held + allowed,) * 2)


def _members(archive: ZipFile) -> dict[str, str]:
    """Name without folder -> full name of the members beside about.json: a ZIP made by hand often has one folder."""
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
    if len(names) != len(set(names)):
        raise Refusal(MEMBER_TWICE, member=max(names, key=names.count)[:100])
    found = [path for path in map(PurePosixPath, names) if path.name == ABOUT]
    if len(found) != 1:
        raise Refusal(FOREIGN, about=ABOUT)
    return {path.name: str(path) for path in map(PurePosixPath, names) if path.parent == found[0].parent}


def _about(archive: ZipFile, members: dict[str, str]) -> dict[str, Any]:
    """Checked contents of about.json: format, database (migrations) and rows (their sum)."""
    foreign = Refusal(FOREIGN, about=ABOUT)
    with archive.open(members[ABOUT]) as member:
        content = member.read(MAX_ABOUT_BYTES + 1)
    if len(content) > MAX_ABOUT_BYTES:
        raise foreign
    try:
        about = json.loads(content)
        form, steps, rows = about["format"], set(about["database"]), dict(about["rows"])
        known = about["program"] == PROGRAM and form in FORMATS and all(isinstance(step, str) for step in steps)
        known &= all(isinstance(n, int) and 0 <= n < 1 << 60 for n in rows.values())
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise foreign from error
    if not known or f"lessons.{form}" not in members:
        raise foreign
    return {"format": form, "database": sorted(steps), "rows": sum(rows.values())}


if __name__ == "__main__":
    main()
