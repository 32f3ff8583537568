"""What a running lesson tells of its results, to whom, and what it keeps."""

import json
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cssafe.labels import REASONS
from cssafe.live import class_view
from cssafe.live.lesson import LiveLesson
from cssafe.privacy import Anonymization, chosen_anonymization
from cssafe.settings import PROFILES
from tests.support.fake_pipelines import crowd, crowd_before
from tests.support.live_lessons import make, time_now
from tests.support.wait import until


def test_a_lesson_whose_camera_stays_away_ends_by_itself(workspace):
    lesson = make(workspace, patience_s=0.05)
    until(lambda: lesson.ended)


def test_a_lesson_ends_when_its_camera_is_connected_and_sends_nothing_and_not_while_pictures_are_analysed(workspace):
    lesson = make(workspace, patience_s=1.0)
    lesson.lease.connect(lambda answer: None)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.5:
        lesson.add_result(crowd(1, time_now()))
        assert not lesson.ended
    assert lesson.lease.connected
    until(lambda: lesson.ended and lesson.expired)


@pytest.mark.parametrize(
    ("profile", "audience", "faces", "told", "figure", "note"),
    [
        ("consent", "self", 0, False, False, "No face"),
        ("consent", "self", 1, True, True, ""),
        ("consent", "self", 2, False, False, "More than one face"),
        ("consent", "class", 1, True, False, "1 of 5"),
        ("consent", "class", 4, True, False, "4 of 5"),
        ("consent", "class", 5, True, True, ""),
        ("attention-only", "self", 1, True, True, ""),
        ("attention-only", "class", 4, False, False, "4 of 5"),
        ("attention-only", "class", 30, False, True, ""),
    ],
)
def test_what_is_told_of_each_face_and_of_all_depends_on_profile_audience_and_group(
    workspace, profile, audience, faces, told, figure, note
):
    lesson = make(workspace, profile, audience)
    begun, expression = time_now(), PROFILES[profile].expression
    for result in crowd_before(faces, begun, expression):
        lesson.add_result(result)
    answer = lesson.add_result(crowd(faces, begun, expression))
    assert len(answer.faces) == faces
    assert any("concentration" in face for face in answer.faces) == told
    assert (answer.concentration is not None) == figure
    assert note in str(answer.notice or "") and bool(note) == bool(answer.notice)
    reading = lesson.state().reading
    assert np.isnan(reading.concentration) != figure
    assert (reading.expression is not None) == (figure and PROFILES[profile].expression)
    lesson.end()


@pytest.mark.parametrize(("audience", "faces", "reason"), [("self", 1, "blurred"), ("self", 2, ""), ("class", 1, "")])
def test_one_person_alone_reads_why_her_face_is_not_measured(workspace, audience, faces, reason, monkeypatch):
    monkeypatch.setattr(class_view, "MAX_FRAME_AGE_S", 60.0)  # a slow machine draws the page late
    lesson = make(workspace, audience=audience)
    unread = {name: np.full(faces, np.nan, np.float32) for name in ("attention", "concentration")}
    lesson.add_result(replace(crowd(faces, time_now()), **unread, reasons=("blurred",) * faces))
    assert lesson.state().reading.reason == reason
    page = AppTest.from_function(panel, args=(lesson,), default_timeout=30).run()
    lesson.end()
    assert not page.exception
    assert (REASONS["blurred"] in [caption.value for caption in page.caption]) == bool(reason)


def panel(lesson):
    import streamlit as st

    from cssafe.ui.lesson_panel import show_figures

    st.session_state["unwritten_shown"] = False
    show_figures(lesson)


def test_attention_only_says_nothing_of_emotions_anywhere(workspace):
    lesson = make(workspace, "attention-only")
    answer = lesson.add_result(crowd(1, time_now(), expression=False))
    lesson.end()
    assert "expression" not in json.dumps(asdict(answer))
    assert lesson.lesson.formula.startswith("attention")
    workspace.flush()
    assert workspace.cursor().execute("SELECT p_neutral, p_happy FROM observations").fetchall() == [(None, None)]


@pytest.mark.parametrize(("expressed", "told"), [(0, False), (4, False), (5, True)])
def test_emotions_are_told_of_the_minimum_group_alone_also_where_faces_still_wait_for_theirs(
    workspace, expressed, told
):
    lesson = make(workspace, audience="class")
    begun = time_now()
    for result in (*crowd_before(6, begun), crowd(6, begun)):
        result.expression[expressed:] = np.nan
        lesson.add_result(result)
    reading = lesson.state().reading
    assert not np.isnan(reading.concentration) and (reading.expression is not None) == told
    lesson.end()


