"""The 95 % interval of a mean: as SQL for what is stored, of arrays for what is live.

The mean is taken over unequal clusters. With s the weighted sum and n the weight of each of G clusters, and m = sum s / sum n,
the variance of m is g / (g - 1) * sum (s - m n)^2 / (sum n)^2 (Cochran, Sampling Techniques, 1977, section 6) with
g = (sum n)^2 / sum n^2, the number of equal clusters that would tell as much (Kish, Survey Sampling, 1965; it is G where
all weigh alike), and the factor is Student's t with g - 1 degrees of freedom. A cluster is a lesson, or a face within one
lesson: the seconds of one face are nearly copies of each other, and counting them singly would make any interval tiny. A
face's n is the number of its seconds, each weighted by how well the face could be read. So an interval widens with fewer
faces, with faces that were seen for few seconds, and with seconds that scatter. One cluster alone gives none (null, NaN).
"""

import numpy as np

WEIGHT_SQL = "(1 + coalesce(quality, 1)) / 2"
"""SQL for what an observation weighs: by its quality, from a half to one. With less than half, the mean of five could be read
as that of the one who is seen best; so she makes a third of it at most. Quality unknown weighs one."""

STUDENT = [
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13,
    2.12, 2.11, 2.10, 2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04,
]  # fmt: skip
"""Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond, the last is used (true: 2.04 falling to 1.96)."""


def quality_weights(quality: np.ndarray) -> np.ndarray:
    """WEIGHT in NumPy; quality NaN is unknown."""
    return (1 + np.nan_to_num(quality, nan=1.0)) / 2


def mean_sql(name: str) -> str:
    """SQL for the mean over rows with s and n, called `name`, and its `low` and `high`, cut to [0, 1]."""
    mean = "(sum(s) / sum(n))"
    spread = f"(sum(s * s) - 2 * {mean} * sum(s * n) + {mean} * {mean} * sum(n * n))"
    like = "(sum(n) * sum(n) / sum(n * n))"
    error = f"sqrt(greatest(0, {spread}) * {like} / ({like} - 1)) / sum(n)"
    half = f"{STUDENT}[greatest(1, least(floor({like} + 1e-6) - 1, 30))::INTEGER] * {error}"
    return (
        f"{mean} AS {name}, CASE WHEN count(*) > 1 THEN greatest(0, {mean} - {half}) END AS low,"
        f" CASE WHEN count(*) > 1 THEN least(1, {mean} + {half}) END AS high"
    )


def clustered_means(s: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of arrays: mean, low and high (k,), not cut, of k measures with the sums s (G, k) over clusters of n (G,); NaN
    for the interval of one cluster."""
    measures = s.shape[1]
    return grouped_means(s.ravel(), np.repeat(n, measures), np.tile(np.arange(measures), len(n)))


def grouped_means(s: np.ndarray, n: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of one measure in many groups: mean, low and high (g,), not cut, of clusters with s, n > 0 and the number of
    their group from 0, each (m,); NaN for the interval of one cluster."""
    whole, squares, count = np.bincount(group, n), np.bincount(group, n**2), np.bincount(group)
    mean, like = np.bincount(group, s) / whole, whole**2 / squares
    spread = np.bincount(group, (s - n * mean[group]) ** 2)
    student = np.array(STUDENT)[np.clip((like + 1e-6).astype(int) - 1, 1, 30) - 1]
    half = np.full_like(mean, np.nan)
    more = count > 1
    half[more] = student[more] * np.sqrt(spread[more] * like[more] / (like[more] - 1)) / whole[more]
    return mean, mean - half, mean + half


def mean_interval(values: np.ndarray, weights: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    """Weighted mean of values (n,) in [0, 1] and the ends of its interval, cut to [0, 1]; NaN where there is none.

    clusters: int (n,), whose each value is. Values that are NaN do not count.
    """
    there = ~np.isnan(values)
    if not there.any():
        return np.nan, np.nan, np.nan
    _, which = np.unique(clusters[there], return_inverse=True)
    s, n = np.bincount(which, values[there] * weights[there]), np.bincount(which, weights[there])
    mean, low, high = (float(end[0]) for end in clustered_means(s[:, None], n))
    return mean, float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))
