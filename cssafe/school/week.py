"""A school's week: which lesson is when, who may not when, what matters. Plain values, so that a workspace can keep them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cssafe.labels import WEEKDAYS
from cssafe.language import N_, _
from cssafe.school.room_timetable import SCHOOL_DAYS

LESSON = ("day", "period", "class_name", "subject", "teacher", "room", "length", "fixed")
"""Columns of School.lessons. day: of WEEKDAYS; period: the name of the first; teacher, room: text, may be empty; length:
periods in a row (2 is a double period), which stay together; fixed: must not move."""

AWAY = ("who", "name", "day", "period")
"""Columns of School.away. who: of WHO; period: empty for the whole day."""

WHO = ("class_name", "teacher", "room")
"""What can be in one place at a time."""

WORD = {"class_name": N_("class"), "teacher": N_("teacher"), "room": N_("room")}
"""What each of WHO is called: in a file as it stands, elsewhere in the reader's language."""

MAX_LENGTH = 24
"""Periods in a row of one lesson: a day has no more."""

MOST = 2
"""Periods of one subject that a class has on a day at most, unless the school says otherwise: a double period (assumption)."""


@dataclass(frozen=True)
class School:
    """days: of WEEKDAYS. periods: as periods.read gives them. lessons, away: tables of LESSON and AWAY. focus: subject -> how
    much its concentration matters, above 0; subjects not in it do not matter. most: periods of a subject, class and day."""

    days: tuple[str, ...]
    periods: tuple[dict[str, str], ...]
    lessons: pd.DataFrame
    away: pd.DataFrame
    focus: dict[str, float]
    most: int

    @property
    def names(self) -> list[str]:
        """The periods' names, in the order of the day."""
        return [period["name"] for period in self.periods]

    def slot(self, day: str, period: str) -> int:
        """Number of the slot in the order of the week."""
        return self.days.index(day) * len(self.periods) + self.names.index(period)

    def place(self, slot: int) -> tuple[str, str]:
        """Day and period of a slot."""
        day, period = divmod(slot, len(self.periods))
        return self.days[day], self.names[period]

    def plain(self) -> dict[str, Any]:
        """What `read` takes, without the periods."""
        return {
            "days": list(self.days),
            "lessons": self.lessons.to_dict("records"),
            "away": self.away.to_dict("records"),
            "focus": self.focus,
            "most": self.most,
        }


def read(
    periods: Sequence[dict[str, str]],
    lessons: Iterable[Mapping[str, Any]] = (),
    away: Iterable[Mapping[str, Any]] = (),
    days: Sequence[str] = SCHOOL_DAYS,
    focus: Mapping[str, float] | None = None,
    most: int = MOST,
) -> School:
    """A school's week out of filled-in tables; rows without anything in them are passed over.

    Raises:
        ValueError: a row that cannot be used, or two lessons that want the same class, teacher or room; the user is told.
    """
    if not days:
        raise ValueError(_("The week has no day. Choose at least one."))
    week = tuple(day for day in WEEKDAYS if day in days)
    names = [period["name"] for period in periods]
    rows = [_lesson(row, week, names) for row in lessons if any(map(_text, (row.get(name) for name in LESSON[:6])))]
    rows.sort(key=lambda row: (week.index(row["day"]), names.index(row["period"]), row["class_name"], row["subject"]))
    free = [_away(row, week, names) for row in away if any(map(_text, (row.get(name) for name in AWAY[1:])))]
    school = School(
        days=week,
        periods=tuple(periods),
        lessons=pd.DataFrame(rows, columns=LESSON),
        away=pd.DataFrame(free, columns=AWAY),
        focus={subject: float(weight) for subject, weight in (focus or {}).items() if weight > 0},
        most=most,
    )
    _check(school)
    return school


def blocked(school: School) -> set[tuple[str, str, int]]:
    """(of WHO, name, slot) in which somebody is away."""
    return {
        (row.who, row.name, school.slot(row.day, period))
        for row in school.away.itertuples(index=False)
        for period in ([row.period] if row.period else school.names)
    }


def called(row: Mapping[str, Any]) -> str:
    """A lesson's name, as lessons that are recorded have it."""
    return f"{row['subject']} {row['class_name']}"


def from_lessons(lessons: pd.DataFrame, weeks: int = 4) -> list[dict[str, Any]]:
    """Rows for `read` of the week that the last lessons followed: what was recorded in the newest `weeks` weeks, of two in
    one slot and class the newer one.

    lessons: effects.lessons_in_slots; the last weeks count back from the newest lesson.
    """
    if lessons.empty:
        return []
    recent = lessons[lessons["week"] > lessons["week"].max() - pd.Timedelta(weeks=weeks)].sort_values("week")
    recent = recent.drop_duplicates(["weekday", "period", "class_name"], keep="last")
    return [
        {"day": WEEKDAYS[row.weekday - 1], "period": row.period, "class_name": row.class_name, "subject": row.subject}
        | {"teacher": "", "room": row.room, "length": 1, "fixed": False}
        for row in recent.itertuples()
    ]


