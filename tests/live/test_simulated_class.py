"""The proof: a simulated class, about which everything is known, through tracker, formula, observations, a running lesson,
the database and its tables. What was scheduled comes out, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cssafe import queries
from cssafe.live.class_view import ClassView
from cssafe.live.lesson import LiveLesson
from cssafe.scoring.formula import PUBLISHED, PUBLISHED_ATTENTION, Formula
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from tests.support.simulated_class import ROUGH, Plan, Step, frames

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def expected(step: Step, formula: Formula, restless: float = 0.0) -> float:
    """The mean index of a step by hand."""
    looking = np.mean(step.looking)
    front = looking * (1 - restless) + (1 - looking) * restless
    gaze = front * formula.gaze["centre_open"] + (1 - front) * formula.gaze["away_open"]
    emotion = 1.0 if formula.emotion is None else step.mixture @ formula.emotion
    return emotion * (1 - step.perclos) * gaze / formula.divisor


def record(workspace: Workspace, plan: Plan, profile: str = "consent") -> LiveLesson:
    """The plan as a lesson that runs and has ended."""
    lesson = LiveLesson.start(
        workspace, PROFILES[profile], class_name="7b", subject="Maths", room="", time_zone="UTC", audience="class"
    )
    begin = lesson.lesson.started.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for result in frames(plan, begin, PUBLISHED if PROFILES[profile].expression else PUBLISHED_ATTENTION):
        lesson.add_result(result)
    lesson.end()
    return lesson


def test_no_face_and_no_time_are_ordinary(workspace):
    assert list(frames(Plan(seconds=0), START, PUBLISHED)) == []
    results = list(frames(Plan(faces=0, seconds=3, lost=1), START, PUBLISHED))
    assert len(results) == 6 and not any(len(result) for result in results)
    assert record(workspace, Plan(faces=0, seconds=3)).state().seconds == 0


@pytest.mark.parametrize("profile", ["consent", "attention-only"])
def test_index_and_interval_come_out_as_scheduled_in_every_minute(workspace, profile):
    steps = (
        Step(looking=(1.0,), emotions={}),
        Step(60, looking=(0.5,)),
        Step(120, looking=(0.0,), emotions={"sad": 0.8}, perclos=0.3),
        Step(180, looking=(0.9,), perclos=0.1),
    )
    lesson = record(workspace, replace(ROUGH, seconds=240, steps=steps), profile)
    formula = PUBLISHED if PROFILES[profile].expression else PUBLISHED_ATTENTION
    course = queries.timeline(workspace, lesson.number)
    truth = [expected(step, formula, ROUGH.restless) for step in steps]
    assert course["highest"].tolist() == pytest.approx(truth, abs=0.03), "faces are lost whatever they do"
    assert ((course["lowest"] - 0.01 <= truth) & (truth <= course["highest"] + 0.03)).all()
    assert (course["low"] <= course["concentration"]).all() and (course["concentration"] <= course["high"]).all()
    assert (course["high"] - course["low"]).between(0.005, 0.4).all()
    assert course["faces"].between(18, 24).all() and course["present"].between(23, 24).all()
    (row,) = queries.lessons(workspace).itertuples()
    assert row.lowest <= np.mean(truth) <= row.highest + 0.02 and row.minutes == 4


@pytest.mark.parametrize(
    ("step", "level"),
    [
        (Step(looking=(1.0,), emotions={}), 2),
        (Step(looking=(0.1,)), 1),
        (Step(looking=(0.0,), emotions={"sad": 0.9}), 0),
        (Step(perclos=0.9), 0),
    ],
)
def test_levels_come_out_as_scheduled_of_the_class_and_of_each_face(workspace, step, level):
    plan = Plan(seconds=20, steps=(step,), rate=5)
    lesson = record(workspace, plan)
    assert lesson.add_result(list(frames(plan, START, PUBLISHED))[-1]).level == ("low", "medium", "high")[level]
    with workspace.cursor() as cursor:
        levels = cursor.execute("SELECT level, count(*) FROM observations GROUP BY ALL ORDER BY 2 DESC").fetchall()
    assert levels[0][0] == level


@pytest.mark.parametrize("faces", [5, 30])
def test_faces_that_are_lost_and_found_again_are_counted_once(workspace, faces):
    lesson = record(workspace, replace(ROUGH, faces=faces, seconds=150, lost=1.0))
    with workspace.cursor() as cursor:
        (tracks,) = cursor.execute("SELECT count(DISTINCT track) FROM observations").fetchone()
        (counted,) = cursor.execute("SELECT count(*) FROM tracks").fetchone()
    assert tracks > 1.5 * faces and counted == faces
    assert queries.emotions(workspace)["faces"].unique().tolist() == [faces]
    workspace.delete(lesson.number)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM faces").fetchone() == (0,)


def test_a_simulated_class_of_four_has_no_figure_anywhere(workspace):
    lesson = record(workspace, Plan(faces=4, seconds=70, rate=1))
    assert queries.timeline(workspace, lesson.number)["concentration"].isna().all()
    assert lesson.state().history["concentration"].isna().all() and lesson.state().alert is None
    assert queries.emotions(workspace).empty and np.isnan(queries.lessons(workspace)["concentration"]).all()


def test_the_live_reading_holds_the_truth_in_its_interval(workspace):
    step = Step(looking=(0.75,))
    held = []
    for seed in range(10):
        lesson = record(workspace, Plan(seconds=7, rate=8, steps=(step,), seed=seed))
        history = lesson.state().history.iloc[3:]  # before, it is open who has moved
        held.append((history["low"] <= history["high"]).all() and history["concentration"].notna().all())
        reading = lesson.class_view.reading()
        held.append(reading.low <= expected(step, PUBLISHED) <= reading.high)
        workspace.delete(lesson.number)
    assert np.mean(held) >= 0.9


# Alerts.

CALM = Step(looking=(0.9,))
RESTLESS_CLASS = replace(ROUGH, mood=0.06, seconds=600)


def alerts(plan: Plan, formula: Formula = PUBLISHED) -> list[tuple[int, str, str]]:
    """(second, kind, words) of the hints that the lesson gives."""
    profile = PROFILES["attention-only" if formula.emotion is None else "consent"]
    view, given, before = ClassView(profile, "class", formula, plan.activity, hints=True), [], None
    for result in frames(plan, START, formula):
        view.add_result(result)
        if (alert := view.alert_at(result.time)) and alert is not before:
            before = alert
            given.append((round((alert.time - START.replace(tzinfo=None)).total_seconds()), alert.kind, alert.reason))
    return given


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"looking": (0.2,)}, "falling", "has been lower for two minutes: "),
        ({"perclos": 0.25}, "drowsiness", "Eyes are closed for longer: "),
        ({"hidden": 0.8}, "hidden", "Many faces cannot be read: "),
        ({"emotions": {"sad": 0.3, "angry": 0.2}}, "mood", "sad, angry or fearful"),
    ],
)
def test_a_planted_change_is_reported_once_it_has_lasted_two_minutes(change, kind, words):
    steps = (CALM, replace(CALM, at=240.0, **change))
    first, *later = alerts(replace(ROUGH, seconds=480, steps=steps))
    assert first[1] == kind and words in first[2]
    assert 345 <= first[0] <= 440
    assert all(second - first[0] >= 180 and other != kind for second, other, _ in later)


@pytest.mark.parametrize("change", [{"looking": (0.2,)}, {"hidden": 0.8}, {"emotions": {"sad": 0.5}}])
def test_a_change_that_is_over_within_two_minutes_is_not_reported(change):
    steps = (CALM, replace(CALM, at=240.0, **change), replace(CALM, at=340.0))
    assert alerts(replace(ROUGH, seconds=440, steps=steps)) == []


def test_a_running_lesson_of_a_class_tells_its_hint_and_is_quiet_once_hints_are_off(workspace):
    plan = Plan(rate=1, seconds=130, steps=(Step(looking=(0.0,), emotions={"sad": 0.9}),))
    lesson = record(workspace, plan)
    assert lesson.state().alert.kind == "low"
    lesson.hints = False
    assert lesson.state().alert is None
    workspace.set("hints", False)
    assert record(workspace, plan).state().alert is None


@pytest.mark.parametrize("activity", ["group work", "break"])
def test_what_is_not_scored_gives_no_hint_of_concentration(activity):
    assert alerts(Plan(rate=1, seconds=200, activity=activity, steps=(Step(looking=(0.0,)),))) == []


@pytest.mark.parametrize("seed", range(3))
def test_with_nothing_planted_nothing_is_reported(seed):
    assert alerts(replace(RESTLESS_CLASS, seed=seed)) == []


def test_a_class_that_is_low_from_the_beginning_is_reported_as_low():
    (first,) = alerts(Plan(rate=1, seconds=200, steps=(Step(looking=(0.0,), emotions={"sad": 0.9}),)))
    assert (
        first[1] == "low"
        and "low for two minutes: 1" in first[2]
        and " of 100 (" in first[2]
        and 100 <= first[0] <= 125
    )


def test_what_was_so_from_the_beginning_is_no_change():
    assert alerts(replace(ROUGH, seconds=400, steps=(Step(perclos=0.2, emotions={"sad": 0.5}),))) == []


def test_attention_only_tells_nothing_of_expressions():
    steps = (CALM, replace(CALM, at=240.0, emotions={"sad": 0.6}))
    assert alerts(replace(ROUGH, seconds=440, steps=steps), PUBLISHED_ATTENTION) == []


def test_of_four_faces_no_hint_is_given():
    steps = (CALM, replace(CALM, at=240.0, looking=(0.0,), hidden=1.0, perclos=0.5))
    assert alerts(Plan(faces=4, rate=1, seconds=440, steps=steps)) == []
