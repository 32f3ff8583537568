"""The class figure in words, and the ends that a verdict needs."""

import numpy as np
import pytest

from cssafe.presence.figure_text import describe_figure, format_headline, format_range, name_level, verdict_ends

NONE = float("nan")
BANDS = {"low_below": 0.4, "high_above": 0.6}


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (
            (0.624, 0.58, 0.741, 25, 15.2),
            "62 of 100 (58 to 74 whether those who cannot be seen attend or not); 15 of 25 can be seen",
        ),
        ((0.624, 0.62, 0.624, 25, 25), "62 of 100; 25 of 25 can be seen"),
        ((0.624, NONE, NONE), "62 of 100"),
        ((0.624, 0.624, 0.624, 1, 1), "62 of 100"),
        (
            (NONE, 0.3, 0.7, 24, 12),
            "30 to 70 of 100, depending on whether those who cannot be seen attend; 12 of 24 can be seen",
        ),
    ],
    ids=["all", "all seen", "of earlier versions", "one person alone", "faces too small"],
)
def test_a_figure_is_told_with_its_range_and_those_who_can_be_seen(figure, words):
    assert describe_figure(*figure) == words


def test_what_is_not_known_is_a_dash_or_nothing():
    assert format_headline(NONE) == "–" and format_range(NONE, NONE) == "" and format_headline(0) == "0"


def test_a_verdict_lies_at_both_ends_of_the_band_and_of_the_interval():
    assert verdict_ends(0.6, 0.5, 0.7, 0.55, 0.65) == pytest.approx((0.45, 0.75))
    assert verdict_ends(0.95, 0.1, 1.0, 0.9, 1.0) == pytest.approx((0.05, 1))
    assert verdict_ends(0.1, 0.0, 0.1, 0.05, 0.15) == pytest.approx((0, 0.15))
    assert verdict_ends(-0.1, -0.2, 0.0, -0.15, -0.05, least=-1) == pytest.approx((-0.25, 0.05))
    assert verdict_ends(0.6, NONE, NONE, 0.55, 0.65) == pytest.approx((0.55, 0.65))
    assert np.isnan(verdict_ends(0.6, 0.5, 0.7, NONE, NONE)).all()


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.1, 0.39), "low"),
        ((0.4, 0.6), "medium"),
        ((0.61, 0.9), "high"),
        ((0.39, 0.5), "between low and medium"),
        ((0.1, 0.9), "between low and high"),
        ((NONE, NONE), ""),
    ],
)
def test_a_level_is_that_of_both_ends(ends, words):
    assert name_level(ends, BANDS) == words
