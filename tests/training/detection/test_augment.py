"""Random squares of photographs: the truth moves with the picture."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cssafe.training.detection import augment
from cssafe.training.detection.dataset import Photograph
from cssafe.training.detection.loss import FACE, IGNORED, NONE

LEFT, TOP, RIGHT, BOTTOM = 200, 120, 260, 200


def photograph(boxes=((LEFT, TOP, RIGHT, BOTTOM),), invalid=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return Photograph("a.jpg", b"", boxes, np.zeros(len(boxes), bool) if invalid is None else np.array(invalid))


def bright_ellipse(photo):
    """Grey, with a white ellipse where the photograph's first face is."""
    image = np.full((480, 640, 3), 60, np.uint8)
    for x1, y1, x2, y2 in photo.boxes[:1].astype(int):
        cv2.ellipse(
            image, ((x1 + x2) // 2, (y1 + y2) // 2), ((x2 - x1) // 2, (y2 - y1) // 2), 0, 0, 360, (255,) * 3, -1
        )
    return image


def test_a_photograph_without_a_face_gives_a_square_without_one():
    rng = np.random.default_rng(0)
    for _ in range(10):
        found = augment.random_square([photograph(())], 0, 128, rng, bright_ellipse)
        assert found.image.shape == (128, 128, 3) and found.image.dtype == np.uint8
        assert found.truth.shape == (0, 7)


@settings(max_examples=30, deadline=None)
@given(st.floats(-40, 40), st.floats(0.5, 2), st.booleans())
def test_a_box_lies_around_its_face_however_it_was_turned_scaled_and_mirrored(degrees, scale, mirrored):
    photo, angle = photograph(), np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn[:, 0] = -turn[:, 0]
    middle = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
    matrix = np.column_stack([turn, (128, 128) - turn @ middle])
    image = augment.warp_affine(bright_ellipse(photo), matrix, 256, 256)
    rows, columns = np.nonzero(image[:, :, 0] > 157)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert augment.transform_truth(photo, matrix, degrees, 256, 256)[0, :4] == pytest.approx(seen, abs=1 + 1.5 * scale)


def test_every_face_of_a_square_lies_in_it():
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = augment.random_square([photograph()] * 2, 0, 128, rng, bright_ellipse).truth
        assert (truth[:, :4] >= 0).all() and (truth[:, :4] <= 128).all()
        assert (truth[:, 2:4] > truth[:, :2]).all()


@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_the_roll_is_clockwise(degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    eyes = turn[:, :2] @ (1, 0)  # from the left to the right eye of the picture
    truth = augment.transform_truth(photograph(((100, 10, 160, 90),)), turn, degrees, 640, 480)
    assert truth[0, 4:6] == pytest.approx(eyes, abs=1e-6)
    assert eyes[1] * degrees >= 0, "y grows downwards: clockwise, the right eye is the lower one"


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ((10, 10, 60, 80), [FACE]),
        ((10, 10, 16, 80), [IGNORED]),  # narrower than SMALLEST
        ((-40, 10, 10, 80), [IGNORED]),  # a fifth of it is seen
        ((-50, 10, -5, 80), []),  # not in the picture
    ],
)
def test_what_can_hardly_be_seen_is_ignored(box, kind):
    truth = augment.transform_truth(photograph((box,)), np.eye(2, 3), 0, 100, 100)
    assert truth[:, 6].tolist() == kind
    assert (truth[:, :4] >= 0).all() and (truth[:, :4] <= 100).all()


def test_invalid_faces_are_ignored():
    truth = augment.transform_truth(photograph(invalid=[True]), np.eye(2, 3), 0, 640, 480)
    assert truth[:, 6].tolist() == [IGNORED]


def test_rows_are_filled_up_and_the_largest_stay():
    truth = np.array([[0, 0, s, s, 1, 0, FACE] for s in (10, 30, 20)], np.float32)
    assert augment.pad_truth(truth, 4)[:, 2].tolist() == [30, 20, 10, 0]
    assert augment.pad_truth(truth, 2)[:, 2].tolist() == [30, 20]
    assert augment.pad_truth(truth[:0], 2)[:, 6].tolist() == [NONE, NONE]


def test_the_same_seed_makes_the_same_square():
    one, other = (
        augment.random_square([photograph()] * 4, 0, 128, np.random.default_rng(7), bright_ellipse) for _ in range(2)
    )
    assert (one.image == other.image).all() and (one.truth == other.truth).all()


def test_without_strength_a_square_is_one_photograph_as_it_was_taken():
    rng = np.random.default_rng(0)
    for _ in range(10):
        image = augment.random_square([photograph()] * 4, 0, 128, rng, bright_ellipse, 0.0).image
        assert (image == image[..., :1]).all(), "the same grey in all three channels: no tint, no noise"
        assert image.max() == 255
