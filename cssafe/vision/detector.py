"""Faces in an image: BlazeFace's back-camera network, run at two input sizes."""

import cv2
import numpy as np
import openvino as ov

from cssafe.frames import Faces
from cssafe.vision import networks

LONG_SIDES = (640, 832)
"""Longer side of the large input, pixels: that of the image, within these limits. It finds the faces of a room; below the
one limit small faces are enlarged for it, above the other time grows and few faces are gained."""

CLOSE_UP = 256
"""Side of the small input, for which the network was made: finds faces that fill the picture."""

THRESHOLD = 0.4
"""Score below which a detection is not even a candidate; the finder weighs the rest with the mesh."""

LAYERS = ((16, 2), (32, 6))
"""(stride in pixels, anchors a cell) of the network's two output maps."""


class Detector:
    """Finds faces. Compiles itself for each shape of picture it meets, some tenths of a second at the first of a kind."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._compiled: dict[tuple[int, int], ov.CompiledModel] = {}

    def detect(self, image: np.ndarray) -> tuple[Faces, np.ndarray]:
        """Find the faces of one image, uint8 (h, w, 3) BGR.

        Returns:
            n faces, best score first, and their roll in degrees (n,), clockwise, from the detector's two eye points.
        """
        found = [self._run(image, *shape) for shape in input_shapes(*image.shape[:2])]
        boxes, scores, rolls = (np.concatenate(parts) for parts in zip(*found, strict=True))
        keep = suppress(boxes, scores)
        return Faces(boxes[keep], scores[keep]), rolls[keep]

    def _run(self, image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if (height, width) not in self._compiled:
            graph = networks.open_ended(networks.packaged("face_detection_back"), height, width, batch=1)
            self._compiled[height, width] = networks.compiled(networks.from_bgr(graph, mean=127.5, scale=127.5))
        picture, scale = letterbox(image, height, width)
        maps = networks.outputs(self._compiled[height, width], picture[None])
        boxes, scores, rolls = decode(maps, height, width, self._threshold)
        return boxes / scale, scores, rolls


def input_shapes(height: int, width: int) -> list[tuple[int, int]]:
    """The input sizes (height, width) at which an image is looked at: one for the room, one for close-ups.

    Sides are multiples of 64, which both strides divide, so that few shapes have to be compiled.
    """
    longer = max(height, width)
    scale = np.clip(longer, *LONG_SIDES) / longer
    rows, columns = (max(2, int(np.ceil(side * scale / 64))) * 64 for side in (height, width))
    return [(rows, columns), (CLOSE_UP, CLOSE_UP)]


def letterbox(image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, float]:
    """Fit a BGR image into the upper left of a black one (height, width, 3); also the scale that was applied."""
    h, w = image.shape[:2]
    scale = min(width / w, height / h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)
    return picture, scale


def decode(
    maps: list[np.ndarray], height: int, width: int, threshold: float = THRESHOLD
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network's raw maps -> boxes (n, 4), scores (n,), rolls (n,) above the threshold, in input pixels.

    Each anchor gives 16 numbers: middle x, y (relative to its cell), width, height, and six points, the first two of
    which are the eyes (the one on the left of the picture first).
    """
    parts = []
    for stride, anchors in LAYERS:
        shape = (1, height // stride, width // stride)
        logits = next(m for m in maps if m.shape == (*shape, anchors)).reshape(-1)
        numbers = next(m for m in maps if m.shape == (*shape, anchors * 16)).reshape(-1, 16)
        scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        chosen = np.flatnonzero(scores > threshold)
        rows, columns = np.divmod(chosen // anchors, shape[2])
        cells = np.stack([columns, rows], axis=1) * stride + stride / 2
        picked = numbers[chosen]
        middles, sizes = cells + picked[:, :2], picked[:, 2:4]
        eyes = picked[:, 6:8] - picked[:, 4:6]
        rolls = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))
        parts.append((np.hstack([middles - sizes / 2, middles + sizes / 2]), scores[chosen], rolls))
    boxes, scores, rolls = (np.concatenate(part).astype(np.float32) for part in zip(*parts, strict=True))
    return boxes, scores, rolls


def suppress(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Indices of the boxes that stay, best first: each drops weaker ones that overlap it or lie mostly inside it.

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
