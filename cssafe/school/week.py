"""Weekly timetable of a school: lessons, absences and the weights of subjects. Plain values, which a workspace can keep."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cssafe.errors import DataError
from cssafe.labels import WEEKDAYS
from cssafe.language import N_, Sentence
from cssafe.school.room_timetable import SCHOOL_DAYS, cell_text

LESSON_COLUMNS = ("day", "period", "class_name", "subject", "teacher", "room", "length", "fixed")
"""Columns of School.lessons. day: of DAYS; period: name of the first; teacher, room: text, may be empty; length: consecutive
periods (2 is a double period); fixed: must not move."""

AWAY_COLUMNS = ("who", "name", "day", "period")
"""Columns of School.away. who: of RESOURCES; period: empty for the whole day."""

RESOURCES = ("class_name", "teacher", "room")
"""Columns whose values can have one lesson at a time."""

RESOURCE_NAMES = {"class_name": N_("class"), "teacher": N_("teacher"), "room": N_("room")}
"""Name of each resource: in a file as it stands, on screen translated."""

MAX_LESSON_PERIODS = 24
"""Consecutive periods of one lesson: a day has no more."""

DEFAULT_MAX_DAILY_PERIODS = 2
"""Default maximum of periods of one subject, class and day: a double period (assumption)."""


@dataclass(frozen=True)
class School:
    """days: of DAYS. periods: of parse_periods. lessons, away: tables of LESSON_COLUMNS and AWAY_COLUMNS. focus: subject ->
    weight of its concentration, above 0; others weigh nothing. most: maximum of periods of a subject, class and day."""

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

    def day_and_period(self, slot: int) -> tuple[str, str]:
        """Day and period of a slot."""
        day, period = divmod(slot, len(self.periods))
        return self.days[day], self.names[period]

    def to_dict(self) -> dict[str, Any]:
        """Arguments of parse_week but the periods."""
        return {
            "days": list(self.days),
            "lessons": self.lessons.to_dict("records"),
            "away": self.away.to_dict("records"),
            "focus": self.focus,
            "most": self.most,
        }


def parse_week(
    periods: Sequence[dict[str, str]],
    lessons: Iterable[Mapping[str, Any]] = (),
    away: Iterable[Mapping[str, Any]] = (),
    days: Sequence[str] = SCHOOL_DAYS,
    focus: Mapping[str, float] | None = None,
    most: int = DEFAULT_MAX_DAILY_PERIODS,
) -> School:
    """A school's week from the rows of tables; empty rows are skipped.

    Raises:
        DataError: a row cannot be used, or two lessons need the same class, teacher or room.
    """
    if not days:
        raise DataError(N_("The week has no day. Choose at least one."))
    week = tuple(day for day in WEEKDAYS if day in days)
    names = [period["name"] for period in periods]
    rows = [
        _lesson(row, week, names)
        for row in lessons
        if any(map(cell_text, (row.get(name) for name in LESSON_COLUMNS[:6])))
    ]
    rows.sort(key=lambda row: (week.index(row["day"]), names.index(row["period"]), row["class_name"], row["subject"]))
    free = [
        _away(row, week, names) for row in away if any(map(cell_text, (row.get(name) for name in AWAY_COLUMNS[1:])))
    ]
    school = School(
        days=week,
        periods=tuple(periods),
        lessons=pd.DataFrame(rows, columns=LESSON_COLUMNS),
        away=pd.DataFrame(free, columns=AWAY_COLUMNS),
        focus={subject: float(weight) for subject, weight in (focus or {}).items() if weight > 0},
        most=most,
    )
    _check(school)
    return school


def blocked_slots(school: School) -> set[tuple[str, str, int]]:
    """Absences as (of RESOURCES, name, slot)."""
    return {
        (row.who, row.name, school.slot(row.day, period))
        for row in school.away.itertuples(index=False)
        for period in ([row.period] if row.period else school.names)
    }


def lesson_title(row: Mapping[str, Any]) -> str:
    """Name of a recorded lesson of this row."""
    return f"{row['subject']} {row['class_name']}"


def rows_from_lessons(lessons: pd.DataFrame, weeks: int = 4) -> list[dict[str, Any]]:
    """Rows for parse_week from recorded lessons of the last `weeks` weeks before the newest one; of two in one slot and class
    the newer one.

    lessons: slot_effects.lessons_in_slots.
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


