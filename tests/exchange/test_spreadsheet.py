"""CSV out and back in, also after a spreadsheet has saved it."""

import csv
import io
import re
import zipfile
from contextlib import closing
from dataclasses import replace

import pandas as pd
import pytest

from cssafe.exchange import exporter, importer
from cssafe.exchange.spreadsheet import (
    CellError,
    escape,
    escape_texts,
    find_decimal_mark,
    parse_number,
    parse_time,
    unescape,
)
from cssafe.school.week import parse_week
from cssafe.settings import PROFILES
from cssafe.store import StoreError, Workspace
from cssafe.timetable.week_csv import from_csv, to_csv
from tests.support.exports import contents
from tests.support.lessons import LESSON, START, add, rows

CONSENT = PROFILES["consent"]
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://evil.example")']  # noqa: RUF001
DANGEROUS += ["x;=1+1;y", "x\n-1", "7b\t@SUM(A1)", ";'=1", "x;\t=1"]  # where other separators than commas are expected
APOSTROPHES = ["'=1", "''=1", "'x", "'", "''", ""]


@pytest.mark.parametrize("text", [*DANGEROUS, *APOSTROPHES, "7b", "Maths = fun"])
def test_a_text_comes_back_from_its_cell(text):
    assert unescape(escape(text)) == text
    cells = [escape(text), *re.split("[;\t\r\n]", escape(text))]
    assert not [cell for cell in cells if cell[:1] in {*"=+-@\t\r＝"}]  # noqa: RUF001


def test_numbers_are_not_touched():
    table = escape_texts(pd.DataFrame({"yaw": [-0.5], "name": ["=x"], "change": ["+0.05 (-0.01 to 0.09)"]}))
    assert table.to_dict("records") == [{"yaw": -0.5, "name": "'=x", "change": "+0.05 (-0.01 to 0.09)"}]


@pytest.fixture
def exported(workspace):
    """The members of a workspace's export as CSV."""
    for i, name in enumerate([*DANGEROUS, "'=1"]):
        lesson = replace(LESSON, name=name, room="", started=START.replace(hour=8 + i))
        number = add(workspace, rows(tracks=6, seconds=9, start=lesson.started, yaw=-12.345), lesson=lesson)
        workspace.save_note(number, name, [name])
        workspace.add_marker(number, "quiz", lesson.started, name)
    file = io.BytesIO()
    exporter.export_file(workspace, file, "csv")
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def saved(members: dict[str, bytes], delimiter: str = ",", folder: str = "", **changes) -> dict[str, bytes]:
    """The members as a spreadsheet saves them. changes: column, or "every", -> function of its cells."""
    again = {}
    for name, content in members.items():
        if name.endswith(".csv"):
            table = list(csv.reader(io.StringIO(content.decode(), newline="")))
            for row in table[1:]:
                row[:] = [
                    changes.get(column, changes.get("every", str))(cell)
                    for column, cell in zip(table[0], row, strict=True)
                ]
            out = io.StringIO()
            csv.writer(out, delimiter=delimiter).writerows(table)
            content = b"\xef\xbb\xbf" + out.getvalue().encode()
        again[folder + name] = content
    return again


