"""Lessons with something against lessons without: difference of their means, effect size, and what each is uncertain by.

Only lessons alike in everything else are compared: within a stratum (class, subject, formula ...), each lesson against its
stratum's mean, as by least squares with a constant for each stratum (Angrist & Pischke, Mostly Harmless Econometrics, 2009,
section 3.3). A lesson counts once, however many faces and minutes it has. A difference need not be caused by what was compared.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cssafe.stats.intervals import student_t
from cssafe.stats.regression import center_within, varies_within

MIN_LESSONS = 5
"""Lessons with and as many without, before a comparison answers: with fewer, one odd lesson makes the difference
(assumption)."""


@dataclass(frozen=True)
class Effect:
    """slope: by how much the value rises where x rises by one (of a tag: by how much lessons with it are higher), with its
    95 % interval. size: the same in standard deviations of lessons of one stratum (Hedges' g), with its interval. lessons: how
    many were compared; others have nothing to be compared with. All NaN where nothing can be said.
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
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def estimate_effect(values: np.ndarray, x: np.ndarray, strata: np.ndarray) -> Effect:
    """How the values of lessons (n,) hang on x (n,): a number, or 1 for those with and 0 for those without something.

    strata: int (n,). Values that are NaN do not count, nor strata in which x is everywhere the same.
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
    """Lessons that have something, bool (n,), against those that have not, and how many of each can be compared; no figure
    with fewer than MIN_LESSONS of either."""
    known = ~np.isnan(values)
    mixed = varies_within(having[known], strata[known])
    having_it = int(having[known][mixed].sum())
    others = int(mixed.sum()) - having_it
    if min(having_it, others) < MIN_LESSONS:
        return Effect(lessons=having_it + others), having_it, others
    return estimate_effect(values, having, strata), having_it, others


def strata(lessons: pd.DataFrame) -> np.ndarray:
    """Which lessons are alike in class, subject, formula, audience and in being synthetic or not: int (n,).

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
