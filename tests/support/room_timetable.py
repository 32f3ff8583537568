"""The room camera's stored settings and timetable."""

from datetime import UTC, datetime, time

from cssafe.labels import WEEKDAYS
from cssafe.live import services
from cssafe.school import room_timetable


def keep(source: str, entries: list, zone: str) -> None:
    workspace = services.current().workspace()
    workspace.set("agreed", True)
    workspace.set("room", {"source": source, "time_zone": zone})
    workspace.set("timetable", entries)


def at(text: str) -> datetime:
    """A time of Monday, 2 March 2026, in Berlin."""
    return datetime.fromisoformat(f"2026-03-02T{text}+01:00")


def all_day() -> tuple[list, str]:
    """A timetable of one lesson that is due now, and the time zone in which it is about noon, so that no test runs over
    midnight."""
    zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
    days = {"days": WEEKDAYS, "start": time(6), "end": time(18), "subject": "Maths"}
    return room_timetable.parse_timetable([days]), zone
