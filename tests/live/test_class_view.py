"""Figures of a class from frame results alone: no database, no clock, no thread."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cssafe.labels import ACTIVITIES
from cssafe.live.class_view import MAX_FRAME_AGE_S, ClassView
from cssafe.live.lesson_state import ClassReading
from cssafe.live.transports.messages import SENTENCES
from cssafe.presence.people import LEFT_S
from cssafe.scoring.formula import choose_formula
from cssafe.settings import PROFILES, ROOT
from tests.support.fake_pipelines import crowd, crowd_before
from tests.support.simulated_class import Plan, Step, frames

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def make(audience: str = "class", profile: str = "consent", **more) -> ClassView:
    formula = choose_formula(None, PROFILES[profile].expression)
    return ClassView(PROFILES[profile], audience, formula, more.pop("activity", "front"), **more)


def test_neither_the_database_nor_the_page_is_loaded_for_it():
    code = "import sys, cssafe.live.class_view; print(*({'duckdb', 'streamlit'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_before_the_first_frame_there_is_nothing_and_no_error():
    view = make()
    assert view.reading() == ClassReading() and view.history().empty and view.alert_at(START) is None
    assert view.explain_score()["points"].isna().all() and view.finish() == []
    assert view.reading_at(START).notice.code == "no_picture"


def test_each_second_is_handed_out_once_when_it_is_over():
    view = make()
    frames_a_second = [START + timedelta(seconds=s) for s in (0, 0.5, 1, 1.5, 2)]
    finished = [len(view.add_result(crowd(6, time))) for time in frames_a_second]
    assert finished == [0, 0, 1, 0, 1] and len(view.finish()) == 1
    assert (view.seconds, view.faces, len(view.history())) == (3, 6, 3)


def test_seconds_without_a_face_are_not_counted():
    view = make()
    assert [view.add_result(crowd(0, START + timedelta(seconds=s))) for s in range(3)] == [[], [], []]
    assert view.seconds == 0 and view.history().empty and view.reading().notice.code == "no_face"


@pytest.mark.parametrize("age", [0, MAX_FRAME_AGE_S + 1])
def test_a_frame_that_is_too_old_gives_no_figure(age):
    view = make()
    for result in (*crowd_before(6, START), crowd(6, START)):
        view.add_result(result)
    reading = view.reading_at(START + timedelta(seconds=age))
    assert np.isnan(reading.concentration) == (age > MAX_FRAME_AGE_S)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_every_activity_that_is_not_scored_has_its_sentence(activity):
    view = make(activity=activity)
    for result in (*crowd_before(6, START), crowd(6, START)):
        view.add_result(result)
    notice = view.reading().notice
    assert (notice is None) == (view.formula.limits[activity] is not None)
    assert notice is None or SENTENCES[notice.code] == f"{activity.capitalize()} is not scored."


@pytest.mark.parametrize("hints", [True, False])
def test_a_hint_comes_only_where_hints_are_given_and_goes_by_itself(hints):
    view = make(hints=hints)
    step = Step(looking=(0.0,), emotions={"sad": 0.8}, perclos=0.3)
    results = list(frames(Plan(faces=6, seconds=130, rate=1, steps=(step,)), START, view.formula))
    shown = [(view.add_result(result), view.alert_at(result.time))[1] for result in results]
    assert any(shown) == hints
    assert view.alert_at(results[-1].time + timedelta(minutes=4)) is None


def test_covers_are_over_faces_that_are_lost_for_a_moment_and_no_longer():
    view = make()
    first = crowd(2, START)
    view.add_result(first)
    assert len(view.overlay(first).covers) == 2
    for seconds, covered in ((1, 2), (4, 0)):
        empty = crowd(0, START + timedelta(seconds=seconds))
        view.add_result(empty)
        assert len(view.overlay(empty).covers) == covered


def test_a_picture_that_does_not_change_is_reported_within_ten_seconds_and_not_recorded():
    view = make()
    for second in range(-3, 20):
        time = START + timedelta(seconds=second)
        given = view.add_result(replace(crowd(6, time), changed=second < 0))
        assert not given or second <= 0
    assert view.reading().notice.code == "unchanged" and np.isnan(view.reading().concentration)
    for second in range(20, 30):
        given = view.add_result(crowd(6, START + timedelta(seconds=second)))
    assert len(given) == 1 and view.reading().notice is None


@pytest.mark.parametrize("expected", [0, 30])
def test_a_class_that_nobody_sees_counts_as_not_visible_until_all_have_left(expected):
    view = make(expected=expected)
    for second in range(30):
        view.add_result(crowd(6, START + timedelta(seconds=second)))
    last = START + timedelta(seconds=29)
    assert [second.rows.empty for second in view.add_result(crowd(0, last + timedelta(seconds=10)))] == [False]
    assert [second.rows.empty for second in view.add_result(crowd(0, last + timedelta(seconds=LEFT_S - 1)))] == [True]
    assert view.reading().concentration == 0 and view.reading().unseen == max(6, expected)
    view.add_result(crowd(0, last + timedelta(seconds=LEFT_S)))
    assert np.isnan(view.reading().concentration) and view.reading().notice.code == "no_face"
