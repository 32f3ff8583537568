"""BlazeFace, to compare with."""

import numpy as np
import pytest

from cssafe.training.detection import blazeface
from cssafe.vision.mesh import Meshes


@pytest.mark.parametrize(
    ("size", "room"),
    [((480, 640), (512, 640)), ((720, 1280), (512, 832)), ((48, 48), (640, 640)), ((1080, 1920), (512, 832)),
     ((1920, 1080), (832, 512)), ((10, 2000), (128, 832))],
)  # fmt: skip
def test_an_image_is_looked_at_in_its_own_shape_and_as_a_close_up(size, room):
    assert blazeface.input_shapes(*size) == [room, (256, 256)]


def test_a_trusted_mesh_says_where_a_face_ends():
    drawn = np.array([[100, 100, 200, 200]] * 2, np.float32)
    points = np.tile(np.array([[[110, 120, 0], [190, 220, 0]]], np.float32), (2, 1, 1))
    boxes = blazeface.face_boxes(drawn, Meshes(points, np.array([0.9, 0.1], np.float32)))
    assert boxes[0] == pytest.approx([110, 110, 190, 220])
    assert boxes[1] == pytest.approx(blazeface.face_boxes(drawn)[1])
    assert blazeface.face_boxes(drawn[:0]).shape == (0, 4)