def brought(members: dict[str, bytes]) -> dict[str, list]:
    """What a new workspace holds after the import."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with closing(Workspace.open(None)) as other:
        importer.import_file(other, file, CONSENT)
        return contents(other)


def test_no_cell_of_the_export_is_a_formula_and_all_come_back_unchanged(workspace, exported):
    texts = {"name", "class_name", "subject", "room", "note", "tag", "value", "kind"}
    for name in (name for name in exported if name.endswith(".csv")):
        for row in csv.DictReader(io.StringIO(exported[name].decode(), newline="")):
            assert not [cell for column, cell in row.items() if column in texts and cell[:1] in {*"=+-@\t\r＝"}]  # noqa: RUF001
    assert "'=1+1" in exported["lessons.csv"].decode() and "-12.345" in exported["observations.csv"].decode()
    assert brought(exported) == contents(workspace)


TIMES = ("time", "started", "ended")


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"delimiter": ";"},
        {"delimiter": "\t"},
        {"folder": "my export/"},
        {"delimiter": ";", "every": lambda cell: re.sub(r"^(-?\d+)\.(\d+)$", r"\1,\2", cell)},
        dict.fromkeys(TIMES, lambda cell: pd.Timestamp(cell).strftime("%d.%m.%Y %H:%M:%S")),
        dict.fromkeys(TIMES, lambda cell: pd.Timestamp(cell).strftime("%Y/%m/%d %H:%M:%S")),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_saved_is_taken_back_where_nothing_is_ambiguous(workspace, exported, ways):
    assert brought(saved(exported, **ways) | {"__MACOSX/._about.json": b"\0\5"}) == contents(workspace)


@pytest.mark.parametrize(
    ("ways", "says"),
    [
        (dict.fromkeys(TIMES, lambda cell: "03/04/2026 08:00:00"), "row 2, column .*03/04/2026.*can be confused"),
        ({"time": lambda cell: "8:00 AM"}, "row 2, column time, has “8:00 AM”, where a time such as 2026-11-29"),
        ({"time": lambda cell: "2026-13-45 08:00"}, "row 2, column time"),
        ({"started": lambda cell: cell[:10]}, "row 2, column started, has “2026-03-02”, where a time such as"),
        ({"ended": lambda cell: cell[:13]}, "row 2, column ended, has “2026-03-02 [0-9]{2}”, where a time such as"),
        ({"yaw": lambda cell: "1,234"}, "row 2, column yaw, has “1,234”, which can be a decimal number or thousands"),
        ({"delimiter": ";", "yaw": lambda cell: "1,234", "attention": lambda cell: "0.5"}, "“1,234”, which can be"),
        ({"delimiter": ";", "yaw": lambda cell: "12,5"}, "decimal point and numbers with a decimal comma"),
        ({"delimiter": ";", **dict.fromkeys(("yaw", "quality"), lambda cell: "1,234")}, "decimal"),
        ({"track": lambda cell: "1,5"}, "row 2, column track, has “1,5”, where a whole number"),
        ({"track": lambda cell: "9" * 30}, "row 2, column track"),
        ({"yaw": lambda cell: "#REF!"}, "row 2, column yaw, has “#REF!”"),
        ({"time": lambda cell: cell[:16]}, "twice in one second. A spreadsheet may have cut off the seconds"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused_with_its_cell(exported, ways, says):
    with pytest.raises(StoreError, match=says):
        brought(saved(exported, **ways))


@pytest.mark.parametrize(
    ("numbers", "mark"), [([], ""), (["1", "1.234"], ""), (["1.234", "0.234"], "."), (["12,5", "1,234", "-3"], ",")]
)
def test_the_decimal_mark_is_that_of_the_numbers_that_have_one_reading(numbers, mark):
    assert find_decimal_mark(numbers) == mark


def test_numbers_and_times_have_one_reading_or_none():
    assert [parse_number(text, ",") for text in ("1,234", "-,5", "1e-3")] == [1.234, -0.5, 0.001]
    assert parse_time("29/11/2026 8:00") == parse_time("11/29/2026 08:00") == parse_time("2026-11-29T08:00:00")
    for text in ("1.234,5", "", "nan", "inf", "1_000", "٣"):
        with pytest.raises(CellError):
            parse_number(text, ",")


def test_a_timetable_comes_back_from_its_csv_with_every_delimiter():
    lesson = {"day": "Mon", "period": "+1", "class_name": "=7a", "subject": "-M", "teacher": "@x", "room": "'=1"}
    school = parse_week([{"name": "+1", "start": "08:00", "end": "08:45"}], [lesson])
    content = to_csv(school)
    assert not [row for row in csv.reader(io.StringIO(content)) for cell in row if cell[:1] in {*"=+-@"}]
    for again in (content, content.replace(",", ";"), content.replace(",", "\t").replace("\n", "\r\n")):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            periods, [found], away = from_csv(again.replace("08:00", "8:00:00").encode(encoding))
            assert {name: found[name] for name in lesson} == lesson and not away
            assert [(p["name"], f"{p['start']:%H:%M}") for p in periods] == [("+1", "08:00")]
