"""How far scores agree with what people said of the same moments: pure functions of arrays.

Ratings are whole numbers from 0 to k - 1 in rising order, levels the same as the scores say it. Intervals are 95 % intervals
by the percentile bootstrap (Efron 1979) over groups: the moments of one person, or of one lesson, are not independent, so
people are drawn and not moments. NaN stands for: cannot be told from these ratings.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from cssafe.language import N_

RESAMPLES = 1000
"""Of the bootstrap: the ends of its 95 % intervals then move by about a twentieth of their width from seed to seed."""

MIN_MOMENTS = 5
"""Moments of one person below which no figure is made of her alone."""

MEASURES = {
    "recall": N_("Unweighted recall, all levels"),
    "recall_halves": N_("Unweighted recall, lower and upper half"),
    "kappa": N_("Quadratic kappa"),
    "auc": N_("AUC, upper against lower half"),
}
"""Measure -> its name on screen."""


def recall(counts: np.ndarray) -> np.ndarray:
    """Mean share of each rating's moments that have its level, over the ratings that occur, of confusion matrices
    (..., k, k) with a row for each rating: (...), in [0, 1]."""
    true = counts.sum(axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore"):
        shares = np.where(true > 0, right / np.where(true > 0, true, 1), 0.0)
        return shares.sum(axis=-1) / (true > 0).sum(axis=-1)


def kappa(counts: np.ndarray) -> np.ndarray:
    """Agreement beyond chance that punishes by the square of the distance (Cohen 1968), of confusion matrices (..., k, k):
    (...), at most 1; NaN where chance alone would agree fully."""
    k = counts.shape[-1]
    distance = np.subtract.outer(np.arange(k), np.arange(k)) ** 2
    n = counts.sum(axis=(-2, -1))
    by_chance = counts.sum(axis=-1)[..., :, None] * counts.sum(axis=-2)[..., None, :] * distance
    seen = (counts * distance).sum(axis=(-2, -1)) * n
    expected = by_chance.sum(axis=(-2, -1))
    return np.where(expected > 0, 1 - seen / np.where(expected > 0, expected, 1), np.nan)


def weighted_auc(score: np.ndarray, upper: np.ndarray) -> Callable[[np.ndarray], float]:
    """A function of weights (n,) of the moments -> the probability that a moment of the upper half has a higher score than one
    of the lower, ties counting half (Hanley & McNeil 1982); NaN where there are not both.

    Args:
        score: (n,), no NaN. upper: bool (n,).
    """
    _values, place = np.unique(score, return_inverse=True)

    def weighted(weights: np.ndarray) -> float:
        high = np.bincount(place, weights * upper)
        low = np.bincount(place, weights * ~upper)
        pairs = high.sum() * low.sum()
        return float((high * (np.cumsum(low) - low / 2)).sum() / pairs) if pairs > 0 else np.nan

    return weighted


def agreement(score: np.ndarray, level: np.ndarray, rating: np.ndarray, k: int, group: np.ndarray) -> pd.DataFrame:
    """One row for each of MEASURES: `measure`, `value`, `low`, `high`.

    Args:
        score: (n,) in [0, 1], no NaN. level, rating: int (n,) in 0 to k - 1. group: (n,), whose moments they are.
    """
    _groups, owner = np.unique(group, return_inverse=True)
    groups = int(owner.max(initial=-1)) + 1
    cells = np.zeros((groups, k, k))
    np.add.at(cells, (owner, rating, level), 1)
    upper = 2 * rating >= k
    ranked = weighted_auc(score, upper)

    def measured(weights: np.ndarray) -> list[float]:  # weights: (groups,)
        counts = np.tensordot(weights, cells, 1)
        half = -(-k // 2)
        halves = np.array([[counts[:half, :half].sum(), counts[:half, half:].sum()],
                           [counts[half:, :half].sum(), counts[half:, half:].sum()]])  # fmt: skip
        return [float(recall(counts)), float(recall(halves)), float(kappa(counts)), ranked(weights[owner])]

    table = pd.DataFrame({"measure": list(MEASURES)})
    if not groups:
        return table.assign(value=np.nan, low=np.nan, high=np.nan)
    draws = np.random.default_rng(0).multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    drawn = np.array([measured(weights) for weights in draws.astype(float)])
    ends = np.full((2, len(MEASURES)), np.nan)
    if groups > 1:
        for i in range(len(MEASURES)):
            told = drawn[~np.isnan(drawn[:, i]), i]
            if len(told):
                ends[:, i] = np.quantile(told, (0.025, 0.975))
    return table.assign(value=measured(np.ones(groups)), low=ends[0], high=ends[1])


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
    """Where to cut scores into k levels so that each is as frequent as its rating: (k - 1,), ascending. score: (n,), n > 0."""
    below = np.cumsum(np.bincount(rating, minlength=k))[:-1] / len(rating)
    return np.quantile(score, below)
