"""Attention and concentration by version 3: continuous in the angle and in the eyes, and nothing else decides."""

import json

import numpy as np
import pytest

from cssafe.frames import SIGNALS, Signals
from cssafe.labels import FERPLUS
from cssafe.scoring.concentration import attention, concentration, levels, on_task
from cssafe.scoring.formula import ATTENTION_ONLY, CONCENTRATION, FORMULAS, PUBLISHED, PUBLISHED_ATTENTION, find_formula

SCORED = ("front", "screen", "desk work")
STEP_DEG = 0.1
MAX_STEP = 0.15 * STEP_DEG + 1e-6  # float32


def score(activity="front", formula=CONCENTRATION, **values):
    """Attention of faces with these signals; the others look straight at the camera with open eyes."""
    n = max(np.size(value) for value in values.values()) if values else 1
    plain = dict.fromkeys(SIGNALS, 0.0) | {"eyes_open": 1.0} | values
    arrays = {name: np.broadcast_to(value, n).astype(np.float32) for name, value in plain.items()}
    return attention(Signals(**arrays), formula, activity)


def sure(emotion):
    return np.array([[float(name == emotion) for name in FERPLUS]], np.float32)


@pytest.mark.parametrize("activity", SCORED)
def test_a_tenth_of_a_degree_changes_attention_by_at_most_fifteen_thousandths(activity):
    angles = np.arange(-90, 90, STEP_DEG)
    for other in (-50, -20, 0, 18, 33, 62):
        for course in (score(activity, yaw=angles, pitch=other), score(activity, pitch=angles, yaw=other)):
            assert np.abs(np.diff(course)).max() <= MAX_STEP
    diagonal = score(activity, yaw=angles / np.sqrt(2), pitch=angles / np.sqrt(2))
    assert np.abs(np.diff(diagonal)).max() <= MAX_STEP


@pytest.mark.parametrize("activity", SCORED)
def test_attention_never_rises_the_further_a_head_turns_or_tilts(activity):
    angles = np.arange(0, 90, 0.5)
    for course in (
        score(activity, yaw=angles), score(activity, yaw=-angles),
        score(activity, pitch=angles), score(activity, pitch=-angles),
        score(activity, yaw=angles, pitch=25), score(activity, pitch=angles, yaw=25),
    ):  # fmt: skip
        assert (np.diff(course) <= 0).all()
    assert score(activity, yaw=angles).max() == 1 and score(activity, yaw=angles).min() == 0


@pytest.mark.parametrize("activity", SCORED)
def test_attention_rises_continuously_as_eyes_open(activity):
    course = score(activity, eyes_open=np.linspace(0, 1, 1001))
    assert (np.diff(course) >= 0).all() and np.diff(course).max() <= 0.011
    assert course[0] == course[150] == 0 and course[-1] == 1


def test_one_inside_the_target_and_nothing_clearly_away():
    assert score(yaw=[0, 19, -19], pitch=[0, 14, -14]).tolist() == [1, 1, 1]
    assert score(yaw=[45, -45, 70, 0, 0], pitch=[0, 0, 0, 45, -45]).tolist() == [0, 0, 0, 0, 0]
    assert score("desk work", pitch=45) == 1  # at the desk
    assert score(yaw=25, gaze_x=0.3)[0] == 1  # the eyes turn back to the front


def test_half_closed_eyes_at_the_board_score_above_open_eyes_turned_away():
    half, away = score(eyes_open=[0.35, 0.4, 0.45]), score(yaw=[45.0, -60.0, 90.0])
    assert half.min() > away.max()
    assert half[1] == pytest.approx(0.5) and score(eyes_open=[0.0, 0.3]).tolist() == [0, 0]


def test_eyes_that_cannot_be_read_leave_attention_to_the_direction_alone():
    angles = np.arange(-60, 60, 1.0)
    np.testing.assert_array_equal(score(yaw=angles, eyes_open=np.nan, gaze_x=np.nan), score(yaw=angles))
    assert np.isnan(score(yaw=np.nan)).all()


