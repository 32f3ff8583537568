"""Least squares: fixed effects of groups, intervals from the spread between clusters, and random effects. Arrays only.

Reference: MacKinnon, Nielsen & Webb, Journal of Econometrics 232, 2023 (jackknife over clusters, CR3).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import stdtrit

MIN_UNEXPLAINED = 1e-3
"""Least share of a variable's variance that the others leave, for a slope: rounding errors are far below it (assumption)."""

GRID, MAX_DEVIATION = 10, 1.2
"""Candidate standard deviations of each of the two variances of a mixed model, and the largest one, in standard
deviations of what the fixed effects leave."""

MIN_VARIANCE = 1e-10
"""Variance of a unit's mean, at least: without own deviations and noise the weights would be infinite."""

BURN_IN = 200
"""Draws of a sampler that are discarded because they depend on its start."""


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


@dataclass(frozen=True)
class WithinGroups:
    """What repeated members of groups tell about noise and about shocks of single dates (Henderson's method 3, 1953).

    noise: variance of a member. squares: sum of squares of the dates, adjusted for the groups. freedom, trace:
    without shocks its expectation is freedom * noise; a shock variance v adds v * trace.
    """

    noise: float
    squares: float
    freedom: int
    trace: float

    def log_likelihood(self, shock: np.ndarray) -> np.ndarray:
        """Of shock standard deviations (k,), up to a constant; 0 where no date can be told from the groups."""
        if not self.freedom:
            return np.zeros(len(shock))
        mean = np.maximum(self.noise + shock**2 * self.trace / self.freedom, np.finfo(float).tiny)
        return -0.5 * (self.freedom * np.log(mean) + self.squares / mean)


def within_groups(y: np.ndarray, group: np.ndarray, date: np.ndarray) -> WithinGroups:
    """y (n,) of members of groups on dates. group, date: int (n,) from 0."""
    count = np.zeros((group.max() + 1, date.max() + 1))
    np.add.at(count, (group, date), 1.0)
    rest = center_within(y, group)
    normal = np.diag(count.sum(axis=0)) - count.T @ (count / count.sum(axis=1)[:, None])
    values, vectors = np.linalg.eigh(normal)
    seen = values > 1e-8 * len(y)
    squares = float((np.square(vectors[:, seen].T @ np.bincount(date, rest)) / values[seen]).sum())
    freedom = len(y) - len(count) - int(seen.sum())
    noise = max(0.0, float(rest @ rest) - squares) / freedom if freedom > 0 else 0.0
    return WithinGroups(noise, squares, int(seen.sum()), float(values[seen].sum()))


@dataclass(frozen=True)
class MixedModel:
    """y = fixed x + random z + shocks of dates + own deviations + noise, for each of k pairs of standard deviations.

    own, shock (k,): the pairs. squares (k, t, t), products (k, t), total (k,): z'Mz, z'My and y'My with M the inverse
    covariance without z, the fixed effects projected out (restricted maximum likelihood: Patterson & Thompson 1971).
    prior (k,): log of the rest of the likelihood. y (n,), x (n, r) of full rank, z (n, t), shares (n, d) of each
    unit's members on each date, noise (n,) of the units' means.
    """

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    shares: np.ndarray
    noise: np.ndarray
    own: np.ndarray
    shock: np.ndarray
    squares: np.ndarray
    products: np.ndarray
    total: np.ndarray
    prior: np.ndarray


def mixed_model(
    y: np.ndarray, x: np.ndarray, z: np.ndarray, shares: np.ndarray, noise: np.ndarray, within: WithinGroups
) -> MixedModel:
    """Model of units with means y (n,). x: of any rank, as MixedModel has it otherwise. within: of their members."""
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    x = u[:, s > 1e-9 * s[0]]
    spread = MAX_DEVIATION * np.std(y - x @ (x.T @ y))
    most = max(spread, 2 * np.sqrt(within.squares / within.trace) if within.trace else 0.0)
    owns, shocks = np.linspace(0, spread, GRID), np.linspace(0, most, GRID)
    rows, rank = np.column_stack([x, z, y]), x.shape[1]
    forms, prior = [], []
    for own in owns:
        weight = 1 / np.maximum(own**2 + noise, MIN_VARIANCE)
        inner, cross, dates = (a.T @ (weight[:, None] * b) for a, b in ((rows, rows), (rows, shares), (shares, shares)))
        for shock, log_likelihood in zip(shocks, within.log_likelihood(shocks), strict=True):
            whole = np.eye(len(dates)) + shock**2 * dates
            form = inner - cross @ np.linalg.solve(whole, shock**2 * cross.T)
            root = np.linalg.cholesky(form[:rank, :rank])
            rest = solve_triangular(root, form[:rank, rank:], lower=True)
            forms.append(form[rank:, rank:] - rest.T @ rest)
            spread_log = np.linalg.slogdet(whole)[1] + 2 * np.log(np.diag(root)).sum() - np.log(weight).sum()
            prior.append(log_likelihood - 0.5 * spread_log)
    form = np.array(forms)
    pairs = np.repeat(owns, GRID), np.tile(shocks, GRID)
    parts = form[:, :-1, :-1], form[:, :-1, -1], form[:, -1, -1], np.array(prior)
    return MixedModel(y, x, z, shares, noise, *pairs, *parts)


