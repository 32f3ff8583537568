"""The school's week in and out: one CSV file with everything, and an iCalendar file with the lessons and who is away."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pandas as pd

from cssafe.exchange.spreadsheet import escape_texts, unescape
from cssafe.labels import WEEKDAYS
from cssafe.language import _
from cssafe.school.week import WHO, WORD, School, called, periods_of

Rows = list[dict[str, Any]]

COLUMNS = ("what", "day", "period", "start", "end", "class", "subject", "teacher", "room", "length", "fixed")
"""what: period (with start and end), lesson, or away (of one class, teacher or room; without a period for the whole day)."""

MAX_FILE_BYTES = 1_000_000
"""Of a CSV or iCalendar file: the longest that is read within two seconds on two cores; 3,000 events take 900 kB."""

MAX_ROWS = 3000
"""Rows of a CSV file, events of a calendar: the lessons of a week in a school of 80 classes."""

MAX_TEXT = 200
"""Characters of a name, such as that of a class."""

MAX_PERIODS = 24
"""Of a day."""

YES = ("yes", "true", "1", "x")

CLASS, SUBJECT, TEACHER, FIXED, AWAY = (f"X-CSSAFE-{name}" for name in ("CLASS", "SUBJECT", "TEACHER", "FIXED", "AWAY"))
"""What iCalendar has no property for; programs that do not know them pass over them (RFC 5545, 3.8.8.2)."""

BYDAY = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), WEEKDAYS, strict=True))


def to_csv(school: School) -> str:
    """Everything but what needs focus, for `from_csv` and for a spreadsheet."""
    rows: Rows = [
        {"what": "period", "period": period["name"], "start": period["start"], "end": period["end"]}
        for period in school.periods
    ]
    rows += [
        row | {"what": "lesson", "class": row["class_name"], "fixed": "yes" if row["fixed"] else "no"}
        for row in school.lessons.to_dict("records")
    ]
    rows += [
        {"what": "away", WORD[row["who"]]: row["name"], "day": row["day"], "period": row["period"]}
        for row in school.away.to_dict("records")
    ]
    return escape_texts(pd.DataFrame(rows, columns=COLUMNS)).to_csv(index=False, lineterminator="\n")


def from_csv(content: bytes) -> tuple[Rows, Rows, Rows]:
    """Rows of periods (for periods.read), lessons and who is away (for school.read); without a column `what` all rows are
    lessons. Separated by commas, semicolons or tabs; extra columns are passed over.

    Raises:
        ValueError: it is no such file; the user is told.
    """
    parts: dict[str, Rows] = {"period": [], "lesson": [], "away": []}
    for number, row in enumerate(_table(content), start=2):
        what = row.get("what") or "lesson"
        if what not in parts:
            raise ValueError(
                _("Line {number} begins with “{what}”. It must say period, lesson or away.").format(
                    number=number, what=what
                )
            )
        if what == "period":
            parts[what].append(
                {"name": row.get("period", "")} | {end: _clock(row.get(end, "")) for end in ("start", "end")}
            )
        elif what == "lesson":
            fixed = row.get("fixed", "").lower() in YES
            parts[what].append(row | {"class_name": row.get("class", ""), "fixed": fixed})
        else:
            names = {who: row[WORD[who]] for who in WHO if row.get(WORD[who])}
            if len(names) != 1:
                raise ValueError(
                    _("Line {number} says who is away: it must name one class, one teacher or one room.").format(
                        number=number
                    )
                )
            [(who, name)] = names.items()
            parts[what].append({"who": who, "name": name, "day": row.get("day", ""), "period": row.get("period", "")})
    _check_periods(len(parts["period"]))
    return parts["period"], parts["lesson"], parts["away"]


def to_ics(school: School, monday: date, time_zone: str) -> bytes:
    """A calendar with every lesson, and everybody who is away, once a week from that Monday on, by the clock of that zone."""
    from icalendar import Calendar, Event

    zone = ZoneInfo(time_zone)
    calendar = Calendar()
    calendar.add("prodid", "-//CSSAFE//timetable//EN")
    calendar.add("version", "2.0")

    def event(summary: str, day: str, period: str, length: int, **properties: str) -> Event:
        first = school.names.index(period)
        when = monday + timedelta(days=WEEKDAYS.index(day))
        ends = school.periods[first]["start"], school.periods[first + length - 1]["end"]
        new = Event()
        new.add("uid", f"{uuid5(NAMESPACE_URL, f'{day} {period} {sorted(properties.items())}')}@cssafe")
        new.add("dtstamp", datetime.combine(monday, time(0), ZoneInfo("UTC")))
        new.add("summary", summary)
        for name, clock in zip(("dtstart", "dtend"), ends, strict=True):
            new.add(name, datetime.combine(when, time.fromisoformat(clock), zone))
        new.add("rrule", {"freq": "weekly"})
        for name, value in properties.items():
            if value:
                new.add(name, value)
        calendar.add_component(new)
        return new

    for row in school.lessons.to_dict("records"):
        told = {CLASS: row["class_name"], SUBJECT: row["subject"], TEACHER: row["teacher"], "location": row["room"]}
        told |= {"description": row["teacher"], FIXED: "yes" if row["fixed"] else ""}
        event(called(row), row["day"], row["period"], row["length"], **told)
    for row in school.away.to_dict("records"):
        period, length = (row["period"], 1) if row["period"] else (school.names[0], len(school.names))
        away = event(_("{name} is away").format(name=row["name"]), row["day"], period, length, **{AWAY: row["name"]})
        away[AWAY].params["WHO"] = WORD[row["who"]]
    if time_zone != "UTC":
        calendar.add_missing_timezones()
    return calendar.to_ical()


def from_ics(content: bytes, periods: Sequence[Mapping[str, str]], time_zone: str) -> tuple[Rows, Rows, Rows]:
    """As from_csv, out of a calendar: of CSSAFE, or of another program, whose events are called “Subject Class”, with the room
    as place and the teacher as organiser. What happens on the same weekday at the same time is one lesson; events of a whole
    day are passed over. The school's periods hold if all events fit them, else periods are made of the events' times.

    time_zone: for times that are told in UTC; others are meant as they stand.

    Raises:
        ValueError: it is no calendar, or its times make no periods; the user is told.
    """
    events = _events(content)
    found = [one for event in events for one in _read_event(event, ZoneInfo(time_zone))]
    if len(found) > MAX_ROWS:
        raise ValueError(
            _("The calendar has {n:,} lessons in a week. A week has at most {most:,}.").format(
                n=len(found), most=MAX_ROWS
            )
        )
    if not found:
        raise ValueError(
            _("The calendar has no event with a start and an end on the same day, so there is no week in it.")
        )
    times = {(one["start"], one["end"]) for one in found}
    used = list(periods) if _fits(periods, times) else periods_of(times)
    if not _fits(used, times):
        raise ValueError(
            _(
                "The times in the calendar overlap in such a way that they make no periods. Enter the school's periods first, "
                "then import it again."
            )
        )
    _check_periods(len(used))
    starts, ends = [period["start"] for period in used], [period["end"] for period in used]
    lessons, away = {}, {}
    for one in found:
        first, last = starts.index(one["start"]), ends.index(one["end"])
        row = one | {"period": used[first]["name"], "length": last - first + 1}
        if not one["who"]:
            lessons[one["day"], one["start"], one["class_name"], one["subject"]] = row
        elif row["length"] == len(used):
            away[one["who"], one["name"], one["day"], ""] = row | {"period": ""}
        else:
            for period in used[first : last + 1]:
                away[one["who"], one["name"], one["day"], period["name"]] = row | {"period": period["name"]}
    clocks = [period | {end: _clock(period[end]) for end in ("start", "end")} for period in map(dict, used)]
    return clocks, list(lessons.values()), list(away.values())


def _table(content: bytes) -> Rows:
    """The lines after the first, by the names in that one."""
    _check_size(content)
    text = _decode(content)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        lines = list(
            islice(csv.reader(io.StringIO(text, newline=None), delimiter=separator, strict=True), MAX_ROWS + 2)
        )
    except csv.Error as error:
        raise ValueError(
            _("The file cannot be read as CSV: {error}. Save it anew from the spreadsheet.").format(error=error)
        ) from None
    names = [name.strip().lower() for name in lines[0]] if lines else []
    if missing := [name for name in ("day", "period", "class", "subject") if name not in names]:
        raise ValueError(
            _(
                "The file lacks the column {missing}. Its first line must name the columns: {columns}; needed are day, period, "
                "class and subject."
            ).format(missing=missing[0], columns=", ".join(COLUMNS))
        )
    if twice := {name for name in COLUMNS if names.count(name) > 1}:
        raise ValueError(_("The file has the column {name} twice. Remove one of them.").format(name=min(twice)))
    if len(lines) > MAX_ROWS + 1:
        raise ValueError(_("The file has more than {most:,} rows, the most that a week has.").format(most=MAX_ROWS))
    return [_row(number, names, line) for number, line in enumerate(lines[1:], start=2)]


def _row(number: int, names: Sequence[str], line: Sequence[str]) -> dict[str, str]:
    """The cells of a line by their columns; those that a short line lacks are empty."""
    if len(line) > len(names):
        raise ValueError(
            _("Line {number} has {n:,} cells, and the first line names {most:,} columns. Save it anew as CSV.").format(
                number=number, n=len(line), most=len(names)
            )
        )
    row = dict.fromkeys(COLUMNS, "") | {
        name: unescape(cell.strip()) for name, cell in zip(names, line, strict=False) if name in COLUMNS
    }
    for name, cell in row.items():
        if len(cell) > MAX_TEXT:
            raise ValueError(
                _("Line {number} has {n:,} characters in the column {name}. At most {most} are read.").format(
                    number=number, n=len(cell), name=name, most=MAX_TEXT
                )
            )
    return row


def _decode(content: bytes) -> str:
    """UTF-8, or UTF-16 as spreadsheets call “Unicode text”."""
    try:
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("The file is no text in UTF-8. Save it from the spreadsheet as “CSV UTF-8”.")) from None
    if "\0" in text:
        raise ValueError(_("The file is no text. Save it from the spreadsheet as “CSV UTF-8”."))
    return text


def _check_size(content: bytes) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(
            _("The file has {n:.1f} MB. A week takes at most {most:.0f} MB.").format(
                n=len(content) / 1e6, most=MAX_FILE_BYTES / 1e6
            )
        )


def _check_periods(number: int) -> None:
    if number > MAX_PERIODS:
        raise ValueError(_("The file has {n:,} periods. A day has at most {most}.").format(n=number, most=MAX_PERIODS))


def _events(content: bytes) -> list[Any]:
    """The calendar's events.

    Raises:
        ValueError: it is no calendar, or has too many; the user is told.
    """
    from icalendar import Calendar

    _check_size(content)
    if (number := len(re.findall(rb"BEGIN:VEVENT", content, re.IGNORECASE))) > MAX_ROWS:
        raise ValueError(
            _("The calendar has {n:,} events. A week has at most {most:,}.").format(n=number, most=MAX_ROWS)
        )
    try:
        return list(Calendar.from_ical(content).walk("VEVENT"))
    except Exception:  # the parser raises what it likes: of its kinds eight were found by trying
        raise ValueError(
            _("The file is no iCalendar file (.ics). Export the calendar again from where it was made.")
        ) from None


def _read_event(event: Any, zone: ZoneInfo) -> Rows:
    """What an event says, for each weekday on which it is.

    Raises:
        ValueError: it cannot be read, or a text of it is too long; the user is told.
    """
    name = str(_first(event, "summary", "")).strip()[:MAX_TEXT]
    try:
        found = _occurrences(event, zone)
    except (
        Exception
    ):  # times beyond all years, lists in lists, properties that are no values: as the parser leaves them
        raise ValueError(
            _("The event “{name}” in the calendar has no start and end that can be read.").format(name=name)
        ) from None
    if any(len(text) > MAX_TEXT for one in found for text in one.values() if isinstance(text, str)):
        raise ValueError(
            _("The event “{name}” in the calendar has a name of more than {most} characters.").format(
                name=name, most=MAX_TEXT
            )
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
    told = {
        "subject": str(_first(event, SUBJECT, subject)),
        "class_name": str(_first(event, CLASS, class_name)),
        "teacher": str(_first(event, TEACHER, _parameter(_first(event, "organizer", ""), "CN"))),
        "room": str(_first(event, "location", "")),
        "fixed": bool(_first(event, FIXED, "")),
        "start": f"{start:%H:%M}",
        "end": f"{end:%H:%M}",
    }
    away = _first(event, AWAY, "")
    words = {word: who for who, word in WORD.items()}
    told |= {"who": words.get(_parameter(away, "WHO"), ""), "name": str(away)}
    rule = _first(event, "rrule", {})
    days = {BYDAY[str(name)[-2:]]: None for name in rule.get("BYDAY", []) if str(name)[-2:] in BYDAY}
    return [told | {"day": day} for day in days or [WEEKDAYS[start.weekday()]]]


def _first(event: Any, name: str, default: Any) -> Any:
    """A property's value; the first, should it be there twice."""
    value = event.get(name, default)
    return value[0] if isinstance(value, list) else value


def _parameter(value: Any, name: str) -> str:
    """What stands beside a property's value; a text of ours has nothing beside it."""
    return str(value.params.get(name, "")) if hasattr(value, "params") else ""


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """The clock on the wall: as it stands, except for what is told in UTC."""
    return (moment.astimezone(zone) if moment.utcoffset() == timedelta(0) else moment).replace(tzinfo=None)


def _fits(periods: Sequence[Mapping[str, str]], times: set[tuple[str, str]]) -> bool:
    starts, ends = {period["start"] for period in periods}, {period["end"] for period in periods}
    return all(start in starts and end in ends for start, end in times)


def _clock(text: str) -> time | None:
    """A time as 8:00, or 8:00:00, which some spreadsheets make of it."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::00)?", text)
    try:
        return time(int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None
