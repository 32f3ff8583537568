"""Lessons with and without something, and slopes over time, on made-up means, nothing at all first."""

import numpy as np
import pandas as pd
import pytest

from cssafe.stats.comparison import (
    MIN_LESSONS,
    TREND_BLOCK_WEEKS,
    Design,
    cell_difference_error,
    compare_groups,
    difference_design,
    estimate_trend,
    prediction_interval,
    trend_design,
)
from cssafe.stats.evidence import Verdict


def design(lessons: int, strata: np.ndarray | None = None, a_week: int = 2) -> Design:
    """Lessons one after the other, two a week; each week of a stratum is a cluster."""
    strata = np.zeros(lessons, int) if strata is None else strata
    weeks = np.zeros(lessons)
    for stratum in np.unique(strata):
        weeks[strata == stratum] = np.arange((strata == stratum).sum()) / a_week
    return Design(strata, weeks, 1000 * strata + weeks.astype(int))


def lessons_at(times: list[str], **columns: str) -> pd.DataFrame:
    fill = {
        "class_name": "7a",
        "subject": "Maths",
        "formula": "concentration 3",
        "audience": "class",
        "synthetic": False,
    }
    return pd.DataFrame({"local": pd.to_datetime(times)}).assign(**fill | columns)


def test_without_lessons_nothing_is_said():
    nothing, none = np.zeros(0), design(0)
    assert estimate_trend(nothing, none).finding.verdict == Verdict.TOO_LITTLE
    found = compare_groups(nothing, nothing.astype(bool), none)
    assert found.finding.verdict == Verdict.TOO_LITTLE and (found.having, found.others) == (0, 0)
    assert np.isnan(prediction_interval(nothing)).all()
    empty = lessons_at([])
    assert len(difference_design(empty).strata) == len(trend_design(empty).clusters) == 0


@pytest.mark.parametrize(("having", "answers"), [(MIN_LESSONS - 1, False), (MIN_LESSONS, True)])
def test_it_answers_from_the_least_number_of_lessons_on(having, answers):
    values = np.linspace(0.4, 0.6, having + 10)
    found = compare_groups(values, np.arange(len(values)) % 3 == 0, design(len(values)))
    with_it = compare_groups(values, np.isin(np.arange(len(values)), np.arange(having) * 2), design(len(values)))
    assert (with_it.having, with_it.others) == (having, 10) and found.having >= MIN_LESSONS
    assert (with_it.finding.verdict != Verdict.TOO_LITTLE) == answers == np.isfinite(with_it.finding.low)


