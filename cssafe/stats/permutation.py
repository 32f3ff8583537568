"""Marked moments of time series against the other moments of the same series, by permutation. Arrays only.

A moment's value is what its history within the series does not predict: a residual of least squares with a constant for each
series (Freedman & Lane, Journal of Business & Economic Statistics 1, 1983). The fit is over all moments, so marks at moments of
one kind, such as low ones, are compared with a prediction made for such moments, too. Moments that follow each other are alike,
but marks are few and apart from each other: the mean over marks is compared with the same mean over as many moments drawn from
each series (Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 2005).
"""

import numpy as np

from cssafe.stats.evidence import ALPHA
from cssafe.stats.regression import center_within, solve_normal_equations

DRAWS = 4000
"""Permutations: the ends of an interval of one in a hundred rest on twenty of them at each side."""


def residuals(y: np.ndarray, x: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Residuals (n,) of y (n,) on x (n, k) with a constant for each series, int (n,) from 0."""
    y, x = center_within(y, series), center_within(x, series)
    return y - x @ solve_normal_equations(x, y)


def mean_of_marks(residual: np.ndarray, series: np.ndarray, marks: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of the residuals (n,) at the marks, int (m,), m > 0, and DRAWS such means without an effect: as many moments of each
    series at random."""
    random = np.random.default_rng(0)
    null = np.zeros(DRAWS)
    for one, count in zip(*np.unique(series[marks], return_counts=True), strict=True):
        null += random.choice(residual[series == one], (DRAWS, count)).sum(axis=1)
    return float(residual[marks].mean()), null / len(marks)


def permutation_interval(value: float, null: np.ndarray, candidates: int) -> tuple[float, float]:
    """Ends of the interval of a mean with these draws without an effect. It leaves out 0 if the value lies outside of the
    middle of the draws. candidates: as in evidence.judge."""
    beyond = ALPHA / (2 * candidates)
    least, most = np.quantile(null, (beyond, 1 - beyond))
    return value - float(most), value - float(least)
