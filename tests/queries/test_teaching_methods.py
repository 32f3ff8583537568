"""Forms of teaching: lessons whose minutes are known, the empty workspace first; then made-up terms with and without effect."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.queries import ALL
from cssafe.queries.teaching_methods import COLUMNS, compare_forms, forms_compared
from cssafe.stats.evidence import Verdict
from tests.support.lessons import START, add, rows


def minutes(*values: float) -> pd.DataFrame:
    """One second of six faces in each minute, with this concentration."""
    parts = [rows(start=START + timedelta(minutes=i), concentration=value) for i, value in enumerate(values)]
    return pd.concat(parts, ignore_index=True)


def told(workspace) -> dict:
    return {(row.form, row.measure): row for row in forms_compared(workspace, ALL).itertuples(index=False)}


def taught(workspace, values, *events: tuple[str, int]) -> int:
    number = add(workspace, minutes(*values))
    for kind, minute in events:
        workspace.add_marker(number, kind, START + timedelta(minutes=minute))
    return number


def test_an_empty_workspace_has_no_forms_and_a_plain_lesson_nothing_to_compare(workspace):
    assert forms_compared(workspace, ALL).empty and tuple(forms_compared(workspace, ALL).columns) == COLUMNS
    add(workspace, minutes(0.5, 0.6))
    assert forms_compared(workspace, ALL).empty


def test_a_form_is_compared_with_the_lecture_of_its_own_lesson(workspace):
    for i in range(8):
        shift, noise = 0.05 * i, 0.001 * i  # good and bad lessons alike
        taught(workspace, np.array([0.3, 0.3, 0.5 + noise, 0.5 + noise]) + shift, ("quiz", 2))
    quiz = told(workspace)["quiz", "during"]
    assert (
        quiz.difference == pytest.approx(0.2035, abs=1e-4) and 0.19 < quiz.low < quiz.high < 0.21 and quiz.lessons == 8
    )
    assert quiz.verdict == Verdict.DIFFERS
    assert ("quiz", "after") not in told(workspace)  # it lasted to the end


@pytest.mark.parametrize(("lessons", "answers"), [(7, False), (8, True)])
def test_it_answers_from_eight_lessons_on(workspace, lessons, answers):
    for _ in range(lessons):
        taught(workspace, (0.5, 0.5, 0.7, 0.7), ("quiz", 2))
    quiz = told(workspace)["quiz", "during"]
    assert np.isfinite(quiz.difference) == answers == np.isfinite(quiz.low) and quiz.lessons == lessons
    assert quiz.verdict == (Verdict.DIFFERS if answers else Verdict.TOO_LITTLE)


def test_lessons_without_two_minutes_in_a_row_count_nowhere(workspace):
    """Their minutes say nothing about what lasts from one to the next."""
    taught(workspace, (0.5,), ("quiz", 0))
    for i in range(8):
        taught(workspace, np.array([0.3, 0.3, 0.5, 0.5]) + 0.01 * i, ("quiz", 2))
    assert told(workspace)["quiz", "during"].difference == pytest.approx(0.2, abs=1e-4)
    table = pd.DataFrame({"lesson": np.repeat(np.arange(8), 2), "minute": np.tile([0, 2], 8), "concentration": 0.5})
    [quiz] = compare_forms(table.assign(form=np.tile(["lecture", "quiz"], 8), after=None)).itertuples()
    assert np.isnan(quiz.difference) and quiz.lessons == 8


def test_group_work_is_never_scored_and_judged_by_what_follows(workspace):
    for i in range(8):
        number = taught(workspace, (0.4, 0.4, 0.9, 0.9, *[0.6 + 0.001 * i] * 2), ("group work", 2))
        workspace.switch_activity(number, "front", START + timedelta(minutes=4))
    for _ in range(2):
        taught(workspace, [0.4] * 6)  # the course without it
    found = told(workspace)
    assert ("group work", "during") not in found
    assert found["group work", "after"].difference == pytest.approx(0.2035, abs=1e-4)


def test_a_form_always_at_the_same_time_cannot_be_told_from_the_time(workspace):
    for i in range(8):
        taught(workspace, [*[0.4] * 5, *[0.6 + 0.01 * i] * 5], ("quiz", 5))
    quiz = told(workspace)["quiz", "during"]
    assert np.isnan(quiz.difference) and quiz.lessons == 8


def test_a_switch_just_after_a_marker_belongs_to_it(workspace):
    for _ in range(5):
        number = taught(workspace, (0.5,) * 6, ("quiz", 2))
        workspace.switch_activity(number, "desk work", START + timedelta(minutes=2, seconds=20))
    assert set(told(workspace)) == {("quiz", "during")}


def test_questions_and_jokes_begin_no_form(workspace):
    taught(workspace, (0.5,) * 4, ("question", 1), ("joke", 2))
    assert forms_compared(workspace, ALL).empty


def term(seed: int, effect: float, lessons: int = 24, with_it: int = 8) -> pd.DataFrame:
    """Minutes of a term: each lesson of its own mean, all falling from their middle on, with moods of some minutes; some have a
    quiz of ten minutes somewhere in their second half, whose effect differs from lesson to lesson."""
    random, parts = np.random.default_rng(seed), []
    time = np.arange(45)
    for lesson in range(lessons):
        mood = np.convolve(random.normal(0, 0.04, 55), np.ones(10) / np.sqrt(10))[:45]
        values = random.normal(0.6, 0.08) - 0.004 * np.maximum(0, time - 20) + mood
        quiz = (time >= (begin := random.integers(20, 35))) & (time < begin + 10) & (lesson < with_it)
        values = values + quiz * random.normal(effect, 0.02)
        form = np.where(quiz, "quiz", "lecture")
        parts.append(
            pd.DataFrame({"lesson": lesson, "minute": time, "concentration": values, "form": form, "after": None})
        )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("lessons", "with_it"), [(24, 8), (12, 8), (20, 20)])
def test_the_interval_holds_the_truth_in_19_of_20_terms_though_lessons_fall_by_themselves(lessons, with_it):
    held = []
    for seed in range(200):
        (row,) = compare_forms(term(seed, 0.0, lessons, with_it)).itertuples()
        held.append(row.low <= 0 <= row.high)
    assert 0.915 <= np.mean(held) <= 1


def test_a_planted_effect_is_found():
    found = [next(compare_forms(term(seed, 0.1)).itertuples()) for seed in range(50)]
    assert np.mean([row.difference for row in found]) == pytest.approx(0.1, abs=0.01)
    assert np.mean([row.low > 0 for row in found]) > 0.8
