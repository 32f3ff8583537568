"""CSV cells and spreadsheets: escaping of formulas, parsing of numbers and dates as spreadsheets write them."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from cssafe.language import N_

if TYPE_CHECKING:
    import pandas as pd  # the decoder of export files, which stays small, uses this module, too

_EXECUTED = "=+\\-@\t\r\n＝＋－＠"  # noqa: RUF001 the full-width signs are executed, too
"""First characters of a formula (OWASP, CSV injection), with their full-width forms."""

_CELL_STARTS = "(?:^|(?<=[;\t\r\n]))"
"""Where a cell can begin: a spreadsheet that expects other separators than commas divides a quoted text at them."""

_RISKY = re.compile(f"{_CELL_STARTS}(?='*[{_EXECUTED}])")
_ESCAPED = re.compile(f"{_CELL_STARTS}'(?='*[{_EXECUTED}])")

_INTERVAL = re.compile(r"[+-]\d+[.,]\d+ (\([^|!=;]*\)|\w+ [+-]\d+[.,]\d+)")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_COULD_BE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)

_CLOCK = r"[T ]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})" + _CLOCK, re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})" + _CLOCK, re.ASCII)


AMBIGUOUS_NUMBER = N_(
    "The file's table {table}, row {row}, column {column}, has “{cell}”, which can be a decimal number or thousands. Format "
    "the column as numbers with four decimals and save again."
)
NO_NUMBER = N_(
    "The file's table {table}, row {row}, column {column}, has “{cell}”, where a number such as 0.25 is expected."
)
NO_WHOLE_NUMBER = N_(
    "The file's table {table}, row {row}, column {column}, has “{cell}”, where a whole number such as 12 is expected."
)
AMBIGUOUS_DATE = N_(
    "The file's table {table}, row {row}, column {column}, has “{cell}”, in which day and month can be confused. Format the "
    "column as 2026-11-29 08:00:00 and save again."
)
NO_TIME = N_(
    "The file's table {table}, row {row}, column {column}, has “{cell}”, where a time such as 2026-11-29 08:00:00 is expected."
)
TWO_MARKS = N_(
    "The file's table {table} has numbers with a decimal point and numbers with a decimal comma. Use one of them and save "
    "again."
)


class CellError(ValueError):
    """An ambiguous or unreadable cell. Its text is one of the sentences above, with fields to be filled."""


def escape(text: str) -> str:
    """Text as a CSV cell that no spreadsheet executes, by apostrophes where needed."""
    return _RISKY.sub("'", text)


def unescape(text: str) -> str:
    """Inverse of escape."""
    return _ESCAPED.sub("", text)


def escape_texts(table: "pd.DataFrame") -> "pd.DataFrame":
    """Table with escaped texts, to be written as CSV. Intervals such as “+0.05 (0.01 to 0.09)” stay."""
    escaped = table.copy(deep=False)
    for name in _texts(table):
        escaped[name] = [escape(cell) if _is_formula(cell) else cell for cell in table[name]]
    return escaped


def has_formula(table: "pd.DataFrame") -> bool:
    """Whether the table has a text that `escape_texts` changes."""
    return any(_is_formula(cell) for name in _texts(table) for cell in table[name])


def _texts(table: "pd.DataFrame") -> "pd.Index":
    return table.select_dtypes(include=["object", "string"]).columns


def _is_formula(cell: object) -> bool:
    return isinstance(cell, str) and bool(_RISKY.search(cell)) and not _INTERVAL.fullmatch(cell)


def find_decimal_mark(numbers: Iterable[str]) -> str:
    """ "." or "," by those of the numbers that allow one reading only; "" where there are none.

    Raises:
        CellError: some have one, some the other.
    """
    marks = {
        mark for text in numbers for mark in ".," if text.count(mark) == 1 and not _COULD_BE_THOUSANDS.fullmatch(text)
    }
    if len(marks) > 1:
        raise CellError(TWO_MARKS)
    return marks.pop() if marks else ""


def parse_number(text: str, mark: str) -> float:
    """A decimal number. mark: the table's decimal mark, "" where it is not known; raises CellError."""
    other = "," if mark == "." else "."
    if _COULD_BE_THOUSANDS.fullmatch(text) and (not mark or other in text):
        raise CellError(AMBIGUOUS_NUMBER)
    plain = text.replace(mark, ".") if mark and other not in text else text
    if not _NUMBER.fullmatch(plain) or (mark and other in text):
        raise CellError(NO_NUMBER)
    return float(plain)


def parse_whole(text: str) -> int:
    """A whole number; raises CellError."""
    if not _WHOLE.fullmatch(text) or len(text) > 18:
        raise CellError(NO_WHOLE_NUMBER)
    return int(text)


def parse_time(text: str) -> datetime:
    """A date with a time of day: year first, or day first with points, or with slashes where day and month cannot be confused.

    Raises:
        CellError
    """
    if found := _YEAR_FIRST.fullmatch(text):
        year, _separator, month, day, *clock = found.groups()
    elif found := _YEAR_LAST.fullmatch(text):
        day, separator, month, year, *clock = found.groups()
        if separator == "/" and max(int(day), int(month)) <= 12 and day != month:
            raise CellError(AMBIGUOUS_DATE)
        if separator == "/" and int(month) > 12:
            day, month = month, day
    else:
        raise CellError(NO_TIME)
    hour, minute, second, fraction = clock
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
        )
    except ValueError:
        raise CellError(NO_TIME) from None
