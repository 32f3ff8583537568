"""MediaPipe's BlazeFace (back camera), a baseline: run at two input sizes, alone or rescored by the mesh network."""

import numpy as np
import openvino as ov

from cssafe.frames import Faces
from cssafe.vision import openvino_runtime
from cssafe.vision.boxes import input_shape, letterbox, merge_scales
from cssafe.vision.face_finder import MAX_MESH_PROBABILITY, MIN_MESH_SCORE, logit, probability
from cssafe.vision.mesh import Meshes

LONG_SIDES_PX = (640, 832)
"""Limits of the large input's longer side, for the faces of a room: below, small faces are enlarged; above, time grows and
few faces are gained."""

CLOSE_UP_PX = 256
"""Side of the small input, the network's own, for faces that fill the picture."""

CANDIDATE_THRESHOLD = 0.4
"""Lowest score of a candidate; the mesh rescores candidates."""

ANCHOR_LAYERS = ((16, 2), (32, 6))
"""(stride in pixels, anchors a cell) of the two output maps."""

SERVED_THRESHOLD = 0.65
"""Lowest probability of a face when this detector was served."""

DETECTOR_WEIGHT, MESH_WEIGHT, BIAS = 2.56, 0.3, -0.31
"""Of a logistic regression on the logits of both networks' scores over 2,230 detections on faces_train; the mesh's weight was
then doubled by hand, which costs 1 % of the faces and halves the false alarms."""

BOX_STRETCH = (0.95, 1.2), (0, 0.05)
"""Width and height of a box from forehead to chin over BlazeFace's square, and upward shift of its middle in sides; fitted to
faces_train."""


class BlazeFace:
    """The detector. Compiled for each new picture shape, which takes some tenths of a second."""

    def __init__(self, threshold: float = CANDIDATE_THRESHOLD) -> None:
        self._threshold = threshold
        self._compiled: dict[tuple[int, int], ov.CompiledModel] = {}

    def detect(self, image: np.ndarray) -> tuple[Faces, np.ndarray]:
        """Find the faces of one image, uint8 (h, w, 3) BGR.

        Returns:
            n faces, best score first, and their roll in degrees (n,), clockwise, from the detector's two eye points.
        """
        return merge_scales([self._run(image, *shape) for shape in input_shapes(*image.shape[:2])])

    def _run(self, image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if (height, width) not in self._compiled:
            graph = openvino_runtime.resize_input(
                openvino_runtime.load_packaged("face_detection_back"), height, width, batch=1
            )
            self._compiled[height, width] = openvino_runtime.compile_model(
                openvino_runtime.accept_bgr(graph, mean=127.5, scale=127.5)
            )
        picture, scale = letterbox(image, height, width)
        maps = openvino_runtime.run_batches(self._compiled[height, width], picture[None])
        boxes, scores, rolls = decode_anchors(maps, height, width, self._threshold)
        return boxes / scale, scores, rolls


def input_shapes(height: int, width: int) -> list[tuple[int, int]]:
    """Input sizes (height, width): one for the room, one for close-ups."""
    longer = max(height, width)
    scale = np.clip(longer, *LONG_SIDES_PX) / longer
    return [input_shape(height, width, scale), (CLOSE_UP_PX, CLOSE_UP_PX)]


def decode_anchors(
    maps: list[np.ndarray], height: int, width: int, threshold: float = CANDIDATE_THRESHOLD
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network's raw maps -> boxes (n, 4), scores (n,), rolls (n,) above the threshold, in input pixels.

    Each anchor gives 16 numbers: middle x, y (relative to its cell), width, height, and six points, the first two of
    which are the eyes (the one on the left of the picture first).
    """
    parts = []
    for stride, anchors in ANCHOR_LAYERS:
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


def face_boxes(boxes: np.ndarray, meshes: Meshes | None = None) -> np.ndarray:
    """BlazeFace's squares, from the brows down, as boxes from forehead to chin, float32 (n, 4), as in WIDER FACE.

    A trusted mesh gives the box, plus a tenth of its height above the hairline. Elsewhere the squares are stretched.
    """
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    middle, size = middle - BOX_STRETCH[1] * size, size * BOX_STRETCH[0]
    stretched = np.hstack([middle - size / 2, middle + size / 2])
    if meshes is None or len(boxes) == 0:
        return stretched.astype(np.float32)
    low, high = meshes.points[..., :2].min(axis=1), meshes.points[..., :2].max(axis=1)
    low[:, 1] -= 0.1 * (high[:, 1] - low[:, 1])
    trusted = meshes.scores[:, None] >= MIN_MESH_SCORE
    return np.where(trusted, np.hstack([low, high]), stretched).astype(np.float32)


def face_probability(detector: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """Probability of a face, float32 (n,), from both networks' scores in [0, 1]."""
    return probability(
        DETECTOR_WEIGHT * logit(detector, MAX_MESH_PROBABILITY) + MESH_WEIGHT * logit(mesh, MAX_MESH_PROBABILITY) + BIAS
    )
