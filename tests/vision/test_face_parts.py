"""Which part of a face is where, and where it ends."""

import numpy as np
import pytest

from cssafe.vision.boxes import iou
from cssafe.vision.face_finder import FaceFinder
from cssafe.vision.face_parts import BROWS, EYES, LIPS, MOUTH, OUTLINE, PARTS, box_outlines, outlines, segment
from cssafe.vision.mesh import LEFT_EYE, RIGHT_EYE, Meshes
from tests.support.faces import astronaut


@pytest.fixture(scope="module")
def found():
    return FaceFinder().find(astronaut())


def test_a_picture_without_a_face_has_no_part():
    assert segment(np.zeros((0, 468, 3), np.float32), 30, 40).shape == (30, 40)
    assert not segment(np.zeros((0, 468, 3), np.float32), 30, 40).any()


def test_every_part_of_a_real_face_is_where_the_mesh_has_it(found):
    faces, meshes = found
    image = astronaut()
    labels = segment(meshes.points[..., :2], *image.shape[:2])
    share = np.bincount(labels.ravel(), minlength=len(PARTS)) / (labels > 0).sum()
    assert share[PARTS.index("skin")] > 0.7
    assert all(0.01 < share[PARTS.index(part)] < 0.12 for part in ("eyes", "brows", "lips"))
    rows, columns = np.nonzero(labels)
    around = np.array([[columns.min(), rows.min(), columns.max(), rows.max()]], np.float32)
    assert iou(around, faces.boxes)[0, 0] > 0.7
    middle = {part: np.argwhere(labels == PARTS.index(part)).mean(axis=0)[0] for part in PARTS[1:]}
    assert middle["brows"] < middle["eyes"] < middle["skin"] < middle["lips"]
    warmth = {part: np.ptp(image[labels == PARTS.index(part)].mean(axis=0)) for part in PARTS[1:]}
    assert (
        warmth["eyes"] < warmth["skin"] - 15 and warmth["brows"] < warmth["skin"] - 3
    )  # neither white nor hair is red
    assert labels[tuple(np.round(meshes.points[0, list(MOUTH), 1::-1].mean(axis=0)).astype(int))] == 0  # she smiles


def test_the_lists_of_points_hold_each_point_once_and_the_eyes_corners():
    for polygon in (OUTLINE, *EYES, *BROWS, LIPS, MOUTH):
        assert len(set(polygon)) == len(polygon)
    assert set(RIGHT_EYE) < set(EYES[0]) and set(LEFT_EYE) < set(EYES[1])


def test_the_silhouettes_ends_mirror_each_other(found):
    points = found[1].points[0, list(OUTLINE), :2]
    right = points[1:18] - points[0]
    left = (points[:18:-1] - points[0]) * (-1, 1)
    assert np.abs(right - left).max() < 0.15 * np.ptp(points[:, 1])


@pytest.mark.parametrize("n", [0, 2])
def test_where_a_mesh_is_not_trusted_the_face_ends_with_its_box(n, found):
    boxes = np.tile(np.array([10, 20, 30, 50], np.float32), (n, 1))
    meshes = Meshes(np.repeat(found[1].points, n, axis=0), np.zeros(n, np.float32))
    ends = outlines(boxes, meshes, np.arange(n) == 1)
    assert ends.shape == (n, 36, 2) and ends.dtype == np.float32
    if n:
        assert {tuple(corner) for corner in ends[0].tolist()} == {(10, 20), (30, 20), (30, 50), (10, 50)}
        assert (ends[0] == box_outlines(boxes)[0]).all()
        assert (ends[1] == found[1].points[0, list(OUTLINE), :2]).all()
