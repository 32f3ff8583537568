"""The 95 % interval of a mean, as SQL and of arrays.

The mean is taken over unequal clusters. With s the sum and n the number of each of G clusters, and m = sum s / sum n,
the variance of m is G / (G - 1) * sum (s - m n)^2 / (sum n)^2 (Cochran, Sampling Techniques, 1977, section 6), and the
factor is Student's t with G - 1 degrees of freedom. A cluster is a lesson, or a face within one lesson: the seconds of
one face are nearly copies of each other, and counting them singly would make any interval tiny. One cluster alone gives
none (null).
"""

import numpy as np

STUDENT = [
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13,
    2.12, 2.11, 2.10, 2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04,
]  # fmt: skip
"""Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond, the last is used (true: 2.04 falling to 1.96)."""


def estimate(name: str) -> str:
    """SQL for the mean over rows with s and n, called `name`, and its `low` and `high`, cut to [0, 1]."""
    mean = "(sum(s) / sum(n))"
    spread = f"(sum(s * s) - 2 * {mean} * sum(s * n) + {mean} * {mean} * sum(n * n))"
    error = f"sqrt(greatest(0, {spread}) * count(*) / (count(*) - 1)) / sum(n)"
    half = f"{STUDENT}[least(count(*) - 1, 30)] * {error}"
    return (
        f"{mean} AS {name}, CASE WHEN count(*) > 1 THEN greatest(0, {mean} - {half}) END AS low,"
        f" CASE WHEN count(*) > 1 THEN least(1, {mean} + {half}) END AS high"
    )


def clustered(s: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of arrays: mean, low and high (k,), not cut, of k measures with the sums s (G, k) over clusters of n (G,); NaN
    for the interval of one cluster."""
    mean = s.sum(axis=0) / n.sum()
    if len(n) < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    spread = ((s - np.outer(n, mean)) ** 2).sum(axis=0)
    half = STUDENT[min(len(n) - 1, 30) - 1] * np.sqrt(spread * len(n) / (len(n) - 1)) / n.sum()
    return mean, mean - half, mean + half
