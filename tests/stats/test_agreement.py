"""Measures of agreement against scikit-learn's and against cases that can be worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score

from cssafe.stats.agreement import MEASURES, MIN_MOMENTS, agreement, auc_by_person, level_thresholds, weighted_auc

EMPTY = np.zeros(0, int)


def told(score, level, rating, k, group):
    return agreement(np.array(score, float), np.array(level), np.array(rating), k, np.array(group)).set_index("measure")


def drawn(n=400, people=20, k=4, noise=0.3, seed=0):
    draw = np.random.default_rng(seed)
    rating = draw.integers(0, k, n)
    score = np.clip(rating / (k - 1) + draw.normal(0, noise, n), 0, 1).round(2)
    return (
        score,
        np.searchsorted(level_thresholds(score, rating, k), score, side="right"),
        rating,
        draw.integers(0, people, n),
    )


def test_no_moments_tell_nothing():
    table = told([], EMPTY, EMPTY, 3, EMPTY)
    assert list(table.index) == list(MEASURES) and table.isna().all(axis=None)
    assert auc_by_person(np.zeros(0), EMPTY, 3, EMPTY).shape == (0,)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_measures_are_scikit_learn_s(k, seed):
    score, level, rating, group = drawn(k=k, seed=seed)
    table = told(score, level, rating, k, group)["value"]
    assert table["recall"] == pytest.approx(balanced_accuracy_score(rating, level))
    upper, said = 2 * rating >= k, 2 * level >= k
    assert table["recall_halves"] == pytest.approx(balanced_accuracy_score(upper, said))
    assert table["kappa"] == pytest.approx(cohen_kappa_score(rating, level, weights="quadratic"))
    assert table["auc"] == pytest.approx(roc_auc_score(upper, score))


@pytest.mark.parametrize(
    ("level", "rating", "recall", "kappa"),
    [
        ([0, 1, 2], [0, 1, 2], 1, 1),
        ([2, 1, 0], [0, 1, 2], 1 / 3, -1),
        ([1, 1, 1], [0, 1, 2], 1 / 3, 0),
        ([0, 0, 2], [0, 0, 2], 1, 1),  # a rating that never occurs counts nowhere
        ([1, 1, 1], [1, 1, 1], 1, np.nan),
    ],
)
def test_recall_and_kappa_of_few_moments(level, rating, recall, kappa):
    table = told([0.1, 0.5, 0.9], level, rating, 3, [0, 1, 2])["value"]
    assert table["recall"] == pytest.approx(recall)
    assert table["kappa"] == pytest.approx(kappa, nan_ok=True)


@pytest.mark.parametrize("rating", [[0, 0, 1], [2, 2, 2]])
def test_ratings_of_one_half_give_no_auc(rating):
    assert np.isnan(told([0.1, 0.5, 0.9], [0, 1, 2], rating, 3, [0, 1, 2]).loc["auc", "value"])


def test_the_interval_holds_the_value_and_is_wider_when_few_people_have_many_moments():
    score, level, rating, group = drawn(people=60)
    many = told(score, level, rating, 4, group)
    assert ((many["low"] <= many["value"]) & (many["value"] <= many["high"])).all()
    # Everybody's moments four times over are no news; counted singly they would halve the interval.
    copies = told(*(np.tile(values, 4) for values in (score, level, rating)), 4, np.tile(group, 4))
    assert (copies["high"] - copies["low"]).to_numpy() == pytest.approx(
        (many["high"] - many["low"]).to_numpy(), abs=0.02
    )


def test_the_interval_of_chance_holds_chance():
    score, level, rating, group = drawn(noise=50)
    table = told(score, level, rating, 4, group)
    assert table.loc["kappa", "low"] < 0 < table.loc["kappa", "high"]
    assert table.loc["auc", "low"] < 0.5 < table.loc["auc", "high"]


@pytest.mark.parametrize(("people", "shown"), [(1, False), (5, False), (6, True)])
def test_an_interval_needs_six_people(people, shown):
    score, level, rating, _group = drawn(n=120)
    table = told(score, level, rating, 4, np.arange(120) % people)
    assert table["value"].notna().all() and (table[["low", "high"]].notna() == shown).all(axis=None)
    assert not shown or ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()


def test_where_everybody_agrees_fully_no_interval_is_known():
    table = told([0.1, 0.9] * 8, [0, 1] * 8, [0, 1] * 8, 2, np.repeat(np.arange(8), 2))
    assert table["value"].tolist() == [1, 1, 1, 1] and table[["low", "high"]].isna().all(axis=None)


def test_no_interval_reaches_beyond_the_values_that_a_measure_can_have():
    rating = np.tile([0, 1, 2], 8)
    level = np.where(np.arange(24) == 5, 0, rating)  # one of 24 is wrong
    table = told(level / 2, level, rating, 3, np.repeat(np.arange(8), 3))
    assert (table["high"] <= 1).all() and (table["low"] >= [0, 0, -1, 0]).all() and (table["low"] < 1).all()


def test_weights_count_a_moment_several_times():
    score, upper = np.array([0.2, 0.4, 0.4, 0.8]), np.array([False, True, False, True])
    weights = np.array([1.0, 2.0, 3.0, 0.0])
    repeated = np.repeat(np.arange(4), weights.astype(int))
    assert weighted_auc(score, upper)(weights) == pytest.approx(roc_auc_score(upper[repeated], score[repeated]))


def test_the_spread_is_over_people_with_enough_moments_of_both_halves():
    good, bad = np.linspace(0, 1, MIN_MOMENTS), np.linspace(1, 0, MIN_MOMENTS)
    rating = np.array([0, 0, 0, 1, 1])
    score = np.concatenate([good, bad, good, good[1:]])
    said = np.concatenate([rating, rating, np.ones(MIN_MOMENTS, int), rating[1:]])
    group = np.repeat(["a", "b", "one half only", "too few"], [MIN_MOMENTS, MIN_MOMENTS, MIN_MOMENTS, MIN_MOMENTS - 1])
    assert auc_by_person(score, said, 2, group).tolist() == [0, 1]


def test_limits_make_levels_as_frequent_as_ratings():
    score, level, rating, _ = drawn(n=1000)
    counts = np.bincount(level, minlength=4) - np.bincount(rating, minlength=4)
    assert np.abs(counts).max() <= 40  # scores of two digits have ties
    assert (np.diff(level_thresholds(score, rating, 4)) >= 0).all()
