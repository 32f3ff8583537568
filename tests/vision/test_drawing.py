"""What is drawn on a picture."""

import numpy as np
import pytest

from cssafe.vision.drawing import draw

HIGH, NOTHING = (247, 221, 166), (233, 180, 86)  # BGR of high and of unread
FACE = {"track": 1, "box": [100.0, 80.0, 60.0, 70.0], "score": 0.9}
READ = FACE | {"level": "high", "expression": {"neutral": 0.2, "happy": 0.8}}


def grey(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of that colour's first and last pixel: y1 y2 x1 x2."""
    ys, xs = np.nonzero((picture == colour).all(axis=2))
    return np.array([ys.min(), ys.max(), xs.min(), xs.max()])


def test_without_faces_the_picture_is_the_same_and_a_copy():
    image = grey()
    drawn = draw(image, [])
    assert (drawn == image).all() and drawn is not image


def test_a_box_stands_where_the_face_is_and_the_given_picture_is_not_touched():
    image = grey()
    drawn = draw(image, [FACE])
    assert (np.abs(coloured(drawn, NOTHING) - [80, 150, 100, 160]) <= 1).all()
    assert (image == 90).all()


@pytest.mark.parametrize(
    ("face", "rows"),
    [
        (FACE, 0),
        (READ, 15),
        (READ | {"level": None, "expression": None}, 15),
        (READ | {"box": [100.0, 80.0, 40.0, 40.0]}, 15),
        (READ | {"box": [100.0, 80.0, 20.0, 20.0]}, 0),
    ],
    ids=["withheld", "read", "not readable", "small", "too small"],
)
def test_words_stand_above_the_box_where_they_may_be_told_and_have_room(face, rows):
    drawn = draw(grey(), [face])
    assert abs((drawn[:78] != 90).any(axis=(1, 2)).sum() - rows) <= 2


@pytest.mark.parametrize("box", [[290, 5, 60, 70], [-20, 200, 60, 70], [0, 0, 320, 240]])
def test_words_stay_in_the_picture_at_its_edges(box):
    drawn = draw(grey(), [READ | {"box": [float(v) for v in box]}])
    assert (drawn == HIGH).all(axis=2).sum() > 500
    assert (drawn < 70).all(axis=2).any()  # dark words


def test_a_view_turned_round_is_drawn_like_any_picture():
    image = grey()
    image[:, :10] = 200
    drawn = draw(image[:, ::-1], [])
    assert (drawn[:, -10:] == 200).all() and drawn.flags.c_contiguous
