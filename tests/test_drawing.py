"""Faces drawn on pictures."""

import cv2
import numpy as np
import pytest

from cssafe.vision.drawing import COLOURS, draw, label
from cssafe.vision.preview import LONGEST, preview
from tests.faces import nobody

FACE = {"track": 1, "box": [200.0, 150.0, 120.0, 160.0], "score": 0.9}


@pytest.mark.parametrize(
    ("face", "says"),
    [
        (FACE, ""),
        (FACE | {"expression": None, "level": None}, "not readable"),
        (FACE | {"level": "low"}, "low"),
        (FACE | {"expression": {"happy": 0.3, "sad": 0.7}, "level": "medium"}, "sad, medium"),
    ],
    ids=["not told", "not readable", "attention only", "both"],
)
def test_a_face_is_named_by_what_is_told_of_it(face, says):
    assert label(face) == says


def test_without_faces_the_picture_stays_as_it_is_and_is_a_copy():
    image = nobody()
    drawn = draw(image, [])
    assert (drawn == image).all() and drawn is not image


@pytest.mark.parametrize("level", COLOURS)
def test_a_box_has_the_colour_of_its_level(level):
    image = nobody()
    drawn = draw(image, [FACE | {"level": level}])
    assert tuple(drawn[230, 200]) == COLOURS[level]
    assert (image == 90).all()


@pytest.mark.parametrize("box", [[-20, -20, 60, 60], [600, 440, 100, 100], [0, 0, 640, 480], [10, 10, 0, 0]])
def test_faces_at_the_edge_are_drawn_too(box):
    assert draw(nobody(), [FACE | {"box": box, "level": "high"}]).shape == (480, 640, 3)


def test_a_large_picture_is_shown_small_with_its_boxes_in_place():
    image = np.full((3000, 4000, 3), 90, np.uint8)
    shown = cv2.imdecode(np.frombuffer(preview(image, [FACE | {"box": [2000, 1500, 800, 800]}]), np.uint8), 1)
    assert shown.shape == (960, LONGEST, 3)
    assert np.abs(shown[600, 640].astype(int) - COLOURS[None]).max() < 60 and abs(int(shown[300, 300, 0]) - 90) < 5
