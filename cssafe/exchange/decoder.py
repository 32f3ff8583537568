"""Decoder of an export file: `python -m cssafe.exchange.decoder ARGUMENTS`, the ZIP on stdin, Arrow tables on stdout.

A small file can unpack to more than a host holds, and its metadata can lie about that. So what it unpacks to is counted, and
the process that does it may allocate only so much memory (on Linux; elsewhere only what is counted is limited). A file that
nevertheless brings it down brings down nothing else.

ARGUMENTS: JSON of Arguments. On stdout stand lines of JSON: first `about`, then for each table `table`, followed by one Arrow
stream, at last `end`; or at any of these places `refused`, words of N_("...") with their `places`.
"""

import csv
import json
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
from pyarrow import parquet

from cssafe import settings
from cssafe.exchange import ABOUT, DERIVED, FORMATS, PROGRAM
from cssafe.exchange.spreadsheet import CellError, find_decimal_mark, parse_number, parse_time, parse_whole, unescape
from cssafe.language import N_
from cssafe.settings import ImportLimits

BLOCK_BYTES = 1 << 22
"""Text that is read at a time; a line longer than that is refused."""

SHORT_BLOCK_BYTES = 1 << 20
"""The same of JSON into memory: Arrow reads 32 blocks ahead."""

BATCH_ROWS = 20_000
TEXT_BATCH_ROWS = 1_000
"""Rows of Parquet that are read at a time, of a table of numbers and of one with texts: the longest take 20 MB."""

MAX_ABOUT_BYTES = 100_000
"""Of about.json: it is a list of about 20 tables."""

MAX_HEADER_BYTES = 20_000
"""Of a CSV member's first line: the widest table has 46 columns."""

CHUNK_BYTES = 1 << 20
"""That are unpacked at a time."""


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


class Refusal(Exception):
    """The file cannot be taken. words: N_("..."). places: what is put into it."""

    def __init__(self, words: str, **places: object) -> None:
        super().__init__(words)
        self.words, self.places = words, places


TOO_MANY_BYTES = N_(
    "The file's {member} unpacks to more than {most} MB. Import a smaller file, or import it on your own computer."
)
TOO_MANY_ROWS = N_(
    "The file has more than {most} rows, in {member}. Import a smaller file, or import it on your own computer."
)
TOO_MUCH_MEMORY = N_(
    "Reading the file's {member} takes more than {most} MB of memory. Import a smaller file, or import it on your own computer."
)
TOO_MANY_MEMBERS = N_("The ZIP has more than {most} members. Export the file again where it came from.")
TOO_LONG = N_(
    "The file's {member} has more than {most} bytes in one cell of the column {column}. Shorten that text where it came from."
)
LONG_START = N_("The file's {member} has more than {most} bytes in its first line. Export it again where it came from.")
UNREADABLE = N_("The file's table {table} cannot be read: {problem} Export it again where it came from.")
DAMAGED = N_("The file is damaged, or no file that CSSAFE has exported: {problem}")
LONG_ROW = N_("The file's table {table} has a row of more than {most} MB. Export it again where it came from.")
NO_TEXT = N_("The file's table {table} is no text in UTF-8. Save it as “CSV UTF-8”.")
COLUMN_TWICE = N_("The file's table {table} has the column {column} twice. Export it again where it came from.")
MEMBER_TWICE = N_("The ZIP has {member} twice. Export the file again where it came from.")
FOREIGN = N_("This is no file that CSSAFE has exported: a ZIP with {about} and its tables is expected.")


class Budget:
    """What has been read of a file so far, held against its limits."""

    def __init__(self, limits: ImportLimits) -> None:
        self._limits = limits
        self._unpacked: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._decoded = 0

    def unpack(self, member: str, size: int) -> None:
        """Note that so many bytes of a member are known; it may be read more than once.

        Raises:
            Refusal
        """
        self._unpacked[member] = max(self._unpacked[member], size)
        if self._unpacked.total() > self._limits.unpacked:
            raise Refusal(TOO_MANY_BYTES, member=member, most=_millions(self._limits.unpacked))

    def decode(self, member: str, batch: pa.Table) -> None:
        """Note further rows.

        Raises:
            Refusal
        """
        self._rows[member] += batch.num_rows
        self._decoded += batch.nbytes
        if member.startswith("lessons.") and self._rows[member] > settings.MAX_IMPORT_LESSONS:
            raise Refusal(TOO_MANY_ROWS, member=member, most=f"{settings.MAX_IMPORT_LESSONS:,}")
        if self._rows.total() > self._limits.rows:
            raise Refusal(TOO_MANY_ROWS, member=member, most=f"{self._limits.rows:,}")
        if self._decoded > self._limits.decoded:
            raise Refusal(TOO_MANY_BYTES, member=member, most=_millions(self._limits.decoded))


