"""Which detections are faces, where the mesh is laid on them, and detectors of one's own."""

import json

import cv2
import numpy as np
import pytest

from cssafe.errors import ConfigurationError
from cssafe.live import health
from cssafe.settings import DEFAULT_DETECTOR, load
from cssafe.vision import face_finder, yunet
from cssafe.vision.boxes import iou
from tests.support.faces import astronaut, classroom, nobody
from tests.support.onnx_file import yunet as written


@pytest.mark.parametrize("content", [None, b"no network"])
def test_a_file_that_is_no_yunet_is_told(tmp_path, content):
    file = tmp_path / "faces.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"faces\.onnx"):
        face_finder.FaceFinder(file)


def test_a_yunet_file_finds_the_faces(tmp_path):
    file = tmp_path / "faces.onnx"
    file.write_bytes(written(score=0.9))
    faces, rolls = yunet.YuNet(file).detect(nobody(480, 640))
    assert len(faces) and (rolls == 0).all()
    assert faces.scores == pytest.approx(np.full(len(faces), 0.9), abs=1e-3)
    assert 500 < faces.boxes[:, 2].max() < 700, "in pixels of the picture"
    found, meshes = face_finder.FaceFinder(file).find(nobody(480, 640))
    assert len(found) == len(meshes.scores) == len(faces)


def test_a_yunet_that_is_unsure_finds_nobody(tmp_path):
    file = tmp_path / "faces.onnx"
    file.write_bytes(written(score=yunet.MIN_SCORE - 0.1))
    faces, _ = yunet.YuNet(file).detect(nobody())
    assert len(faces) == 0
    found, meshes = face_finder.FaceFinder(file).find(nobody())
    assert len(found) == len(meshes.scores) == 0


def test_the_square_for_the_mesh_goes_from_the_brows_down_and_is_nearly_what_blazeface_draws():
    drawn = np.array([[100, 100, 200, 200], [0, 50, 30, 80]], np.float32)
    boxes = np.array([[102.5, 85, 197.5, 205], [0.75, 45.5, 29.25, 81.5]], np.float32)  # the faces in these squares
    found = face_finder.mesh_rois(boxes, np.zeros(2))
    assert (np.diag(iou(found, drawn)) > 0.85).all() and (found[:, 1] > boxes[:, 1]).all()
    assert found[:, 2:] - found[:, :2] == pytest.approx(drawn[:, 2:] - drawn[:, :2], abs=0.1)
    assert face_finder.mesh_rois(boxes[:0], np.zeros(0)).shape == (0, 4)


def test_the_square_of_a_turned_head_goes_down_along_the_face():
    boxes = np.array([[100, 100, 200, 226]], np.float32)
    upright, right = (face_finder.mesh_rois(boxes, np.array([roll])) for roll in (0.0, 90.0))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    down, left = ((square[:, :2] + square[:, 2:]) / 2 - middle for square in (upright, right))
    assert down[0, 1] > 3 and down[0, 0] == pytest.approx(0, abs=1e-3)
    assert left[0, 0] < -3 and left[0, 1] == pytest.approx(0, abs=1e-3)


def test_a_sure_mesh_makes_a_face_of_a_doubtful_detection_and_never_of_a_worse_one():
    low = face_finder.min_detector_score(0.5)
    doubtful = np.array([low + 0.01, low + 0.01, low - 0.01])
    told = face_finder.face_probability(doubtful, np.array([1.0, 0.0, 1.0]))
    assert (told >= 0.5).tolist() == [True, False, False]
    assert face_finder.face_probability(np.zeros(0), np.zeros(0)).shape == (0,)


def test_what_is_no_face_is_left_out_and_the_surest_comes_first():
    faces, meshes = face_finder.FaceFinder().find(classroom(2, 3))
    assert len(faces) == 6 == len(meshes.scores)
    assert (np.diff(faces.scores) <= 0).all() and (meshes.scores > face_finder.MIN_MESH_SCORE).all()
    faces, meshes = face_finder.FaceFinder().find(nobody())
    assert len(faces) == len(meshes.scores) == 0


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_the_mesh_of_a_tilted_head_is_tilted_as_far(degrees):
    turn = cv2.getRotationMatrix2D((225, 122), -degrees, 1)  # OpenCV turns against the clock
    _, meshes = face_finder.FaceFinder().find(cv2.warpAffine(astronaut(), turn, (512, 512)))
    _, upright = face_finder.FaceFinder().find(astronaut())
    assert (meshes.scores >= face_finder.MIN_MESH_SCORE).sum() == 1
    assert meshes.rolls[0] - upright.rolls[0] == pytest.approx(degrees, abs=4)


def test_a_detector_without_a_threshold_says_so(tmp_path):
    card = json.loads((DEFAULT_DETECTOR / "model.json").read_text())
    del card["threshold"]
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(ConfigurationError, match="threshold"):
        face_finder.FaceFinder(tmp_path)


def test_the_environment_names_the_detector(tmp_path):
    assert load({}).detector == load({"CSSAFE_DETECTOR": ""}).detector == DEFAULT_DETECTOR
    assert load({"CSSAFE_DETECTOR": str(tmp_path)}).detector == tmp_path


@pytest.mark.parametrize(
    ("named", "told"), [("", "SHA-256 "), ("/nowhere", "cannot be read"), ("/home/me/Faces.ONNX", "YuNet, Faces.ONNX")]
)
def test_the_status_page_tells_which_detector_is_served(monkeypatch, named, told):
    monkeypatch.setenv("CSSAFE_DETECTOR", named)
    assert health.versions()["face detector"].startswith(told)
