"""The finder on photographs it was never tuned on (WIDER FACE validation, ../shared/data/scenes)."""

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe.signals.pose import head_pose
from cssafe.vision.boxes import iou
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from tests.support.shared import shared_data

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
    finder, found_40, of_40, false_alarms, images = FaceFinder(), 0, 0, 0, 0
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
    assert recall >= 0.82
    assert alarms <= 0.2


def test_heads_that_people_called_turned_are_turned_further_and_a_mirrored_picture_turns_them_the_other_way():
    folder = shared_data("scenes")
    boxes = pd.read_csv(folder / "boxes.csv")
    finder, turns, pairs = FaceFinder(), {0: [], 1: []}, []
    for number, (name, rows) in enumerate(boxes[boxes["invalid"] == 0].groupby("file")):
        image = cv2.imread(str(folder / name))
        faces, meshes = finder.find(image)
        yaw, pitch, roll = head_pose(meshes)
        xywh = rows[["x", "y", "w", "h"]].to_numpy(float)
        partner = matched(faces.boxes, np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]))
        for i, called, height in zip(partner, rows["pose"], rows["h"], strict=True):
            if i >= 0 and height >= 40 and meshes.scores[i] >= MIN_MESH_SCORE:
                turns[called].append(max(abs(yaw[i]), abs(pitch[i]), abs(roll[i])))
        if number % 4 == 0:
            others, flipped = finder.find(np.ascontiguousarray(image[:, ::-1]))
            mirrored = others.boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (image.shape[1], 0, image.shape[1], 0)
            same = matched(mirrored, faces.boxes)
            both = [(i, j) for i, j in enumerate(same) if j >= 0 and faces.heights[i] >= 40]
            pairs += [(yaw[i], head_pose(flipped)[0][j]) for i, j in both]
    usual, atypical = (np.median(turns[called]) for called in (0, 1))
    one, other = np.array(pairs).T
    print(
        f"turned {usual:.0f} and {atypical:.0f} degrees; {len(pairs)} mirrored, r {np.corrcoef(one, other)[0, 1]:.2f}"
    )
    assert atypical > usual + 10
    assert len(pairs) > 30 and np.corrcoef(one, other)[0, 1] < -0.8