def periods_from_times(times: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Numbered periods from starts and ends ("08:45"): the shortest that do not overlap, in the order of the day."""
    kept: list[tuple[str, str]] = []
    for start, end in sorted(times, key=lambda ends: (_minutes(ends[1]) - _minutes(ends[0]), ends)):
        if all(end <= other or start >= another for other, another in kept):
            kept.append((start, end))
    return [{"name": str(i), "start": start, "end": end} for i, (start, end) in enumerate(sorted(kept), start=1)]


def teachers_by_subject(school: School) -> dict[tuple[str, str], str]:
    """(class, subject) -> teachers, joined by commas."""
    pairs = school.lessons.groupby(["class_name", "subject"])["teacher"].unique()
    return {pair: ", ".join(sorted(filter(None, names))) for pair, names in pairs.items()}


def with_teachers(lessons: pd.DataFrame, school: School) -> pd.DataFrame:
    """Rows of slot_effects.lessons_in_slots with the column `teacher` of the school's week."""
    who = teachers_by_subject(school)
    pairs = zip(lessons["class_name"], lessons["subject"], strict=True)
    return lessons.assign(teacher=[who.get(pair, "") for pair in pairs])


def _lesson(row: Mapping[str, Any], days: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    words = {name: cell_text(row.get(name)) for name in LESSON_COLUMNS[:6]}
    name = lesson_title(words).strip() or Sentence(N_("without a name"))
    if not words["class_name"] or not words["subject"]:
        raise DataError(N_("The lesson {name} lacks its class or its subject. Fill in both."), name=name)
    if words["day"] not in days:
        raise DataError(
            N_("The lesson {name} has the day “{day}”. It must be one of {days}."),
            name=name,
            day=words["day"],
            days=", ".join(days),
        )
    if words["period"] not in names:
        raise DataError(
            N_(
                "The lesson {name} has the period “{period}”. It must be one of {periods}; change it, or add the period."
            ),
            name=name,
            period=words["period"],
            periods=", ".join(names) or Sentence(N_("none yet")),
        )
    fixed = row.get("fixed")
    length = _length(row.get("length"), name, words, names)
    return words | {"length": length, "fixed": bool(fixed) and not _nothing(fixed)}


def _length(value: Any, name: object, words: Mapping[str, str], names: Sequence[str]) -> int:
    """Consecutive periods of a lesson, 1 for an empty cell, which must end within the day."""
    length = _whole(1 if _nothing(value) else value)
    if length < 1:
        raise DataError(
            N_("The lesson {name} has the length “{length}”. It must be a number of periods, such as 2."),
            name=name,
            length=value,
        )
    if names.index(words["period"]) + length > len(names):
        raise DataError(
            N_(
                "The lesson {name} on {day} goes on for {length} periods from {period} on: past the last period. Shorten it, "
                "or let it start earlier."
            ),
            name=name,
            day=Sentence(words["day"]),
            length=length,
            period=words["period"],
        )
    return length


def _away(row: Mapping[str, Any], days: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    words = {name: cell_text(row.get(name)) for name in AWAY_COLUMNS}
    if words["who"] not in RESOURCES or not words["name"]:
        raise DataError(
            N_("A row of who is away lacks a name, or whether it is a class, a teacher or a room. Fill in both.")
        )
    if words["day"] not in days or words["period"] not in ("", *names):
        raise DataError(
            N_(
                "{name} is away on “{day}” in the period “{period}”. Use one of {days} and one of {periods}, or no period for "
                "the whole day."
            ),
            name=words["name"],
            day=words["day"],
            period=words["period"],
            days=", ".join(days),
            periods=", ".join(names),
        )
    return words


def _check(school: School) -> None:
    """Check all hard constraints of the week. Raises DataError: one does not hold."""
    lesson_in: dict[tuple[str, str, int], str] = {}
    away = blocked_slots(school)
    daily: Counter[tuple[str, str, str]] = Counter()
    for row in school.lessons.to_dict("records"):
        first = school.slot(row["day"], row["period"])
        for slot in range(first, first + row["length"]):
            for who in filter(row.get, RESOURCES):
                key = (who, row[who], slot)
                if key in lesson_in or key in away:
                    raise _clash(school, row, who, slot, lesson_in.get(key))
                lesson_in[key] = lesson_title(row)
        daily[row["class_name"], row["subject"], row["day"]] += row["length"]
    for (class_name, subject, name), periods in daily.items():
        if periods > school.most:
            raise DataError(
                N_(
                    "The class {class_name} has {n} periods of {subject} on {day}; at most {most} are allowed. Move one, or "
                    "allow more."
                ),
                class_name=class_name,
                n=periods,
                subject=subject,
                day=Sentence(name),
                most=school.most,
            )


def _clash(school: School, row: Mapping[str, Any], who: str, slot: int, other: str | None) -> DataError:
    """The error for a lesson whose resource is in another lesson in that slot, or (None) away."""
    day, period = school.day_and_period(slot)
    about = {"what": Sentence(RESOURCE_NAMES[who]), "name": row[who]}
    about["when"] = Sentence("{day} {period}", day=Sentence(day), period=period)
    if other:
        return DataError(
            N_("Two lessons need the {what} {name} on {when}: {one} and {other}. Move one of them."),
            one=other,
            other=lesson_title(row),
            **about,
        )
    return DataError(
        N_("{lesson} is on {when}, when the {what} {name} is away. Move the lesson, or change who is away."),
        lesson=lesson_title(row),
        **about,
    )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _whole(value: Any) -> int:
    """A whole number up to MAX_LESSON_PERIODS; 0 for any other value."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0
    return int(number) if number.is_integer() and abs(number) <= MAX_LESSON_PERIODS else 0


def _nothing(value: Any) -> bool:
    return value is None or value == "" or value != value
