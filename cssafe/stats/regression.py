"""Least squares: fixed effects of groups, intervals from the spread between clusters. Arrays only.

References: Frisch & Waugh 1933 (partialling out); Liang & Zeger 1986 and Cameron & Miller, Journal of Human Resources 50(2),
2015 (cluster-robust variance); MacKinnon, Nielsen & Webb, Journal of Econometrics 232, 2023 (jackknife over clusters, CR3).
"""

import numpy as np
from scipy.special import stdtrit

from cssafe.stats.intervals import student_t

MIN_UNEXPLAINED = 1e-3
"""Least share of a variable's variance that the others leave, for a slope: rounding errors are far below it (assumption)."""


def center_within(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Values (n,) or (n, k) less the mean of their group. group: int (n,) from 0."""
    if values.ndim == 2:
        return np.column_stack([center_within(column, group) for column in values.T]) if values.size else values
    return values - (np.bincount(group, values) / np.bincount(group))[group]


def varies_within(x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Rows whose group has more than one value of x: bool (n,). group: any labels (n,)."""
    if not len(x):
        return np.zeros(0, bool)
    group = np.unique(group, return_inverse=True)[1]
    lowest, highest = np.full(group.max() + 1, np.inf), np.full(group.max() + 1, -np.inf)
    np.minimum.at(lowest, group, x.astype(float))
    np.maximum.at(highest, group, x.astype(float))
    return (lowest < highest)[group]


def solve_normal_equations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least-squares coefficients (k,) of y (n,) on x (n, k), the shortest where x is of less than full rank. The normal
    equations stay small for years of minutes."""
    return np.linalg.lstsq(x.T @ x, x.T @ y, rcond=1e-9)[0]


def partial_slope(
    y: np.ndarray, x: np.ndarray, others: np.ndarray, cluster: np.ndarray, clusters: int, min_unexplained: float
) -> tuple[float, float, float]:
    """Slope of y (n,) on x (n,) with `others` (n, k) held, and its cluster-robust 95 % interval; NaN where `others` leave less
    than `min_unexplained` of the variance of x.

    cluster: int (n,) from 0. clusters: number of those in which x varies, which are the degrees of freedom.
    """
    rest_x = x - others @ solve_normal_equations(others, x)
    square = float(rest_x @ rest_x)
    if square < min_unexplained * float(x @ x):
        return np.nan, np.nan, np.nan
    slope = float(rest_x @ y) / square
    residual = y - others @ solve_normal_equations(others, y) - slope * rest_x
    spread = float((np.bincount(cluster, rest_x * residual) ** 2).sum()) * clusters / (clusters - 1)
    half = student_t(clusters - 1) * np.sqrt(spread) / square
    return slope, slope - half, slope + half


def jackknife_slope(
    y: np.ndarray, x: np.ndarray, group: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, float, int]:
    """Slopes of y (n,) on x (n, k) with a constant for each group, the standard error of the first slope by the jackknife over
    clusters, and the number of clusters.

    group, cluster: int (n,) from 0. The error is NaN where the first column of x is explained by the others, also with any one
    cluster left out.
    """
    both = np.column_stack([x, y])
    clusters, groups = int(cluster.max()) + 1, int(group.max()) + 1
    pair, pair_of = np.unique(cluster * groups + group, return_inverse=True)
    of_cluster, of_group = np.divmod(pair, groups)
    whole = _moments(both, group, groups)
    around = [part[of_group] for part in whole]
    rest = [part - own for part, own in zip(around, _moments(both, pair_of, len(pair)), strict=True)]
    lost = _centered_products(*around) - _centered_products(*rest)
    complete = _centered_products(*whole).sum(axis=0)
    without = np.repeat(complete[None], clusters, 0)
    np.subtract.at(without, of_cluster, lost)
    slopes = _solve_products(complete[None])[0]
    each = _solve_products(without)[:, 0]
    error = np.sqrt((1 - 1 / clusters) * ((each - slopes[0]) ** 2).sum())
    return slopes, float(error), clusters


def _moments(values: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number (g,), sums (g, k) and sums of products (g, k, k) of the rows (n, k) of each group."""
    total, products = np.zeros((groups, values.shape[1])), np.zeros((groups, values.shape[1], values.shape[1]))
    np.add.at(total, group, values)
    np.add.at(products, group, values[:, :, None] * values[:, None])
    return np.bincount(group, minlength=groups).astype(float), total, products


def _centered_products(number: np.ndarray, total: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Products (g, k, k) of deviations from the means of each group, from its moments; 0 for an empty one."""
    return products - total[:, :, None] * total[:, None] / np.maximum(number, 1)[:, None, None]


def _solve_products(products: np.ndarray) -> np.ndarray:
    """Slopes (g, k) of the last of k + 1 variables on the others, from their products (g, k + 1, k + 1); NaN for the first
    where the others explain it."""
    x, xy = products[:, :-1, :-1], products[:, :-1, -1:]
    slopes = (np.linalg.pinv(x, rcond=1e-9, hermitian=True) @ xy)[..., 0]
    own, others = x[:, 0, :1, None], x[:, 0, 1:, None]
    inner = np.linalg.pinv(x[:, 1:, 1:], rcond=1e-9, hermitian=True)
    left = (own - others.transpose(0, 2, 1) @ inner @ others)[:, 0, 0]
    slopes[left < MIN_UNEXPLAINED * np.maximum(x[:, 0, 0], 1e-12), 0] = np.nan
    return slopes


def jackknife_excess(
    y: np.ndarray, x: np.ndarray, cluster: np.ndarray, reference: np.ndarray, treated: np.ndarray, alpha: float
) -> tuple[np.ndarray, float, float, float]:
    """Excess of y (n,) over its fit on x (n, k) by the reference rows, as the mean over the treated rows of each cluster.

    cluster: int (n,) from 0. reference, treated: bool (n,). alpha: share of intervals that may miss the truth. Returns the
    excess of each cluster with treated rows, their mean, and its interval by the jackknife over clusters.
    """
    size = cluster.max() + 1

    def sums(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        total = np.zeros((size, *values.shape[1:]))
        np.add.at(total, cluster[rows], values[rows])
        return total

    def fitted(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (np.linalg.pinv(left, hermitian=True) @ right[..., None])[..., 0]

    squares, products = sums(reference, x[:, :, None] * x[:, None]), sums(reference, x * y[:, None])
    count = sums(treated, np.ones(len(y)))
    there, each = count > 0, np.maximum(count, 1)
    mean_y, mean_x = sums(treated, y) / each, sums(treated, x) / each[:, None]  # 0 without treated rows
    excess = mean_y - mean_x @ fitted(squares.sum(axis=0), products.sum(axis=0))
    mean = float(excess[there].mean())
    without = fitted(squares.sum(axis=0) - squares, products.sum(axis=0) - products)  # (clusters, k): each left out
    means = (mean_y.sum() - mean_y - ((mean_x.sum(axis=0) - mean_x) * without).sum(axis=1)) / (there.sum() - there)
    error = np.sqrt((1 - 1 / size) * ((means - mean) ** 2).sum())
    half = stdtrit(there.sum() - 1, 1 - alpha / 2) * float(error)
    return excess[there], mean, mean - half, mean + half


def residual_basis(x: np.ndarray, rank: int, weights: np.ndarray) -> np.ndarray:
    """Orthonormal basis (n - rank, n) of what weighted fixed effects cannot explain. x: (n, k) of that rank. weights: (n,)."""
    return np.linalg.svd(np.sqrt(weights)[:, None] * x)[0][:, rank:].T
