"""Pictures made small enough to be shown."""

import cv2
import numpy as np

from cssafe.vision.preview import LONGEST, preview

BLUE = (233, 180, 86)  # BGR of a face of which nothing is told


def test_a_large_picture_is_shown_small_with_its_boxes_in_place():
    image = np.full((3000, 4000, 3), 90, np.uint8)
    face = {"track": 1, "box": [2000.0, 1500.0, 800.0, 800.0], "score": 0.9}
    shown = cv2.imdecode(np.frombuffer(preview(image, [face]), np.uint8), 1)
    assert shown.shape == (960, LONGEST, 3)
    assert np.abs(shown[600, 640].astype(int) - BLUE).max() < 60 and abs(int(shown[300, 300, 0]) - 90) < 5
