"""Least squares with fixed effects against statsmodels and leave-one-out loops."""

import numpy as np
import pytest
import statsmodels.api as sm
from threadpoolctl import threadpool_limits

from cssafe.stats.regression import (
    center_within,
    horseshoe_draws,
    jackknife_excess,
    jackknife_slope,
    mixed_model,
    null_p_value,
    ridge_posterior,
    varies_within,
    within_groups,
)


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    cluster = random.integers(0, 12, 300)
    x = (random.random(300) < 0.3).astype(float)
    others = random.normal(size=(300, 3))
    return 0.4 * x + others @ [0.1, -0.2, 0.3] + cluster / 10 + random.normal(0, 0.1, 300), x, others, cluster


def test_the_slopes_are_those_of_least_squares_with_a_constant_for_each_group_with_the_error_of_leaving_out_clusters(
    data,
):
    y, x, others, cluster = data

    def fitted(kept):
        columns = np.column_stack([x, others, np.eye(12)[cluster]])
        return np.linalg.lstsq(columns[kept], y[kept])[0]

    slopes, error, clusters = jackknife_slope(y, np.column_stack([x, others]), cluster, cluster)
    assert slopes == pytest.approx(fitted(x == x)[:4]) and clusters == 12
    left_out = np.array([fitted(cluster != one)[0] for one in range(12)])
    assert error == pytest.approx(np.sqrt(11 / 12 * ((left_out - slopes[0]) ** 2).sum()))


def test_a_cause_that_the_others_explain_has_no_slope(data):
    y, x, others, cluster = data
    slopes, error, _clusters = jackknife_slope(y, np.column_stack([x, others, 2 * x]), cluster, cluster)
    assert np.isnan([slopes[0], error]).all()


def test_columns_are_centred_as_one_by_one_and_no_columns_stay_none(data):
    _y, _x, others, cluster = data
    assert (center_within(others, cluster)[:, 1] == center_within(others[:, 1], cluster)).all()
    assert center_within(others[:, :0], cluster).shape == (300, 0)


