"""Calendars and tables of a timetable, made of pieces."""

from hypothesis import strategies as st

from cssafe.school import periods as day
from cssafe.school.week import parse_week


def event(start="DTSTART:20260907T080000", end="DTEND:20260907T084500", extra="", summary="Maths 7b") -> str:
    lines = ("BEGIN:VEVENT", "UID:1", f"SUMMARY:{summary}", start, end, *([extra] if extra else []), "END:VEVENT")
    return "\r\n".join(lines) + "\r\n"


def calendar(*events: str, before: str = "") -> bytes:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{before}{''.join(events)}END:VCALENDAR\r\n".encode()


NAMES = "what,day,period,start,end,class,subject,teacher,room,length,fixed\n"
FIRST = "period,,1,08:00,08:45,,,,,,\n"


def used(found: tuple) -> None:
    """As the page Timetable does with what a file holds."""
    new, lessons, away = found
    parse_week(day.parse_periods(new), lessons, away, list({row["day"]: None for row in lessons}) or ["Mon"])


LINES = st.sampled_from([*calendar(event(extra="RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20261231T000000Z")).splitlines()])
PIECES = st.one_of(LINES, st.binary(max_size=30), st.text("0123456789:;=,-TZ/PMWD+", max_size=20).map(str.encode))

CELLS = st.one_of(
    st.sampled_from([*NAMES.strip().split(","), "lesson", "away", "Mon", "1", "08:00", "7b", "1e400", "-1", "=1"]),
    st.text(max_size=8),
)
