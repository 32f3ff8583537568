"""Detectors of one's own: a trained folder or a YuNet file, and where the mesh is laid on what they find."""

import json

import numpy as np
import pytest

from cssafe.settings import ConfigurationError, read
from cssafe.vision import finder, ours, yunet
from cssafe.vision.detector import iou
from cssafe.vision.mesh import Meshes

from .faces import nobody
from .onnx_file import yunet as written

STRIDES = (8, 16, 32)


def test_nothing_above_the_threshold_is_no_face():
    said = np.full((64 + 16 + 4, ours.NUMBERS), -9, np.float32)
    boxes, scores, rolls = ours.decode(said, 64, 64, STRIDES, 0.5)
    assert boxes.shape == (0, 4) and scores.shape == rolls.shape == (0,)


@pytest.mark.parametrize(
    ("place", "middle", "stride"), [(0, (4, 4), 8), (64 + 5, (24, 24), 16), (64 + 16 + 3, (48, 48), 32)]
)
def test_a_place_draws_its_box_in_pixels(place, middle, stride):
    said = np.full((64 + 16 + 4, ours.NUMBERS), -9, np.float32)
    said[place] = [2, 0, 0, np.log(2), np.log(3), np.cos(0.5), np.sin(0.5)]
    boxes, scores, rolls = ours.decode(said, 64, 64, STRIDES, 0.5)
    x, y = middle
    assert boxes[0] == pytest.approx([x - stride, y - 1.5 * stride, x + stride, y + 1.5 * stride], abs=1e-4)
    assert scores[0] == pytest.approx(0.8808, abs=1e-4)
    assert rolls[0] == pytest.approx(np.degrees(0.5), abs=1e-3)


def test_a_folder_without_a_detector_says_what_was_expected(tmp_path):
    with pytest.raises(ConfigurationError, match="CSSAFE_DETECTOR"):
        finder.Finder(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"strides": STRIDES}))
    with pytest.raises(ConfigurationError, match="CSSAFE_DETECTOR"):
        finder.Finder(tmp_path)


@pytest.mark.parametrize("content", [None, b"no network"])
def test_a_file_that_is_no_yunet_is_told(tmp_path, content):
    file = tmp_path / "faces.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"faces\.onnx"):
        finder.Finder(file)


def test_a_yunet_file_finds_the_faces(tmp_path):
    file = tmp_path / "faces.onnx"
    file.write_bytes(written(score=0.9))
    faces, rolls = finder.chosen(file).detect(nobody(480, 640))
    assert len(faces) and (rolls == 0).all()
    assert faces.scores == pytest.approx(np.full(len(faces), 0.9), abs=1e-3)
    assert 500 < faces.boxes[:, 2].max() < 700, "in pixels of the picture"
    found, meshes = finder.Finder(file).find(nobody(480, 640))
    assert len(found) == len(meshes.scores) == len(faces)


def test_a_yunet_that_is_unsure_finds_nobody(tmp_path):
    file = tmp_path / "faces.onnx"
    file.write_bytes(written(score=yunet.THRESHOLD - 0.1))
    faces, _ = finder.chosen(file).detect(nobody())
    assert len(faces) == 0
    found, meshes = finder.Finder(file).find(nobody())
    assert len(found) == len(meshes.scores) == 0


def test_squares_for_the_mesh_are_what_blazeface_would_have_drawn():
    drawn = np.array([[100, 100, 200, 200], [0, 50, 30, 80]], np.float32)
    untrusted = Meshes(np.zeros((2, 1, 3), np.float32), np.zeros(2, np.float32))
    boxes = finder.face_boxes(drawn, untrusted)
    assert np.diag(iou(finder.squares(boxes, np.zeros(2)), drawn)) == pytest.approx([1, 1], abs=0.01)
    assert finder.squares(boxes[:0], np.zeros(0)).shape == (0, 4)


def test_the_square_of_a_turned_head_goes_down_along_the_face():
    boxes = np.array([[100, 100, 200, 226]], np.float32)
    upright, right = (finder.squares(boxes, np.array([roll])) for roll in (0.0, 90.0))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    down, left = ((square[:, :2] + square[:, 2:]) / 2 - middle for square in (upright, right))
    assert down[0, 1] > 3 and down[0, 0] == pytest.approx(0, abs=1e-3)
    assert left[0, 0] < -3 and left[0, 1] == pytest.approx(0, abs=1e-3)


def test_the_environment_names_the_detector(tmp_path):
    assert read({}).detector is None
    assert read({"CSSAFE_DETECTOR": str(tmp_path)}).detector == tmp_path
