"""Comparison of lessons with and without a property: difference of means, effect size, intervals.

Lessons are compared within strata (class, subject, formula ...), by least squares with a constant for each stratum (Angrist &
Pischke, Mostly Harmless Econometrics, 2009, section 3.3). A lesson counts once, whatever its faces and minutes. A difference
need not be caused by the property.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cssafe.stats.intervals import student_t
from cssafe.stats.regression import center_within, varies_within

MIN_LESSONS = 5
"""Minimum of lessons with, and of lessons without: with fewer, one odd lesson makes the difference (assumption)."""


@dataclass(frozen=True)
class Effect:
    """slope: change of the value for each unit of x (of a tag: difference of lessons with it), with its 95 % interval. size:
    the same in standard deviations within strata (Hedges' g), with its interval. lessons: number of compared ones. All NaN
    where no lesson can be compared.
    """

    slope: float = np.nan
    low: float = np.nan
    high: float = np.nan
    size: float = np.nan
    size_low: float = np.nan
    size_high: float = np.nan
    lessons: int = 0

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def estimate_effect(values: np.ndarray, x: np.ndarray, strata: np.ndarray) -> Effect:
    """Effect of x (n,) on the values of lessons (n,): a number, or 1 for those with a property and 0 for others.

    strata: int (n,). NaN values are left out, and strata with equal x.
    Hedges' g and its variance: Hedges & Olkin, Statistical Methods for Meta-Analysis, 1985, section 5.
    """
    known = ~np.isnan(values)
    known[known] = varies_within(x[known], strata[known])
    if not known.any():
        return Effect()
    stratum = np.unique(strata[known], return_inverse=True)[1]
    y, x = (center_within(column, stratum) for column in (values[known], x[known].astype(float)))
    lessons, apart = int(known.sum()), float(x @ x)
    slope = float(x @ y) / apart
    freedom = lessons - int(stratum.max()) - 2
    if freedom < 1:
        return Effect(slope, lessons=lessons)
    deviation = float(np.sqrt(((y - slope * x) ** 2).sum() / freedom))
    student = student_t(freedom)
    half = student * deviation / np.sqrt(apart)
    if deviation < 1e-9:  # all lessons of a stratum alike: in no unit of their deviation
        return Effect(slope, slope - half, slope + half, lessons=lessons)
    size = (1 - 3 / (4 * freedom - 1)) * slope / deviation
    around = student * np.sqrt(1 / apart + size**2 / (2 * freedom))
    return Effect(slope, slope - half, slope + half, size, size - around, size + around, lessons)


def compare_groups(values: np.ndarray, having: np.ndarray, strata: np.ndarray) -> tuple[Effect, int, int]:
    """Effect of a property, bool (n,), and the numbers of compared lessons with and without it; no figure with fewer than
    MIN_LESSONS of either."""
    known = ~np.isnan(values)
    mixed = varies_within(having[known], strata[known])
    having_it = int(having[known][mixed].sum())
    others = int(mixed.sum()) - having_it
    if min(having_it, others) < MIN_LESSONS:
        return Effect(lessons=having_it + others), having_it, others
    return estimate_effect(values, having, strata), having_it, others


def at_both_ends(lessons: pd.DataFrame, estimate: Callable[[np.ndarray], Effect]) -> Effect:
    """The effect on the class figure of lessons, its interval widened to hold those on both ends of the band: if people not
    visible attend not at all, or like the rest. A lesson without a band has its own figure at both.

    lessons: rows of queries.lessons. estimate: the effect on values (n,) of the lessons.
    """
    ends = [lessons[name].fillna(lessons["concentration"]) for name in ("concentration", "lowest", "highest")]
    effects = [estimate(values.to_numpy(float)) for values in ends]
    low, high = min(effect.low for effect in effects), max(effect.high for effect in effects)
    return replace(effects[0], low=low, high=high)


def strata(lessons: pd.DataFrame) -> np.ndarray:
    """Strata of lessons by class, subject, formula, audience and being synthetic: int (n,).

    lessons: rows of queries.lessons.
    """
    return lessons.groupby(["class_name", "subject", "formula", "audience", "synthetic"]).ngroup().to_numpy()


def prediction_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of lessons (n,) and the 95 % prediction interval of the next one, cut to [0, 1]; NaN for the interval of fewer than
    MIN_LESSONS (normal sample: Hahn & Meeker, Statistical Intervals, 1991, section 4.7)."""
    known = values[~np.isnan(values)]
    n = len(known)
    if n < MIN_LESSONS:
        return (float(known.mean()) if n else np.nan), np.nan, np.nan
    half = student_t(n - 1) * known.std(ddof=1) * np.sqrt(1 + 1 / n)
    mean = float(known.mean())
    return mean, max(0.0, mean - half), min(1.0, mean + half)
