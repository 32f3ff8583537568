"""Seconds in which the camera gave a picture and nobody was found: recorded, counted, exported, deleted with their lesson."""

import io
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.exchange import importer
from cssafe.presence.people import LEFT_S
from cssafe.queries import scored_observations
from cssafe.recording import Recording, join_recordings
from cssafe.scoring import explanation
from cssafe.scoring.formula import ATTENTION_ONLY, CONCENTRATION
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from tests.class_figure import frame
from tests.support.exports import contents, written
from tests.support.fake_pipelines import crowd
from tests.support.lessons import LESSON, START, add, rows
from tests.support.live_lessons import count, make
from tests.support.seen_class import ALL_SEEN, DESK, SeenClass, course, observations, seen_class

MORNING = START.replace(tzinfo=None)
DOWN = slice(180, 780)
"""Seconds of a lesson in which all heads lie on the desk."""


def heads_down(seconds: int = 900) -> tuple[SeenClass, pd.DataFrame]:
    """A class whose faces are all found, but none in DOWN, and its observations."""
    random = np.random.default_rng(5)
    seen = seen_class(random, ALL_SEEN, course(0.8, 0.8, seconds), students=12)
    seen.state[:, DOWN], seen.found[:, DOWN] = DESK, False
    return seen, observations(random, seen, MORNING)


def empty_seconds(begin: int, end: int, lesson: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"lesson": lesson, "time": pd.date_range(MORNING, periods=end, freq="s", unit="us")[begin:]})


def record_empty(workspace: Workspace, lesson: int, begin: int, end: int) -> None:
    for time in empty_seconds(begin, end)["time"]:
        workspace.record_empty(lesson, time.to_pydatetime())


def figures(workspace: Workspace) -> pd.Series:
    return queries.lessons(workspace).iloc[0]


def test_heads_of_a_whole_class_down_for_ten_minutes_lower_the_stored_mean_as_the_truth_does(workspace):
    seen, table = heads_down()
    end = START + timedelta(seconds=900)
    lesson = replace(LESSON, formula=str(ATTENTION_ONLY))
    workspace.add([lesson], [end], table.assign(lesson=0), empty_seconds(DOWN.start, DOWN.stop))
    found = figures(workspace)
    assert found.concentration == pytest.approx(seen.truth, abs=0.01) and found.minutes == 15
    assert found.low < seen.truth < found.high and found.present == pytest.approx(12) and found.seen < 5
    workspace.add([lesson], [end], table.assign(lesson=0))
    before = figures(workspace)
    assert before.concentration > seen.truth + 0.3 and before.minutes == 5


