"""Pictures made small enough to be shown."""

import cv2
import numpy as np
import pytest

from cssafe.vision.preview import MAX_SIDE_PX, preview

BLUE = (233, 180, 86)  # BGR of a face of which nothing is told


@pytest.mark.parametrize("longest", [MAX_SIDE_PX, 640])
def test_a_large_picture_is_shown_small_with_its_boxes_in_place(longest):
    image = np.full((3000, 4000, 3), 90, np.uint8)
    face = {"track": 1, "box": [2000.0, 1500.0, 800.0, 800.0], "score": 0.9}
    shown = cv2.imdecode(np.frombuffer(preview(image, [face], longest), np.uint8), 1)
    assert shown.shape == (longest * 3 // 4, longest, 3)
    corner, outside = shown[longest * 15 // 32, longest // 2], shown[longest // 4, longest // 4]
    assert np.abs(corner.astype(int) - BLUE).max() < 60 and abs(int(outside[0]) - 90) < 5
