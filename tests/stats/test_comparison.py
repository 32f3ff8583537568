"""Lessons with and without something, on made-up means, nothing at all first."""

import numpy as np
import pytest

from cssafe.stats.comparison import MIN_LESSONS, compare_groups, estimate_effect, prediction_interval

NOTHING = np.zeros(0)


def test_without_lessons_nothing_is_said():
    assert np.isnan(estimate_effect(NOTHING, NOTHING, NOTHING).slope)
    found, having, others = compare_groups(NOTHING, NOTHING.astype(bool), NOTHING.astype(int))
    assert np.isnan(found.slope) and (having, others) == (0, 0) and not found.clear
    assert np.isnan(prediction_interval(NOTHING)).all()


@pytest.mark.parametrize(("having", "answers"), [(MIN_LESSONS - 1, False), (MIN_LESSONS, True)])
def test_it_answers_from_the_least_number_of_lessons_on(having, answers):
    values = np.linspace(0.4, 0.6, having + 10)
    found, count, others = compare_groups(values, np.arange(len(values)) < having, np.zeros(len(values), int))
    assert (count, others) == (having, 10) and np.isfinite(found.slope) == answers == np.isfinite(found.low)


def test_the_figures_are_those_of_two_groups_of_one_stratum():
    values, having = np.array([1.0, 2, 3, 4, 5, 2, 3, 4, 5, 6]) / 10, np.arange(10) >= 5
    found, _, _ = compare_groups(values, having, np.zeros(10, int))
    # pooled deviation .15811, t(8) = 2.31, standard error .15811 * sqrt(2 / 5) = .1
    assert (found.slope, found.low, found.high) == pytest.approx((0.1, 0.1 - 0.231, 0.1 + 0.231), abs=1e-6)
    assert found.size == pytest.approx((1 - 3 / 31) * 0.1 / 0.158114, abs=1e-4) and not found.clear


def test_lessons_are_compared_within_their_own_stratum_only():
    """A tag used mostly in a class that does better anyway has no effect of its own."""
    strata = np.repeat([0, 1, 2], 20)
    having = np.concatenate([np.arange(20) < 15, np.arange(20) < 5, np.zeros(20)]).astype(bool)
    wobble = np.tile([0.01, -0.01], 30)
    found, count, others = compare_groups(np.array([0.8, 0.4, 0.1])[strata] + wobble, having, strata)
    assert (count, others) == (20, 20) and found.low < 0 < found.high and abs(found.slope) < 0.01
    found, _, _ = compare_groups(np.array([0.8, 0.4, 0.1])[strata] + wobble + 0.1 * having, having, strata)
    assert found.slope == pytest.approx(0.1, abs=0.01) and found.clear and found.size_low > 0


def test_intervals_hold_the_truth_in_19_of_20_cases():
    random = np.random.default_rng(3)
    strata, held, sizes = np.repeat(np.arange(4), 6), 0, 0
    for _ in range(1000):
        having = random.permutation(24) < 12
        values = random.normal(0, 0.1, 4)[strata] + 0.05 * having + random.normal(0, 0.05, 24)
        found, _, _ = compare_groups(values, having, strata)
        held += found.low <= 0.05 <= found.high
        sizes += found.size_low <= 1 <= found.size_high
    assert 930 <= held <= 970 and 930 <= sizes <= 975


def test_lessons_that_are_all_alike_have_no_size():
    found, _, _ = compare_groups(np.full(10, 0.5), np.arange(10) < 5, np.zeros(10, int))
    assert found.slope == 0 and np.isnan(found.size)


def test_a_slope_over_a_number():
    found = estimate_effect(0.5 + 0.01 * np.arange(10) + np.tile([0.001, -0.001], 5), np.arange(10), np.zeros(10, int))
    assert found.slope == pytest.approx(0.01, abs=1e-3) and found.clear


def test_the_next_lesson_lies_in_the_usual_range_in_19_of_20_cases():
    random = np.random.default_rng(4)
    draws = random.normal(0.5, 0.08, (2000, 9))
    inside = [low <= one[0] <= high for one in draws for _, low, high in [prediction_interval(one[1:])]]
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.isnan(prediction_interval(draws[0][: MIN_LESSONS - 1])[1:]).all()