def test_the_history_holds_one_value_a_second_and_none_of_a_group_that_is_too_small(workspace):
    lesson = make(workspace, audience="class")
    begun = datetime(2026, 3, 2, 12, 0, 4, tzinfo=UTC)
    for result in crowd_before(6, begun):
        lesson.add_result(result)
    for second, faces in enumerate((6, 4, 0, 6, 0)):
        lesson.add_result(crowd(faces, begun + timedelta(seconds=second)))
    history = lesson.state().history.iloc[3:]
    assert history["faces"].tolist() == [6, 4, 0, 6, 0], "who has been seen is there"
    assert history["concentration"].notna().tolist()[:3] == [True] * 3, "those of the six who are not found are carried"
    small = make(workspace, audience="class")
    for second in range(3):
        small.add_result(crowd(4, datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC)))
    assert small.state().history["concentration"].isna().tolist() == [True] * 3
    half = 2.570582 * np.std(np.linspace(0.6, 1.0, 6), ddof=1) / np.sqrt(6)
    assert history[["low", "high"]].iloc[0].tolist() == pytest.approx([0.8 - half, 0.8 + half], abs=1e-6)
    lesson.end()


def test_the_activity_starts_by_who_is_in_the_picture_and_is_switched_while_the_lesson_runs(workspace):
    assert make(workspace, audience="self").activity == "screen"
    lesson = make(workspace, audience="class")
    assert lesson.activity == "front"
    lesson.add_result(crowd(6, time_now()))
    lesson.switch_activity("break")
    assert lesson.activity == "break"
    answer = lesson.add_result(crowd(6, time_now()))
    assert str(answer.notice) == "Break is not scored." and answer.concentration is None
    assert np.isnan(lesson.state().reading.concentration) and lesson.explain_score()["points"].isna().all()
    for _ in range(2):  # the page calls twice where it is drawn again meanwhile
        lesson.switch_activity("desk work")
    lesson.add_result(crowd(6, time_now()))
    lesson.end()
    sql = f"SELECT activity FROM activities WHERE lesson = {lesson.number} ORDER BY time"
    assert workspace.cursor().execute(sql).fetchall() == [("front",), ("break",), ("desk work",)]


@pytest.mark.parametrize(
    ("audience", "faces", "told"),
    [("self", 0, False), ("self", 1, True), ("self", 2, False), ("class", 4, False), ("class", 6, True)],
)
def test_a_score_is_explained_to_whom_it_is_told(workspace, audience, faces, told):
    lesson = make(workspace, audience=audience)
    assert lesson.explain_score()["points"].isna().all()
    begun = time_now()
    for result in (*crowd_before(faces, begun), crowd(faces, begun)):
        lesson.add_result(result)
    parts = lesson.explain_score()
    assert parts["points"].notna().all() == told
    if told:
        assert parts["points"].sum() == pytest.approx(1)
    lesson.end()


def test_a_lesson_is_scored_by_the_formula_that_the_workspace_chose(workspace):
    workspace.set("formula", "attention-only 2")
    lesson = make(workspace)
    assert lesson.lesson.formula == "attention-only 2"
    lesson.end()


@pytest.mark.parametrize("faces", [0, 1, 6])
def test_every_face_is_told_with_what_covers_it_also_while_it_is_lost_for_a_moment(workspace, faces):
    lesson = make(workspace, audience="class")
    begun = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
    covers = lesson.add_result(crowd(faces, begun)).covers
    assert len(covers) == faces and json.dumps(covers)
    for polygon in covers:  # the face is at 10 to 30, 10 to 40
        xs, ys = zip(*polygon, strict=True)
        assert min(xs) < 10 and max(xs) > 30 and min(ys) < 10 and max(ys) > 40
    assert lesson.add_result(crowd(0, begun + timedelta(seconds=1))).covers == covers
    assert lesson.add_result(crowd(0, begun + timedelta(seconds=4))).covers == []
    lesson.end()


@pytest.mark.parametrize("chosen", [{}, {"class": Anonymization.SHOWN, "self": Anonymization.MASK}])
def test_a_lesson_shows_faces_as_was_chosen_for_its_audience(workspace, chosen):
    workspace.set("anonymous", chosen)
    for audience in ("self", "class"):
        lesson = make(workspace, audience=audience)
        assert lesson.way == chosen_anonymization(chosen, audience)
        lesson.end()


def test_people_expected_who_were_never_seen_count_live_and_are_remembered_for_the_class(workspace):
    form = {"class_name": "7b", "subject": "", "room": "", "time_zone": "UTC", "audience": "class"}
    for expected in (12, None):
        lesson = LiveLesson.start(workspace, PROFILES["consent"], expected=expected, **form)
        begun = time_now()
        for result in (*crowd_before(6, begun), crowd(6, begun)):
            lesson.add_result(result)
        reading = lesson.class_view.reading()
        assert (reading.present, reading.unseen) == (12, 6)
        lesson.end()
