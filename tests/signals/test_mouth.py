import numpy as np
import pytest

from cssafe.signals.mouth import CORNERS, LIPS, YawnDetector, is_gaping, opening
from cssafe.vision.mesh import LEFT_EYE, Meshes


def test_opening_is_the_height_of_the_inner_lips_over_the_width_of_the_mouth():
    points = np.zeros((2, 468, 3), np.float32)
    points[:, CORNERS[1], 0] = 50
    points[1, LIPS[1], 1] = 30
    assert opening(Meshes(points, np.ones(2, np.float32))) == pytest.approx([0, 0.6])
    assert opening(Meshes(points[:0], np.ones(0, np.float32))).shape == (0,)


def lips(opening, width):
    """A mesh of which only eyes and mouth count: opening over the mouth's width, width over that between the eyes."""
    points = np.zeros((1, 468, 3), np.float32)
    points[:, LEFT_EYE[0], 0], points[:, CORNERS[1], 0], points[:, LIPS[1], 1] = 100, 100 * width, 100 * width * opening
    return Meshes(points, np.ones(1, np.float32))


@pytest.mark.parametrize(
    ("opening", "width", "gapes"),
    [(0.0, 0.5, 0), (0.15, 0.5, 0), (0.3, 0.5, 1), (0.4, 0.7, 0), (0.05, 0.7, 0)],
    ids=["closed", "speaks", "gapes", "laughs", "smiles"],
)
def test_a_mouth_gapes_that_is_open_and_not_drawn_wide(opening, width, gapes):
    assert is_gaping(lips(opening, width)) == [gapes]


def yawned(gaping, rate=10.0):
    yawns = YawnDetector()
    return [float(yawns.update(i / rate, np.array([g], np.float32))[0]) for i, g in enumerate(gaping)]


@pytest.mark.parametrize(
    ("gaping", "seconds"),
    [
        ([], 0),
        ([0] * 50, 0),
        ([1] * 60, 4.0),  # it counts from its second second on
        ([1] * 19 + [0] * 30, 0),  # a shout
        ([1] * 3 + [0] * 2 + ([1] * 2 + [0] * 3) * 20, 0),  # talk
        ([1] * 15 + [0] + [1] * 15, 0),
    ],
)
def test_only_a_mouth_that_goes_on_gaping_yawns(gaping, seconds):
    assert sum(yawned(gaping)) / 10 == pytest.approx(seconds, abs=0.1)


def test_a_mouth_that_is_not_seen_is_not_known_and_long_out_of_sight_begins_anew():
    assert np.isnan(yawned([np.nan] * 3)).all()
    assert yawned([1] * 15 + [np.nan] * 5 + [1] * 10)[-1] == 1
    assert yawned([1] * 15 + [np.nan] * 20 + [1] * 10)[-1] == 0
