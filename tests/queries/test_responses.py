"""What markers did to a class: planted effects are found as large and as quick as they were planted, and nothing else is."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from cssafe.labels import FERPLUS
from cssafe.observations import average_seconds
from cssafe.queries.responses import COLUMNS, Course, responses, turning_delay
from cssafe.scoring.affect import COORDINATES
from cssafe.scoring.formula import ATTENTION_ONLY, PUBLISHED
from tests.support.lessons import LESSON, START, add, rows
from tests.support.simulated_class import ROUGH, Plan, Step, frames

pytestmark = pytest.mark.slow

SWINGING = replace(ROUGH, mood=0.05, seconds=900)
"""A class that is restless and goes up and down by itself, of which little is read well."""


def told(workspace, plan: Plan, *markers: float, profile: str = "consent"):
    """Responses of the plan's lesson with questions at these seconds."""
    formula = PUBLISHED if profile == "consent" else ATTENTION_ONLY
    number = workspace.start_lesson(replace(LESSON, profile=profile))
    workspace.record(number, average_seconds(list(frames(plan, START, formula))))
    workspace.end_lesson(number, START + timedelta(seconds=plan.seconds))
    for second in markers:
        workspace.add_marker(number, "question", START + timedelta(seconds=second))
    return responses(workspace, number)


def clear(table) -> np.ndarray:
    return (table["low"] > 0) | (table["high"] < 0)


@pytest.mark.parametrize(
    ("faces", "marker", "shown"),
    [(6, None, False), (0, 60, False), (4, 120, False), (6, 120, True), (6, 20, True), (6, 900, False)],
)
def test_without_faces_markers_or_the_minimum_group_nothing_is_told(workspace, faces, marker, shown):
    number = add(workspace, *([rows(tracks=faces, seconds=600)] if faces else []))
    if marker is not None:
        workspace.add_marker(number, "question", START + timedelta(seconds=marker))
    table = responses(workspace, number)
    assert tuple(table.columns) == COLUMNS
    assert table["change"].notna().any() == shown


def test_a_planted_change_of_attention_comes_out_with_its_size_and_delay(workspace):
    steps = (Step(looking=(0.3,)), Step(400, looking=(0.9,), delay=4.0), Step(460, looking=(0.3,)))
    table = told(workspace, replace(SWINGING, faces=30, steps=steps), 400, 700)
    attention = table[table["measure"] == "attention"].set_index(["minute", "window"])
    # 60 % more look there, with 1 instead of .4 where their eyes are open, less those who glance elsewhere
    gain = 0.6 * 0.6 * 0.95 * 0.9
    assert attention.loc[(400 / 60, 30), "change"] == pytest.approx(gain * 26 / 30, abs=0.06)  # four seconds late
    assert attention.loc[(400 / 60, 5), "change"] < attention.loc[(400 / 60, 15), "change"] < gain + 0.05
    assert clear(attention.loc[400 / 60]).any() and not clear(attention.loc[700 / 60]).any()
    found = attention.loc[(400 / 60, 30)]
    assert found["low"] < gain * 26 / 30 < found["high"]
    assert found["soonest"] <= 4 <= found["latest"] and found["delay"] == pytest.approx(4, abs=2)
    assert attention.loc[700 / 60, "delay"].isna().all()


def test_a_class_that_turns_away_is_told_with_its_delay(workspace):
    steps = (Step(looking=(0.9,)), Step(400, looking=(0.1,), delay=6.0))
    table = told(workspace, replace(SWINGING, seconds=700, steps=steps), 400)
    attention = table[table["measure"] == "attention"].set_index("window")
    assert (attention["high"] < 0).any() and attention.loc[30, "delay"] == pytest.approx(6, abs=2.5)


def test_a_planted_change_of_expression_comes_out_with_its_size(workspace):
    steps = (Step(), Step(400, emotions={"happy": 0.7}), Step(430))
    table = told(workspace, replace(SWINGING, steps=steps), 400)
    expression = table[table["measure"] == "expression"].set_index("window")
    valence = np.array([COORDINATES[name][0] for name in FERPLUS])
    gain = (steps[1].mixture - steps[0].mixture) @ valence
    assert expression["change"].tolist() == pytest.approx([gain] * 3, abs=0.05)
    assert clear(expression).all() and not clear(table[table["measure"] == "attention"]).any()


@pytest.mark.parametrize("profile", ["consent", "attention-only"])
def test_attention_only_has_no_response_of_expressions(workspace, profile):
    table = told(workspace, replace(SWINGING, seconds=500), 200, profile=profile)
    assert ("expression" in set(table["measure"])) == (profile == "consent")


@pytest.mark.parametrize("seed", range(4))
def test_of_many_markers_without_an_effect_none_is_reported(workspace, seed):
    table = told(workspace, replace(SWINGING, seconds=1200, mood=0.1, seed=seed), *range(90, 1100, 125))
    assert table["low"].notna().all() and not clear(table).any() and table["delay"].isna().all()


def test_a_lesson_too_short_to_know_its_own_swings_has_changes_without_a_verdict(workspace):
    table = told(workspace, replace(SWINGING, seconds=150), 90)
    assert table["change"].notna().any() and table[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([], (np.nan, np.nan, np.nan)),
        ([2, 2, 2, 2], (np.nan, np.nan, np.nan)),
        ([1, 2, 3, 4, 5], (3, 0, np.inf)),
        ([1, 2, np.inf, np.inf, np.inf], (np.inf, 0, np.inf)),
        ([*range(20)], (9, 5, 14)),
    ],
)
def test_delay_is_the_median_with_an_interval_from_its_ranks(first, expected):
    seconds = np.arange(60)[:, None]
    values = (seconds >= 20 + np.array(first, float)[None]) * 1.0
    course = Course(values, np.ones_like(values, bool))
    assert turning_delay(course, 20, 1, 5) == pytest.approx(expected, nan_ok=True)
    assert turning_delay(Course(1 - values, np.ones_like(values, bool)), 20, -1, 5) == pytest.approx(
        expected, nan_ok=True
    )
