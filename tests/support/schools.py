"""A synthetic school of which everything is known: its week, and lessons recorded in it with planted effects."""

from datetime import UTC, datetime, time, timedelta
from functools import cache

import numpy as np
import pandas as pd

from cssafe.labels import ACTIVITIES
from cssafe.school.room_timetable import SCHOOL_DAYS
from cssafe.school.week import School, parse_week
from cssafe.store import Lesson, Workspace
from tests.support.lessons import rows

SUBJECTS = {
    "Maths": 5,
    "Language": 5,
    "English": 4,
    "Physics": 3,
    "Biology": 3,
    "Art": 2,
    "Music": 2,
    "Sport": 3,
    "History": 4,
}
"""Subject -> lessons a week of each class; 31 in all, of 35 slots."""

ROOMS = {"Physics": "Lab", "Biology": "Lab", "Sport": "Hall", "Music": "Studio"}
"""Of the other subjects the room is the class's own."""


def periods(count: int = 7) -> list[dict[str, str]]:
    return [{"name": str(i + 1), "start": f"{8 + i:02}:00", "end": f"{8 + i:02}:45"} for i in range(count)]


@cache
def school(classes: int) -> School:
    """A week without clashes. Five classes share their teachers and special rooms, and have one plan, each a day later than the
    one before; so a subject must be at most once at the same hour of the plan. parse_week refuses what clashes."""
    random = np.random.default_rng(0)
    week = []
    for block in range(0, classes, 5):
        plan = _plan(random)
        for number in range(block, min(block + 5, classes)):
            for day, period in np.ndindex(5, 7):
                if subject := plan[(day + number) % 5, period]:
                    room = f"{ROOMS[subject]} {block}" if subject in ROOMS else f"Room {number}"
                    week.append({"day": SCHOOL_DAYS[day], "period": str(period + 1), "class_name": f"{number}"})
                    week[-1] |= {"subject": subject, "teacher": f"{subject} {block}", "room": room}
    return parse_week(periods(), week, focus={"Maths": 2, "Physics": 1}, most=3)


def _plan(random: np.random.Generator) -> np.ndarray:
    """object (5, 7): subjects of days and periods, each at most once in a period and three times in a day, empty where free."""
    columns: list[list[str]] = [[] for _ in range(7)]
    for subject, count in SUBJECTS.items():
        for period in sorted(range(7), key=lambda i: (len(columns[i]), random.random()))[:count]:
            columns[period].append(subject)
    while True:
        plan = np.array([random.permutation(column + [""] * (5 - len(column))) for column in columns], dtype=object).T
        if all((day == subject).sum() <= 3 for day in plan for subject in SUBJECTS):
            return plan


def planted(random: np.random.Generator, size: float) -> np.ndarray:
    """float (35,): a weekday, a period and a cell part, together with this standard deviation."""
    parts = random.normal(0, 1, (5, 1)), random.normal(0, 1, (1, 7)), random.normal(0, 1, (5, 7))
    return size * sum(parts).ravel() / np.sqrt(3)


def recorded(
    of: School, seed: int, effect: np.ndarray, weeks: int = 8, share: float = 0.8, own: float = 0.03
) -> pd.DataFrame:
    """Lessons as effects.lessons_in_slots gives them, with the teacher; each is recorded with probability `share`."""
    random = np.random.default_rng(seed)
    week = of.lessons
    part = {
        name: dict(zip(week[name].unique(), random.normal(0, spread, week[name].nunique()), strict=True))
        for name, spread in {"class_name": 0.04, "subject": 0.05, "teacher": 0.03, "room": 0.02}.items()
    }
    level = 0.6 + sum(week[name].map(part[name]) for name in part) + random.normal(0, own, len(week))
    slot = np.array([of.slot(day, period) for day, period in zip(week["day"], week["period"], strict=True)])
    level = level + effect[slot]
    parts = []
    for number in range(weeks):
        seen = random.random(len(week)) < share
        desk = random.random(seen.sum())
        parts.append(
            week[seen].assign(
                week=pd.Timestamp("2026-09-07") + pd.Timedelta(weeks=number),
                weekday=slot[seen] // 7 + 1,
                concentration=level[seen] - 0.1 * desk + random.normal(0, 0.05, seen.sum()),
                **dict.fromkeys(ACTIVITIES, 0.0) | {"front": 1 - desk, "desk work": desk},
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(lesson=np.arange(len(table)), formula="concentration 3", synthetic=True, minutes=45)


def fill(workspace: Workspace, of: School, lessons: pd.DataFrame) -> None:
    """The same as real rows of a workspace: each lesson with twelve minutes of five faces, and the week saved with it."""
    periods = {period["name"]: period["start"] for period in of.periods}
    made, parts = [], []
    for number, row in enumerate(lessons.itertuples()):
        day = row.week + pd.Timedelta(days=row.weekday - 1)
        start = datetime.combine(day, time.fromisoformat(periods[row.period]), UTC)
        made.append(
            Lesson(
                f"{row.subject} {row.class_name}", row.class_name, row.subject, row.room, "UTC", "consent", row.formula,
                "sample", "class", start,
            )
        )  # fmt: skip
        for minute in range(12):
            parts.append((number, start + timedelta(minutes=minute), np.clip(row.concentration, 0, 1)))
    first = rows(tracks=5)
    table = pd.concat([first] * len(parts), ignore_index=True)
    for name, values in zip(("lesson", "time", "concentration"), zip(*parts, strict=True), strict=True):
        table[name] = pd.Series(values).repeat(5).to_numpy()
    table["time"] = pd.to_datetime(table["time"], utc=True).dt.tz_localize(None)
    workspace.add(made, [lesson.started + timedelta(minutes=45) for lesson in made], table)
    workspace.set("periods", list(of.periods))
    workspace.set("school", of.to_dict())
