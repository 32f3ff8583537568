"""Agreement of scores with people's ratings of the same moments: recall, kappa and AUC.

Ratings and levels of scores are integers from 0 to k - 1, ascending. Intervals are 95 % intervals by the jackknife over groups
(Tukey 1958) on the logit scale, with Student's t: moments of one person or lesson are not independent, so groups are left out.
With few groups it holds where the percentile bootstrap does not (docs/method.md, Evidence). NaN: undefined for these ratings.
scikit-learn is the oracle of the tests.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cssafe.language import N_
from cssafe.stats.evidence import judge

MIN_GROUPS = 6
"""Minimum of persons or lessons for an interval: of fewer, no method that was tried holds the truth often enough."""

MIN_MOMENTS = 5
"""Minimum of moments for a figure of one person."""

MEASURES = {
    "recall": N_("Unweighted recall, all levels"),
    "recall_halves": N_("Unweighted recall, lower and upper half"),
    "kappa": N_("Quadratic kappa"),
    "auc": N_("AUC, upper against lower half"),
}
"""Measure -> its name on screen."""

LOWEST = np.array([0.0, 0.0, -1.0, 0.0])
"""Lowest value of each of MEASURES; the highest is 1."""


def unweighted_recall(counts: np.ndarray) -> np.ndarray:
    """Unweighted recall (...) in [0, 1] of confusion matrices (..., k, k) with a row for each rating: mean over the ratings
    that occur."""
    true = counts.sum(axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore"):
        shares = np.where(true > 0, right / np.where(true > 0, true, 1), 0.0)
        return shares.sum(axis=-1) / (true > 0).sum(axis=-1)


def quadratic_kappa(counts: np.ndarray) -> np.ndarray:
    """Quadratic weighted kappa (...), at most 1, of confusion matrices (..., k, k) (Cohen 1968); NaN where chance alone agrees
    fully."""
    k = counts.shape[-1]
    distance = np.subtract.outer(np.arange(k), np.arange(k)) ** 2
    n = counts.sum(axis=(-2, -1))
    by_chance = counts.sum(axis=-1)[..., :, None] * counts.sum(axis=-2)[..., None, :] * distance
    seen = (counts * distance).sum(axis=(-2, -1)) * n
    expected = by_chance.sum(axis=(-2, -1))
    return np.where(expected > 0, 1 - seen / np.where(expected > 0, expected, 1), np.nan)


def weighted_auc(score: np.ndarray, upper: np.ndarray) -> Callable[[np.ndarray], float]:
    """AUC as a function of weights (n,): probability that a moment of the upper half has a higher score than one of the lower,
    ties counting half (Hanley & McNeil 1982); NaN without both.

    Args:
        score: (n,), no NaN. upper: bool (n,).
    """
    _values, rank = np.unique(score, return_inverse=True)

    def weighted(weights: np.ndarray) -> float:
        high = np.bincount(rank, weights * upper)
        low = np.bincount(rank, weights * ~upper)
        pairs = high.sum() * low.sum()
        return float((high * (np.cumsum(low) - low / 2)).sum() / pairs) if pairs > 0 else np.nan

    return weighted


def agreement(score: np.ndarray, level: np.ndarray, rating: np.ndarray, k: int, group: np.ndarray) -> pd.DataFrame:
    """One row for each of MEASURES: `measure`, `value`, `low`, `high` (NaN of fewer than MIN_GROUPS groups, and where the
    measure is undefined or the same without any one of them).

    Args:
        score: (n,) in [0, 1], no NaN. level, rating: int (n,) in 0 to k - 1. group: (n,), whose moments they are.
    """
    _groups, owner = np.unique(group, return_inverse=True)
    groups = int(owner.max(initial=-1)) + 1
    cells = np.zeros((groups, k, k))
    np.add.at(cells, (owner, rating, level), 1)
    ranked = weighted_auc(score, 2 * rating >= k)

    def measured(weights: np.ndarray) -> list[float]:  # weights: (groups,)
        counts = np.tensordot(weights, cells, 1)
        half = -(-k // 2)
        halves = np.array([[counts[:half, :half].sum(), counts[:half, half:].sum()],
                           [counts[half:, :half].sum(), counts[half:, half:].sum()]])  # fmt: skip
        return [
            float(unweighted_recall(counts)),
            float(unweighted_recall(halves)),
            float(quadratic_kappa(counts)),
            ranked(weights[owner]),
        ]

    table = pd.DataFrame({"measure": list(MEASURES)})
    if not groups:
        return table.assign(value=np.nan, low=np.nan, high=np.nan)
    value = np.array(measured(np.ones(groups)))
    without = np.array([measured(1 - one) for one in np.eye(groups)])
    low, high = _jackknife_intervals(value, without, len(score))
    return table.assign(value=value, low=low, high=high)


def _jackknife_intervals(value: np.ndarray, without: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the intervals (4,) of the measures (4,) over n moments. without: (groups, 4), each without one group."""
    groups = len(without)

    def scaled(values: np.ndarray) -> np.ndarray:  # half a moment more at both ends (Haldane 1956): 1 has a logit, too
        return logit(((values - LOWEST) / (1 - LOWEST) * n + 0.5) / (n + 1))

    spread = ((scaled(without) - scaled(without).mean(axis=0)) ** 2).sum(axis=0) * (groups - 1) / groups
    errors = np.where(spread > 0, np.sqrt(spread), np.nan)
    found = [
        judge(middle, error, groups - 1, groups, MIN_GROUPS)
        for middle, error in zip(scaled(value), errors, strict=True)
    ]
    ends = expit(np.array([[one.low, one.high] for one in found]))
    shares = np.clip((ends * (n + 1) - 0.5) / n, 0, 1)
    low, high = LOWEST + shares.T * (1 - LOWEST)
    return low, high


def auc_by_person(score: np.ndarray, rating: np.ndarray, k: int, group: np.ndarray) -> np.ndarray:
    """The AUC within each person who has MIN_MOMENTS moments or more and both halves among them, ascending (m,)."""
    upper = 2 * rating >= k
    found = []
    for one in np.unique(group):
        those = group == one
        if those.sum() >= MIN_MOMENTS and 0 < upper[those].sum() < those.sum():
            found.append(weighted_auc(score[those], upper[those])(np.ones(int(those.sum()))))
    return np.sort(np.array(found))


def level_thresholds(score: np.ndarray, rating: np.ndarray, k: int) -> np.ndarray:
    """Thresholds of scores (k - 1,), ascending, that make each level as frequent as its rating. score: (n,), n > 0."""
    below = np.cumsum(np.bincount(rating, minlength=k))[:-1] / len(rating)
    return np.quantile(score, below)
