"""95 % interval of a mean over clusters, in SQL and in NumPy.

The mean is taken over unequal clusters. With s the weighted sum and n the weight of each of G clusters, and m = sum s / sum
n, the variance of m is g / (g - 1) * sum (s - m n)^2 / (sum n)^2 (Cochran, Sampling Techniques, 1977, section 6) with g =
(sum n)^2 / sum n^2, the effective number of clusters (Kish, Survey Sampling, 1965; G for equal weights), and the factor is
Student's t with g - 1 degrees of freedom. A cluster is a lesson, or a face within one lesson: the seconds of one face are
nearly copies of each other, and counting them singly would make any interval tiny. A face's n is the number of its seconds.
Seconds have no weights by quality: it falls with the turn of a head, so such weights would favour faces that look to the front.
One cluster has no interval (null, NaN).
"""

import numpy as np
from scipy.special import stdtrit

MAX_FREEDOM = 30
"""Degrees of freedom up to which Student's t is computed; beyond, that of 30 is used (2.04; true: falling to 1.96)."""

T_QUANTILES = np.round(stdtrit(np.arange(1, MAX_FREEDOM + 1), 0.975), 2).tolist()
"""Student's t, 97.5 %, for 1 to MAX_FREEDOM degrees of freedom, in hundredths: SQL and NumPy use the same digits."""


def student_t(freedom: int) -> float:
    """Student's t, 97.5 %, of 1 or more degrees of freedom."""
    return T_QUANTILES[min(freedom, MAX_FREEDOM) - 1]


def mean_sql(name: str, least: str = "0") -> str:
    """SQL for the mean `name` over rows with s and n, and its `low` and `high`, cut to [least, 1]. least: SQL."""
    mean = "(sum(s) / sum(n))"
    spread = f"(sum(s * s) - 2 * {mean} * sum(s * n) + {mean} * {mean} * sum(n * n))"
    effective = "(sum(n) * sum(n) / sum(n * n))"
    error = f"sqrt(greatest(0, {spread}) * {effective} / ({effective} - 1)) / sum(n)"
    half = f"{T_QUANTILES}[greatest(1, least(floor({effective} + 1e-6) - 1, {MAX_FREEDOM}))::INTEGER] * {error}"
    return (
        f"{mean} AS {name}, CASE WHEN count(*) > 1 THEN greatest({least}, {mean} - {half}) END AS low,"
        f" CASE WHEN count(*) > 1 THEN least(1, {mean} + {half}) END AS high"
    )


def clustered_means(s: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, low and high (k,), not cut, of k measures with sums s (G, k) over clusters with weights n (G,); NaN for the
    interval of one cluster."""
    measures = s.shape[1]
    return grouped_means(s.ravel(), np.repeat(n, measures), np.tile(np.arange(measures), len(n)))


def grouped_means(s: np.ndarray, n: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, low and high (g,), not cut, of each group of clusters with sums s, weights n > 0 and group number from 0, each
    (m,); NaN for the interval of one cluster."""
    whole, squares, count = np.bincount(group, n), np.bincount(group, n**2), np.bincount(group)
    mean, effective = np.bincount(group, s) / whole, whole**2 / squares
    spread = np.bincount(group, (s - n * mean[group]) ** 2)
    student = np.array(T_QUANTILES)[np.clip((effective + 1e-6).astype(int) - 1, 1, MAX_FREEDOM) - 1]
    half = np.full_like(mean, np.nan)
    more = count > 1
    half[more] = student[more] * np.sqrt(spread[more] * effective[more] / (effective[more] - 1)) / whole[more]
    return mean, mean - half, mean + half


def mean_interval(values: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    """Mean of values (n,) in [0, 1] and the ends of its interval, cut to [0, 1]; NaN where there is none.

    clusters: int (n,). NaN values are left out.
    """
    there = ~np.isnan(values)
    if not there.any():
        return np.nan, np.nan, np.nan
    _, which = np.unique(clusters[there], return_inverse=True)
    s, n = np.bincount(which, values[there]), np.bincount(which).astype(float)
    mean, low, high = (float(end[0]) for end in clustered_means(s[:, None], n))
    return mean, float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))