def periods_of(times: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Periods, numbered in the order of the day, of starts and ends ("08:45"): the shortest that do not overlap."""
    kept: list[tuple[str, str]] = []
    for start, end in sorted(times, key=lambda ends: (_minutes(ends[1]) - _minutes(ends[0]), ends)):
        if all(end <= other or start >= another for other, another in kept):
            kept.append((start, end))
    return [{"name": str(i), "start": start, "end": end} for i, (start, end) in enumerate(sorted(kept), start=1)]


def teachers(school: School) -> dict[tuple[str, str], str]:
    """(class, subject) -> who teaches it; several are joined."""
    pairs = school.lessons.groupby(["class_name", "subject"])["teacher"].unique()
    return {pair: ", ".join(sorted(filter(None, names))) for pair, names in pairs.items()}


def with_teachers(lessons: pd.DataFrame, school: School) -> pd.DataFrame:
    """effects.lessons_in_slots with the column `teacher`, by the school's week."""
    who = teachers(school)
    pairs = zip(lessons["class_name"], lessons["subject"], strict=True)
    return lessons.assign(teacher=[who.get(pair, "") for pair in pairs])


def _lesson(row: Mapping[str, Any], days: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    words = {name: _text(row.get(name)) for name in LESSON[:6]}
    name = called(words).strip() or _("without a name")
    if not words["class_name"] or not words["subject"]:
        raise ValueError(_("The lesson {name} lacks its class or its subject. Fill in both.").format(name=name))
    if words["day"] not in days:
        raise ValueError(
            _("The lesson {name} has the day “{day}”. It must be one of {days}.").format(
                name=name, day=words["day"], days=", ".join(days)
            )
        )
    if words["period"] not in names:
        raise ValueError(
            _(
                "The lesson {name} has the period “{period}”. It must be one of {periods}; change it, or add the period."
            ).format(name=name, period=words["period"], periods=", ".join(names) or _("none yet"))
        )
    length = _length(row.get("length"))
    if length < 1:
        raise ValueError(
            _("The lesson {name} has the length “{length}”. It must be a number of periods, such as 2.").format(
                name=name, length=row["length"]
            )
        )
    day = words["day"]
    if names.index(words["period"]) + length > len(names):
        raise ValueError(
            _(
                "The lesson {name} on {day} goes on for {length} periods from {period} on: past the last period. Shorten it, "
                "or let it start earlier."
            ).format(name=name, day=_(day), length=length, period=words["period"])
        )
    fixed = row.get("fixed")
    return words | {"length": length, "fixed": bool(fixed) and not _nothing(fixed)}


def _away(row: Mapping[str, Any], days: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    words = {name: _text(row.get(name)) for name in AWAY}
    if words["who"] not in WHO or not words["name"]:
        raise ValueError(
            _("A row of who is away lacks a name, or whether it is a class, a teacher or a room. Fill in both.")
        )
    if words["day"] not in days or words["period"] not in ("", *names):
        raise ValueError(
            _(
                "{name} is away on “{day}” in the period “{period}”. Use one of {days} and one of {periods}, or no period for "
                "the whole day."
            ).format(
                name=words["name"],
                day=words["day"],
                period=words["period"],
                days=", ".join(days),
                periods=", ".join(names),
            )
        )
    return words


def _check(school: School) -> None:
    """Every hard constraint on the week as it is."""
    taken: dict[tuple[str, str, int], str] = {}
    away = blocked(school)
    day: Counter[tuple[str, str, str]] = Counter()
    for row in school.lessons.to_dict("records"):
        first = school.slot(row["day"], row["period"])
        for slot in range(first, first + row["length"]):
            name, period = school.place(slot)
            when = f"{_(name)} {period}"
            for who in WHO:
                if not row[who]:
                    continue
                if other := taken.get((who, row[who], slot)):
                    raise ValueError(
                        _("Two lessons need the {what} {name} on {when}: {one} and {other}. Move one of them.").format(
                            what=_(WORD[who]), name=row[who], when=when, one=other, other=called(row)
                        )
                    )
                if (who, row[who], slot) in away:
                    raise ValueError(
                        _(
                            "{lesson} is on {when}, when the {what} {name} is away. Move the lesson, or change who is away."
                        ).format(lesson=called(row), when=when, what=_(WORD[who]), name=row[who])
                    )
                taken[who, row[who], slot] = called(row)
        day[row["class_name"], row["subject"], row["day"]] += row["length"]
    for (class_name, subject, name), periods in day.items():
        if periods > school.most:
            raise ValueError(
                _(
                    "The class {class_name} has {n} periods of {subject} on {day}; at most {most} are allowed. Move one, or "
                    "allow more."
                ).format(class_name=class_name, n=periods, subject=subject, day=_(name), most=school.most)
            )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _length(value: Any) -> int:
    """1 where nothing is said, 0 where it cannot be one."""
    try:
        number = 1.0 if _nothing(value) else float(value)
    except (TypeError, ValueError):
        return 0
    return int(number) if number.is_integer() and abs(number) <= MAX_LENGTH else 0


def _nothing(value: Any) -> bool:
    return value is None or value == "" or value != value


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
