"""Findings of the pages Term and Compare, as numbers with verdicts: the reports write them out, `figures` prints them."""

from enum import StrEnum

import numpy as np
import pandas as pd

from cssafe.language import _
from cssafe.stats.comparison import (
    MIN_LESSONS,
    Design,
    Effect,
    at_both_ends,
    compare_groups,
    difference_design,
    estimate_trend,
    trend_design,
)
from cssafe.stats.intervals import clustered_means


class Abstention(StrEnum):
    """Why lessons with a tag are not compared with those without."""

    LESSONS = "lessons"
    """Too few of them are of the same class and subject."""
    TIMETABLE = "timetable"
    """They are at different weekdays or hours."""
    WEEKS = "weeks"
    """They are of too few weeks to tell the tag from a steady rise or fall."""


DIFFERENCE_COLUMNS = ("what", "difference", "low", "high", "lessons", "verdict")


def lessons_mean(figures: pd.Series) -> tuple[float, float, float]:
    """Mean of lessons, each with weight 1, with the interval over lessons. A lesson without the figure does not count."""
    values = figures.dropna().to_numpy(float)
    if not len(values):
        return np.nan, np.nan, np.nan
    mean, low, high = clustered_means(values[:, None], np.ones(len(values)))
    return float(mean[0]), float(low[0]), float(high[0])


def weekly_means(lessons: pd.DataFrame) -> pd.DataFrame:
    """Mean concentration of each week's lessons. Columns: week (its Monday, "2026-03-02"), mean, low, high, lessons."""
    week = lessons["local"].dt.to_period("W-SUN").dt.start_time
    weeks = pd.DataFrame(
        [
            (f"{day:%Y-%m-%d}", *lessons_mean(rows["concentration"]), len(rows))
            for day, rows in lessons.groupby(week, sort=True)
        ],
        columns=["week", "mean", "low", "high", "lessons"],
    )
    weeks[["low", "high"]] = weeks[["low", "high"]].clip(0, 1)
    return weeks


def trend(lessons: pd.DataFrame) -> Effect:
    """Slope of concentration a week. lessons: of `lessons_with_figures`."""
    design = trend_design(lessons)
    return at_both_ends(lessons, lambda values: estimate_trend(values, design))


def join_terms(lessons: pd.DataFrame, earlier: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Lessons of both terms, and whether each is of this term: bool (n,)."""
    both = pd.concat([lessons, earlier], ignore_index=True).drop_duplicates("lesson", ignore_index=True)
    return both, both["lesson"].isin(lessons["lesson"]).to_numpy()


def compare_terms(both: pd.DataFrame, now: np.ndarray) -> Effect:
    """Difference between the terms. both, now: of `join_terms`."""
    return _compare(both, now, difference_design(both))


def term_differences(both: pd.DataFrame, now: np.ndarray) -> pd.DataFrame:
    """Difference between the terms of all lessons, each class and each subject that can be compared.

    Columns: DIFFERENCE_COLUMNS. both, now: of `join_terms`.
    """
    rows = [(_("all"), compare_terms(both, now))]
    for column in ("class_name", "subject"):
        for name, part in both.groupby(column):
            effect = compare_terms(part, now[part.index])
            if len(part) < len(both) and not np.isnan(effect.finding.low):
                rows.append((str(name), effect))
    found = [(what, effect.finding) for what, effect in rows]
    return pd.DataFrame(
        [(what, one.value, one.low, one.high, one.units, one.verdict) for what, one in found],
        columns=list(DIFFERENCE_COLUMNS),
    )


def compare_tag(lessons: pd.DataFrame, having: np.ndarray) -> Effect:
    """Effect of a tag, within the same class, subject, weekday and hour. lessons: of `lessons_with_figures`. having: bool (n,),
    whether tagged."""
    return _compare(lessons, having, difference_design(lessons, slots=True))


def why_no_result(lessons: pd.DataFrame, having: np.ndarray, found: Effect) -> Abstention:
    """Why a tag has no result. found: of `compare_tag`, with too little data."""
    if min(found.having, found.others) >= MIN_LESSONS:
        return Abstention.WEEKS
    anywhere = _compare(lessons, having, difference_design(lessons))
    return Abstention.TIMETABLE if min(anywhere.having, anywhere.others) >= MIN_LESSONS else Abstention.LESSONS


def _compare(lessons: pd.DataFrame, having: np.ndarray, design: Design) -> Effect:
    return at_both_ends(lessons, lambda values: compare_groups(values, having, design))
