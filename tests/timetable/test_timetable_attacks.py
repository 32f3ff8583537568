"""Timetables, calendars and formulas that would block or break what reads them: each is told in one sentence, at once."""

import copy
import json
import re
import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cssafe.errors import ConfigurationError
from cssafe.scoring.formula import FORMULAS, MAX_FILE_BYTES, PUBLISHED_FILE, list_sources, read_formula
from cssafe.timetable.week_csv import MAX_ROWS, from_csv
from cssafe.timetable.week_ics import from_ics
from tests.support.timetable_files import CELLS, FIRST, NAMES, PIECES, calendar, event, used

SECONDS = 2.0
"""Of this process's own time: what else the machine does is not counted."""


def zone(rule: str, name: str = "X", changes: int = 1, end: str = "END:VTIMEZONE") -> str:
    change = (
        "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
        f"RRULE:{rule}\r\nEND:STANDARD\r\n"
    )
    return f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{changes * change}{end}\r\n"


IN_ZONE = event("DTSTART;TZID=X:20260907T080000", "DTEND;TZID=X:20260907T084500")
ENDS = (("DTSTART", "00"), ("DTEND", "30"))
"""Of an event that lasts half a minute, and their seconds."""

TAKEN = ""
"""What a file says that is taken: nothing."""

