"""Queries on small workspaces whose figures can be worked out by hand, the empty one first."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from cssafe import queries
from cssafe.labels import FERPLUS
from cssafe.observations import COLUMNS
from cssafe.queries import Filter
from cssafe.school import periods
from tests.support.lessons import LESSON, PERIODS, START, add, rows, uneven

CALLS = {
    "emotions": lambda w: queries.emotions(w),
    "distribution": lambda w: queries.distribution(w, "subject"),
    "weekly": lambda w: queries.weekly(w),
    "lessons of the week": lambda w: queries.weekly_lessons(w),
    "weekly by periods": lambda w: queries.weekly(w, PERIODS),
    "cell": lambda w: queries.lessons_in_cell(w, 1, "09:00"),
    "lessons": lambda w: queries.lessons(w),
    "timeline": lambda w: queries.timeline(w, 1),
    "markers": lambda w: queries.markers(w, 1),
    "export": lambda w: queries.shareable_rows(w, 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_empty_workspace_gives_no_rows_but_the_same_columns(workspace, name):
    empty = CALLS[name](workspace)
    assert len(empty) == 0
    number = add(workspace, rows(), rows(start=START + timedelta(minutes=1)))
    workspace.add_marker(number, "quiz", START)
    full = CALLS[name](workspace)
    assert len(full) > 0 and list(full.columns) == list(empty.columns)


def test_choices_of_an_empty_and_of_a_filled_workspace(workspace):
    assert queries.choices(workspace) == queries.Choices([], [], None, None, 0, 0, 0)
    add(workspace, lesson=replace(LESSON, class_name="9c", started=datetime(2026, 3, 1, 23, 30, tzinfo=UTC)))
    add(workspace, lesson=replace(LESSON, source="sample"))
    day = date(2026, 3, 2)  # in Berlin it was already past midnight
    assert queries.choices(workspace) == queries.Choices(["7a", "9c"], ["Maths"], day, day, 1, 1, 0)


def test_the_cell_is_found_by_the_lessons_own_clock_through_summer_time(workspace):
    add(workspace, rows())
    add(workspace, rows(start=datetime(2026, 7, 6, 7, 0, tzinfo=UTC)))
    add(workspace, rows(), lesson=replace(LESSON, time_zone="Asia/Kolkata"))
    cells = queries.weekly(workspace)
    assert cells[["weekday", "period", "lessons"]].values.tolist() == [[1, "09:00", 2], [1, "13:00", 1]]


def test_weekly_means_weigh_minutes_and_their_interval_counts_placements(workspace):
    """However many lessons one class has in a slot, it is one placement."""
    low, high = (
        (
            rows(concentration=value),
            rows(concentration=value, seconds=30, start=START + timedelta(minutes=delay)),
        )
        for value, delay in ((0.4, 1), (0.7, 2))
    )
    for part in (low, high):
        add(workspace, *part)
    (cell,) = queries.weekly(workspace).itertuples()
    assert cell.concentration == pytest.approx(0.55, abs=1e-6) and (cell.minutes, cell.lessons, cell.faces) == (4, 2, 6)
    assert cell.placements == 1 and np.isnan(cell.low) and np.isnan(cell.high)
    others = (
        replace(LESSON, class_name="7b"),
        replace(LESSON, subject="Art"),
        replace(LESSON, room="R2"),
    )
    for lesson, part in zip(others, (high, low, high), strict=True):
        add(workspace, *part, lesson=lesson)
    (cell,) = queries.weekly(workspace).itertuples()
    assert (cell.lessons, cell.placements) == (5, 4)
    s, n = np.array([2.2, 1.4, 0.8, 1.4]), np.array([4, 2, 2, 2])
    mean, effective = s.sum() / n.sum(), 100 / 28
    error = np.sqrt(((s - mean * n) ** 2).sum() * effective / (effective - 1)) / 10
    half = stdtrit(effective - 1, 0.975) * error
    assert (cell.low, cell.high) == pytest.approx((mean - half, mean + half))
    lessons = queries.weekly_lessons(workspace)
    assert lessons["minutes"].tolist() == [2] * 5 and lessons["value"].tolist() == pytest.approx(
        [0.4, 0.7, 0.7, 0.4, 0.7]
    )
    assert set(lessons["week"]) == {pd.Timestamp(2026, 3, 2)} and lessons["class_name"].tolist().count("7b") == 1


def test_one_lesson_alone_has_no_interval(workspace):
    add(workspace, rows())
    (cell,) = queries.weekly(workspace).itertuples()
    assert np.isnan([cell.low, cell.high]).all() and cell.concentration == 0.5
    assert (cell.lessons, cell.placements) == (1, 1)


def test_periods_hold_their_start_and_not_their_end(workspace):
    add(workspace, *(rows(start=START + timedelta(minutes=m)) for m in (-1, 0, 44, 45, 89, 90)))
    cells = queries.weekly(workspace, PERIODS)
    assert cells[["period", "minutes"]].values.tolist() == [["1", 2], ["2", 2]]
    assert queries.lessons_in_cell(workspace, 1, "2", PERIODS)["minutes"].tolist() == [2]
    assert queries.lessons_in_cell(workspace, 2, "2", PERIODS).empty


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Filter(), 3),
        (Filter(classes=["7a"]), 2),
        (Filter(classes=["7a", "9c"], subjects=["Art"]), 1),
        (Filter(synthetic=False), 2),
        (Filter(since=date(2026, 3, 3)), 1),
        (Filter(until=date(2026, 3, 2)), 2),
        (Filter(since=date(2026, 3, 2), until=date(2026, 3, 2), classes=["9c"]), 0),
        (Filter(lessons=[1, 2]), 2),
        (Filter(classes=["'; DROP TABLE lessons; --"]), 0),
    ],
)
def test_filters(workspace, which, expected):
    add(workspace, rows())
    add(workspace, rows(), lesson=replace(LESSON, source="sample"))
    add(workspace, rows(), lesson=replace(LESSON, class_name="9c", subject="Art", started=START + timedelta(days=1)))
    assert len(queries.lessons(workspace, which)) == expected
    assert queries.weekly(workspace, which=which)["lessons"].sum() == expected


@pytest.mark.parametrize("call", ["emotions", "distribution", "weekly", "weekly by periods", "cell"])
@pytest.mark.parametrize(("audience", "tracks"), [("class", 4), ("self", 2)])
def test_too_small_a_group_is_in_no_figure(workspace, call, audience, tracks):
    number = add(workspace, rows(tracks=tracks), lesson=replace(LESSON, audience=audience))
    assert CALLS[call](workspace).empty
    (lesson,) = queries.lessons(workspace).itertuples()
    assert np.isnan(lesson.concentration) and (lesson.minutes, lesson.faces) == (0, tracks)
    (minute,) = queries.timeline(workspace, number).itertuples()
    assert np.isnan(minute.concentration) and minute.faces == tracks


def test_who_films_only_herself_sees_her_own_figures(workspace):
    number = add(workspace, rows(tracks=1, seconds=3), lesson=replace(LESSON, audience="self"))
    assert queries.lessons(workspace)["concentration"].tolist() == [0.5]
    assert queries.timeline(workspace, number)["concentration"].tolist() == [0.5]
    assert queries.emotions(workspace)["low"].isna().all()


def test_emotions_of_one_lesson_have_an_interval_over_faces_not_seconds(workspace):
    faces = rows(tracks=12, seconds=100)
    happy = faces["track"] < 6
    faces.loc[happy, ["p_neutral", "p_happy"]] = [0.6, 0.1]
    add(workspace, faces)
    table = queries.emotions(workspace, "class").set_index("emotion")
    assert list(table.index) == list(FERPLUS)
    neutral, happy = table.loc["neutral"], table.loc["happy"]
    assert (neutral["count"], happy["count"], happy["observations"]) == (600, 600, 1200)
    assert happy["share"] == pytest.approx((0.1 + 0.65) / 2, abs=1e-6)
    error = np.sqrt(12 / 11 * 12 * 0.275**2) / 12
    assert happy["high"] - happy["share"] == pytest.approx(2.200985 * error, abs=1e-6)
    assert (happy["lessons"], happy["faces"]) == (1, 12)
    assert table["share"].sum() == pytest.approx(1.0, abs=1e-6)


def test_emotions_of_several_lessons_have_an_interval_over_lessons(workspace):
    for share in (0.3, 0.5, 0.5, 0.7):
        add(workspace, rows(p_happy=share, p_neutral=0.7 - share))
    happy = queries.emotions(workspace, "subject").set_index("emotion").loc["happy"]
    error = np.sqrt(4 / 3 * 2 * 0.2**2) / 4
    assert (happy["low"], happy["high"]) == pytest.approx((0.5 - 3.182446 * error, 0.5 + 3.182446 * error), abs=1e-6)
    assert (happy["lessons"], happy["faces"]) == (4, 24)


def test_groups_stand_side_by_side(workspace):
    first = add(workspace, rows(), lesson=replace(LESSON, name="One"))
    second = add(workspace, rows(), lesson=replace(LESSON, name="Two", subject="Art"))
    assert queries.emotions(workspace, "class")["group"].unique().tolist() == ["7a"]
    assert queries.emotions(workspace, "subject")["group"].unique().tolist() == ["Art", "Maths"]
    names = queries.distribution(workspace, "lesson", Filter(lessons=[first, second]))["group"].unique().tolist()
    assert names == ["One, 02 Mar 09:00", "Two, 02 Mar 09:00"]


def test_attention_only_lessons_have_concentration_but_no_emotions(workspace):
    add(workspace, rows(), lesson=replace(LESSON, profile="attention-only"))
    assert queries.emotions(workspace).empty
    assert queries.distribution(workspace)["count"].sum() == 6


def test_the_distribution_puts_every_observation_into_one_tenth(workspace):
    add(workspace, uneven(*[0.0] * 3, *[0.05] * 2, *[0.55] * 5, *[0.95] * 3, *[1.0] * 3))
    table = queries.distribution(workspace)
    assert table["count"].tolist() == [5, 0, 0, 0, 0, 5, 0, 0, 0, 6]
    assert table["start"].tolist() == pytest.approx([i / 10 for i in range(10)])
    assert table["share"].sum() == pytest.approx(1)


def test_the_timeline_has_a_mean_and_an_interval_over_faces_for_each_minute(workspace):
    number = add(workspace, uneven(0.2, 0.4, 0.6, 0.8, 1.0), rows(start=START + timedelta(minutes=2)))
    workspace.add_marker(number, "quiz", START + timedelta(seconds=90), "ten words")
    first, last = queries.timeline(workspace, number).itertuples()
    assert first.concentration == pytest.approx(0.6)
    assert first.high - first.concentration == pytest.approx(
        2.776445 * np.std([0.2, 0.4, 0.6, 0.8, 1.0], ddof=1) / np.sqrt(5)
    )
    assert (last.minute, last.local) == (2, pd.Timestamp("2026-03-02 09:02")) and last.low == last.high == 0.5
    (marker,) = queries.markers(workspace, number).itertuples()
    assert (marker.minute, marker.kind, marker.note) == (1.5, "quiz", "ten words")


def test_a_running_lesson_has_a_timeline_already(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, rows())
    workspace.flush()
    assert len(queries.timeline(workspace, number)) == 1
    assert queries.lessons(workspace)["ended"].isna().all()


def test_the_export_has_every_observation_where_all_agreed(workspace):
    number = add(workspace, rows(tracks=3, seconds=2))
    table = queries.shareable_rows(workspace, number)
    assert len(table) == 6 and set(COLUMNS) < set(table.columns) and not table["synthetic"].any()
    assert table["local"].iloc[0] == pd.Timestamp("2026-03-02 09:00")


def test_the_export_of_attention_only_has_no_single_face(workspace):
    lesson = replace(LESSON, profile="attention-only")
    small = add(workspace, rows(tracks=4, seconds=30), lesson=lesson)
    assert queries.shareable_rows(workspace, small).empty
    number = add(workspace, rows(seconds=30), lesson=lesson)
    table = queries.shareable_rows(workspace, number)
    assert "track" not in table and table["faces"].tolist() == [6] and table["seconds"].tolist() == [30]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([("", time(8), time(9))], "no name"),
        ([("1", time(8), None)], "needs a start and an end"),
        ([("1", time(9), time(8))], "later"),
        ([("1", time(8), time(9)), ("2", time(8, 59), time(10))], "overlap"),
        ([("1", time(8), time(9)), ("1", time(9), time(10))], "Two periods are called 1"),
    ],
)
def test_periods_that_make_no_sense_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        periods.parse_periods(dict(zip(("name", "start", "end"), row, strict=True)) for row in table)


def test_periods_are_read_in_the_order_of_the_day_and_empty_rows_are_passed_over():
    assert periods.parse_periods([]) == []
    table = [
        {"name": "2", "start": time(9), "end": time(10)},
        {"name": None},
        {"name": " 1 ", "start": time(8), "end": time(9)},
    ]
    assert periods.parse_periods(table) == [
        {"name": "1", "start": "08:00", "end": "09:00"},
        {"name": "2", "start": "09:00", "end": "10:00"},
    ]
