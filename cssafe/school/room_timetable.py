"""Timetable of a room, as plain dictionaries that a workspace can keep: the lesson due now, and the next one."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from cssafe.errors import DataError
from cssafe.labels import WEEKDAYS
from cssafe.language import N_, Sentence

SCHOOL_DAYS = WEEKDAYS[:5]

Entry = dict[str, Any]
"""Lesson of a room: days (of WEEKDAYS, in their order), start (included) and end (excluded) as "08:45", class_name, subject,
room (text, may be empty)."""


def parse_timetable(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Entries from the rows of a table, in the order of the week.

    rows: days (of WEEKDAYS), start and end (datetime.time, or "08:45" as Streamlit's table gives for a new row), class_name,
    subject, room (text); empty rows are skipped.

    Raises:
        DataError: a value is missing, a lesson ends before it starts, or two overlap.
    """
    parsed = (_parse_entry(row) for row in rows)
    entries = sorted(
        (entry for entry in parsed if entry), key=lambda entry: (WEEKDAYS.index(entry["days"][0]), entry["start"])
    )
    for one, other in combinations(entries, 2):
        both = [day for day in one["days"] if day in other["days"]]
        if both and one["start"] < other["end"] and other["start"] < one["end"]:
            raise DataError(
                N_(
                    "Two lessons overlap on {day}: {one_start} to {one_end} and {other_start} to {other_end}. Change a time or "
                    "a day of one of them."
                ),
                day=Sentence(both[0]),
                one_start=one["start"],
                one_end=one["end"],
                other_start=other["start"],
                other_end=other["end"],
            )
    return entries


def _parse_entry(row: Mapping[str, Any]) -> Entry | None:
    """One entry; None for an empty row."""
    words = {name: cell_text(row.get(name)) for name in ("class_name", "subject", "room")}
    times = [_time(row.get(name)) for name in ("start", "end")]
    chosen = row.get("days")
    days = [day for day in WEEKDAYS if day in chosen] if isinstance(chosen, Iterable) else []
    if not days and not any(words.values()) and times == [None, None]:
        return None
    name = " ".join(filter(None, (words["subject"], words["class_name"]))) or Sentence(N_("without a name"))
    if None in times:
        raise DataError(N_("The lesson {name} needs a start and an end, such as 08:00 and 08:45."), name=name)
    start, end = (f"{value:%H:%M}" for value in times)
    if not days:
        raise DataError(
            N_("The lesson {name} at {start} has no day. Choose at least one day of the week."), name=name, start=start
        )
    if start >= end:
        raise DataError(
            N_(
                "The lesson {name} starts at {start} and ends at {end}. The end must be later on the same day; enter what "
                "goes past midnight as two lessons."
            ),
            name=name,
            start=start,
            end=end,
        )
    return {"days": days, "start": start, "end": end} | words


def due_entry(timetable: Iterable[Entry], now: datetime, time_zone: str) -> Entry | None:
    """Entry whose lesson is due now (aware), by the wall clock of that zone. An hour that the clock skips in spring is never
    due; one that it repeats in autumn is due twice."""
    local = now.astimezone(ZoneInfo(time_zone))
    day, clock = WEEKDAYS[local.weekday()], f"{local:%H:%M}"
    return next((e for e in timetable if day in e["days"] and e["start"] <= clock < e["end"]), None)


def due_until(entry: Entry, now: datetime, time_zone: str) -> datetime:
    """End of the entry's lesson that is due now (aware); in an hour that the clock repeats, the second one."""
    local = now.astimezone(ZoneInfo(time_zone))
    return datetime.combine(local.date(), time.fromisoformat(entry["end"]), local.tzinfo).replace(fold=1)


def next_lesson(timetable: Iterable[Entry], now: datetime, time_zone: str) -> tuple[datetime, Entry] | None:
    """Start (in that zone) and entry of the next lesson after now (aware); None if there is none within a week."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    starts = [
        (datetime.combine(day, time.fromisoformat(entry["start"]), zone), entry)
        for day in (today + timedelta(days=d) for d in range(8))
        for entry in timetable
        if WEEKDAYS[day.weekday()] in entry["days"]
    ]
    return min((s for s in starts if s[0] > now), key=lambda s: s[0], default=None)


def _time(value: Any) -> time | None:
    try:
        return time.fromisoformat(value) if isinstance(value, str) else value if isinstance(value, time) else None
    except ValueError:
        return None


def cell_text(value: Any) -> str:
    """The text of a table's cell; empty for a cell without one."""
    return value.strip() if isinstance(value, str) else ""