CALENDARS = {
    "year 1": (calendar(event("DTSTART:00010101T000000Z", "DTEND:00010101T010000Z")), "event “Maths 7b”"),
    "year 9999": (calendar(event("DTSTART:99991231T230000Z", "DTEND:99991231T235900Z")), TAKEN),
    "no start": (calendar(event(start="X-A:1")), "event “Maths 7b” in the calendar has no start"),
    "no end": (calendar(event(end="X-A:1")), "no event with a start and an end"),
    "interval": (calendar(event(extra="RRULE:FREQ=WEEKLY;INTERVAL=99999999999999999999")), "event “Maths 7b”"),
    "every second": (calendar(event(extra="RRULE:FREQ=SECONDLY")), TAKEN),
    "broken rule": (calendar(event(extra="RRULE:;;=")), TAKEN),
    "many weekdays": (calendar(event(extra="RRULE:FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 50_000))), TAKEN),
    "strange zone": (calendar(event("DTSTART;TZID=../../etc/passwd:20260907T080000")), TAKEN),
    "long zone": (calendar(event("DTSTART;TZID=" + "x" * 100_000 + ":20260907T080000")), "no iCalendar file"),
    "zone every second": (calendar(IN_ZONE, before=zone("FREQ=SECONDLY")), TAKEN),
    "zone with two changes every second": (calendar(IN_ZONE, before=zone("FREQ=SECONDLY", changes=2)), TAKEN),
    "the same in folded lines": (
        calendar(IN_ZONE, before=zone("FREQ=SECONDLY", changes=2, end="eND;A=1:VT\u0131ME\r\n ZONE")), TAKEN
    ),
    "many zones": (calendar(IN_ZONE, before="".join(zone("FREQ=DAILY", f"X{i}") for i in range(1000))), TAKEN),
    "nested": (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:X\r\n" * 9000 + b"END:X\r\n" * 9000 + b"END:VCALENDAR\r\n", "no event"),
    "UTF-16": (calendar(event()).decode().encode("utf-16"), "no iCalendar file"),
    "BOM": (b"\xef\xbb\xbf" + calendar(event()), TAKEN),
    "NUL": (calendar(event(summary="a\0b c")), TAKEN),
    "Latin 1": (calendar(event(summary="Gäste 7b")).replace("ä".encode(), b"\xe4"), TAKEN),
    "cut off": (calendar(event())[:-30], "no iCalendar file"),
    "endless": (calendar(event(end="DURATION:PT99999999999999999H")), "event “Maths 7b”"),
    "two starts": (calendar(event(extra="DTSTART:20260907T090000")), "event “Maths 7b”"),
    "list of starts": (calendar(event("DTSTART:20260907T080000,20260907T090000")), "event “Maths 7b”"),
    "long name": (calendar(event(summary="x" * 5000 + " 7b")), "a name of more than 200 characters"),
    "5 MB": (calendar(*[event()] * 40_000), r"The file has 4.* MB. A week takes at most 1 MB"),
    "many events": (calendar(*[event(summary="a b")] * 4000), "has 4,000 events. A week has at most 3,000"),
    "many weekly events": (
        calendar(*(event(extra="RRULE:FREQ=WEEKLY;BYDAY=MO,TU", summary=f"S c{i}") for i in range(2000))),
        "4,000 lessons in a week",
    ),
    "many periods": (
        calendar(*(event(*(f"{name}:20260907T{i // 60:02}{i % 60:02}{s}" for name, s in ENDS)) for i in range(300))),
        "has 300 periods",
    ),
    "nothing": (b"", "no iCalendar file"),
}  # fmt: skip

ROW = "lesson,Mon,1,,,7b,M,,,{length},no\n"

TABLES = {
    "full": (NAMES + FIRST + "".join(f"lesson,Mon,1,,,c{i},s{i},t{i},r{i},1,no\n" for i in range(MAX_ROWS - 1)), TAKEN),
    "5 MB": (NAMES + FIRST + ROW * 200_000, "The file has 6.* MB. A week takes at most 1 MB"),
    "many rows": (NAMES + FIRST + ROW * MAX_ROWS, "more than 3,000 rows"),
    "empty rows": (NAMES + "\n" * 900_000, "more than 3,000 rows"),
    "many columns": (NAMES.strip() + "," * 500_000 + "\n" + FIRST, TAKEN),
    "many cells": (NAMES + "," * 500_000, "Line 2 has 500,001 cells"),
    "long row": (NAMES + "x" * 900_000, "cannot be read as CSV"),
    "long name": (NAMES + FIRST + "lesson,Mon,1,,,7b," + "x" * 900, "Line 3 has 900 characters in the column subject"),
    "open quote": (NAMES + '"' + "x\n" * 100, "cannot be read as CSV"),
    "many periods": (NAMES + "".join(f"period,,{i},{i // 60:02}:{i % 60:02},,,,,,,\n" for i in range(100)), "has 100 periods"),
    "column twice": ("what,day,day,period,class,subject\n", "column day twice"),
    "NUL": (NAMES + "a\0b", "no text"),
    "huge length": (NAMES + FIRST + ROW.format(length="1e400"), "length “1e400”"),
    "long length": (NAMES + FIRST + ROW.format(length="9" * 150), "length “9"),
    "no number": (NAMES + FIRST + ROW.format(length="nan"), "length “nan”"),
    "nothing": ("", "lacks the column day"),
    "other digits": (NAMES + "period,,1,٠٨:00,08:45,,,,,,\n", "Period 1 needs a start"),
    "points": (NAMES + "period,,1,8.00,8.45,,,,,,\n", "Period 1 needs a start"),
}  # fmt: skip


def said(read_file, *args) -> str:
    """What the user is told of it, nothing where it is taken; in time."""
    begun = time.process_time()
    sentence = TAKEN
    try:
        used(read_file(*args))
    except ValueError as error:
        sentence = str(error)
    assert time.process_time() - begun < SECONDS
    return sentence


@pytest.mark.parametrize("kind", CALENDARS)
def test_a_hostile_calendar_is_read_or_refused_in_a_sentence_and_in_time(kind):
    content, expected = CALENDARS[kind]
    assert re.search(expected or "^$", said(from_ics, content, [], "America/New_York"))


@pytest.mark.parametrize("kind", TABLES)
def test_a_hostile_table_is_read_or_refused_in_a_sentence_and_in_time(kind):
    content, expected = TABLES[kind]
    assert re.search(expected or "^$", said(from_csv, content.encode()))


QUICK = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


@QUICK
@given(st.lists(PIECES, max_size=20), st.integers(0, 12))
def test_no_calendar_escapes_as_an_exception(pieces, at):
    lines = calendar(event()).splitlines()
    with suppress(ValueError):
        used(from_ics(b"\r\n".join([*lines[:at], *pieces, *lines[at:]]), [], "Asia/Kolkata"))


@QUICK
@given(
    st.lists(st.lists(CELLS, max_size=12), max_size=8), st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-16"])
)
def test_no_table_escapes_as_an_exception(table, separator, encoding):
    text = NAMES + FIRST + "\n".join(separator.join(row) for row in table)
    with suppress(ValueError):
        used(from_csv(text.encode(encoding, "surrogatepass")))


VALUES = [None, True, "x", 10**400, 1e308, float("inf"), float("nan"), -1, 1e9, [], {}, [[]], {"a": []}, "x" * 5000]
VALUES += [{"value": 1}, {"value": 1, "source": "x", "unit": 3}, {"value": 10**400, "source": "x"}]


def places(part: dict, before: tuple = ()) -> list[tuple]:
    """Where something stands in a formula file: keys from outside in."""
    return [
        place
        for key, value in part.items()
        for place in [(*before, key), *(places(value, (*before, key)) if isinstance(value, dict) else [])]
    ]


def test_every_number_of_a_formula_that_is_something_else_is_refused_or_shown(tmp_path):
    good = json.loads((FORMULAS / PUBLISHED_FILE).read_text(encoding="utf-8"))
    path = tmp_path / "formula.json"
    for place in places(good):
        for value in VALUES:
            changed = copy.deepcopy(good)
            part = changed
            for key in place[:-1]:
                part = part[key]
            part[place[-1]] = value
            path.write_text(json.dumps(changed))
            try:
                formula = read_formula(path)
            except ConfigurationError as error:
                assert "this is no formula" in str(error) and len(str(error)) < 500
            else:
                assert len(list_sources(path)) > 20 and len(str(formula)) < 1100


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" * 90_000, "no formula"),
        (b" " * (MAX_FILE_BYTES + 1), "more than 100,000 bytes"),
        (b"1" * 5000, "no formula"),
        (b"\xff\xfe{}", "no formula"),
        (b"\0", "no formula"),
        (b"null", "no formula"),
        (b"[]", "no formula"),
        (b"{}", "'name' is missing"),
    ],
)
def test_a_file_that_is_no_formula_is_told_in_a_sentence(tmp_path, content, says):
    path = tmp_path / "formula.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says) as refused:
        read_formula(path)
    assert len(str(refused.value).splitlines()) == 1
