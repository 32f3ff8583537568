"""Properties of a lesson at its start."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cssafe.labels import ACTIVITIES, AUDIENCES, DEFAULT_ACTIVITY
from cssafe.language import N_
from cssafe.settings import PROFILES

MAX_EXPECTED = 1000
"""People expected in a lesson, at most: a lecture hall."""

SOURCES = ("camera", "file", "sample")


NO_CLASS, NO_SUBJECT = N_("No class"), N_("No subject")
"""Defaults of class and subject."""


@dataclass(frozen=True)
class Lesson:
    """One run of one source for one class and subject.

    time_zone: IANA name, for the clock of the charts. formula: name and version of the concentration formula.
    source: camera, file or sample (synthetic). audience: "self" if one person films only herself, else "class".
    started: aware. activity: the first one. expected: number of people, 0 if unknown.
    """

    name: str
    class_name: str
    subject: str
    room: str
    time_zone: str
    profile: str
    formula: str
    source: str
    audience: str
    started: datetime
    activity: str = DEFAULT_ACTIVITY["class"]
    expected: int = 0

    @classmethod
    def from_form(
        cls,
        profile: str,
        formula: str,
        source: str,
        audience: str,
        started: datetime,
        *,
        class_name: str,
        subject: str,
        room: str,
        time_zone: str,
        name: str = "",
        expected: int = 0,
    ) -> "Lesson":
        """The lesson of a form, whose fields may be empty but for the time zone; without a name it is named after subject and
        class. It starts with the default activity of its audience."""
        name = name or " ".join(filter(None, (subject, class_name))) or N_("Lesson")
        about = (name, class_name or NO_CLASS, subject or NO_SUBJECT, room, time_zone)
        return cls(*about, profile, formula, source, audience, started, DEFAULT_ACTIVITY[audience], expected)

    def __post_init__(self) -> None:
        allowed = {"profile": tuple(PROFILES), "source": SOURCES, "audience": AUDIENCES, "activity": ACTIVITIES}
        for field, values in allowed.items():
            if getattr(self, field) not in values:
                raise ValueError(f"A lesson's {field} is one of {values}; this one's is {getattr(self, field)!r}.")
        if not 0 <= self.expected <= MAX_EXPECTED:
            raise ValueError(f"A lesson has 0 to {MAX_EXPECTED} people expected; this one has {self.expected}.")
        naive_utc(self.started)


def naive_utc(time: datetime) -> datetime:
    """A time as stored in the database: UTC without a zone."""
    if time.tzinfo is None:
        raise ValueError(f"A time carries a time zone; {time} has none.")
    return time.astimezone(UTC).replace(tzinfo=None)
