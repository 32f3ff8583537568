import numpy as np
import pytest

from cssafe.signals.mouth import CORNERS, LIPS, Jaw, opening
from cssafe.vision.mesh import Meshes


def test_opening_is_the_height_of_the_inner_lips_over_the_width_of_the_mouth():
    points = np.zeros((2, 468, 3), np.float32)
    points[:, CORNERS[1], 0] = 50
    points[1, LIPS[1], 1] = 30
    assert opening(Meshes(points, np.ones(2, np.float32))) == pytest.approx([0, 0.6])
    assert opening(Meshes(points[:0], np.ones(0, np.float32))).shape == (0,)


def yawned(openings, rate=10.0):
    jaw = Jaw()
    return [jaw.see(i / rate, o) for i, o in enumerate(openings)]


WIDE, SHUT = 0.8, 0.05


@pytest.mark.parametrize(
    ("openings", "seconds"),
    [
        ([], 0),
        ([SHUT] * 50, 0),
        ([WIDE] * 60, 4.0),  # it counts from its second second on
        ([WIDE] * 19 + [SHUT] * 30, 0),  # a shout
        ([WIDE] * 3 + [SHUT] * 2 + ([WIDE] * 2 + [SHUT] * 3) * 20, 0),  # talk
        ([0.4] * 100, 0),  # the widest laughs
        ([WIDE] * 15 + [SHUT] + [WIDE] * 15, 0),
    ],
)
def test_only_a_mouth_that_stays_wide_open_yawns(openings, seconds):
    assert sum(yawned(openings)) / 10 == pytest.approx(seconds, abs=0.1)


def test_a_mouth_that_is_not_seen_is_not_known_and_long_out_of_sight_begins_anew():
    assert np.isnan(yawned([np.nan] * 3)).all()
    told = yawned([WIDE] * 15 + [np.nan] * 5 + [WIDE] * 10)
    assert told[-1] == 1
    assert yawned([WIDE] * 15 + [np.nan] * 20 + [WIDE] * 10)[-1] == 0