def test_only_groups_with_both_values_vary():
    assert varies_within(np.array([0, 1, 1, 1, 0]), np.array([7, 7, 3, 3, 9])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert varies_within(np.zeros(0), np.zeros(0, int)).tolist() == []


def test_the_jackknife_leaves_out_one_cluster_after_the_other(data):
    y, x, others, cluster = data
    treated = x == 1

    def mean_excess(kept):
        rest = y - others @ sm.OLS(y[kept & ~treated], others[kept & ~treated]).fit().params
        return np.mean([rest[treated & (cluster == one)].mean() for one in np.unique(cluster[kept & treated])])

    each, mean, low, high = jackknife_excess(y, others, cluster, ~treated, treated, 0.05)
    left_out = np.array([mean_excess(cluster != one) for one in range(12)])
    assert mean == pytest.approx(mean_excess(np.full(300, True))) == pytest.approx(each.mean())
    error = np.sqrt(11 / 12 * ((left_out - mean) ** 2).sum())
    assert high - low == pytest.approx(2 * 2.2009851600829 * error)  # Student's t of 11 degrees of freedom


def test_the_jackknife_of_a_slope_is_that_of_fits_without_each_cluster():
    """Clusters reach over groups, as a week's lessons over the weekdays."""
    random = np.random.default_rng(7)
    group, cluster = random.integers(0, 4, 60), random.integers(0, 9, 60)
    x, y = random.normal(size=(60, 2)), random.normal(size=60)

    def fit(rows: np.ndarray) -> np.ndarray:
        dummies = (group[:, None] == np.arange(4)).astype(float)
        return sm.OLS(y[rows], np.column_stack([x, dummies])[rows]).fit().params[:2]

    slopes, error, clusters = jackknife_slope(y, x, group, cluster)
    without = np.array([fit(cluster != number)[0] for number in range(9)])
    assert slopes == pytest.approx(fit(np.ones(60, bool))) and clusters == 9
    assert error == pytest.approx(np.sqrt(8 / 9 * ((without - slopes[0]) ** 2).sum()))


def test_a_slope_that_others_explain_without_one_cluster_has_no_error():
    """Only the last cluster tells x from the other variable."""
    group, cluster = np.zeros(12, int), np.arange(12) // 3
    other = np.tile([0.0, 1.0, 2.0], 4)
    x = other + np.where(cluster == 3, [0, 3, -2] * 4, 0)
    y = np.random.default_rng(8).normal(size=12)
    slopes, error, _clusters = jackknife_slope(y, np.column_stack([x, other]), group, cluster)
    assert np.isfinite(slopes).all() and np.isnan(error)
    assert np.isnan(jackknife_slope(y, np.column_stack([other, other]), group, cluster)[1])


@pytest.fixture
def shocked():
    """200 units of four groups of fixed effects, each with members on about 8 of 20 dates: y, group and date of the
    members, and the fixed effects and terms (5 with deviation .05) of the units."""
    random = np.random.default_rng(0)
    unit, date = np.nonzero(random.random((200, 20)) < 0.4)
    fixed, terms = np.eye(4)[np.arange(200) % 4], np.eye(5)[random.integers(0, 5, 200)]
    mean = fixed @ random.normal(0, 0.1, 4) + terms @ random.normal(0, 0.05, 5) + random.normal(0, 0.03, 200)
    y = mean[unit] + random.normal(0, 0.04, 20)[date] + random.normal(0, 0.05, len(unit))
    return y, unit, date, fixed, terms


def model_of(y, unit, date, fixed, terms):
    within, count = within_groups(y, unit, date), np.bincount(unit)
    shares = np.zeros((len(count), date.max() + 1))
    np.add.at(shares, (unit, date), 1 / count[unit])
    means = np.bincount(unit, y) / count
    return mixed_model(means, fixed, terms, shares, within.noise / count, within), within


def test_noise_and_shocks_are_told_from_the_members_of_the_units(shocked):
    _model, within = model_of(*shocked)
    shock = (within.squares - within.freedom * within.noise) / within.trace
    assert within.freedom == 19 and within.noise == pytest.approx(0.05**2, rel=0.1)
    assert shock == pytest.approx(0.04**2, rel=0.7)
    likelihood = within.log_likelihood(np.array([0.0, 0.04, 0.4]))
    assert likelihood[1] > likelihood[0] + 10 and likelihood[1] > likelihood[2]


def test_members_without_a_second_one_tell_nothing_about_dates():
    within = within_groups(np.arange(4.0), np.arange(4), np.array([0, 0, 1, 1]))
    assert (within.noise, within.freedom) == (0.0, 0) and within.log_likelihood(np.array([0.0, 1.0])).tolist() == [0, 0]


def test_the_mixed_model_is_that_of_the_dense_covariance(shocked):
    model, _within = model_of(*shocked)
    for k in (0, 13, 57, 99):
        covariance = np.diag(np.maximum(model.own[k] ** 2 + model.noise, 1e-10))
        covariance += model.shock[k] ** 2 * model.shares @ model.shares.T
        inverse = np.linalg.inv(covariance)
        fixed = inverse @ model.x
        projected = inverse - fixed @ np.linalg.inv(model.x.T @ fixed) @ fixed.T
        assert model.squares[k] == pytest.approx(model.z.T @ projected @ model.z, rel=1e-6)
        assert model.products[k] == pytest.approx(model.z.T @ projected @ model.y, rel=1e-6, abs=1e-6)
        assert model.total[k] == pytest.approx(model.y @ projected @ model.y, rel=1e-6)


def test_without_a_prior_the_mixed_models_terms_are_those_of_generalized_least_squares(shocked):
    model, _within = model_of(*shocked)
    terms = slice(0, 4)  # with the fifth they would add up to the fixed effects
    for k in (0, 57, 99):
        covariance = np.diag(np.maximum(model.own[k] ** 2 + model.noise, 1e-10))
        covariance += model.shock[k] ** 2 * model.shares @ model.shares.T
        oracle = sm.GLS(model.y, np.column_stack([model.z[:, terms], model.x]), sigma=covariance).fit()
        assert np.linalg.solve(model.squares[k][terms, terms], model.products[k][terms]) == pytest.approx(
            oracle.params[terms], rel=1e-6
        )


def test_both_priors_find_the_terms_and_only_the_sparse_one_drops_what_may_be_chance(shocked):
    _y, unit, date, fixed, terms = shocked
    truth = np.array([0.1, 0, 0, 0, 0])
    alone = np.random.default_rng(1).normal(0, 0.05, len(unit)) + (terms @ truth)[unit]
    model, _within = model_of(alone, unit, date, fixed, terms)
    mean, spread, used, weight = ridge_posterior(model, np.full(5, 0.05))
    assert mean - mean[1:].mean() == pytest.approx(truth, abs=0.02) and 3 < used < 5
    assert weight.sum() == pytest.approx(1) and (np.diag(spread) > 0).all()
    draws = horseshoe_draws(model, weight, np.zeros(5, int), 0.001, 1000)
    median = np.median(draws, axis=0)
    assert median[0] > 0.08 and np.abs(median[1:]).max() < np.abs(mean[1:]).max()


def test_p_values_of_no_effect_are_spread_evenly_also_under_shocks_of_dates():
    """Each unit has one weekday of four dates, so that shocks look like weekdays."""
    unit, week = np.divmod(np.arange(400), 4)
    fixed, weekday = np.eye(4)[np.arange(100) % 4], np.eye(5)[np.arange(100) % 5]
    date, p_values = 4 * (unit % 5) + week, []
    with threadpool_limits(1):
        for seed in range(30):
            random = np.random.default_rng(seed)
            y = random.normal(0, 0.06, 20)[date] + random.normal(0, 0.05, 400)
            p_values.append(null_p_value(model_of(y, unit, date, fixed, weekday)[0], 500))
    assert np.mean(np.array(p_values) < 0.05) < 0.15 and 0.35 < np.mean(p_values) < 0.65