def ridge_posterior(model: MixedModel, deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Mean (t,) and covariance (t, t) of the random coefficients under normal priors with these standard deviations (t,), the
    coefficients used up, and the probabilities of the pairs (k,), over which all are averaged."""
    covariance = np.linalg.inv(model.squares + np.diag(deviation**-2.0))
    means = (covariance @ model.products[..., None])[..., 0]
    explained = (model.products * means).sum(axis=1) + np.linalg.slogdet(covariance)[1]
    weight = _normalized(model.prior - 0.5 * (model.total - explained))
    mean = weight @ means
    off = means - mean
    spread = np.einsum("k,kij->ij", weight, covariance + off[:, :, None] * off[:, None])
    used = len(mean) - float(weight @ (np.diagonal(covariance, axis1=1, axis2=2) @ deviation**-2.0))
    return mean, spread, used, weight


def horseshoe_draws(model: MixedModel, weight: np.ndarray, group: np.ndarray, scale: float, draws: int) -> np.ndarray:
    """Posterior draws (draws, t) of the random coefficients under a horseshoe prior with a scale for each group.

    Most coefficients are near zero, a few are not (Carvalho, Polson & Scott 2010; Gibbs sampler of Makalic & Schmidt 2016).
    weight: probabilities of the pairs (k,). group: int (t,) from 0. scale: median of each group's half-Cauchy prior.
    Deterministic.
    """
    random = np.random.default_rng(0)
    size, pairs = np.bincount(group), random.choice(len(weight), BURN_IN + draws, p=weight)
    local, wide = np.ones((2, len(group)))
    common, outer = np.full((2, len(size)), scale**2)
    found = np.empty((len(pairs), len(group)))
    for i, pair in enumerate(pairs):
        root = np.linalg.cholesky(model.squares[pair] + np.diag(1 / (local * common[group])))
        half = solve_triangular(root, model.products[pair], lower=True) + random.standard_normal(len(group))
        found[i] = solve_triangular(root, half, lower=True, trans="T")
        square = found[i] ** 2 / 2
        local = (1 / wide + square / common[group]) / random.standard_exponential(len(group))
        wide = (1 + 1 / local) / random.standard_exponential(len(group))
        common = (1 / outer + np.bincount(group, square / local)) / random.standard_gamma((size + 1) / 2)
        outer = (1 / scale**2 + 1 / common) / random.standard_exponential(len(size))
    return found[BURN_IN:]


def null_p_value(model: MixedModel, draws: int) -> float:
    """P value of no random effect by the locally best invariant test (King & Hillier 1985).

    Its null distribution is simulated with own deviations, shocks and noise; their variances are drawn from their
    distribution without random effects, so that few dates make the test careful. Deterministic.
    """
    random = np.random.default_rng(0)
    weight = _normalized(model.prior - 0.5 * model.total)
    own, shock = np.sqrt([weight @ model.own**2, weight @ model.shock**2])
    variance = np.diag(np.maximum(own**2 + model.noise, MIN_VARIANCE)) + shock**2 * model.shares @ model.shares.T
    inverse = np.linalg.inv(variance)
    fixed = inverse @ model.x
    projected = inverse - fixed @ np.linalg.solve(model.x.T @ fixed, fixed.T)

    def statistic(values: np.ndarray) -> np.ndarray:
        rest = projected @ values
        return ((model.z.T @ rest) ** 2).sum(axis=0) / (values * rest).sum(axis=0)

    pair = random.choice(len(weight), draws, p=weight)
    noise = np.sqrt(model.own[pair] ** 2 + model.noise[:, None]) * random.standard_normal((len(model.y), draws))
    shocks = model.shock[pair] * random.standard_normal((model.shares.shape[1], draws))
    null = statistic(noise + model.shares @ shocks)
    return float((1 + np.sum(null >= statistic(model.y[:, None]))) / (1 + draws))


def _normalized(log_weight: np.ndarray) -> np.ndarray:
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()
