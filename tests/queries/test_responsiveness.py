"""Responsiveness of a class on a real database: planted changes, people not visible, and markers that do not count."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.charts import factors
from cssafe.queries import Filter
from cssafe.queries.responsiveness import AFTER_S, COLUMNS, MIN_HISTORY_S, MIN_MARKERS, responsiveness
from cssafe.stats.evidence import Verdict
from cssafe.store import NO_CLASS, Workspace
from tests.support import marked_classes, seen_class
from tests.support.lessons import LESSON, START, add, rows
from tests.support.marked_lessons import MARKS, SECONDS, restless
from tests.support.seen_class import PLAUSIBLE


def marked(workspace: Workspace, table: pd.DataFrame, *seconds: int, kind: str = "question", **lesson: object) -> int:
    """A lesson with markers at these seconds."""
    number = add(workspace, table, lesson=replace(LESSON, **lesson))
    for second in seconds:
        workspace.add_marker(number, kind, START + timedelta(seconds=second))
    return number


def only(workspace: Workspace) -> pd.Series:
    [(_number, row)] = responsiveness(workspace).iterrows()
    return row


def test_without_lessons_or_markers_there_is_no_row(workspace):
    assert responsiveness(workspace).empty and list(responsiveness(workspace).columns) == list(COLUMNS)
    add(workspace, restless())
    assert responsiveness(workspace).empty


def test_people_who_become_visible_after_a_marker_count_as_a_rise(workspace):
    """Visible faces are on task all the time; half of the class is seen only after a marker."""
    table = rows(12, SECONDS, attention=1.0)
    second = (table["time"] - table["time"].min()).dt.total_seconds()
    after = np.any([(second >= mark) & (second < mark + AFTER_S) for mark in MARKS], axis=0)
    marked(workspace, table[after | (table["track"] < 6)], *MARKS)
    found = only(workspace)
    assert found["verdict"] == Verdict.DIFFERS and 0.1 < found["low"] < found["change"] < 0.55
    assert (found["markers"], found["lessons"]) == (4, 1)
    [sentence] = factors.describe_responsiveness(responsiveness(workspace))
    assert sentence.startswith("Question: attention rose by")


@pytest.mark.slow
def test_a_planted_change_is_found_through_tracks_and_tables_and_one_that_is_not_there_is_not(workspace):
    random = np.random.default_rng(5)
    for day in range(3):
        lesson = marked_classes.marked_lesson(random, PLAUSIBLE, marked_classes.EFFECT)
        start = START + timedelta(days=day)
        table = seen_class.observations(random, lesson.seen, start.replace(tzinfo=None))
        number = add(workspace, table, lesson=replace(LESSON, started=start))
        quiet = [second for second in range(300, 1900, 100) if np.abs(lesson.marks - second).min() > 45][:4]
        for kind, seconds in (("question", lesson.marks.tolist()), ("joke", quiet)):
            for second in seconds:
                workspace.add_marker(number, kind, start + timedelta(seconds=second))
    found = responsiveness(workspace).set_index("kind")
    assert found["markers"].tolist() == [12, 12] and found["lessons"].tolist() == [3, 3]
    assert found["verdict"].tolist() == [Verdict.CHANCE, Verdict.DIFFERS]  # by name: joke, question
    assert found.loc["question", "low"] > 0 and found.loc["joke", "more"] > 0
    [joke, _question] = factors.describe_responsiveness(responsiveness(workspace))
    assert "may differ by chance" in joke and f"About {found.loc['joke', 'more']:.0f} more of them" in joke


@pytest.mark.parametrize(
    ("seconds", "counted"),
    [
        (MARKS, 4),
        (MARKS[:-1], 3),
        ((*MARKS[:-1], MIN_HISTORY_S - 1), 3),
        ((*MARKS[:-1], SECONDS - AFTER_S + 1), 3),
    ],
    ids=["four", "three", "one too early", "one too late"],
)
def test_a_verdict_needs_four_markers_with_enough_before_and_after(workspace, seconds, counted):
    marked(workspace, restless(), *seconds)
    found = only(workspace)
    assert found["markers"] == counted
    assert (found["verdict"] == Verdict.TOO_LITTLE) == (counted < MIN_MARKERS) == np.isnan(found["low"])


def test_a_stretch_of_another_activity_is_compared_with_itself_only(workspace):
    number = marked(workspace, restless(), *MARKS)
    workspace.switch_activity(number, "desk work", START + timedelta(seconds=310))
    assert only(workspace)["markers"] == 2  # the first stretch is too short, the second one begins too shortly before
    workspace.switch_activity(number, "screen", START + timedelta(seconds=700))
    assert only(workspace)["markers"] == 0  # three short ones


def test_seconds_of_group_work_have_no_attention(workspace):
    number = marked(workspace, restless(), *MARKS)
    workspace.switch_activity(number, "group work", START + timedelta(seconds=10))
    assert only(workspace)["markers"] == 0


@pytest.mark.parametrize(
    ("table", "lesson"),
    [
        (restless(tracks=4), {}),
        (restless(size=20.0), {}),
        (restless(), {"audience": "self"}),
        (restless(), {"formula": "attention-only 2"}),
        (restless(), {"class_name": NO_CLASS}),
    ],
    ids=["below the minimum group", "faces too small", "one person", "another formula", "no class"],
)
def test_lessons_without_a_class_figure_count_nowhere(workspace, table, lesson):
    marked(workspace, table, *MARKS, **lesson)
    assert responsiveness(workspace)["markers"].sum() == 0


def test_classes_are_judged_apart_and_named_where_there_are_several(workspace):
    for name in ("7a", "9c"):
        marked(workspace, restless(), *MARKS, class_name=name)
    table = responsiveness(workspace)
    assert table["class_name"].tolist() == ["7a", "9c"]
    assert [sentence[:12] for sentence in factors.describe_responsiveness(table)] == ["7a, Question", "9c, Question"]
    assert responsiveness(workspace, Filter(["9c"]))["class_name"].tolist() == ["9c"]
