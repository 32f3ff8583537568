"""Weekly timetable as one CSV file: periods, lessons and absences; and the limits of all timetable files."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import time
from itertools import islice
from typing import Any

import pandas as pd

from cssafe.errors import DataError
from cssafe.exchange.spreadsheet import escape_texts, unescape
from cssafe.language import N_
from cssafe.school.week import RESOURCE_NAMES, RESOURCES, School

Rows = list[dict[str, Any]]

COLUMNS = ("what", "day", "period", "start", "end", "class", "subject", "teacher", "room", "length", "fixed")
"""what: period (with start and end), lesson, or away (of one class, teacher or room; without a period for the whole day)."""

MAX_FILE_BYTES = 1_000_000
"""A CSV or iCalendar file of this size is read within two seconds on two cores; 3,000 events take 900 kB."""

MAX_ROWS = 3000
"""Rows of a CSV file, events of a calendar: the lessons of a week in a school of 80 classes."""

MAX_TEXT_CHARS = 200
"""Characters of a name, such as that of a class."""

MAX_PERIODS = 24
"""Periods of a day."""

YES = ("yes", "true", "1", "x")


def to_csv(school: School) -> str:
    """The week without the weights of subjects, for from_csv and spreadsheets."""
    rows: Rows = [
        {"what": "period", "period": period["name"], "start": period["start"], "end": period["end"]}
        for period in school.periods
    ]
    rows += [
        row | {"what": "lesson", "class": row["class_name"], "fixed": "yes" if row["fixed"] else "no"}
        for row in school.lessons.to_dict("records")
    ]
    rows += [
        {"what": "away", RESOURCE_NAMES[row["who"]]: row["name"], "day": row["day"], "period": row["period"]}
        for row in school.away.to_dict("records")
    ]
    return escape_texts(pd.DataFrame(rows, columns=COLUMNS)).to_csv(index=False, lineterminator="\n")


def from_csv(content: bytes) -> tuple[Rows, Rows, Rows]:
    """Rows of periods (for parse_periods), lessons and absences (for parse_week); without a column `what` all rows are
    lessons. Separated by commas, semicolons or tabs; extra columns are skipped.

    Raises:
        DataError: it is no such file.
    """
    parts: dict[str, Rows] = {"period": [], "lesson": [], "away": []}
    for number, row in enumerate(_table(content), start=2):
        what = row.get("what") or "lesson"
        if what not in parts:
            raise DataError(
                N_("Line {number} begins with “{what}”. It must say period, lesson or away."), number=number, what=what
            )
        if what == "period":
            parts[what].append(
                {"name": row.get("period", "")} | {end: parse_clock(row.get(end, "")) for end in ("start", "end")}
            )
        elif what == "lesson":
            fixed = row.get("fixed", "").lower() in YES
            parts[what].append(row | {"class_name": row.get("class", ""), "fixed": fixed})
        else:
            names = {who: row[RESOURCE_NAMES[who]] for who in RESOURCES if row.get(RESOURCE_NAMES[who])}
            if len(names) != 1:
                raise DataError(
                    N_("Line {number} says who is away: it must name one class, one teacher or one room."),
                    number=number,
                )
            [(who, name)] = names.items()
            parts[what].append({"who": who, "name": name, "day": row.get("day", ""), "period": row.get("period", "")})
    check_periods(len(parts["period"]))
    return parts["period"], parts["lesson"], parts["away"]


def check_size(content: bytes) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise DataError(
            N_("The file has {n:.1f} MB. A week takes at most {most:.0f} MB."),
            n=len(content) / 1e6,
            most=MAX_FILE_BYTES / 1e6,
        )


def check_periods(number: int) -> None:
    if number > MAX_PERIODS:
        raise DataError(N_("The file has {n:,} periods. A day has at most {most}."), n=number, most=MAX_PERIODS)


def parse_clock(text: str) -> time | None:
    """Time of 8:00, or of 8:00:00 as some spreadsheets write it."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::00)?", text)
    try:
        return time(int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


def _table(content: bytes) -> Rows:
    """Rows by the column names of the first line."""
    check_size(content)
    text = _decode(content)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        lines = list(
            islice(csv.reader(io.StringIO(text, newline=None), delimiter=separator, strict=True), MAX_ROWS + 2)
        )
    except csv.Error as error:
        raise DataError(
            N_("The file cannot be read as CSV: {error}. Save it again from the spreadsheet."), error=error
        ) from None
    names = [name.strip().lower() for name in lines[0]] if lines else []
    if missing := [name for name in ("day", "period", "class", "subject") if name not in names]:
        raise DataError(
            N_(
                "The file lacks the column {missing}. Its first line must name the columns: {columns}; needed are day, period, "
                "class and subject."
            ),
            missing=missing[0],
            columns=", ".join(COLUMNS),
        )
    if twice := {name for name in COLUMNS if names.count(name) > 1}:
        raise DataError(N_("The file has the column {name} twice. Remove one of them."), name=min(twice))
    if len(lines) > MAX_ROWS + 1:
        raise DataError(N_("The file has more than {most:,} rows, the most that a week has."), most=MAX_ROWS)
    return [_row(number, names, line) for number, line in enumerate(lines[1:], start=2)]


def _row(number: int, names: Sequence[str], line: Sequence[str]) -> dict[str, str]:
    """Cells of a line by column; missing ones are empty."""
    if len(line) > len(names):
        raise DataError(
            N_("Line {number} has {n:,} cells, and the first line names {most:,} columns. Save it again as CSV."),
            number=number,
            n=len(line),
            most=len(names),
        )
    row = dict.fromkeys(COLUMNS, "") | {
        name: unescape(cell.strip()) for name, cell in zip(names, line, strict=False) if name in COLUMNS
    }
    for name, cell in row.items():
        if len(cell) > MAX_TEXT_CHARS:
            raise DataError(
                N_("Line {number} has {n:,} characters in the column {name}. At most {most} are read."),
                number=number,
                n=len(cell),
                name=name,
                most=MAX_TEXT_CHARS,
            )
    return row


def _decode(content: bytes) -> str:
    """Text in UTF-8, or in UTF-16, which spreadsheets call “Unicode text”."""
    try:
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(N_("The file is no text in UTF-8. Save it from the spreadsheet as “CSV UTF-8”.")) from None
    if "\0" in text:
        raise DataError(N_("The file is no text. Save it from the spreadsheet as “CSV UTF-8”."))
    return text
