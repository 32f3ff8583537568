"""The detector that was trained here: what it is served from, and what it finds."""

import json
import shutil

import cv2
import numpy as np
import pytest

from cssafe.errors import ConfigurationError
from cssafe.settings import DEFAULT_DETECTOR
from cssafe.vision import detector
from cssafe.vision.boxes import iou
from cssafe.vision.detector import Detector, input_shapes
from tests.support.faces import astronaut, nobody

STRIDES = (8, 16, 32)

FACE = np.array([180, 65, 270, 180])
"""The portrait's face, from forehead to chin."""


@pytest.fixture(scope="module")
def served():
    return Detector(DEFAULT_DETECTOR, detector.read_card(DEFAULT_DETECTOR)["threshold"])


def test_nothing_above_the_threshold_is_no_face():
    said = np.full((64 + 16 + 4, detector.NUMBERS), -9, np.float32)
    boxes, scores, rolls = detector.decode(said, 64, 64, STRIDES, 0.5)
    assert boxes.shape == (0, 4) and scores.shape == rolls.shape == (0,)


@pytest.mark.parametrize(
    ("place", "middle", "stride"), [(0, (4, 4), 8), (64 + 5, (24, 24), 16), (64 + 16 + 3, (48, 48), 32)]
)
def test_a_place_draws_its_box_in_pixels(place, middle, stride):
    said = np.full((64 + 16 + 4, detector.NUMBERS), -9, np.float32)
    said[place] = [2, 0, 0, np.log(2), np.log(3), np.cos(0.5), np.sin(0.5)]
    boxes, scores, rolls = detector.decode(said, 64, 64, STRIDES, 0.5)
    x, y = middle
    assert boxes[0] == pytest.approx([x - stride, y - 1.5 * stride, x + stride, y + 1.5 * stride], abs=1e-4)
    assert scores[0] == pytest.approx(0.8808, abs=1e-4)
    assert rolls[0] == pytest.approx(np.degrees(0.5), abs=1e-3)


@pytest.mark.parametrize(
    ("size", "room"),
    [((480, 640), (640, 832)), ((720, 1280), (768, 1280)), ((48, 48), (128, 128)), ((1080, 1920), (768, 1280)),
     ((1920, 1080), (1280, 768)), ((10, 2000), (128, 1280))],
)  # fmt: skip
def test_an_image_is_looked_at_in_its_own_shape_and_as_a_close_up(size, room):
    assert input_shapes(*size) == [room, (256, 256)]


@pytest.mark.parametrize("size", [(1, 1), (20, 2000), (480, 640)])
def test_a_picture_of_nobody_has_no_face(served, size):
    faces, rolls = served.detect(nobody(*size))
    assert faces.boxes.shape == (0, 4) and rolls.shape == (0,)


@pytest.mark.parametrize("height", [20, 40, 120, 400])
def test_a_face_is_found_from_20_pixels_to_most_of_the_picture(served, height):
    """The portrait's head and shoulders, scaled, in a grey picture of 640x480."""
    portrait, scale = astronaut()[20:220, 120:330], height / (FACE[3] - FACE[1])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=method)[:480, :640]
    picture = nobody(480, 640)
    picture[: scaled.shape[0], : scaled.shape[1]] = scaled
    faces, _ = served.detect(picture)
    assert len(faces) == 1
    assert iou(faces.boxes, ((FACE - (120, 20, 120, 20)) * scale)[None])[0, 0] > 0.5


def test_what_is_served_is_what_its_card_names(tmp_path):
    folder = shutil.copytree(DEFAULT_DETECTOR, tmp_path / "detector")
    (folder / "detector.bin").write_bytes(b"other weights")
    with pytest.raises(ConfigurationError, match=r"detector\.bin is not the file"):
        Detector(folder, 0.5)


@pytest.mark.parametrize("card", [None, "[]", "{}", '{"strides": [8], "sha256": 1}', '{"sha256": {}}'])
def test_a_folder_without_a_detector_says_what_was_expected(tmp_path, card):
    if card is not None:
        (tmp_path / "model.json").write_text(card)
    with pytest.raises(ConfigurationError, match="CSSAFE_DETECTOR"):
        detector.read_card(tmp_path)


def test_the_detector_is_small_and_ours():
    card = json.loads((DEFAULT_DETECTOR / "model.json").read_text())
    assert card["parameters"] <= 1_000_000
    assert 0 < card["threshold"] < 1 and card["metrics"]["held_back"]["photographs"] > 0
