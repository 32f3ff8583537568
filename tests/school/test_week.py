"""A school's week: what is refused and why; the same week comes back out of CSV and iCalendar."""

import contextlib
from datetime import date, time

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import binary, data, integers
from pandas.testing import assert_frame_equal

from cssafe.school import periods as day
from cssafe.school.week import blocked_slots, parse_week, periods_from_times, rows_from_lessons, teachers_by_subject
from cssafe.timetable.week_csv import from_csv, to_csv
from cssafe.timetable.week_ics import from_ics, to_ics
from tests.support.schools import periods, school

PERIODS = periods(4)
MONDAY = date(2026, 9, 7)


def lesson(**others) -> dict:
    row = {"day": "Mon", "period": "1", "class_name": "7a", "subject": "Maths", "teacher": "Ada", "room": "12"}
    return row | {"length": 1, "fixed": False} | others


def away(**others) -> dict:
    return {"who": "teacher", "name": "Ada", "day": "Tue", "period": ""} | others


WEEK = parse_week(
    PERIODS,
    [
        lesson(length=2, fixed=True),
        lesson(day="Wed", period="3", class_name="7b", subject="Modern Art", teacher="", room=""),
        lesson(day="Fri", period="4", subject="History, old", teacher="Bo Ek"),
    ],
    [
        away(),
        away(who="room", name="12", day="Thu", period="2"),
        away(who="class_name", name="7b", day="Mon", period="4"),
    ],
)


@pytest.mark.parametrize("rows", [[], [{}], [{"day": None, "subject": float("nan"), "length": 1, "fixed": False}]])
def test_a_table_with_nothing_in_it_is_an_empty_week(rows):
    empty = parse_week(PERIODS, rows, rows)
    assert (
        empty.lessons.empty and empty.away.empty and blocked_slots(empty) == set() and teachers_by_subject(empty) == {}
    )


@pytest.mark.parametrize(
    ("rows", "free", "says"),
    [
        ([lesson(class_name="")], [], "lacks its class"),
        ([lesson(subject=None)], [], "lacks its class or its subject"),
        ([lesson(day="Sun")], [], "must be one of Mon, Tue"),
        ([lesson(period="9")], [], "must be one of 1, 2, 3, 4"),
        ([lesson(length="two")], [], "number of periods"),
        ([lesson(length=1.5)], [], "number of periods"),
        ([lesson(period="4", length=2)], [], "past the last period"),
        ([lesson(), lesson(subject="Art", teacher="", room="")], [], "need the class 7a on Mon 1"),
        ([lesson(length=2), lesson(period="2", class_name="7b", room="")], [], "need the teacher Ada on Mon 2"),
        ([lesson(), lesson(class_name="7b", teacher="")], [], "need the room 12 on Mon 1"),
        ([lesson(day="Tue")], [away()], "when the teacher Ada is away"),
        ([lesson(length=3)], [], "has 3 periods of Maths on Mon; at most 2"),
        ([], [away(name="")], "lacks a name"),
        ([], [away(who="pupil")], "a class, a teacher or a room"),
        ([], [away(day="Sat")], "is away on “Sat”"),
        ([], [away(period="9")], "in the period “9”"),
    ],
)
def test_a_week_that_cannot_be_is_refused_in_words(rows, free, says):
    with pytest.raises(ValueError, match=says):
        parse_week(PERIODS, rows, free)


def test_a_week_without_days_is_refused():
    with pytest.raises(ValueError, match="has no day"):
        parse_week(PERIODS, days=[])


def test_what_is_empty_clashes_with_nothing_and_lengths_may_be_left_out():
    rows = [lesson(teacher="", room="", length=None), lesson(class_name="7b", teacher="", room="", length="1")]
    assert list(parse_week(PERIODS, rows).lessons["length"]) == [1, 1]


def test_a_whole_day_away_blocks_each_of_its_periods():
    assert {slot for who, name, slot in blocked_slots(WEEK) if (who, name) == ("teacher", "Ada")} == {4, 5, 6, 7}
    assert {slot for who, name, slot in blocked_slots(WEEK) if who == "class_name"} == {3}


def test_a_week_is_the_same_after_it_was_kept():
    again = parse_week(PERIODS, **WEEK.plain())
    assert_frame_equal(again.lessons, WEEK.lessons)
    assert_frame_equal(again.away, WEEK.away)


def test_the_week_is_taken_from_the_newest_lessons_of_each_slot():
    recorded = pd.DataFrame(
        [
            ("7a", "Maths", "R1", "2026-09-07", 1, "1"),
            ("7a", "Art", "R1", "2026-09-14", 1, "1"),
            ("7a", "Old", "R1", "2026-01-05", 2, "1"),
            ("7b", "Maths", "R2", "2026-09-07", 1, "1"),
        ],
        columns=["class_name", "subject", "room", "week", "weekday", "period"],
    ).assign(week=lambda table: pd.to_datetime(table["week"]))
    made = parse_week(PERIODS, rows_from_lessons(recorded))
    assert made.lessons[["class_name", "subject", "day"]].to_numpy().tolist() == [
        ["7a", "Art", "Mon"],
        ["7b", "Maths", "Mon"],
    ]
    assert rows_from_lessons(recorded.iloc[:0]) == []


def test_periods_are_the_shortest_times_that_do_not_overlap():
    times = [("08:00", "08:45"), ("08:00", "09:35"), ("08:50", "09:35"), ("08:20", "09:10")]
    assert [(p["name"], p["start"]) for p in periods_from_times(times)] == [("1", "08:00"), ("2", "08:50")]
    assert periods_from_times([]) == []


