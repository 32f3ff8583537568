"""Tables of an export file, read piece by piece as Parquet, CSV or JSON, with the columns of the database."""

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
from pyarrow import parquet

from cssafe import settings
from cssafe.exchange import DERIVED
from cssafe.exchange.import_budget import CountedMember, Refusal, first_line
from cssafe.exchange.spreadsheet import CellError, find_decimal_mark, parse_number, parse_time, parse_whole, unescape
from cssafe.language import N_

BLOCK_BYTES = 1 << 22
"""Text read at a time; a longer line is refused."""

SHORT_BLOCK_BYTES = 1 << 20
"""The same for JSON in memory: Arrow reads 32 blocks ahead."""

BATCH_ROWS = 20_000

TEXT_BATCH_ROWS = 1_000
"""Rows of Parquet read at a time, of a table of numbers and of one with texts: the longest take 20 MB."""

MAX_HEADER_BYTES = 20_000
"""First line of a CSV member: the widest table has 46 columns."""

MIN_TIME_CHARS = len("2026-11-29 08:00")
"""Characters of a time with a day, hours and minutes."""

CHUNK_BYTES = 1 << 20
"""Bytes unpacked at a time."""

TOO_LONG = N_(
    "The file's {member} has more than {most} bytes in one cell of the column {column}. Shorten that text where it came from."
)

LONG_START = N_("The file's {member} has more than {most} bytes in its first line. Export it again where it came from.")

UNKNOWN_FORMAT = N_("The format of the file's table {table} is unknown. These are read: {formats}.")

UNREADABLE = N_("The file's table {table} cannot be read: {problem} Export it again where it came from.")

LONG_ROW = N_("The file's table {table} has a row of more than {most} MB. Export it again where it came from.")

NO_TEXT = N_("The file's table {table} is no text in UTF-8. Save it as “CSV UTF-8”.")

COLUMN_TWICE = N_("The file's table {table} has the column {column} twice. Export it again where it came from.")


Open = Callable[[], Any]
"""Opens the member of the ZIP from its beginning, as a CountedMember."""


def read_table(opened: Open, schema: pa.Schema, name: str, in_memory: bool) -> Iterator[pa.Table]:
    """Rows of a member with the columns of the schema; at least one table, which may be empty.

    name: of the member. in_memory: nothing may reach the disk.

    Raises:
        Refusal: it cannot be read. MemoryError, BadZipFile.
    """
    block = _block_bytes(name, in_memory)
    readers: dict[str, Callable[..., Iterator[pa.Table]]] = {
        "parquet": partial(_parquet, in_memory=in_memory),
        "csv": _csv,
        "json": partial(_json, block=block),
    }
    if (read := readers.get(name.rpartition(".")[2])) is None:
        raise Refusal(UNKNOWN_FORMAT, table=name, formats=", ".join(readers))
    try:
        for rows in read(opened, schema, name):
            yield _conform(rows, schema, name)
    except (pa.ArrowException, OSError, ValueError, csv.Error) as error:
        if isinstance(error, (BadZipFile, MemoryError)):
            raise
        if "straddling" in str(error):
            raise Refusal(LONG_ROW, table=name, most=block >> 20) from error
        raise Refusal(UNREADABLE, table=name, problem=first_line(error)) from error


def _block_bytes(name: str, in_memory: bool) -> int:
    short = in_memory and name.endswith(".json") and not name.startswith("settings.")  # a setting may have 1 MB
    return SHORT_BLOCK_BYTES if short else BLOCK_BYTES


def _parquet(opened: Open, schema: pa.Schema, name: str, in_memory: bool) -> Iterator[pa.Table]:
    with BytesIO() if in_memory else tempfile.TemporaryFile() as seekable:
        member = opened()
        while piece := member.read(CHUNK_BYTES):
            seekable.write(piece)
        file = parquet.ParquetFile(seekable)
        check_names(file.schema_arrow.names, schema, name)
        texts = any(field.type == pa.string() for field in schema)
        for group in range(file.num_row_groups):  # one at a time: iter_batches keeps the bytes of all that it has read
            for batch in file.iter_batches(
                TEXT_BATCH_ROWS if texts else BATCH_ROWS, row_groups=[group], use_threads=False
            ):
                yield pa.table(batch)


def _json(opened: Open, schema: pa.Schema, name: str, block: int) -> Iterator[pa.Table]:
    if not opened().read(1):
        return
    types = schema.append(pa.field(DERIVED[0], pa.string())) if DERIVED[0] not in schema.names else schema
    options = pa.json.ReadOptions(block_size=block, use_threads=False)
    for batch in pa.json.open_json(opened(), options, pa.json.ParseOptions(explicit_schema=types)):
        yield pa.table(batch)


def _csv(opened: Open, schema: pa.Schema, name: str) -> Iterator[pa.Table]:
    """CSV as CSSAFE writes it, with commas and decimal points; from the first other row on, CSV as a spreadsheet saves it."""
    delimiter = _delimiter(opened(), schema, name)
    read = 0
    if delimiter == ",":
        try:
            for rows in _parsed(opened(), ",", _times_as_texts(schema)):
                yield _map_texts(_parse_times(rows, schema), schema, unescape)
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


def _times_as_texts(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [(field.name, pa.string() if pa.types.is_timestamp(field.type) else field.type) for field in schema]
    )


def _parse_times(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Texts of time columns as times. Raises pa.ArrowInvalid also for a day alone, which Arrow takes for midnight."""
    for i, name in enumerate(rows.column_names):
        if name in schema.names and pa.types.is_timestamp(schema.field(name).type):
            if (pc.min(pc.binary_length(rows[name])).as_py() or MIN_TIME_CHARS) < MIN_TIME_CHARS:
                raise pa.ArrowInvalid("a time has no hours or minutes")
            rows = rows.set_column(i, name, rows[name].cast(schema.field(name).type))
    return rows


def _delimiter(member: CountedMember, schema: pa.Schema, name: str) -> str:
    """Delimiter of the first line, whose columns must be known."""
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
    check_names(next(csv.reader([text], delimiter=delimiter), []), schema, name)
    return delimiter


def check_names(names: list[str], schema: pa.Schema, name: str) -> None:
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
    """Rows of text as numbers, times and texts. before: number of the member's earlier rows."""
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
    """Parsed cells; equal ones are parsed once."""
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
    # Spreadsheets do not distinguish an empty text from none; CSSAFE stores empty texts.
    return read_cells.fill_null("") if field.type == pa.string() else read_cells


def _map_texts(rows: pa.Table, schema: pa.Schema, read: Callable[[str], str]) -> pa.Table:
    for i, field in enumerate(rows.schema):
        if field.type == pa.string() and field.name in schema.names:
            rows = rows.set_column(i, field.name, _map(rows[field.name], read, field, "", 0))
    return rows


def _conform(rows: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """The rows with all columns of the schema; missing ones are null."""
    check_names(rows.column_names, schema, name)
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
