"""Boxes that overlap, and pictures fitted into a network's input."""

import numpy as np
import pytest

from cssafe.vision.boxes import iou, letterbox, nms


def test_no_boxes_overlap_nothing():
    none = np.zeros((0, 4), np.float32)
    assert nms(none, np.zeros(0)).tolist() == []
    assert iou(none, none).shape == (0, 0)


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([[0, 0, 10, 10]], [0]),
        ([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 1]),
        ([[0, 0, 10, 10], [1, 0, 11, 10]], [0]),  # nearly the same
        ([[0, 0, 30, 30], [10, 10, 20, 20]], [0]),  # one inside the other
        ([[10, 10, 20, 20], [0, 0, 30, 30]], [0]),
        ([[0, 0, 10, 10], [9, 0, 19, 10]], [0, 1]),  # shoulder to shoulder
    ],
)
def test_of_overlapping_boxes_the_surest_stays(boxes, kept):
    scores = np.linspace(0.9, 0.5, len(boxes))
    assert nms(np.array(boxes, np.float32), scores).tolist() == kept


def test_overlap_is_shared_area_over_all_area():
    assert iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0], [5, 5, 6, 6]])) == pytest.approx(
        np.array([[1 / 3, 0]])
    )


def test_letterboxing_keeps_the_shape_of_faces():
    picture, scale = letterbox(np.full((100, 50, 3), 255, np.uint8), 256, 256)
    assert scale == 2.56
    assert picture.shape == (256, 256, 3)
    assert (picture[:, :127] == 255).all()
    assert (picture[:, 129:] == 0).all()
