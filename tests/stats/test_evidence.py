"""What may be said about estimates: single ones, and the extremes of many."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multicomp import pairwise_tukeyhsd

from cssafe.stats.evidence import (
    Verdict,
    excludes_zero,
    judge,
    judge_extremes,
    judge_extremes_by_intervals,
    judge_interval,
    judge_lead,
    judge_test,
)

NOTHING = np.zeros(0)


@pytest.mark.parametrize(
    ("interval", "units", "verdict"),
    [
        ((0.1, 0.3), 5, Verdict.DIFFERS),
        ((-0.3, -0.1), 5, Verdict.DIFFERS),
        ((-0.1, 0.3), 5, Verdict.CHANCE),
        ((0.1, 0.3), 4, Verdict.TOO_LITTLE),
        ((np.nan, np.nan), 5, Verdict.TOO_LITTLE),
    ],
)
def test_an_interval_is_judged_by_zero_and_by_what_it_rests_on(interval, units, verdict):
    found = judge_interval(0.2, *interval, units, 5)
    assert found.verdict == verdict and np.isnan(found.low) == (verdict == Verdict.TOO_LITTLE)
    assert found.rises == (verdict == Verdict.DIFFERS and interval[0] > 0)
    assert found.falls == (verdict == Verdict.DIFFERS and interval[1] < 0)


def test_an_estimate_chosen_from_many_needs_a_wider_interval():
    alone, chosen = judge(0.1, 0.04, 20, 21, 5), judge(0.1, 0.04, 20, 21, 5, candidates=10)
    assert alone.high - alone.value == pytest.approx(2.085963 * 0.04)
    assert alone.verdict == Verdict.DIFFERS and chosen.verdict == Verdict.CHANCE
    assert judge(0.1, 0.04, 0, 1, 1).verdict == Verdict.TOO_LITTLE


def test_extremes_are_judged_by_the_studentized_range():
    """Of five means with 20 degrees of freedom it is 4.232 (tables of Tukey's test)."""
    means = np.array([0.5, 0.6, 0.55, 0.52, 0.58])
    found = judge_extremes(means, 0.03, 20)
    assert found.value == pytest.approx(0.1) and found.units == 5
    assert found.high - found.value == pytest.approx(4.232 / np.sqrt(2) * 0.03, rel=1e-3)
    assert found.verdict == Verdict.DIFFERS and judge_extremes(means, 0.04, 20).verdict == Verdict.CHANCE
    assert judge_extremes(means, 0.03, 20, below=0.005, above=0.01).verdict == Verdict.CHANCE
    assert judge_extremes(means, np.nan, 20).verdict == Verdict.TOO_LITTLE
    assert judge_extremes(means, 0.03, 0).verdict == Verdict.TOO_LITTLE


def test_extremes_have_the_interval_of_tukeys_test():
    random = np.random.default_rng(4)
    values, group = random.normal(size=(6, 8)) + 0.4 * np.arange(6)[:, None], np.repeat(np.arange(6), 8)
    oracle = pairwise_tukeyhsd(values.ravel(), group)
    largest = np.abs(oracle.meandiffs).argmax()
    found = judge_extremes(values.mean(axis=1), np.sqrt(2 * values.var(axis=1, ddof=1).mean() / 8), 42)
    assert found.value == pytest.approx(abs(oracle.meandiffs[largest]))
    assert [found.low, found.high] == pytest.approx(np.sort(np.abs(oracle.confint[largest])), rel=1e-3)
    assert (found.verdict == Verdict.DIFFERS) == oracle.reject[largest]


def test_one_mean_or_none_has_no_extremes():
    for means in (NOTHING, np.array([0.5])):
        assert judge_extremes(means, 0.1, 20).verdict == Verdict.TOO_LITTLE
        assert judge_extremes_by_intervals(means, means, means).verdict == Verdict.TOO_LITTLE
        assert judge_lead(means, means, means).verdict == Verdict.TOO_LITTLE


def test_extremes_of_means_that_do_not_differ_are_found_in_one_of_twenty_weeks_at_most():
    random, found, leads = np.random.default_rng(0), 0, 0
    for _ in range(2000):
        means = random.normal(0.5, 0.05, 12)
        ends = means - 1.96 * 0.05, means + 1.96 * 0.05
        found += judge_extremes_by_intervals(means, *ends).verdict == Verdict.DIFFERS
        leads += judge_lead(means, *ends).verdict == Verdict.DIFFERS
    assert 0.03 <= found / 2000 <= 0.065 and leads <= found


def test_the_near_ends_of_intervals_count_because_the_far_ones_may_be_cut():
    means, low, high = np.array([0.95, 0.5]), np.array([0.9, 0.4]), np.array([1.0, 0.6])
    found = judge_extremes_by_intervals(means, low, high)
    assert found.high - found.value == pytest.approx(np.hypot(0.05, 0.1), rel=1e-3)


def test_columns_of_intervals_are_judged_at_once():
    low, high = pd.Series([0.1, -0.2, -0.1, np.nan]), pd.Series([0.2, -0.1, 0.1, np.nan])
    assert excludes_zero(low, high).tolist() == [True, True, False, False]


def test_a_test_differs_below_its_limit_and_one_that_could_not_be_made_has_too_little_data():
    verdicts = [judge_test(p_value, 0.01) for p_value in (0.001, 0.01, 0.5, np.nan)]
    assert verdicts == [Verdict.DIFFERS, Verdict.CHANCE, Verdict.CHANCE, Verdict.TOO_LITTLE]
