"""Comparison of lessons with and without a property, and slopes over time: estimate, interval, effect size.

Lessons are compared within strata (class, subject, formula ...), by least squares with a constant for each stratum (Angrist &
Pischke, Mostly Harmless Econometrics, 2009, section 3.3). A lesson counts once, whatever its faces and minutes.

Levels drift over a term, and lessons of one class and subject in one week are alike. So a difference is estimated with linear
time held, and its interval comes from the jackknife over class-subject-weeks (MacKinnon, Nielsen & Webb 2023). A slope cannot
hold time; its clusters are three weeks long, because neighbouring weeks are alike as well. A difference need not be caused by
the property.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cssafe.stats.evidence import Finding, judge_interval
from cssafe.stats.intervals import student_t
from cssafe.stats.regression import center_within, jackknife_slope, varies_within

MIN_LESSONS = 5
"""Minimum of lessons with, and of lessons without: with fewer, one odd lesson makes the difference (assumption)."""

MIN_WEEKS = 4
"""Weeks of one class and subject below which the jackknife has no interval of a difference: with one of three left out, linear
time explains the other two."""

TREND_BLOCK_WEEKS = 3
"""Length of a cluster of a slope over time. With a correlation of .8 between weeks, slopes excluded a true 0 in 17 % of
terms with clusters of one week, 10 % of two, 7 % of three (docs/method.md)."""

MIN_DEVIATION = 1e-9
"""Index. Standard deviation between lessons below which they are alike, so an effect has no size in units of it."""

STRATUM = ("class_name", "subject", "formula", "audience", "synthetic")
"""Columns of queries.lessons in which compared lessons are equal."""


@dataclass(frozen=True)
class Design:
    """How lessons are compared. strata: int (n,), lessons of one are alike but for the property. weeks: float (n,), since the
    first lesson. clusters: int (n,), lessons of one are not independent."""

    strata: np.ndarray
    weeks: np.ndarray
    clusters: np.ndarray


@dataclass(frozen=True)
class Effect:
    """finding: change of the value for each unit of x (of a property: difference of lessons with it), of `units` compared
    lessons. size: the same in standard deviations within strata (Hedges' g), with its interval; NaN where it is not known.
    having, others: numbers of compared lessons with and without a property.
    """

    finding: Finding
    size: float = np.nan
    size_low: float = np.nan
    size_high: float = np.nan
    having: int = 0
    others: int = 0


def difference_design(lessons: pd.DataFrame, slots: bool = False) -> Design:
    """Design of a difference between lessons: rows of queries.lessons.

    slots: compare only lessons of the same weekday and hour, for a property that the timetable may decide.
    """
    columns = [*STRATUM, *(("weekday", "hour") if slots else ())]
    return _design(lessons, columns, 1)


def trend_design(lessons: pd.DataFrame) -> Design:
    """Design of a slope over time of lessons: rows of queries.lessons."""
    return _design(lessons, list(STRATUM), TREND_BLOCK_WEEKS)


def _design(lessons: pd.DataFrame, columns: list[str], block: int) -> Design:
    """block: weeks of a cluster. Hours are the nearest ones, because lessons do not start to the minute."""
    local = lessons["local"]
    first = local.min()
    monday = first.normalize() - pd.Timedelta(days=first.day_of_week) if len(lessons) else first
    table = lessons.assign(
        weekday=local.dt.day_of_week, hour=local.dt.round("h").dt.hour, block=(local - monday).dt.days // (7 * block)
    )
    weeks = (local - first).dt.total_seconds().to_numpy() / (7 * 24 * 3600)
    strata, clusters = (table.groupby(by).ngroup().to_numpy() for by in (columns, ["class_name", "subject", "block"]))
    return Design(strata, weeks, clusters)


def estimate_trend(values: np.ndarray, design: Design) -> Effect:
    """Slope a week of the values of lessons (n,). NaN values are left out, and strata with lessons of one time only."""
    return _estimate(values, design.weeks[:, None], design, 2 * MIN_LESSONS)


def compare_groups(values: np.ndarray, having: np.ndarray, design: Design) -> Effect:
    """Effect of a property, bool (n,), on the values of lessons (n,) with linear time held; too little data with fewer than
    MIN_LESSONS compared lessons with it, or without it. NaN values are left out, and strata without both."""
    known = ~np.isnan(values)
    known[known] = varies_within(having[known], design.strata[known])
    with_it = int(having[known].sum())
    others = int(known.sum()) - with_it
    if min(with_it, others) < MIN_LESSONS:
        found = Effect(judge_interval(np.nan, np.nan, np.nan, with_it + others, 0))
    else:
        found = _estimate(values, np.column_stack([having, design.weeks]).astype(float), design, 0)
    return replace(found, having=with_it, others=others)


def _estimate(values: np.ndarray, x: np.ndarray, design: Design, min_lessons: int) -> Effect:
    """Effect of the first column of x (n, k) with the others held.

    Hedges' g and its variance: Hedges & Olkin, Statistical Methods for Meta-Analysis, 1985, section 5.
    """
    known = ~np.isnan(values)
    known[known] = varies_within(x[known, 0], design.strata[known])
    lessons = int(known.sum())
    unknown = Effect(judge_interval(np.nan, np.nan, np.nan, lessons, min_lessons))
    if not lessons:
        return unknown
    stratum, cluster = (np.unique(of[known], return_inverse=True)[1] for of in (design.strata, design.clusters))
    y, x = center_within(values[known], stratum), center_within(x[known], stratum)
    slopes, error, clusters = jackknife_slope(y, x, stratum, cluster)
    freedom = lessons - int(stratum.max()) - 1 - x.shape[1]
    if np.isnan(error) or freedom < 1:
        return unknown
    slope, student = float(slopes[0]), float(student_t(clusters - 1))
    found = judge_interval(slope, slope - student * error, slope + student * error, lessons, min_lessons)
    deviation = float(np.sqrt(((y - x @ slopes) ** 2).sum() / freedom))
    if deviation < MIN_DEVIATION:
        return Effect(found)
    size = (1 - 3 / (4 * freedom - 1)) * slope / deviation
    half = student * float(np.sqrt((error / deviation) ** 2 + size**2 / (2 * freedom)))
    return Effect(found, size, size - half, size + half)


def cell_difference_error(
    values: np.ndarray, weights: np.ndarray, cell: np.ndarray, block: np.ndarray, one: int, other: int
) -> tuple[float, float]:
    """Standard error of the difference of the weighted means of two cells, and its degrees of freedom; NaN without any.

    The variance between lessons of a cell is pooled over all cells. Lessons of one block share a level, which cancels in the
    difference as far as both cells have lessons of the same blocks; their covariance is pooled over all pairs in different
    cells.

    Args:
        values, weights: of lessons, (n,). cell: int (n,) from 0. block: int (n,) from 0, such as a class's week.
    """
    share = weights / np.bincount(cell, weights)[cell]
    residual = values - np.bincount(cell, share * values)[cell]
    cells = int(cell.max()) + 1
    pair, pair_of = np.unique(block * cells + cell, return_inverse=True)
    of_block, size = pair // cells, np.bincount(pair_of)
    freedom = float(len(values) - cells)
    if freedom < 1:
        return np.nan, freedom

    def between(sums: np.ndarray) -> float:
        """Sum of products of the sums of different cells of a block, over all blocks."""
        return float((np.bincount(of_block, sums) ** 2).sum() - (sums**2).sum())

    variance = float((residual**2).sum()) / freedom
    pairs = between(size.astype(float)) * freedom / len(values)
    shared = between(np.bincount(pair_of, residual)) / pairs if pairs else 0.0
    covariance = float(np.clip(shared, 0.0, variance))
    freedom -= float((np.bincount(of_block) > 1).sum())
    parts = [np.bincount(block, share * (cell == number), minlength=block.max() + 1) for number in (one, other)]
    own = float((share[np.isin(cell, (one, other))] ** 2).sum())
    squared = variance * own - 2 * covariance * float(parts[0] @ parts[1])
    return float(np.sqrt(max(squared, 0.0))), max(freedom, 1.0)


def at_both_ends(lessons: pd.DataFrame, estimate: Callable[[np.ndarray], Effect]) -> Effect:
    """The effect on the class figure of lessons, its interval widened to hold those on both ends of the band: if people not
    visible attend not at all, or like the rest. A lesson without a band has its own figure at both.

    lessons: rows of queries.lessons. estimate: the effect on values (n,) of the lessons.
    """
    ends = [lessons[name].fillna(lessons["concentration"]) for name in ("concentration", "lowest", "highest")]
    effects = [estimate(values.to_numpy(float)) for values in ends]
    low = float(np.min([effect.finding.low for effect in effects]))
    high = float(np.max([effect.finding.high for effect in effects]))
    found = effects[0].finding
    return replace(effects[0], finding=judge_interval(found.value, low, high, found.units, 0))


def prediction_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of lessons (n,) and the 95 % prediction interval of the next one, cut to [0, 1]; NaN for the interval of fewer than
    MIN_LESSONS (normal sample: Hahn & Meeker, Statistical Intervals, 1991, section 4.7)."""
    known = values[~np.isnan(values)]
    n = len(known)
    if n < MIN_LESSONS:
        return (float(known.mean()) if n else np.nan), np.nan, np.nan
    half = float(student_t(n - 1)) * known.std(ddof=1) * np.sqrt(1 + 1 / n)
    mean = float(known.mean())
    return mean, max(0.0, mean - half), min(1.0, mean + half)
