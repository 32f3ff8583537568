"""Boxes around faces, float32 (n, 4) x1 y1 x2 y2 in pixels, and pictures fitted into a network's input."""

from collections.abc import Sequence

import cv2
import numpy as np

from cssafe.frames import Faces


def merge_scales(found: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[Faces, np.ndarray]:
    """Merge the detections of several input sizes, each boxes (n, 4), scores (n,) and rolls (n,): the faces, best score first,
    and their rolls."""
    boxes, scores, rolls = (np.concatenate(parts) for parts in zip(*found, strict=True))
    keep = nms(boxes, scores)
    return Faces(boxes[keep], scores[keep]), rolls[keep]


def input_shape(height: int, width: int, scale: float) -> tuple[int, int]:
    """Height and width of the input at which a picture is looked at in this scale: multiples of 64, which all strides divide,
    so that few shapes have to be compiled."""
    rows, columns = (max(2, int(np.ceil(side * scale / 64))) * 64 for side in (height, width))
    return rows, columns


def letterbox(image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, float]:
    """Fit a BGR image into the upper left of a black one (height, width, 3); also the scale that was applied."""
    h, w = image.shape[:2]
    scale = min(width / w, height / h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)
    return picture, scale


def nms(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Non-maximum suppression: indices of the boxes that stay, best first. Each drops weaker ones that overlap it or lie mostly
    inside it.

    Plain overlap (IoU .3) is not enough here: the two input sizes give boxes of different size around one face.
    """
    order, keep = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, order = order[0], order[1:]
        keep.append(best)
        shared, smaller, union = _overlaps(boxes[best], boxes[order])
        order = order[(shared / union <= 0.3) & (shared / smaller <= 0.7)]
    return np.array(keep, int)


def iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair: (n, 4) and (m, 4) -> (n, m), in [0, 1]."""
    shared, _, union = _overlaps(boxes[:, None], others[None])
    return shared / union


def _overlaps(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shared area, smaller area and union of boxes that broadcast; areas are at least 1e-9, so they can divide."""
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    area_a, area_b = ((x[..., 2:] - x[..., :2]).clip(0).prod(axis=-1) for x in (a, b))
    shared = sides.prod(axis=-1)
    return shared, np.maximum(np.minimum(area_a, area_b), 1e-9), np.maximum(area_a + area_b - shared, 1e-9)
