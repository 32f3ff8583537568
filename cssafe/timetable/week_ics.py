"""Weekly timetable as an iCalendar file: lessons and absences, once a week."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from cssafe.errors import DataError
from cssafe.labels import WEEKDAYS
from cssafe.language import N_, _
from cssafe.school.week import RESOURCE_NAMES, School, lesson_title, periods_from_times
from cssafe.timetable.week_csv import MAX_ROWS, MAX_TEXT_CHARS, Rows, check_periods, check_size, parse_clock

if TYPE_CHECKING:
    from icalendar import Calendar  # loaded when a calendar is read or written

CLASS, SUBJECT, TEACHER, FIXED, AWAY = (f"X-CSSAFE-{name}" for name in ("CLASS", "SUBJECT", "TEACHER", "FIXED", "AWAY"))
"""Properties that iCalendar lacks; other programs ignore them (RFC 5545, 3.8.8.2)."""

BYDAY = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), WEEKDAYS, strict=True))


def to_ics(school: School, monday: date, time_zone: str) -> bytes:
    """Calendar with every lesson and absence, once a week from that Monday on, by the wall clock of that zone."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//CSSAFE//timetable//EN")
    calendar.add("version", "2.0")
    for row in school.lessons.to_dict("records"):
        properties = {
            CLASS: row["class_name"],
            SUBJECT: row["subject"],
            TEACHER: row["teacher"],
            "location": row["room"],
        }
        properties |= {"description": row["teacher"], FIXED: "yes" if row["fixed"] else ""}
        _add_event(calendar, school, (monday, time_zone), lesson_title(row), row, properties)
    for row in school.away.to_dict("records"):
        whole_day = {"period": school.names[0], "length": len(school.names)}
        when = {"day": row["day"]} | ({"period": row["period"], "length": 1} if row["period"] else whole_day)
        title = _("{name} is away").format(name=row["name"])
        event = _add_event(calendar, school, (monday, time_zone), title, when, {AWAY: row["name"]})
        event[AWAY].params["WHO"] = RESOURCE_NAMES[row["who"]]
    if time_zone != "UTC":
        calendar.add_missing_timezones()
    return calendar.to_ical()


def _add_event(
    calendar: "Calendar",
    school: School,
    since: tuple[date, str],
    title: str,
    when: Mapping[str, Any],
    properties: Mapping[str, str],
) -> Any:
    """Add a weekly event. since: Monday and time zone. when: day, period and length. properties: empty ones are left out."""
    from icalendar import Event

    (monday, time_zone), day, period = since, when["day"], when["period"]
    first = school.names.index(period)
    ends = school.periods[first]["start"], school.periods[first + when["length"] - 1]["end"]
    event = Event()
    event.add("uid", f"{uuid5(NAMESPACE_URL, f'{day} {period} {sorted(properties.items())}')}@cssafe")
    event.add("dtstamp", datetime.combine(monday, time(0), ZoneInfo("UTC")))
    event.add("summary", title)
    for name, clock in zip(("dtstart", "dtend"), ends, strict=True):
        date_of_day = monday + timedelta(days=WEEKDAYS.index(day))
        event.add(name, datetime.combine(date_of_day, time.fromisoformat(clock), ZoneInfo(time_zone)))
    event.add("rrule", {"freq": "weekly"})
    for name, value in properties.items():
        if value:
            event.add(name, value)
    calendar.add_component(event)
    return event


def from_ics(content: bytes, periods: Sequence[Mapping[str, str]], time_zone: str) -> tuple[Rows, Rows, Rows]:
    """Rows as of from_csv, from a calendar of CSSAFE, or of another program whose events are called “Subject Class”, with the
    room as place and the teacher as organiser. Events on the same weekday at the same time are one lesson; events of a whole
    day are skipped. The school's periods hold if all events fit them, else periods are made of the events' times.

    time_zone: for times in UTC; others are taken by the wall clock.

    Raises:
        DataError: it is no calendar, or its times make no periods.
    """
    found = [one for event in _events(content) for one in _read_event(event, ZoneInfo(time_zone))]
    if len(found) > MAX_ROWS:
        raise DataError(
            N_("The calendar has {n:,} lessons in a week. A week has at most {most:,}."), n=len(found), most=MAX_ROWS
        )
    if not found:
        raise DataError(
            N_("The calendar has no event with a start and an end on the same day, so there is no week in it.")
        )
    used = _fitting_periods({(one["start"], one["end"]) for one in found}, periods)
    lessons, away = _rows_by_period(found, used)
    clocks = [period | {end: parse_clock(period[end]) for end in ("start", "end")} for period in used]
    return clocks, lessons, away


