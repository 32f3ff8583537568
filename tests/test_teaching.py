"""Forms of teaching, on lessons whose minutes are known, the empty workspace first."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.queries import ALL
from cssafe.teaching import COLUMNS, forms
from tests.lessons import LESSON, START, add, rows


def minutes(*values: float) -> pd.DataFrame:
    """One second of six faces in each minute, with this concentration."""
    parts = [rows(start=START + timedelta(minutes=i), concentration=value) for i, value in enumerate(values)]
    return pd.concat(parts, ignore_index=True)


def told(workspace) -> dict:
    return {(row.form, row.measure): row for row in forms(workspace, ALL).itertuples(index=False)}


def test_an_empty_workspace_has_no_forms_and_a_plain_lesson_nothing_to_compare(workspace):
    assert forms(workspace, ALL).empty and tuple(forms(workspace, ALL).columns) == COLUMNS
    add(workspace, minutes(0.5, 0.6))
    assert forms(workspace, ALL).empty


def lesson_with(workspace, *events: tuple[str, int], values=(0.5, 0.5, 0.7, 0.7, 0.6, 0.6)) -> int:
    number = add(workspace, minutes(*values), lesson=LESSON)
    for kind, minute in events:
        workspace.mark(number, kind, START + timedelta(minutes=minute))
    return number


def test_a_form_is_compared_with_the_lecture_of_its_own_lesson(workspace):
    for i in range(6):
        shift = 0.05 * i  # good and bad lessons alike
        lesson_with(workspace, ("quiz", 2), values=np.array([0.3, 0.3, 0.5 + 0.01 * i, 0.5]) + shift)
    quiz = told(workspace)["quiz", "during"]
    assert quiz.difference == pytest.approx(0.2125, abs=1e-4) and quiz.low > 0.2 and quiz.lessons == 6
    assert told(workspace)["quiz", "after"].lessons == 0  # it lasted to the end


def test_fewer_than_five_lessons_give_no_figure(workspace):
    for _ in range(4):
        lesson_with(workspace, ("quiz", 2))
    quiz = told(workspace)["quiz", "during"]
    assert np.isnan(quiz.difference) and np.isnan(quiz.low) and quiz.lessons == 4


def test_group_work_is_never_scored_and_judged_by_what_follows(workspace):
    for i in range(5):
        number = lesson_with(workspace, ("group work", 2), values=(0.4, 0.4, 0.9, 0.9, 0.6 + 0.01 * i, 0.6))
        workspace.switch(number, "front", START + timedelta(minutes=4))
    found = told(workspace)
    assert ("group work", "during") not in found
    assert (
        found["group work", "after"].difference == pytest.approx(0.21, abs=1e-4)
        and found["group work", "after"].low > 0
    )


def test_a_switch_just_after_a_marker_belongs_to_it(workspace):
    for _ in range(5):
        number = lesson_with(workspace, ("quiz", 2))
        workspace.switch(number, "desk work", START + timedelta(minutes=2, seconds=20))
    assert set(told(workspace)) == {("quiz", "during"), ("quiz", "after")}


def test_questions_and_jokes_begin_no_form(workspace):
    lesson_with(workspace, ("question", 1), ("joke", 2))
    assert forms(workspace, ALL).empty
