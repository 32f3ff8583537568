"""Figures of recordings, and recordings as one lesson."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cssafe.observations import COLUMNS
from cssafe.recording import (
    MAX_CLOCK_DIFFERENCE,
    ROWS_BEFORE_JOIN,
    Recording,
    faces_table,
    join_recordings,
    seconds_table,
    starts_at,
)
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import MINIMUM_GROUP, PROFILES
from tests.support.fake_pipelines import crowd
from tests.support.simulated_class import Plan, frames

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def recorded(faces: int, seconds: int = 1, began: datetime = START) -> Recording:
    """A recording of so many faces, two frames a second."""
    recording = Recording(began)
    for half in range(2 * seconds):
        recording.add(half / 2, crowd(faces, began + timedelta(seconds=half / 2)))
    recording.end()
    return recording


@pytest.mark.parametrize(("faces", "seconds"), [(0, 0), (0, 3), (1, 3), (6, 2 * ROWS_BEFORE_JOIN + 3)])
def test_a_recording_has_one_row_for_each_face_and_second(faces, seconds):
    recording = recorded(faces, seconds)
    rows = recording.observations
    assert tuple(rows.columns) == COLUMNS and len(rows) == faces * seconds
    assert rows.groupby("time").size().tolist() == [faces] * (seconds if faces else 0)
    assert (recording.frames, recording.most) == (2 * seconds, faces if seconds else 0)
    assert recording.ended == START + timedelta(seconds=max(1, seconds))


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        (None, START + timedelta(minutes=5)),
        (START, START),
        (START + timedelta(minutes=3, milliseconds=700), START + timedelta(minutes=3)),
        (START + MAX_CLOCK_DIFFERENCE + timedelta(seconds=1), START + timedelta(minutes=5)),
        (START - timedelta(days=365), START + timedelta(minutes=5)),
    ],
    ids=["unknown", "first", "between", "another day", "a wrong clock"],
)
def test_a_recording_keeps_its_own_time_or_follows_the_one_before(said, begins):
    assert starts_at(said, START, START + timedelta(minutes=5)) == begins


@pytest.mark.parametrize("faces", [0, 2])
def test_faces_of_different_recordings_are_different_people_of_one_lesson(faces):
    rows, empty, start, end = join_recordings([recorded(faces), recorded(faces, 2, START + timedelta(minutes=1))])
    assert set(rows.columns) == {"lesson", *COLUMNS} and len(rows) == 3 * faces
    assert sorted(rows["track"].unique()) == list(range(1, 2 * faces + 1))
    assert start == START and empty.empty
    assert end == (START + timedelta(seconds=62) if faces else START)


def test_a_face_that_comes_back_in_one_recording_is_counted_once_and_in_another_is_another():
    one = Recording(START)
    for result in frames(Plan(faces=7, seconds=120, rate=1, lost=1), START, PUBLISHED):
        one.add((result.time - START).total_seconds(), result)
    one.end()
    assert one.observations["track"].nunique() > 7
    assert join_recordings([one])[0]["track"].nunique() == 7 and join_recordings([one, one])[0]["track"].nunique() == 14


def test_a_lesson_can_be_put_where_it_belongs_in_time():
    rows, empty, start, end = join_recordings([recorded(1)], timedelta(days=-1, minutes=7))
    moved = START + timedelta(days=-1, minutes=7)
    assert empty.empty
    assert (start, end) == (moved, moved + timedelta(seconds=1))
    assert rows["time"].dt.tz_localize("UTC").tolist() == [moved]


@pytest.mark.parametrize(
    ("faces", "audience", "told", "says"),
    [
        (0, "class", False, "No face in view"),
        (MINIMUM_GROUP - 1, "class", False, "Too few faces"),
        (MINIMUM_GROUP, "class", True, "neutral"),
        (0, "self", False, "No face in view"),
        (1, "self", True, "neutral"),
        (2, "self", False, "More than one face"),
    ],
)
def test_a_timeline_tells_nothing_of_too_few(faces, audience, told, says):
    table = seconds_table([(0, crowd(faces, START)), (4, crowd(faces, START))], audience)
    assert table["second"].tolist() == [0, 4] and table["faces"].tolist() == [faces] * 2
    assert table["concentration"].notna().tolist() == [told] * 2
    assert says in table["emotion"].iloc[0]


@pytest.mark.parametrize(
    ("profile", "audience", "faces", "rows"),
    [
        ("consent", "class", 0, 0),
        ("consent", "class", 3, 3),
        ("attention-only", "class", 9, 0),
        ("attention-only", "self", 1, 1),
        ("consent", "self", 2, 0),
    ],
)
def test_single_faces_are_shown_only_to_themselves_or_where_the_profile_says_so(profile, audience, faces, rows):
    table = faces_table([(0, crowd(faces, START))], PROFILES[profile], audience)
    assert list(table.columns) == ["second", "track", "concentration"] and len(table) == rows
    assert not np.isnan(table["concentration"].astype(float)).any()
