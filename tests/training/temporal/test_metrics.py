"""How well labels follow, against values worked out by hand."""

import numpy as np
import pytest

from cssafe.training.temporal import metrics
from cssafe.training.temporal.metrics import (
    compare_tallies,
    delays,
    flicker,
    measure_values,
    resample_measures,
    shown_labels,
    stretches,
    tally,
    tally_score,
)


def row(text):
    """Labels or truth of one sequence, a frame each half second: a letter is an emotion, a dot is none."""
    return np.array([[-1 if letter == "." else "abcdefgh".index(letter) for letter in text]], int).reshape(1, len(text))


def half_seconds(text):
    return np.arange(len(text), dtype=float)[None] / 2


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ("", []),
        ("...", []),
        ("aab", [(0, 2), (2, 3)]),
        (".aa..aab", [(1, 3), (5, 7), (7, 8)]),
    ],
)
def test_stretches_are_runs_of_one_known_truth(truth, expected):
    assert stretches(row(truth)[0]) == expected


@pytest.mark.parametrize(
    ("truth", "shown", "changes", "seconds"),
    [
        ("", "", 0, 0),
        ("....", "abab", 0, 0),  # nobody knows whether these were needed
        ("aaaa", "aaaa", 0, 1.5),
        ("aaaa", "abaa", 2, 1.5),
        ("aaaa", "a.ba", 2, 1.5),  # frames in which nothing was measured hide no change
        ("aaabbb", "aaabbb", 0, 2),
        ("aaabbb", "aaaabb", 0, 2),  # late, but only once
        ("aaabbb", "aaacbb", 1, 2),  # over another one
        ("aaabbb", "aababa", 3, 2),  # of four changes one was needed
        ("aaabbb", "......", 0, 2),
    ],
)
def test_flicker_counts_the_changes_that_no_truth_needed(truth, shown, changes, seconds):
    counted, constant = flicker(row(shown), row(truth), half_seconds(truth))
    assert (counted[0], constant[0]) == (changes, pytest.approx(seconds))


@pytest.mark.parametrize(
    ("truth", "shown", "expected"),
    [
        ("", "", []),
        ("aaaa", "aaaa", []),
        ("aabbb", "aabbb", [0]),
        ("aabbb", "bbbbb", [0]),
        ("aabbbb", "aaaabb", [1]),
        ("aabbbb", "aa..bb", [1]),  # nothing measured is nothing shown
        ("aabbbbb", "aababbb", [0]),  # held for half a second
        ("aabbbb", "aaaaab", [1.5]),  # the last frame holds to the end
        ("aabbbb", "aaaaaa", [1.5]),  # never: the whole stretch
        ("aa.bb", "aaaab", [0.5]),  # from where the new truth is known
        ("aabbaa", "aabbbb", [0, 0.5]),
    ],
)
def test_delay_lasts_until_the_new_label_holds(truth, shown, expected):
    (found,) = delays(row(shown), row(truth), half_seconds(truth))
    assert found.tolist() == pytest.approx(expected)


def test_a_label_that_shows_for_a_moment_only_is_not_reached():
    (found,) = delays(row("aababbbb"), row("aabbbbbb"), half_seconds("aabbbbbb") / 5)
    assert found.tolist() == pytest.approx([0.2])


def probabilities(*leading):
    """One sequence in which the first emotion has these shares and the second the rest."""
    rows = np.zeros((1, len(leading), 8), np.float32)
    rows[0, :, 0], rows[0, :, 1] = leading, 1 - np.array(leading)
    return rows


@pytest.mark.parametrize(
    ("leading", "ratio", "shown"),
    [
        ((), 1, ""),
        ((0.6, 0.4, 0.6), 1, "aba"),
        ((0.6, 0.4, 0.3, 0.4, 0.6), 2, "aabbb"),
        ((np.nan, 0.6, np.nan, 0.45), 2, ".a.a"),
    ],
)
def test_with_hysteresis_another_label_must_be_clearly_likelier(leading, ratio, shown):
    assert np.array_equal(shown_labels(probabilities(*leading), ratio), row(shown))


def counts(truth, shown):
    return tally(row(shown), row(truth), half_seconds(truth))


def test_no_sequences_have_no_figures_and_no_interval_but_zero():
    nothing = tally(np.zeros((0, 3), int), np.zeros((0, 3), int), np.zeros((0, 3)))
    assert measure_values(nothing).tolist() == [0, 0, 0, 0]
    assert tally_score(nothing) == 0
    assert not compare_tallies(nothing, nothing).better.any() and not compare_tallies(nothing, nothing).worse.any()


def test_measures_are_taken_over_all_sequences_together():
    accuracy, changes, median, mean = measure_values(counts("aabbbb", "aaaaba"))
    assert accuracy == pytest.approx(3 / 6)
    assert changes == pytest.approx(2 / 2)
    assert median == mean == 1.0
    assert tally_score(counts("aabbbb", "aaaaba")) == pytest.approx(0.5 - metrics.CHANGE_COST_S)


def several(*shown):
    truth = "aabbbb"
    said = np.concatenate([row(text) for text in shown])
    n = len(shown)
    return tally(said, np.repeat(row(truth), n, axis=0), np.repeat(half_seconds(truth), n, axis=0))


def test_who_is_better_in_every_sequence_is_clearly_better_and_the_other_clearly_worse():
    good, bad = several(*["aabbbb"] * 20), several(*["aaabab"] * 20)
    gained = compare_tallies(good, bad)
    assert gained.better.tolist() == [True, True, True, True] and not gained.worse.any()
    assert compare_tallies(bad, good).worse.all()
    assert gained.middle[0] == pytest.approx(2 / 6)


def test_who_is_better_in_one_sequence_and_worse_in_another_is_neither():
    one, other = several(*["aabbbb", "aaaabb"] * 5), several(*["aaaabb", "aabbbb"] * 5)
    assert not compare_tallies(one, other).better.any() and not compare_tallies(one, other).worse.any()


def test_all_ways_are_drawn_alike():
    counted = several("aabbbb", "aaaabb", "bbbbbb")
    first, second = resample_measures([counted, counted])
    assert np.array_equal(first, second)
    assert len(np.unique(first[:, 0])) > 1
