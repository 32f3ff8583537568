"""The timetable of a room: what is refused, and what is due when."""

from datetime import UTC, datetime, time

import pytest

from cssafe.school.room_timetable import SCHOOL_DAYS, due_entry, due_until, next_lesson, parse_timetable

BERLIN = "Europe/Berlin"


def row(days=SCHOOL_DAYS, start=time(8), end=time(8, 45), subject="Maths", **others) -> dict:
    return {
        "days": list(days),
        "start": start,
        "end": end,
        "subject": subject,
        "class_name": "7b",
        "room": None,
    } | others


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MATHS, ART = parse_timetable([row(), row(["Mon"], time(8, 45), time(9, 30), "Art")])
NIGHT = parse_timetable([row(["Sun"], time(2, 15), time(2, 45))])
"""At a time that the clocks of Berlin leave out on 29 March 2026 and repeat on 25 October."""


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        [{"days": None, "start": None, "end": None, "class_name": float("nan"), "subject": " ", "room": None}],
    ],
)
def test_a_table_with_nothing_in_it_is_an_empty_timetable(rows):
    assert parse_timetable(rows) == []


def test_entries_come_in_the_order_of_the_week_with_plain_texts():
    entries = parse_timetable([row(["Fri", "Tue"], subject=" Art "), row(["Mon"], time(10), time(11))])
    assert [(e["days"], e["start"], e["subject"], e["room"]) for e in entries] == [
        (["Mon"], "10:00", "Maths", ""),
        (["Tue", "Fri"], "08:00", "Art", ""),
    ]


def test_a_new_table_gives_its_times_as_texts():
    assert parse_timetable([row(start="08:00:00.000", end="08:45:00.000")]) == [MATHS]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row(start="soon")], "needs a start and an end"),
        ([row(days=[])], "has no day"),
        ([row(start=None)], "needs a start and an end"),
        ([row(end=None)], "needs a start and an end"),
        ([row(start=time(9))], "must be later on the same day"),
        ([row(end=time(8))], "must be later on the same day"),
        ([row(start=time(23), end=time(1))], "past midnight as two lessons"),
        ([row(), row(["Fri"], time(8, 44), time(9))], "overlap on Fri: 08:00 to 08:45 and 08:44 to 09:00"),
        ([row(), row()], "overlap on Mon"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(rows, says):
    with pytest.raises(ValueError, match=says):
        parse_timetable(rows)


@pytest.mark.parametrize(
    ("timetable", "now", "entry"),
    [
        ([], "2026-03-02 07:10", None),
        ([MATHS], "2026-03-02 06:59:59", None),  # 07:59:59 in Berlin, a Monday
        ([MATHS], "2026-03-02 07:00", MATHS),
        ([MATHS], "2026-03-02 07:44:59", MATHS),
        ([MATHS], "2026-03-02 07:45", None),
        ([MATHS, ART], "2026-03-02 07:45", ART),
        ([MATHS, ART], "2026-03-03 07:50", None),  # Art is on Mondays only
        ([MATHS], "2026-03-01 07:10", None),  # a Sunday
        ([MATHS], "2026-03-27 07:10", MATHS),  # the last school day of winter time: 08:10
        ([MATHS], "2026-03-30 07:10", None),  # the first of summer time: 09:10
        ([MATHS], "2026-03-30 06:10", MATHS),
        (NIGHT, "2026-03-29 00:59:59", None),  # 01:59:59, and the next second is 03:00
        (NIGHT, "2026-03-29 01:20", None),
        (NIGHT, "2026-10-25 00:20", NIGHT[0]),  # 02:20 for the first time
        (NIGHT, "2026-10-25 00:50", None),  # 02:50
        (NIGHT, "2026-10-25 01:20", NIGHT[0]),  # 02:20 for the second time
        (NIGHT, "2026-10-25 01:45", None),
    ],
)
def test_what_is_due_by_the_clock_on_the_wall(timetable, now, entry):
    assert due_entry(timetable, at(now), BERLIN) == entry


@pytest.mark.parametrize(
    ("entry", "now", "end"),
    [
        (MATHS, "2026-03-02 07:10", "2026-03-02 07:45"),
        (MATHS, "2026-03-30 06:10", "2026-03-30 06:45"),
        (NIGHT[0], "2026-10-25 00:20", "2026-10-25 01:45"),  # whoever stopped it is not filmed when the hour repeats
    ],
)
def test_when_a_lesson_that_is_due_is_over(entry, now, end):
    assert due_until(entry, at(now), BERLIN).astimezone(UTC) == at(end)


@pytest.mark.parametrize(
    ("timetable", "now", "start"),
    [
        ([], "2026-03-02 07:10", None),
        ([MATHS], "2026-03-02 06:10", "2026-03-02 07:00"),
        ([MATHS], "2026-03-02 07:00", "2026-03-03 07:00"),
        ([MATHS], "2026-03-27 08:00", "2026-03-30 06:00"),  # over the weekend in which the clocks change
        ([ART], "2026-03-02 08:00", "2026-03-09 07:45"),
    ],
)
def test_which_lesson_comes_next(timetable, now, start):
    found = next_lesson(timetable, at(now), BERLIN)
    assert (found and found[0].astimezone(UTC)) == (start and at(start))
