"""The timetable of a room: which lesson is due when. Plain dictionaries, so that a workspace can keep them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from cssafe.labels import WEEKDAYS
from cssafe.language import _

SCHOOL_DAYS = WEEKDAYS[:5]

Entry = dict[str, Any]
"""days (names of WEEKDAYS, in their order), start, end ("08:45", start included, end not), class_name, subject, room (may
be empty)."""


def read(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Entries out of a filled-in table, in the order of the week.

    rows: days (names of WEEKDAYS), start and end (datetime.time, or as "08:45", which is what Streamlit's table gives while
    it is new), class_name, subject, room (text); rows without anything in them are passed over.

    Raises:
        ValueError: something is missing, ends before it starts or overlaps; the user is told.
    """
    entries: list[Entry] = []
    for row in rows:
        words = {name: _text(row.get(name)) for name in ("class_name", "subject", "room")}
        times = [_time(row.get(name)) for name in ("start", "end")]
        chosen = row.get("days")
        days = [day for day in WEEKDAYS if day in chosen] if isinstance(chosen, Iterable) else []
        if not days and not any(words.values()) and times == [None, None]:
            continue
        name = " ".join(part for part in (words["subject"], words["class_name"]) if part) or _("without a name")
        if None in times:
            raise ValueError(
                _("The lesson {name} needs a start and an end, such as 08:00 and 08:45.").format(name=name)
            )
        start, end = (f"{value:%H:%M}" for value in times)
        if not days:
            raise ValueError(
                _("The lesson {name} at {start} has no day. Choose at least one day of the week.").format(
                    name=name, start=start
                )
            )
        if start >= end:
            raise ValueError(
                _(
                    "The lesson {name} starts at {start} and ends at {end}. The end must be later on the same day; enter what "
                    "goes past midnight as two lessons."
                ).format(name=name, start=start, end=end)
            )
        entries.append({"days": days, "start": start, "end": end} | words)
    entries.sort(key=lambda entry: (WEEKDAYS.index(entry["days"][0]), entry["start"]))
    for one, other in combinations(entries, 2):
        both = [day for day in one["days"] if day in other["days"]]
        if both and one["start"] < other["end"] and other["start"] < one["end"]:
            raise ValueError(
                _(
                    "Two lessons overlap on {day}: {one_start} to {one_end} and {other_start} to {other_end}. Change a time or "
                    "a day of one of them."
                ).format(
                    day=_(both[0]),
                    one_start=one["start"],
                    one_end=one["end"],
                    other_start=other["start"],
                    other_end=other["end"],
                )
            )
    return entries


def due(timetable: Iterable[Entry], now: datetime, time_zone: str) -> Entry | None:
    """The entry whose lesson should be running now (aware), by the clock on the wall of that zone: an hour that the
    clock leaves out in spring is never due, one that it repeats in autumn is due twice."""
    local = now.astimezone(ZoneInfo(time_zone))
    day, clock = WEEKDAYS[local.weekday()], f"{local:%H:%M}"
    return next((e for e in timetable if day in e["days"] and e["start"] <= clock < e["end"]), None)


def ends(entry: Entry, now: datetime, time_zone: str) -> datetime:
    """When the entry's lesson that is due now (aware) is over; in an hour that the clock repeats, the second time."""
    local = now.astimezone(ZoneInfo(time_zone))
    return datetime.combine(local.date(), time.fromisoformat(entry["end"]), local.tzinfo).replace(fold=1)


def upcoming(timetable: Iterable[Entry], now: datetime, time_zone: str) -> tuple[datetime, Entry] | None:
    """The next lesson to start after now (aware), and when, in that zone; None if there is none within a week."""
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


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
