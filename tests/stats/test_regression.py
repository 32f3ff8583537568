"""Least squares with fixed effects against plain least squares and leave-one-out loops."""

import numpy as np
import pytest

from cssafe.stats.regression import (
    center_within,
    jackknife_excess,
    jackknife_slope,
    partial_slope,
    residual_basis,
    varies_within,
)


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    cluster = random.integers(0, 12, 300)
    x = (random.random(300) < 0.3).astype(float)
    others = random.normal(size=(300, 3))
    return 0.4 * x + others @ [0.1, -0.2, 0.3] + cluster / 10 + random.normal(0, 0.1, 300), x, others, cluster


def test_the_slope_is_that_of_least_squares_with_a_constant_for_each_group(data):
    y, x, others, cluster = data
    centred = (center_within(values, cluster) for values in (y, x, others))
    slope, low, high = partial_slope(*centred, cluster, 12, 0.1)
    full = np.linalg.lstsq(np.column_stack([x, others, np.eye(12)[cluster]]), y)[0]
    assert slope == pytest.approx(full[0]) and low < 0.4 < high


def test_a_cause_that_the_others_explain_has_no_slope(data):
    y, x, _others, cluster = data
    copy = x[:, None] + 0.01 * np.random.default_rng(1).normal(size=(300, 1))
    assert np.isnan(partial_slope(y, x, copy, cluster, 12, 0.1)).all()


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
        beta = np.linalg.lstsq(others[kept & ~treated], y[kept & ~treated])[0]
        rest = y - others @ beta
        return np.mean([rest[treated & (cluster == one)].mean() for one in np.unique(cluster[kept & treated])])

    each, mean, low, high = jackknife_excess(y, others, cluster, ~treated, treated, 0.05)
    left_out = np.array([mean_excess(cluster != one) for one in range(12)])
    assert mean == pytest.approx(mean_excess(np.full(300, True))) == pytest.approx(each.mean())
    error = np.sqrt(11 / 12 * ((left_out - mean) ** 2).sum())
    assert high - low == pytest.approx(2 * 2.2009851600829 * error)  # Student's t of 11 degrees of freedom


def test_the_residual_basis_is_orthonormal_and_free_of_the_fixed_effects():
    fixed, weights = np.eye(3)[np.arange(10) % 3], np.linspace(0.5, 2, 10)
    basis = residual_basis(fixed, 3, weights)
    assert basis.shape == (7, 10) and basis @ basis.T == pytest.approx(np.eye(7), abs=1e-12)
    assert basis @ (np.sqrt(weights)[:, None] * fixed) == pytest.approx(np.zeros((7, 3)), abs=1e-12)


def test_the_jackknife_of_a_slope_is_that_of_fits_without_each_cluster():
    """Clusters reach over groups, as a week's lessons over the weekdays."""
    random = np.random.default_rng(7)
    group, cluster = random.integers(0, 4, 60), random.integers(0, 9, 60)
    x, y = random.normal(size=(60, 2)), random.normal(size=60)

    def fit(rows: np.ndarray) -> np.ndarray:
        dummies = (group[:, None] == np.arange(4)).astype(float)
        return np.linalg.lstsq(np.column_stack([x, dummies])[rows], y[rows], rcond=None)[0][:2]

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
