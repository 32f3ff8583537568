"""Scheduler of close looks (mesh, eyes, expression): faces of a live picture take turns where all together take too long.
Between its turns a face keeps its last readings; its mesh moves with its box."""

from collections.abc import Callable

import numpy as np

from cssafe.vision.boxes import iou
from cssafe.vision.mesh import Meshes

MAX_LOOK_AGE_S = 1.0
"""Maximum age of a close look, seconds, however many faces wait: an observation is one second."""

MIN_REST_IOU = 0.8
"""Overlap (IoU) with a detection of the frame before from which it is the same face at rest; below, it has moved or turned, and
is looked at at once."""


class LookScheduler:
    """Detections of one stream's newest frame, their meshes, and the time when each mesh was fitted."""

    def __init__(self) -> None:
        self._boxes = np.zeros((0, 4), np.float32)
        self._meshes = Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))
        self._fitted = np.zeros(0)
        self._now = float("-inf")

    def refresh(
        self,
        boxes: np.ndarray,
        fit: Callable[[np.ndarray], Meshes],
        now: float,
        at_once: float,
        sure: np.ndarray | None = None,
    ) -> tuple[Meshes, np.ndarray]:
        """Meshes of a frame's n detections, and which of them were fitted in it, bool (n,).

        Args:
            boxes: (n, 4) pixels, of the detector. fit: rows, bool (n,) -> their meshes in this frame. now: seconds, must not go
                back. at_once: faces that the machine looks at closely in one frame. sure: bool (n,), whether each box lies on
                its face for sure (None: all do); the others are looked at at once.
        """
        overlap = iou(boxes, self._boxes)
        known = (overlap >= MIN_REST_IOU).any(axis=1) & (True if sure is None else sure)
        earlier = overlap[known].argmax(axis=1) if known.any() else np.zeros(0, int)
        fitted = np.full(len(boxes), -np.inf)
        fitted[known] = self._fitted[earlier]
        fresh = select_due(now - fitted, now - self._now, at_once)

        points = np.zeros((len(boxes), 468, 3), np.float32)
        scores = np.zeros(len(boxes), np.float32)
        points[known] = move_meshes(self._meshes.points[earlier], self._boxes[earlier], boxes[known])
        scores[known] = self._meshes.scores[earlier]
        new = fit(fresh)
        points[fresh], scores[fresh] = new.points, new.scores
        meshes = Meshes(points, scores)
        self._boxes, self._meshes, self._fitted, self._now = boxes, meshes, np.where(fresh, now, fitted), now
        return meshes, fresh


def select_due(age: np.ndarray, interval: float, at_once: float) -> np.ndarray:
    """Faces that get a close look in a frame, bool (n,): all new ones, those that wait longest up to `at_once`, and those that
    would wait longer than MAX_LOOK_AGE_S until the next frame.

    Args:
        age: (n,) seconds since the last close look, infinite where there was none. interval: seconds since the frame before.
        at_once: faces; at least one has its turn.
    """
    rank = np.empty(len(age), int)
    rank[np.argsort(-age, kind="stable")] = np.arange(len(age))
    return (rank < max(1.0, at_once)) | (age + interval > MAX_LOOK_AGE_S)


def move_meshes(points: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Meshes (n, k, 3) of faces whose boxes (n, 4) were `before` and are `after`: shifted, and scaled alike all ways."""
    from_middle, to_middle = ((b[:, None, :2] + b[:, None, 2:]) / 2 for b in (before, after))
    growth = np.sqrt(_areas(after) / _areas(before))[:, None, None]
    shifted = points * growth
    shifted[..., :2] += to_middle - from_middle * growth
    return shifted


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.maximum((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1), 1e-6)
