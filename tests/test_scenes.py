"""The finder on photographs it was never tuned on (WIDER FACE validation, ../shared/data/scenes)."""

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe.vision.detector import iou
from cssafe.vision.finder import Finder

from .shared import shared_data

pytestmark = pytest.mark.slow


def matched(found: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Which drawn boxes (m, 4) are met by a found one (n, 4) at IoU 0.4, one to one, best pairs first: index of the found
    box or -1, (m,)."""
    overlap, partner = iou(found, drawn), np.full(len(drawn), -1)
    while overlap.size and overlap.max() >= 0.4:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        partner[j] = i
        overlap[i], overlap[:, j] = -1, -1
    return partner


def test_most_faces_of_40_px_are_found_with_few_false_alarms():
    folder = shared_data("scenes")
    boxes = pd.read_csv(folder / "boxes.csv")
    finder, found_40, of_40, false_alarms, images = Finder(), 0, 0, 0, 0
    for name, rows in boxes.groupby("file"):
        faces, _ = finder.find(cv2.imread(str(folder / name)))
        xywh = rows[["x", "y", "w", "h"]].to_numpy(float)
        partner = matched(faces.boxes, np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]))
        large = ((rows["invalid"] == 0) & (rows["h"] >= 40)).to_numpy()
        found_40, of_40 = found_40 + (partner[large] >= 0).sum(), of_40 + large.sum()
        false_alarms += len(faces) - (partner >= 0).sum()  # a box on an invalid or smaller face is no alarm
        images += 1
    assert images == 83
    recall, alarms = found_40 / of_40, false_alarms / images
    print(f"recall at 40 px and higher {recall:.3f}, false alarms an image {alarms:.3f}")
    assert recall >= 0.78
    assert alarms <= 0.2
