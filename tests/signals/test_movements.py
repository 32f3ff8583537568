import numpy as np
import pytest

from cssafe.frames import MOVEMENTS
from cssafe.labels import FERPLUS
from cssafe.signals.mouth import CORNERS, LIPS
from cssafe.signals.movements import BROWS, INNER_BROWS, NOSTRILS, NeutralFace, face_shapes
from cssafe.signals.pose import rotation
from cssafe.vision.face_finder import FaceFinder
from cssafe.vision.mesh import Meshes
from tests.support.faces import astronaut

UP, DOWN, APART = -5.0, 5.0, 5.0
"""Pixels."""


@pytest.fixture(scope="module")
def face():
    return FaceFinder().find(astronaut())[1].points[0]


def moved(face, points, x=0.0, y=0.0):
    """The face with points moved: x away from its middle, y down, pixels."""
    changed = face.copy()
    rows = np.ravel(points)
    changed[rows, 0] += x * np.sign(face[rows, 0] - face[LIPS[0], 0])
    changed[rows, 1] += y
    return changed


def change(face, other):
    before, after = face_shapes(Meshes(np.stack([face, other]), np.ones(2, np.float32)))
    return dict(zip(MOVEMENTS, after - before, strict=True))


def neutral(share=1.0):
    return np.array([share if name == "neutral" else (1 - share) / 7 for name in FERPLUS], np.float32)


def test_no_faces_have_no_shapes():
    assert face_shapes(Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))).shape == (0, len(MOVEMENTS))


@pytest.mark.parametrize(
    ("movement", "points", "x", "y"),
    [
        ("smile", CORNERS, APART, UP),
        ("brow_raise", BROWS, 0, UP),
        ("frown", INNER_BROWS, -APART, DOWN),
        ("nose_wrinkle", NOSTRILS, 0, UP),
        ("jaw_drop", LIPS[1], 0, 2 * DOWN),
    ],
)
def test_each_movement_is_seen_in_its_own_number_first(face, movement, points, x, y):
    changed = change(face, moved(face, points, x, y))
    assert changed[movement] > 3
    assert max(changed, key=changed.get) == movement


@pytest.mark.parametrize("angles", [(30, 0, 0), (0, 20, 0), (0, 0, 40), (-20, -15, 10)])
def test_a_face_that_turns_comes_nearer_or_goes_aside_does_not_move(face, angles):
    other = face @ rotation(*angles).T.astype(np.float32) * 1.7 + np.float32(40)
    assert max(abs(v) for v in change(face, other).values()) < 0.01


def test_movements_are_told_against_the_persons_own_neutral_once_it_is_known():
    own = NeutralFace()
    rest, smiling = np.arange(5.0)[None], np.arange(5.0)[None] + 10
    assert np.isnan(own.moved(rest)).all()
    for _ in range(30):
        own.learn(rest, neutral(0.9)[None], 0.1)
        own.learn(smiling, neutral(0.0)[None], 0.1)  # what is not neutral teaches nothing
    assert own.moved(rest)[0] == pytest.approx(np.zeros(5))
    assert own.moved(smiling)[0] == pytest.approx(np.full(5, 10.0))


def test_what_was_not_measured_teaches_nothing():
    own = NeutralFace()
    for _ in range(100):
        own.learn(np.full((1, 5), np.nan), neutral()[None], 1.0)
        own.learn(np.zeros((1, 5)), np.full((1, 8), np.nan), 1.0)
    assert own.seconds == 0


def test_a_neutral_is_learned_once_and_then_stays():
    own = NeutralFace()
    for _ in range(100):
        own.learn(np.zeros((1, 5)), neutral()[None], 1.0)
    for _ in range(100):
        own.learn(np.ones((1, 5)), neutral()[None], 1.0)
    assert own.mean[0] == pytest.approx(np.zeros(5))