def test_a_class_that_looks_away_entirely_is_low_and_half_closed_eyes_are_medium():
    away = concentration(score(yaw=np.full(20, 60.0)), np.repeat(sure("neutral"), 20, axis=0), CONCENTRATION)
    half = concentration(score(eyes_open=np.full(20, 0.4)), np.repeat(sure("neutral"), 20, axis=0), CONCENTRATION)
    fresh = np.full(1, -1, np.int8)
    found = [int(levels(np.array([index.mean()]), fresh, CONCENTRATION)[0]) for index in (away, half, np.ones(20))]
    assert found == [0, 1, 2] and away.max() == 0


def test_expression_changes_concentration_by_less_than_a_third_and_a_laugh_costs_nothing():
    mixed = np.random.default_rng(0).dirichlet(np.ones(8), 200).astype(np.float32)
    index = concentration(np.ones(200, np.float32), mixed, CONCENTRATION)
    assert index.min() >= 0.7 and index.max() <= 1
    one = np.ones(1, np.float32)
    assert concentration(one, sure("happy"), CONCENTRATION) == concentration(one, sure("neutral"), CONCENTRATION) == 1
    assert concentration(one, None, ATTENTION_ONLY) == 1


def test_on_task_is_attention_of_a_half_or_more():
    assert on_task(np.array([0.0, 0.49, 0.5, 1.0, np.nan])).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("formula", [CONCENTRATION, ATTENTION_ONLY, PUBLISHED, PUBLISHED_ATTENTION], ids=str)
def test_the_weight_of_people_not_visible_is_a_number_in_the_file(formula):
    assert [formula.unseen_weight(activity) for activity in SCORED] == [0, 0, 1]
    assert np.isnan(formula.unseen_weight("break"))


def test_the_published_index_reproduces_its_earlier_values_to_the_last_bit():
    """Computed as version 2 did, from the numbers in its file."""
    draw = np.random.default_rng(0)
    n = 5000
    faces = {"yaw": draw.normal(0, 25, n), "pitch": draw.normal(5, 20, n), "gaze_x": draw.uniform(-0.7, 0.7, n)}
    faces["eyes_open"] = np.where(draw.random(n) < 0.1, np.nan, draw.uniform(0, 1, n))
    faces = {name: value.astype(np.float32) for name, value in faces.items()}
    p = draw.dirichlet(np.ones(8), n).astype(np.float32)
    for formula in (PUBLISHED, PUBLISHED_ATTENTION):
        expected = formula_two(faces, None if formula.emotion is None else p, f"{formula.name}-{formula.version}.json")
        attending = score(formula=formula, **faces)
        np.testing.assert_array_equal(attending, expected[0])
        np.testing.assert_array_equal(concentration(attending, p, formula), expected[1])
    assert find_formula("published 2") is not None, "the name that earlier lessons have"


def formula_two(faces, p, file):
    """Attention and concentration at the front by version 2."""
    data = json.loads((FORMULAS / file).read_text())
    limits = {name: entry["value"] for name, entry in data["activities"]["front"].items()}
    gaze = {name: entry["value"] for name, entry in data["gaze"].items()}
    eyes = np.degrees(np.arcsin(np.clip(faces["gaze_x"] / 0.8, -1, 1)))
    centre = (np.abs(faces["yaw"] - eyes) <= limits["yaw"]) & (faces["pitch"] >= -limits["up"])
    centre &= faces["pitch"] <= limits["down"]
    openness = np.nan_to_num(faces["eyes_open"], nan=1.0)
    lids = np.where(openness < limits["closed"], 2, openness < limits["half_open"]).astype(int)
    on = np.array([gaze["centre_open"], gaze["centre_half"], gaze["closed"]])[lids]
    off = np.array([gaze["away_open"], gaze["away_half"], gaze["closed"]])[lids]
    attending = np.clip(np.where(centre, on, off) / 5.0, 0, 1).astype(np.float32)
    weights = None if p is None else np.array([data["emotion"][name]["value"] for name in FERPLUS], np.float32)
    emotion = np.ones(len(attending), np.float32) if weights is None else p @ weights
    return attending, np.clip(emotion * attending * 5.0 / data["divisor"]["value"], 0, 1).astype(np.float32)
