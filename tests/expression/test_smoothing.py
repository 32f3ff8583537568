"""How frames are joined: the average that is served, in the pipeline too, and the ways that it is compared with."""

import numpy as np
import pytest

from cssafe import settings
from cssafe.expression import smooth
from cssafe.expression.smoothing import HALF_LIFE
from cssafe.pipeline import Pipeline, Stream
from cssafe.training.temporal.sequences import stack
from cssafe.training.temporal.smoothers import Average, LogAverage, Newest, Way, best, follow
from tests.support.faces import astronaut, frame


def rows(*leading):
    """Probabilities of n tracks: the first emotion has these, the second the rest."""
    shares = np.zeros((len(leading), 8), np.float32)
    shares[:, 0], shares[:, 1] = leading, 1 - np.array(leading)
    return shares


@pytest.mark.parametrize("smoothing", [Average(0.2), LogAverage(0.2), Newest()])
def test_nobody_in_the_picture_is_an_ordinary_case(smoothing):
    none = np.zeros((0, *smoothing.start.shape), np.float32)
    joined, states = smoothing(rows(), none, np.zeros(0))
    assert joined.shape == (0, 8) and states.shape == none.shape


@pytest.mark.parametrize("smoothing", [Average(0.2), LogAverage(0.2), Newest()])
def test_the_first_look_at_a_face_is_taken_as_it_is(smoothing):
    joined, _ = smoothing(rows(0.7, 0.2), np.stack([smoothing.start] * 2), np.array([0.0, 3.0]))
    assert joined == pytest.approx(rows(0.7, 0.2), abs=0.01)


@pytest.mark.parametrize(
    ("now", "before", "passed", "expected"),
    [
        ([], [], [], []),
        ([1.0], [np.nan], [9], [1.0]),  # the first look at a face
        ([1.0], [0.0], [0], [0.0]),
        ([1.0], [0.0], [HALF_LIFE], [0.5]),
        ([1.0], [0.0], [2 * HALF_LIFE], [0.75]),
        ([1.0], [0.0], [100], [1.0]),
        ([np.nan], [1.0], [0.1], [np.nan]),  # not readable now: nothing is made up
    ],
)
def test_smoothing_forgets_by_half_in_its_half_life(now, before, passed, expected):
    assert smooth(rows(*now), rows(*before), np.array(passed))[:, 0] == pytest.approx(expected, nan_ok=True)


def test_a_face_whose_turn_comes_late_is_averaged_over_the_time_since_its_own_last_turn(monkeypatch):
    pipeline = Pipeline(settings.find_profile("consent"), settings.load({}).model)
    monkeypatch.setattr(pipeline, "_at_once", 1)
    stream, room = Stream(live=True), np.hstack([astronaut()[:280, 80:360]] * 3)

    def say(leading):
        monkeypatch.setattr(pipeline._expression, "ferplus", lambda crops: rows(*[leading] * len(crops)))

    say(1.0)
    pipeline.analyze(frame(room), stream)  # all are new: all have their turn
    say(0.0)
    for turn in (1, 2, 3):
        result = pipeline.analyze(frame(room, 0.1 * turn), stream)
        assert len(result) == 3
    faded = [0.5 ** (waited / HALF_LIFE) for waited in (0.1, 0.2, 0.3)]
    assert sorted(result.expression[:, 0], reverse=True) == pytest.approx(faded, abs=1e-5)


def test_an_average_of_logarithms_sums_to_one_and_lies_between():
    smoothing = LogAverage(0.2)
    _, states = smoothing(rows(0.9), smoothing.start[None], np.zeros(1))
    joined, _ = smoothing(rows(0.1), states, np.array([0.2]))
    assert joined.sum() == pytest.approx(1)
    assert joined[0, 0] == pytest.approx(joined[0, 1], abs=1e-6)


def test_sequences_are_followed_frame_by_frame_as_live():
    half = np.stack([rows(1.0)[0], np.full(8, np.nan), rows(0.0)[0]])
    one = stack([(np.array([0, 0.1, HALF_LIFE]), np.array([0, 0, 1]), half)])
    joined = follow(Average(HALF_LIFE), one)
    assert np.isnan(joined[0, 1]).all(), "nothing is made up for a frame in which nothing was measured"
    assert joined[0, 2] == pytest.approx(rows(0.5)[0])
    assert follow(Average(0.2), stack([])).shape == (0, 0, 8)


def test_the_way_that_is_right_most_often_is_chosen():
    flickering = np.stack([rows(p)[0] for p in (0.9, 0.3, 0.9, 0.3, 0.9, 0.9)])
    one = stack([(np.arange(6) / 10, np.zeros(6, int), flickering)])
    ways = [Way("newest", Newest()), Way("short", Average(0.01)), Way("long", Average(0.5))]
    assert best(ways, one, (1.0,)).name == "long"
    steady = best(ways[:1], one, (1.0, 2.0, 4.0))
    assert (steady.ratio, str(steady)) == (4.0, "newest, hysteresis 4")