def test_lessons_of_too_few_weeks_give_no_interval():
    """With one of three weeks left out, time explains the rest."""
    values = np.array([0.4, 0.41, 0.6, 0.61] * 4)
    having = np.arange(16) >= 8
    for weeks, answers in ((2, False), (8, True)):
        found = compare_groups(values, having, design(16, a_week=16 // weeks)).finding
        assert (found.verdict != Verdict.TOO_LITTLE) == answers


def test_lessons_are_compared_within_their_own_stratum_only():
    """A tag used mostly in a class that does better anyway has no effect of its own."""
    strata = np.repeat([0, 1, 2], 20)
    often = np.tile([True, True, False, True], 5)
    having = np.concatenate([often, ~often, np.zeros(20, bool)])
    wobble = np.tile([0.01, -0.01, -0.01, 0.01, 0.01, 0.01, -0.01, -0.01, 0.01, -0.01], 6)
    level = np.array([0.8, 0.4, 0.1])[strata] + wobble
    found = compare_groups(level, having, design(60, strata))
    assert (found.having, found.others) == (20, 20)
    assert found.finding.verdict == Verdict.CHANCE and abs(found.finding.value) < 0.01
    found = compare_groups(level + 0.1 * having, having, design(60, strata))
    assert found.finding.value == pytest.approx(0.1, abs=0.01) and found.finding.rises and found.size_low > 0


def test_a_steady_rise_is_no_difference_of_its_second_half():
    wobble = np.random.default_rng(0).normal(0, 0.01, 24)
    rise, late = 0.4 + 0.01 * np.arange(24) + wobble, np.arange(24) >= 12
    assert compare_groups(rise, late, design(24)).finding.verdict == Verdict.CHANCE
    step = compare_groups(rise + 0.1 * late, late, design(24)).finding
    assert step.rises and step.value == pytest.approx(0.1, abs=0.03)


def test_intervals_hold_the_truth_in_19_of_20_cases():
    random = np.random.default_rng(3)
    strata, held, sizes = np.repeat(np.arange(4), 12), 0, 0
    of = design(48, strata)
    for _ in range(1000):
        having = random.permutation(48) < 24
        values = random.normal(0, 0.1, 4)[strata] + 0.05 * having + random.normal(0, 0.05, 48)
        found = compare_groups(values, having, of)
        held += found.finding.low <= 0.05 <= found.finding.high
        sizes += found.size_low <= 1 <= found.size_high
    assert 930 <= held <= 975 and 930 <= sizes <= 980


def test_lessons_that_are_all_alike_have_no_size():
    found = compare_groups(np.full(12, 0.5), np.arange(12) % 2 == 0, design(12))
    assert found.finding.value == pytest.approx(0) and np.isnan(found.size)


def test_a_slope_over_the_weeks_is_found_and_needs_more_than_one_stretch_of_them():
    wobble = np.tile([0.001, -0.001, -0.001, 0.001], 6)
    days = pd.date_range("2026-03-02", periods=24, freq="3D") + pd.Timedelta(hours=9)
    lessons = lessons_at(list(days))
    values = 0.3 + 0.01 * np.arange(24) + wobble
    found = estimate_trend(values, trend_design(lessons)).finding
    assert found.rises and found.value == pytest.approx(0.07 / 3, rel=0.02) and found.units == 24
    few = days < days[0] + pd.Timedelta(weeks=TREND_BLOCK_WEEKS)
    assert estimate_trend(values[few], trend_design(lessons[few])).finding.verdict == Verdict.TOO_LITTLE


def test_lessons_of_one_class_subject_and_week_are_one_cluster_and_slots_go_by_the_nearest_hour():
    lessons = lessons_at(["2026-03-02 08:58", "2026-03-02 11:02", "2026-03-08 09:01", "2026-03-09 09:00"])
    other = pd.concat([lessons, lessons.assign(subject="Art")], ignore_index=True)
    of = difference_design(other)
    assert of.clusters.tolist()[:4] == [of.clusters[0]] * 3 + [of.clusters[3]] and of.clusters[0] != of.clusters[3]
    assert not set(of.clusters[:4]) & set(of.clusters[4:]) and not set(of.strata[:4]) & set(of.strata[4:])
    assert len(set(of.strata[:4])) == 1 and of.weeks[3] == pytest.approx(7 / 7, abs=1e-3)
    slots = difference_design(lessons, slots=True).strata
    assert slots[0] == slots[3] and len(set(slots)) == 3
    assert len(set(trend_design(lessons).clusters)) == 1


def test_the_error_between_two_cells_is_pooled_over_all_and_leaves_out_what_their_weeks_share():
    random = np.random.default_rng(5)
    cell, week = (axis.ravel() for axis in np.indices((20, 10)))
    weights = np.full(200, 45.0)
    alone = random.normal(0.5, 0.05, 200)
    error, freedom = cell_difference_error(alone, weights, cell, np.arange(200), 0, 1)
    assert error == pytest.approx(0.05 * np.sqrt(2 / 10), rel=0.1) and freedom == 180
    shared, apart = (
        cell_difference_error(alone + random.normal(0, 0.1, 10)[week], weights, cell, block, 0, 1)[0]
        for block in (week, np.arange(200))
    )
    assert shared == pytest.approx(error, rel=0.1) and apart > 1.5 * error


def test_cells_of_one_lesson_or_of_equal_lessons_have_no_error_or_none_to_speak_of():
    one = np.ones(2)
    assert np.isnan(cell_difference_error(one, one, np.arange(2), np.arange(2), 0, 1)[0])
    equal = cell_difference_error(np.full(6, 0.1), np.full(6, 3.0), np.arange(6) % 2, np.arange(6) // 2, 0, 1)
    assert equal[0] == pytest.approx(0, abs=1e-9)


def test_the_next_lesson_lies_in_the_usual_range_in_19_of_20_cases():
    random = np.random.default_rng(4)
    draws = random.normal(0.5, 0.08, (2000, 9))
    inside = [low <= one[0] <= high for one in draws for _, low, high in [prediction_interval(one[1:])]]
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.isnan(prediction_interval(draws[0][: MIN_LESSONS - 1])[1:]).all()