@pytest.mark.slow
def test_the_live_and_the_stored_figure_of_the_same_seconds_agree(workspace):
    _seen, table = heads_down()
    lesson = make(workspace, "attention-only", "class")
    found = dict(tuple(table.groupby("time")))
    begun = lesson.clock.started.replace(second=0, microsecond=0) + timedelta(minutes=1)
    live = []
    for second in range(900):
        shown = frame(
            begun + timedelta(seconds=second), found.get(pd.Timestamp(MORNING) + pd.Timedelta(seconds=second))
        )
        lesson.add_result(shown)
        live.append((second // 60, lesson.class_view.reading().concentration))
    lesson.end()
    stored = queries.timeline(workspace, lesson.number)
    minutes = pd.DataFrame(live, columns=["minute", "live"]).groupby("minute")["live"].mean()
    assert stored["minute"].diff().dropna().eq(1).all() and len(stored) == 15
    assert stored["concentration"].to_numpy() == pytest.approx(minutes.to_numpy(), abs=0.04)  # live states are carried
    assert (stored["concentration"][4:12] == 0).all() and (stored["unseen"][4:12] == 12).all()
    assert (stored["faces"][4:12] == 0).all() and (stored["seconds"][4:12] == 0).all()


@pytest.mark.parametrize(("after", "counted"), [(LEFT_S - 1, LEFT_S - 1), (LEFT_S, 0)])
def test_after_the_last_face_they_count_unless_all_have_left_and_before_the_first_face_never(workspace, after, counted):
    number = workspace.start_lesson(LESSON)
    record_empty(workspace, number, 0, 60)
    workspace.record(number, rows(seconds=120, start=START + timedelta(seconds=60)))
    record_empty(workspace, number, 180, 180 + int(after))
    workspace.end_lesson(number, START + timedelta(minutes=20))
    found = queries.timeline(workspace, number)
    assert found["looks"].sum() == 120 + counted and found["minute"].iloc[0] == 1
    assert figures(workspace).concentration == pytest.approx(0.5 * 120 / (120 + counted))


def test_faces_that_are_all_pictures_leave_a_second_without_anybody(workspace):
    lesson = make(workspace, audience="class")
    poster = crowd(1, START)
    for second in range(80):
        living = crowd(7, START + timedelta(seconds=second))
        still = replace(living.signals, roll=np.where(living.tracks == 0, 0.5, living.signals.roll))
        shown = replace(living, signals=still)
        lesson.add_result(shown if second < 60 else replace(poster, time=living.time))
    lesson.end()
    assert count(workspace, "empty_seconds") == 20
    found = queries.timeline(workspace, lesson.number)
    assert found["looks"].sum() == 80 and found["unseen"].max() == pytest.approx(6)


def test_a_lesson_that_was_killed_while_all_heads_lay_down_ends_at_its_last_second(tmp_path):
    path = tmp_path / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        number = workspace.start_lesson(LESSON)
        workspace.record(number, rows(seconds=60))
        record_empty(workspace, number, 60, 180)
    with closing(Workspace.open(path)) as workspace:
        assert figures(workspace).ended - figures(workspace).local == pd.Timedelta(seconds=180)
        assert figures(workspace).concentration == pytest.approx(0.5 / 3)


def test_a_file_gives_the_seconds_after_its_first_face_without_one(workspace):
    recording = Recording(START)
    for second in range(90):
        recording.add(second, crowd(6 if 10 <= second < 40 else 0, START + timedelta(seconds=second)))
    recording.end()
    table, empty, begin, end = join_recordings([recording], timedelta(hours=1))
    assert (begin, end) == (START + timedelta(hours=1, seconds=10), START + timedelta(hours=1, seconds=90))
    number = workspace.add([replace(LESSON, started=begin)], [end], table, empty)[0]
    assert queries.timeline(workspace, number)["looks"].sum() == 80 and count(workspace, "empty_seconds") == 50


def test_of_one_person_alone_none_is_recorded(workspace):
    number = workspace.start_lesson(replace(LESSON, audience="self"))
    workspace.record(number, rows(tracks=1, seconds=10))
    record_empty(workspace, number, 10, 40)
    workspace.end_lesson(number, START)
    assert count(workspace, "empty_seconds") == 0 and figures(workspace).concentration == pytest.approx(0.5)


def test_they_are_exported_imported_and_deleted_with_the_lesson(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, rows(seconds=60))
    record_empty(workspace, number, 60, 200)
    workspace.end_lesson(number, START + timedelta(minutes=4))
    with closing(Workspace.open(None)) as other:
        importer.import_file(other, io.BytesIO(written(workspace)), PROFILES["consent"])
        assert contents(other) == contents(workspace) and count(other, "empty_seconds") == 140
        assert figures(other).concentration == pytest.approx(0.15)
    workspace.delete(number)
    assert count(workspace, "empty_seconds") == 0


@pytest.mark.parametrize(("activity", "given"), [("front", [60, 60, 0]), ("desk work", [60, 0, 0])])
def test_a_file_without_single_faces_has_their_minutes_as_zero_where_they_count_as_zero(workspace, activity, given):
    """In desk work they count as the mean of single seconds, which is not shared."""
    number = add(workspace, rows(seconds=60), lesson=replace(LESSON, profile="attention-only", activity=activity))
    record_empty(workspace, number, 60, 140)
    workspace.set_expected(number, 0)  # derives the minutes again
    with closing(Workspace.open(None)) as other:
        file = io.BytesIO(written(workspace))
        [came] = importer.import_file(other, file, PROFILES["attention-only"]).lessons
        assert count(other, "empty_seconds") == 0
        minutes = queries.timeline(other, came)
    assert minutes["seconds"].tolist() == given
    assert minutes["concentration"].fillna(-1).tolist()[1:] == [0 if n else -1 for n in given[1:]]


@pytest.mark.parametrize("activity", ["front", "desk work"])
def test_the_breakdown_of_a_minute_without_anybody_is_lost_to_people_not_visible(workspace, activity):
    """In desk work it is not known what they would have lost."""
    number = add(workspace, rows(seconds=60), lesson=replace(LESSON, activity=activity))
    record_empty(workspace, number, 60, 140)
    workspace.set_expected(number, 0)
    activities = scored_observations.activities(workspace, number)
    parts = explanation.minute_parts(
        scored_observations.counted_observations(workspace, number), activities, CONCENTRATION
    )
    parts = explanation.class_minutes(parts, queries.timeline(workspace, number), activities, CONCENTRATION)
    lost = parts[parts["part"] == "unseen"].set_index("minute")["points"]
    assert lost.to_dict() == ({0: 0, 1: 1, 2: 1} if activity == "front" else {0: 0})
