"""Marks against the other moments of their series, and how many units a finding takes."""

import numpy as np
import pytest

from cssafe.stats.evidence import units_needed
from cssafe.stats.permutation import mean_of_marks, permutation_interval, residuals


def test_the_draws_are_means_of_as_many_moments_of_the_same_series():
    random = np.random.default_rng(0)
    series = np.repeat([0, 1], 1000)
    values = random.normal(0, np.where(series == 0, 1.0, 3.0))
    values -= np.where(series == 0, values[:1000].mean(), values[1000:].mean())
    marks = np.array([3, 50, 1100])
    value, null = mean_of_marks(values, series, marks)
    assert value == pytest.approx(values[marks].mean())
    assert null.mean() == pytest.approx(0, abs=0.1) and null.std() == pytest.approx(np.sqrt(1 + 1 + 9) / 3, rel=0.08)


def test_the_interval_leaves_out_zero_where_the_value_lies_beyond_the_middle_of_the_draws():
    null = np.random.default_rng(0).normal(0, 1, 100_000)
    for value, candidates, clear in ((1.9, 1, False), (2.0, 1, True), (2.0, 5, False), (2.7, 5, True), (-2.7, 5, True)):
        low, high = permutation_interval(value, null, candidates)
        assert low < value < high and (low > 0 or high < 0) == clear


def test_residuals_are_free_of_the_series_and_of_what_is_known_before():
    random = np.random.default_rng(0)
    series, x = np.repeat([0, 1, 2], 100), random.normal(size=(300, 2))
    y = x @ [0.5, -1] + series + random.normal(0, 0.1, 300)
    rest = residuals(y, x, series)
    assert rest.std() == pytest.approx(0.1, rel=0.1)
    assert np.bincount(series, rest) == pytest.approx(0, abs=1e-9) and x.T @ rest == pytest.approx(0, abs=1e-9)
    assert residuals(np.zeros(0), np.zeros((0, 2)), np.zeros(0, int)).shape == (0,)


def test_so_many_units_find_the_difference_in_four_of_five_cases():
    n = units_needed(0.1, 0.05)
    means = np.random.default_rng(0).normal(0.05, 0.1 / np.sqrt(n), 20_000)
    assert (np.abs(means) > 1.96 * 0.1 / np.sqrt(n)).mean() == pytest.approx(0.8, abs=0.02)
    assert n < units_needed(0.1, 0.05, candidates=5)