def _fitting_periods(times: set[tuple[str, str]], periods: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The school's periods if the times fit them, else periods made of the times."""
    used = [dict(period) for period in periods] if _fits(periods, times) else periods_from_times(times)
    if not _fits(used, times):
        raise DataError(
            N_(
                "The times in the calendar overlap in such a way that they make no periods. Enter the school's periods first, "
                "then import it again."
            )
        )
    check_periods(len(used))
    return used


def _rows_by_period(found: Rows, periods: Sequence[Mapping[str, str]]) -> tuple[Rows, Rows]:
    """Lessons and absences of events, with the names of their periods; of equal ones the last."""
    starts, ends = [period["start"] for period in periods], [period["end"] for period in periods]
    lessons, away = {}, {}
    for one in found:
        first, last = starts.index(one["start"]), ends.index(one["end"])
        row = one | {"period": periods[first]["name"], "length": last - first + 1}
        if not one["who"]:
            lessons[one["day"], one["start"], one["class_name"], one["subject"]] = row
        elif row["length"] == len(periods):
            away[one["who"], one["name"], one["day"], ""] = row | {"period": ""}
        else:
            for period in periods[first : last + 1]:
                away[one["who"], one["name"], one["day"], period["name"]] = row | {"period": period["name"]}
    return list(lessons.values()), list(away.values())


def _events(content: bytes) -> list[Any]:
    """The calendar's events. Raises DataError: it is no calendar, or has too many."""
    from icalendar import Calendar

    check_size(content)
    if (number := len(re.findall(rb"BEGIN:VEVENT", content, re.IGNORECASE))) > MAX_ROWS:
        raise DataError(N_("The calendar has {n:,} events. A week has at most {most:,}."), n=number, most=MAX_ROWS)
    try:
        return list(Calendar.from_ical(_without_zones(content)).walk("VEVENT"))
    except Exception:  # the parser raises eight kinds and more
        raise DataError(
            N_("The file is no iCalendar file (.ics). Export the calendar again from where it was made.")
        ) from None


def _without_zones(content: bytes) -> str:
    """The calendar in unfolded lines. The ends of its time zones have another name, so that the parser takes none of them:
    times count by the wall clock, a zone of few lines can take hours, and the parser would keep it for later files."""
    from icalendar.parser import Contentlines

    lines = [line.strip() for line in Contentlines.from_ical(content)]
    return "\r\n".join(
        "END:X-ZONE" if line[:3].upper() == "END" and "VTIMEZONE" in line.upper() else line for line in lines
    )


def _read_event(event: Any, zone: ZoneInfo) -> Rows:
    """One row for each weekday of an event. Raises DataError: it cannot be read, or a text of it is too long."""
    name = str(_first(event, "summary", "")).strip()[:MAX_TEXT_CHARS]
    try:
        found = _occurrences(event, zone)
    except Exception:  # years beyond 9999, nested lists, properties without a value: the parser leaves them
        raise DataError(
            N_("The event “{name}” in the calendar has no start and end that can be read."), name=name
        ) from None
    if any(len(text) > MAX_TEXT_CHARS for one in found for text in one.values() if isinstance(text, str)):
        raise DataError(
            N_("The event “{name}” in the calendar has a name of more than {most} characters."),
            name=name,
            most=MAX_TEXT_CHARS,
        )
    return found


def _occurrences(event: Any, zone: ZoneInfo) -> Rows:
    summary = str(_first(event, "summary", "")).strip()
    start, end = event.start, event.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return []
    start, end = _local(start, zone), _local(end, zone)
    if end.date() != start.date() or end <= start:
        return []
    subject, _space, class_name = summary.rpartition(" ")
    row = {
        "subject": str(_first(event, SUBJECT, subject)),
        "class_name": str(_first(event, CLASS, class_name)),
        "teacher": str(_first(event, TEACHER, _parameter(_first(event, "organizer", ""), "CN"))),
        "room": str(_first(event, "location", "")),
        "fixed": bool(_first(event, FIXED, "")),
        "start": f"{start:%H:%M}",
        "end": f"{end:%H:%M}",
    }
    away = _first(event, AWAY, "")
    words = {word: who for who, word in RESOURCE_NAMES.items()}
    row |= {"who": words.get(_parameter(away, "WHO"), ""), "name": str(away)}
    rule = _first(event, "rrule", {})
    days = {BYDAY[str(name)[-2:]]: None for name in rule.get("BYDAY", []) if str(name)[-2:] in BYDAY}
    return [row | {"day": day} for day in days or [WEEKDAYS[start.weekday()]]]


def _first(event: Any, name: str, default: Any) -> Any:
    """A property's first value."""
    value = event.get(name, default)
    return value[0] if isinstance(value, list) else value


def _parameter(value: Any, name: str) -> str:
    """A parameter of a property's value; plain text has none."""
    return str(value.params.get(name, "")) if hasattr(value, "params") else ""


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Wall clock time without a zone; only times in UTC are converted."""
    return (moment.astimezone(zone) if moment.utcoffset() == timedelta(0) else moment).replace(tzinfo=None)


def _fits(periods: Sequence[Mapping[str, str]], times: set[tuple[str, str]]) -> bool:
    starts, ends = {period["start"] for period in periods}, {period["end"] for period in periods}
    return all(start in starts and end in ends for start, end in times)
