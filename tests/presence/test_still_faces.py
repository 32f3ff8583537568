"""Pictures of faces on a wall among people who move."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.live.class_view import ClassView
from cssafe.pipeline import Pipeline, Stream
from cssafe.presence.still_faces import MIN_LOOKS, STILL_LOOKS, StillFaces, left_out
from cssafe.recording import Recording, analyze
from cssafe.scoring.formula import choose_formula
from cssafe.settings import PROFILES, load
from cssafe.store import Workspace
from tests.support.fake_pipelines import crowd
from tests.support.lessons import START, add, rows
from tests.support.shared import shared_data

HEIGHT_PX = 60.0


def portrait(seconds: int, track: int, noise_px: float = 0.25) -> pd.DataFrame:
    """A face that never moves, its place read with noise."""
    random = np.random.default_rng(track)
    place = {"x": 0.9, "y": 0.1, "w": HEIGHT_PX / 1280, "h": HEIGHT_PX / 720, "size": HEIGHT_PX, "roll": 0.0}
    table = rows(1, seconds, **place).assign(track=np.int32(track))
    table["x"] += random.normal(0, noise_px, seconds) / 1280
    table["y"] += random.normal(0, noise_px, seconds) / 720
    for name, degrees in (("yaw", 1.0), ("pitch", 1.0), ("roll", 0.3)):
        table[name] = random.normal(0, degrees, seconds)
    return table


def with_portrait(people: int, seconds: int) -> pd.DataFrame:
    return pd.concat([rows(people, seconds), portrait(seconds, people)], ignore_index=True)


@pytest.mark.parametrize("seconds", [STILL_LOOKS, 2700])
def test_a_portrait_is_left_out_and_a_person_who_leans_by_three_percent_of_the_head_is_not(seconds):
    swaying = portrait(seconds, 7)
    swaying["x"] += 0.03 * swaying["w"] * np.sin(np.arange(seconds) / 5)
    assert left_out(pd.concat([portrait(seconds, 3), swaying], ignore_index=True), "self").tolist() == [3]


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["one_face_expressions", "two_faces_head_tilt"])
def test_nobody_in_the_clips_is_a_picture_in_an_hour_made_of_the_stillest_five_seconds(clip):
    path = str(shared_data(f"video/{clip}.mp4"))
    pipeline, stream, recording = Pipeline(PROFILES["attention-only"], load({}).model), Stream(), Recording(START)
    for _ in analyze(path, 0.1, lambda frame: pipeline.analyze(frame, stream), recording):
        pass
    recording.end()
    faces = [seen for _track, seen in recording.observations.groupby("track") if len(seen) >= MIN_LOOKS]
    assert faces
    for seen in faces:
        for first in range(len(seen) - MIN_LOOKS + 1):
            hour = pd.concat([seen.iloc[first : first + MIN_LOOKS]] * (3600 // MIN_LOOKS))
            assert len(left_out(hour, "class")) == 0


def test_a_portrait_that_somebody_passes_is_left_out():
    table = portrait(600, 3)
    table.loc[100:110, "x"] += 0.02
    table.loc[100:110, "yaw"] += 30
    assert left_out(table, "self").tolist() == [3]


def test_faces_of_unknown_place_or_without_rows_are_people():
    assert len(left_out(portrait(60, 3).assign(x=np.nan), "class")) == 0
    assert len(left_out(rows(0), "class")) == 0


def test_nobody_who_has_moved_is_a_picture_after_half_a_minute_of_stillness():
    stills, table = StillFaces(), portrait(100, 1)
    table.loc[:20, "roll"] += 10 * (np.arange(21) % 2)
    for second in range(100):
        stills.add(table.iloc[[second]])
        assert not stills.still
    assert stills.moving == {1}


@pytest.mark.parametrize(("people", "shown"), [(4, False), (5, True)])
@pytest.mark.parametrize("seconds", [10, 60])
def test_a_portrait_completes_no_group_of_a_stored_lesson(people, shown, seconds):
    with closing(Workspace.open(None)) as workspace:
        number = add(workspace, with_portrait(people, seconds))
        course = queries.timeline(workspace, number)
        assert course["concentration"].notna().any() == shown
        assert course["faces"].tolist() == [people]
        with workspace.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM tracks").fetchone() == (people * shown,)


@pytest.mark.parametrize("people", [4, 5])
def test_a_portrait_completes_no_group_of_a_live_lesson_and_is_left_out_within_thirty_seconds(people):
    view = ClassView(PROFILES["consent"], "class", choose_formula(None, True), "front")
    for second in range(31):
        time = START + timedelta(seconds=second)
        result = crowd(people + 1, time)
        roll = result.signals.roll.copy()
        roll[-1] = 0
        view.add_result(replace(result, signals=replace(result.signals, roll=roll)))
        assert np.isnan(view.reading().concentration) or (people == 5 and second >= 2)
    assert view.reading().faces == people and view.still == 1
    assert np.isnan(view.reading().concentration) == (people == 4)
    assert len(view.overlay(crowd(people + 1, time)).faces) == people
