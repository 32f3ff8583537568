"""Simulated schools with known slot effects: 5 classes of 30 lessons in 5 x 8 periods, with shocks of single dates.

Shares no code with the estimator. Standard deviations are on the index from 0 to 1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cssafe.labels import ACTIVITIES
from cssafe.school.room_timetable import SCHOOL_DAYS
from cssafe.school.week import School, parse_week

CLASSES, DAYS, PERIODS = 5, 5, 8
SUBJECTS = {
    "Maths": 5,
    "Language": 5,
    "English": 4,
    "Science": 4,
    "History": 3,
    "Sport": 3,
    "Art": 2,
    "Music": 2,
    "Law": 2,
}
"""Subject -> lessons a week of each class, 30 in all."""

LESSONS_PER_TEACHER = 20
OWN_ROOM_SUBJECTS = ("Science", "Sport", "Music")
"""Taught in the teacher's room; the others in the class's room."""

SPREAD = {"class_name": 0.04, "subject": 0.05, "teacher": 0.03, "room": 0.01}
PLACEMENT_SPREAD, DATE_SPREAD, NOISE_SPREAD, RECORDED_SHARE = 0.03, 0.02, 0.05, 0.8
MAX_DESK_SHARE, DESK_COST = 0.6, 0.1
MONDAY_FIRST, LAST_BUT_TWO = -0.08, -0.05
FOCUS = {"Maths": 2.0, "Science": 1.0}

PERIOD_ROWS = [{"name": str(i + 1), "start": f"{8 + i:02}:00", "end": f"{8 + i:02}:45"} for i in range(PERIODS)]


def planted_effects() -> np.ndarray:
    """float (40,): Monday's first period, and the last period but two of every day."""
    effect = np.zeros((DAYS, PERIODS))
    effect[:, PERIODS - 3] = LAST_BUT_TWO
    effect[0, 0] = MONDAY_FIRST
    return effect.ravel()


def simulate_week(
    random: np.random.Generator,
    classes: int = CLASSES,
    hours: dict[str, int] = SUBJECTS,
    per_teacher: int = LESSONS_PER_TEACHER,
    most: int = 3,
) -> School:
    """A random week without clashes. Classes share their teachers, and have their free periods anywhere. hours:
    subject -> lessons of each class. most: periods of a subject a day."""
    while True:
        rows = _random_week(random, classes, hours, per_teacher, most)
        if rows:
            return parse_week(PERIOD_ROWS, rows, focus=FOCUS, most=most)


def large_school(random: np.random.Generator) -> School:
    """20 classes, 40 teachers, 640 lessons."""
    hours = dict.fromkeys([*SUBJECTS][:8], 4)
    return simulate_week(random, 20, hours, per_teacher=16)


def _random_week(
    random: np.random.Generator, classes: int, hours: dict[str, int], per_teacher: int, most: int
) -> list[dict]:
    """Rows of lessons; none where a lesson found no slot."""
    busy, rows = set(), []
    lessons = [
        (f"{number}", subject, f"{subject} {number * count // per_teacher}")
        for number in range(classes)
        for subject, count in hours.items()
        for _lesson in range(count)
    ]
    daily: dict[tuple, int] = {}
    for name, subject, teacher in [lessons[i] for i in random.permutation(len(lessons))]:
        for slot in random.permutation(DAYS * PERIODS):
            key = (name, subject, slot // PERIODS)
            if (name, slot) not in busy and (teacher, slot) not in busy and daily.get(key, 0) < most:
                break
        else:
            return []
        busy |= {(name, slot), (teacher, slot)}
        daily[key] = daily.get(key, 0) + 1
        room = f"Room of {teacher}" if subject in OWN_ROOM_SUBJECTS else f"Room {name}"
        day, period = SCHOOL_DAYS[slot // PERIODS], str(slot % PERIODS + 1)
        rows.append(
            {"day": day, "period": period, "class_name": name, "subject": subject, "teacher": teacher, "room": room}
        )
    return rows


@dataclass(frozen=True)
class Simulated:
    """A school, its recorded lessons as rows of lessons_in_slots with `teacher`, and the true effects of the slots (40,)."""

    school: School
    lessons: pd.DataFrame
    effect: np.ndarray


def simulate(
    seed: int, weeks: int, effect: np.ndarray, date_spread: float = DATE_SPREAD, school: School | None = None
) -> Simulated:
    """effect: of each slot, float (40,). date_spread: standard deviation of the shock of all lessons of a date.
    school: instead of a random one."""
    random = np.random.default_rng(seed)
    school = school or simulate_week(random)
    week = school.lessons
    slot = np.array([school.slot(*when) for when in zip(week["day"], week["period"], strict=True)])
    level = 0.6 + effect[slot] + random.normal(0, PLACEMENT_SPREAD, len(week))
    for name, spread in SPREAD.items():
        values, which = np.unique(week[name], return_inverse=True)
        level += random.normal(0, spread, len(values))[which]
    number, seen = np.nonzero(random.random((weeks, len(week))) < RECORDED_SHARE)
    shock = random.normal(0, date_spread, (weeks, DAYS))[number, slot[seen] // PERIODS]
    desk = random.uniform(0, MAX_DESK_SHARE, len(seen))
    table = week.iloc[seen].reset_index(drop=True)
    table = table.assign(
        lesson=np.arange(len(seen)),
        week=pd.Timestamp("2026-09-07") + pd.to_timedelta(7 * number, unit="D"),
        weekday=slot[seen] // PERIODS + 1,
        concentration=level[seen] + shock - DESK_COST * desk + random.normal(0, NOISE_SPREAD, len(seen)),
        formula="concentration 3",
        synthetic=True,
        minutes=45,
        **dict.fromkeys(ACTIVITIES, 0.0) | {"front": 1 - desk, "desk work": desk},
    )
    return Simulated(school, table, effect)


def true_gain(simulated: Simulated, after: School) -> float:
    """Change of the true mean over the lessons in focus, by their weights."""
    return _focused_mean(after, simulated.effect) - _focused_mean(simulated.school, simulated.effect)


def _focused_mean(school: School, effect: np.ndarray) -> float:
    slots = [school.slot(*when) for when in zip(school.lessons["day"], school.lessons["period"], strict=True)]
    return float(np.average(effect[slots], weights=school.lessons["subject"].map(FOCUS).fillna(0)))