class CountedMember:
    """A member of the ZIP as a file to be read once; what it gives is counted."""

    closed = False

    def __init__(self, file: IO[bytes], member: str, budget: Budget) -> None:
        self._file, self._member, self._budget = file, member, budget
        self._read = 0

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._read += len(content)
        self._budget.unpack(self._member, self._read)
        return content

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()


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
        _say(out, refused=TOO_MUCH_MEMORY, places={"member": "ZIP", "most": _millions(arguments.limits.memory)})
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        _say(out, refused=DAMAGED, places={"problem": first_line(error)})


def decode_file(file: IO[bytes], out: IO[bytes], arguments: Arguments) -> None:
    """Write what the module's docstring describes.

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


def _say(out: IO[bytes], **message: object) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _limit_memory(allowed: int) -> None:
    """Let the process allocate no more than that from now on (RLIMIT_DATA counts all private memory since Linux 4.7)."""
    with suppress(ImportError, OSError):
        import resource

        with open("/proc/self/status", encoding="ascii") as status:
            [held] = (int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
        resource.setrlimit(resource.RLIMIT_DATA, (held + allowed,) * 2)


def _members(archive: ZipFile) -> dict[str, str]:
    """Name without the folder -> name, of the members beside about.json: a ZIP made by hand often has all in one folder."""
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
    if len(names) != len(set(names)):
        raise Refusal(MEMBER_TWICE, member=max(names, key=names.count)[:100])
    found = [path for path in map(PurePosixPath, names) if path.name == ABOUT]
    if len(found) != 1:
        raise Refusal(FOREIGN, about=ABOUT)
    return {path.name: str(path) for path in map(PurePosixPath, names) if path.parent == found[0].parent}


def _about(archive: ZipFile, members: dict[str, str]) -> dict[str, Any]:
    """What the file says of itself, as far as it can be used."""
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


def _rows(
    archive: ZipFile, path: str, name: str, schema: pa.Schema, budget: Budget, arguments: Arguments
) -> Iterator[pa.Table]:
    """The rows of one member, with the columns of the schema; at least one table, which may be empty."""
    block = _block_bytes(name, arguments.in_memory)
    readers: dict[str, Callable[..., Iterator[pa.Table]]] = {"csv": _csv, "json": partial(_json, block=block)}
    read = readers.get(name.rpartition(".")[2], partial(_parquet, in_memory=arguments.in_memory))

    def opened() -> Any:
        return CountedMember(archive.open(path), name, budget)

    try:
        for rows in read(opened, schema, name):
            yield _conform(rows, schema, name)
    except (pa.ArrowMemoryError, MemoryError):
        raise Refusal(TOO_MUCH_MEMORY, member=name, most=_millions(arguments.limits.memory)) from None
    except (pa.ArrowException, OSError, ValueError, csv.Error) as error:
        if isinstance(error, BadZipFile):
            raise
        if "straddling" in str(error):
            raise Refusal(LONG_ROW, table=name, most=block >> 20) from error
        raise Refusal(UNREADABLE, table=name, problem=first_line(error)) from error


def _block_bytes(name: str, in_memory: bool) -> int:
    short = in_memory and name.endswith(".json") and not name.startswith("settings.")  # a setting may have 1 MB
    return SHORT_BLOCK_BYTES if short else BLOCK_BYTES


def _parquet(opened: Callable[[], Any], schema: pa.Schema, name: str, in_memory: bool) -> Iterator[pa.Table]:
    with BytesIO() if in_memory else tempfile.TemporaryFile() as seekable:
        member = opened()
        while piece := member.read(CHUNK_BYTES):
            seekable.write(piece)
        file = parquet.ParquetFile(seekable)
        _check_names(file.schema_arrow.names, schema, name)
        texts = any(field.type == pa.string() for field in schema)
        for batch in file.iter_batches(TEXT_BATCH_ROWS if texts else BATCH_ROWS, use_threads=False):
            yield pa.table(batch)


def _json(opened: Callable[[], Any], schema: pa.Schema, name: str, block: int) -> Iterator[pa.Table]:
    if not opened().read(1):
        return
    types = schema.append(pa.field(DERIVED[0], pa.string())) if DERIVED[0] not in schema.names else schema
    options = pa.json.ReadOptions(block_size=block, use_threads=False)
    for batch in pa.json.open_json(opened(), options, pa.json.ParseOptions(explicit_schema=types)):
        yield pa.table(batch)


def _csv(opened: Callable[[], Any], schema: pa.Schema, name: str) -> Iterator[pa.Table]:
    """As CSSAFE writes it, with commas and decimal points; or, from the first row on that is not, as a spreadsheet has saved
    it."""
    delimiter = _delimiter(opened(), schema, name)
    read = 0
    if delimiter == ",":
        try:
            for rows in _parsed(opened(), ",", schema):
                yield _map_texts(rows, schema, unescape)
                read += rows.num_rows
            return
        except pa.ArrowInvalid:
            pass
    texts = pa.schema([(field.name, pa.string()) for field in schema])
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    cells = (
        text.strip()
        for rows in _parsed(opened(), delimiter, texts)
        for number in numbers
        if number in rows.column_names
        for text in rows[number].unique().drop_null().to_pylist()
    )
    try:
        mark = find_decimal_mark(cells) or ("." if delimiter == "," else "")
    except CellError as error:
        raise Refusal(str(error), table=name) from None
    before = 0
    for rows in _parsed(opened(), delimiter, texts):
        if before >= read:
            yield _interpreted(rows, schema, mark, name, before)
        before += rows.num_rows


def _delimiter(member: CountedMember, schema: pa.Schema, name: str) -> str:
    """The one of the first line, whose columns must be known."""
    head = b""
    while b"\n" not in head and len(head) <= MAX_HEADER_BYTES and (more := member.read(MAX_HEADER_BYTES)):
        head += more
    line = head.partition(b"\n")[0]
    if len(line) > MAX_HEADER_BYTES:
        raise Refusal(LONG_START, member=name, most=f"{MAX_HEADER_BYTES:,}")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(NO_TEXT, table=name) from None
    delimiter = max(",;\t", key=text.count)
    _check_names(next(csv.reader([text], delimiter=delimiter), []), schema, name)
    return delimiter


def _check_names(names: list[str], schema: pa.Schema, name: str) -> None:
    if strange := set(names) - {*schema.names, *DERIVED}:
        raise Refusal(
            N_("The file's table {table} has a column {column}, which no CSSAFE of this version knows."),
            table=name,
            column=min(strange)[:100],
        )
    if len(names) != len(set(names)):
        raise Refusal(COLUMN_TWICE, table=name, column=max(names, key=names.count)[:100])


def _parsed(member: CountedMember, delimiter: str, schema: pa.Schema) -> Iterable[pa.Table]:
    options = pa.csv.ConvertOptions(
        column_types=schema if DERIVED[0] in schema.names else schema.append(pa.field(DERIVED[0], pa.string())),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    parsed = pa.csv.ParseOptions(newlines_in_values=True, delimiter=delimiter)
    read = pa.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
    return map(pa.table, pa.csv.open_csv(member, read, parsed, options))


def _interpreted(texts: pa.Table, schema: pa.Schema, mark: str, name: str, before: int) -> pa.Table:
    """Rows of text as numbers, times and texts. before: rows of the member that were read before them."""
    columns = {}
    for field in schema:
        if field.name not in texts.column_names:
            continue
        read: Callable[[str], Any] = unescape
        if pa.types.is_floating(field.type):
            read = partial(parse_number, mark=mark)
        elif pa.types.is_integer(field.type):
            read = parse_whole
        elif pa.types.is_timestamp(field.type):
            read = parse_time
        columns[field.name] = _map(texts[field.name], read, field, name, before)
    return pa.table(columns)


def _map(column: pa.ChunkedArray, read: Callable[[str], Any], field: pa.Field, name: str, before: int) -> pa.Array:
    """Each cell read; cells that are alike are read once."""
    cells = column.combine_chunks().dictionary_encode()
    values = []
    for text in cells.dictionary.to_pylist():
        plain = text if read is unescape else text.strip()
        try:
            values.append(read(plain) if plain or read is unescape else None)
        except CellError as error:
            row = before + pc.index(column, text).as_py() + 2  # the first row is that of the names
            raise Refusal(str(error), table=name, row=row, column=field.name, cell=text[:40]) from None
    read_cells = pa.array(values, field.type).take(cells.indices)
    # Spreadsheets write an empty text and none alike, and an empty text is what CSSAFE stores.
    return read_cells.fill_null("") if field.type == pa.string() else read_cells


def _map_texts(rows: pa.Table, schema: pa.Schema, read: Callable[[str], str]) -> pa.Table:
    for i, field in enumerate(rows.schema):
        if field.type == pa.string() and field.name in schema.names:
            rows = rows.set_column(i, field.name, _map(rows[field.name], read, field, "", 0))
    return rows


def _conform(rows: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """The rows with all columns of the schema, those that they lack empty."""
    _check_names(rows.column_names, schema, name)
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    for field, column in zip(schema, columns, strict=True):
        if field.type == pa.string():
            most = settings.MAX_IMPORT_SETTING_BYTES if name.startswith("settings.") else settings.MAX_IMPORT_TEXT_BYTES
            if (pc.max(pc.binary_length(column)).as_py() or 0) > most:
                raise Refusal(TOO_LONG, member=name, column=field.name, most=f"{most:,}")
    return pa.table(columns, schema=schema)


def _millions(size: int) -> str:
    return f"{size // 1_000_000:,}"


def first_line(error: BaseException) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:150].rstrip(".") + "."


if __name__ == "__main__":
    main()
