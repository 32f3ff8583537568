"""95 % interval of a mean over clusters, in SQL and in NumPy.

The mean is taken over unequal clusters. With s the weighted sum and n the weight of each of G clusters, and m = sum s / sum
n, the variance of m is g / (g - 1) * sum (s - m n)^2 / (sum n)^2 (Cochran, Sampling Techniques, 1977, section 6) with g =
(sum n)^2 / sum n^2, the effective number of clusters (Kish, Survey Sampling, 1965; G for equal weights), and the factor is
Student's t with g - 1 degrees of freedom, a fraction as it is: three clusters of nearly equal weight have 1.98 degrees of
freedom, and rounding down to 1 would make their interval 2.9 times too wide. A cluster is a lesson, a placement in the week,
or a face within one lesson: the seconds of one face are nearly copies of each other, and counting them singly would make any
interval tiny. A face's n is the number of its seconds. Seconds have no weights by quality: it falls with the turn of a head,
so such weights would favour faces that look to the front. One cluster has no interval (null, NaN).
"""

import numpy as np
from scipy.special import stdtrit

_INVERSE_FREEDOM = np.linspace(1 / 400, 1, 400)

T_POLYNOMIAL = np.polyfit(_INVERSE_FREEDOM, np.log(stdtrit(1 / _INVERSE_FREEDOM, 0.975)), 9).tolist()
"""Logarithm of Student's t, 97.5 %, as a polynomial of 1 / degrees of freedom, highest power first: within 2e-7 from 1 degree
of freedom on, also between whole numbers, and the same in SQL and NumPy."""


def student_t(freedom: float | np.ndarray) -> np.ndarray:
    """Student's t, 97.5 %, of 1 or more degrees of freedom; fewer count as 1."""
    return np.exp(np.polyval(T_POLYNOMIAL, 1 / np.maximum(freedom, 1)))


def mean_sql(name: str, least: str = "0") -> str:
    """SQL for the mean `name` over rows with s and n, and its `low` and `high`, cut to [least, 1]. least: SQL."""
    mean = "(sum(s) / sum(n))"
    spread = f"(sum(s * s) - 2 * {mean} * sum(s * n) + {mean} * {mean} * sum(n * n))"
    effective = "(sum(n) * sum(n) / sum(n * n))"
    error = f"sqrt(greatest(0, {spread}) * {effective} / ({effective} - 1)) / sum(n)"
    half = f"({_student_sql(f'greatest(1, {effective} - 1)')} * {error})"
    return (
        f"{mean} AS {name}, CASE WHEN count(*) > 1 THEN greatest({least}, {mean} - {half}) END AS low,"
        f" CASE WHEN count(*) > 1 THEN least(1, {mean} + {half}) END AS high"
    )


def _student_sql(freedom: str) -> str:
    """SQL for `student_t` (Horner's scheme). freedom: SQL, 1 or more."""
    highest, *others = T_POLYNOMIAL
    polynomial = repr(highest)
    for coefficient in others:
        polynomial = f"({polynomial} / {freedom} + {coefficient!r})"
    return f"exp({polynomial})"


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
    half = np.full_like(mean, np.nan)
    more = count > 1
    student = student_t(effective[more] - 1)
    half[more] = student * np.sqrt(spread[more] * effective[more] / (effective[more] - 1)) / whole[more]
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