def assert_same(rows, of=WEEK):
    """What was imported is that week."""
    found, lessons, free = rows
    again = parse_week(day.parse_periods(found), lessons, free, of.days, most=of.most)
    assert again.periods == of.periods
    assert_frame_equal(again.lessons, of.lessons)
    order = ["who", "name", "day", "period"]
    assert_frame_equal(again.away.sort_values(order, ignore_index=True), of.away.sort_values(order, ignore_index=True))


@pytest.mark.parametrize("of", [parse_week(PERIODS), WEEK, school(6)])
def test_a_week_comes_back_out_of_csv(of):
    assert_same(from_csv(to_csv(of).encode("utf-8-sig")), of)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("of", [WEEK, school(6)])
def test_a_week_comes_back_out_of_a_calendar(of, zone):
    assert_same(from_ics(to_ics(of, MONDAY, zone), of.periods, zone), of)


def test_without_periods_of_its_own_a_school_gets_those_of_the_calendar():
    found, lessons, free = from_ics(to_ics(school(2), MONDAY, "Europe/Berlin"), [], "Europe/Berlin")
    assert day.parse_periods(found) == list(school(2).periods) and len(lessons) == 62 and free == []


def test_a_spreadsheet_with_semicolons_and_only_what_is_needed_is_read():
    _, [row], _ = from_csv(b"Day;Period;Class;Subject;Remark\nMon;1;7a;Maths;x\n")
    assert parse_week(PERIODS, [row]).lessons["subject"].tolist() == ["Maths"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lacks the column day"),
        (b"hello", "lacks the column day"),
        (b"day,period,class,subject\nMon,1,7a,Maths,\n", "Line 2 has 5 cells, and the first line names 4 columns"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"day,period,subject\n", "lacks the column class"),
        (b"what,day,period,class,subject\npupil,Mon,1,7a,Maths\n", "Line 2 begins with “pupil”"),
        (b"what,day,period,class,subject,teacher\naway,Mon,1,7a,,Ada\n", "must name one class"),
        (b"day,period,class,subject\nMon,1,7a,Maths\nMon,2,7a,Maths,x\n", "Line 3 has 5 cells"),
    ],
)
def test_a_csv_file_that_cannot_be_used_is_refused_in_words(content, says):
    with pytest.raises(ValueError, match=says):
        from_csv(content)


def calendar(*events: str) -> bytes:
    parts = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{parts}END:VCALENDAR\r\n".encode()


FOREIGN = (
    "SUMMARY:Modern Art 7b\r\nLOCATION:Studio\r\nORGANIZER;CN=Bo Ek:mailto:bo@school.example\r\n"
    "DTSTART:20260907T080000\r\nDTEND:20260907T084500\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"
)


def test_a_calendar_of_another_program_is_read_by_its_names_and_days():
    found, lessons, _ = from_ics(calendar(FOREIGN), [], "Europe/Berlin")
    made = parse_week(day.parse_periods(found), lessons)
    assert made.lessons[["day", "class_name", "subject", "teacher", "room"]].to_numpy().tolist() == [
        ["Mon", "7b", "Modern Art", "Bo Ek", "Studio"],
        ["Wed", "7b", "Modern Art", "Bo Ek", "Studio"],
    ]


def test_each_week_written_out_is_one_lesson_and_times_in_utc_are_told_in_the_schools_zone():
    weeks = [f"SUMMARY:Art 7b\r\nDTSTART:202609{d:02}T060000Z\r\nDURATION:PT45M" for d in (7, 14, 21)]
    found, lessons, _ = from_ics(calendar(*weeks), [], "Europe/Berlin")
    assert len(lessons) == 1 and found == [{"name": "1", "start": time(8), "end": time(8, 45)}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no iCalendar file"),
        (b"hello", "no iCalendar file"),
        (b"\xff\xfe\x00\x01", "no iCalendar file"),
        (calendar(), "has no event"),
        (calendar("SUMMARY:Holiday\r\nDTSTART;VALUE=DATE:20260907"), "has no event"),
        (calendar("SUMMARY:Night 7a\r\nDTSTART:20260907T230000\r\nDTEND:20260908T010000"), "has no event"),
        (calendar("SUMMARY:Art 7a\r\nDTSTART:hello\r\nDTEND:20260907T084500"), "“Art 7a” in the calendar has no start"),
        (calendar(FOREIGN, "SUMMARY:Art 7a\r\nDTSTART:20260907T082000\r\nDTEND:20260907T090500"), "make no periods"),
    ],
)
def test_a_calendar_that_cannot_be_used_is_refused_in_words(content, says):
    with pytest.raises(ValueError, match=says):
        from_ics(content, [], "Europe/Berlin")


@pytest.mark.parametrize("kind", ["csv", "ics", "foreign"])
@given(data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_is_read_or_refused_in_words(kind, data):
    whole = {"csv": to_csv(WEEK).encode(), "ics": to_ics(WEEK, MONDAY, "UTC"), "foreign": calendar(FOREIGN)}[kind]
    at, length = data.draw(integers(0, len(whole))), data.draw(integers(0, 40))
    content = whole[:at] + data.draw(binary(max_size=20)) + whole[at + length :]
    with contextlib.suppress(ValueError):
        found, lessons, free = from_csv(content) if kind == "csv" else from_ics(content, [], "Europe/Berlin")
        parse_week(day.parse_periods(found), lessons, free)
