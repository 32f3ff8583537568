"""Simulated lessons of a term and cells of a week, of known truth, for the bars on winners, rises and effects.

Made from parameters alone: nothing here comes from the code under test. A stratum is a class with its subject. All levels are
on the index from 0 to 1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

MEAN, BASE_SD, WEEK_SD, LESSON_SD = 0.6, 0.06, 0.03, 0.05
PLACEMENT_SD = 0.04
"""Of a tag's term; of a slot it is SLOT_PLACEMENT_SD."""
SLOT_PLACEMENT_SD = 0.05
TREND_A_WEEK = -0.004
TAG_SHARE = 0.35
STRATA, WEEKS, LESSONS_A_WEEK = 3, 12, 3
CELLS, CELL_WEEKS = 30, 8
FIRST_MONDAY = pd.Timestamp("2026-09-07")
WEEKDAYS = (0, 1, 3)
"""Of the lessons of a stratum, from Monday."""


@dataclass(frozen=True)
class TermCase:
    """correlation: of the levels of neighbouring weeks. trend: change a week. placement: standard deviation of the weekdays
    of a stratum."""

    correlation: float = 0.0
    trend: float = 0.0
    placement: float = 0.0


def term_lessons() -> pd.DataFrame:
    """The lessons of a term without figures: columns of queries.lessons, (STRATA WEEKS LESSONS_A_WEEK,) rows."""
    stratum, week, lesson = (axis.ravel() for axis in np.indices((STRATA, WEEKS, LESSONS_A_WEEK)))
    days = 7 * week + np.array(WEEKDAYS)[lesson]
    return pd.DataFrame(
        {
            "lesson": np.arange(len(stratum)),
            "class_name": [f"class {number}" for number in stratum],
            "subject": "Maths",
            "formula": "concentration 3",
            "audience": "class",
            "synthetic": False,
            "local": FIRST_MONDAY + pd.to_timedelta(days, unit="D") + pd.Timedelta(hours=9),
            "week": week,
            "weekday": lesson,
            "lowest": np.nan,
            "highest": np.nan,
        }
    )


def term_values(random: np.random.Generator, case: TermCase) -> np.ndarray:
    """Concentration of the lessons of `term_lessons` (n,)."""
    base = random.normal(MEAN, BASE_SD, (STRATA, 1, 1))
    level = week_levels(random, STRATA, WEEKS, case.correlation)[:, :, None]
    placement = random.normal(0, case.placement, (STRATA, 1, LESSONS_A_WEEK))
    noise = random.normal(0, LESSON_SD, (STRATA, WEEKS, LESSONS_A_WEEK))
    trend = case.trend * np.arange(WEEKS)[None, :, None]
    return (base + level + placement + trend + noise).ravel()


def week_levels(random: np.random.Generator, strata: int, weeks: int, correlation: float) -> np.ndarray:
    """Levels (strata, weeks) of weeks with this correlation from one to the next."""
    levels = random.normal(0, WEEK_SD, (strata, weeks))
    for week in range(1, weeks):
        levels[:, week] = correlation * levels[:, week - 1] + np.sqrt(1 - correlation**2) * levels[:, week]
    return levels


@dataclass(frozen=True)
class WeekCase:
    """A week of CELLS cells: every class has a lesson in each of them, in each of CELL_WEEKS weeks. planted: by what the first
    cell is higher; the others do not differ. shared: whether the lessons of a class in a week share its level, else every
    lesson has one of its own. recorded: share of lessons that are recorded."""

    classes: int = 1
    planted: float = 0.0
    shared: bool = True
    recorded: float = 1.0


def week_lessons(random: np.random.Generator, case: WeekCase) -> pd.DataFrame:
    """Rows of queries.weekly_lessons; each lesson has 35 to 45 minutes."""
    cell, stratum, week = (axis.ravel() for axis in np.indices((CELLS, case.classes, CELL_WEEKS)))
    level = random.normal(0, WEEK_SD, (CELLS, case.classes, CELL_WEEKS))
    level = np.broadcast_to(level[:1], level.shape) if case.shared else level
    value = random.normal(MEAN, BASE_SD, case.classes)[stratum] + level.ravel()
    value = value + random.normal(0, LESSON_SD, len(cell)) + case.planted * (cell == 0)
    table = pd.DataFrame(
        {
            "weekday": cell % 5 + 1,
            "period": np.array([f"{8 + number // 5:02}:00" for number in range(CELLS)])[cell],
            "lesson": np.arange(len(cell)),
            "class_name": stratum,
            "subject": "Maths",
            "week": week,
            "minutes": random.integers(35, 46, len(cell)),
            "value": value,
        }
    )
    return table[random.random(len(cell)) < case.recorded]


def week_cells(lessons: pd.DataFrame) -> pd.DataFrame:
    """Rows of queries.weekly of these lessons, without intervals."""
    total = lessons.assign(s=lessons["minutes"] * lessons["value"]).groupby(["weekday", "period"])
    cells = total[["s", "minutes"]].sum().assign(lessons=total.size()).reset_index()
    empty = dict.fromkeys(("lowest", "highest", "low", "high"), np.nan)
    return cells.assign(concentration=cells["s"] / cells["minutes"], **empty)


def slot_placements(random: np.random.Generator, slots: int) -> pd.DataFrame:
    """Placements of one slot each: between two and eight of them, each with the lessons of up to CELL_WEEKS weeks.

    Columns: slot, s (sum over minutes), n (minutes). The truth of every slot is MEAN.
    """
    rows = []
    for slot in range(slots):
        for _placement in range(random.integers(2, 9)):
            level = random.normal(MEAN, SLOT_PLACEMENT_SD)
            lessons = random.integers(2, CELL_WEEKS + 1)
            minutes = random.integers(35, 46, lessons)
            values = level + random.normal(0, np.hypot(WEEK_SD, LESSON_SD), lessons)
            rows.append((slot, float((minutes * values).sum()), float(minutes.sum())))
    return pd.DataFrame(rows, columns=["slot", "s", "n"])


def three_lessons(random: np.random.Generator, slots: int) -> pd.DataFrame:
    """The same columns, of three lessons in each slot."""
    minutes = random.integers(35, 46, 3 * slots).astype(float)
    values = random.normal(MEAN, np.hypot(WEEK_SD, LESSON_SD), 3 * slots)
    return pd.DataFrame({"slot": np.repeat(np.arange(slots), 3), "s": minutes * values, "n": minutes})
