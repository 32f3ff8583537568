"""Every face of an image, with its mesh: detector and mesh network together."""

from pathlib import Path

import numpy as np

from cssafe.frames import Faces
from cssafe.vision.detector import Detector, suppress
from cssafe.vision.mesh import Meshes, MeshNetwork
from cssafe.vision.ours import OwnDetector
from cssafe.vision.yunet import YuNet

BELIEVED = 0.65
"""Probability of being a face from which a detection counts."""

DETECTOR_WEIGHT, MESH_WEIGHT, BIAS = 2.56, 0.3, -0.31
"""Of a logistic regression on the logits of both networks' scores over 2,230 detections on faces_train; the mesh's weight was
then doubled by hand, which costs 1 % of the faces and halves the false alarms. With 0.65, faces of 40 px and higher are found
at .88 and 0.04 false alarms a picture (450 pictures 640 px wide), and at .78 and 0.11 (300 of them enlarged to 1024 px)."""

MESH_TRUSTED = 0.5
"""Mesh score from which the mesh, and not the detector, says where the face ends."""


class Finder:
    """Detector and mesh network, loaded once: `detect`, `lay` and `judge` in this order, or `find` for all of it."""

    def __init__(self, detector: Path | None = None) -> None:
        """Load both.

        Args:
            detector: a folder made by `train --task detection`, or YuNet as .onnx; None: BlazeFace.

        Raises:
            ConfigurationError: there is no such detector.
        """
        self._mesh = MeshNetwork()
        self._whole_faces = detector is not None
        self._detector: Detector | OwnDetector | YuNet = Detector() if detector is None else chosen(detector)

    def find(self, image: np.ndarray) -> tuple[Faces, Meshes]:
        """The n faces of an image, uint8 (h, w, 3) BGR, and their n meshes, surest first."""
        detections, rolls = self.detect(image)
        meshes = self.lay(image, detections.boxes, rolls)
        faces, rows = self.judge(detections, meshes)
        return faces, meshes[rows]

    def detect(self, image: np.ndarray) -> tuple[Faces, np.ndarray]:
        """What may be faces in an image, uint8 (h, w, 3) BGR, and their rolls (n,), degrees clockwise."""
        return self._detector.detect(image)

    def lay(self, image: np.ndarray, boxes: np.ndarray, rolls: np.ndarray) -> Meshes:
        """The meshes of detections with boxes (n, 4) pixels and rolls (n,) degrees."""
        return self._mesh.fit(image, squares(boxes, rolls) if self._whole_faces else boxes, rolls)

    def judge(self, detections: Faces, meshes: Meshes) -> tuple[Faces, np.ndarray]:
        """Which detections are faces and where each ends, and their rows, the surest face first.

        What a detector of whole faces finds is one, and its boxes are drawn as people draw them. BlazeFace's detections are
        weighed by the mesh network, which also says where the face ends.
        """
        if self._whole_faces:
            return detections, np.arange(len(detections))
        scores = face_probability(detections.scores, meshes.scores)
        (rows,) = np.nonzero(scores >= BELIEVED)
        boxes, scores = face_boxes(detections.boxes[rows], meshes[rows]), scores[rows]
        keep = suppress(boxes, scores)  # a part of a face, taken for one, has the mesh of the whole face
        return Faces(boxes[keep], scores[keep]), rows[keep]


def chosen(detector: Path) -> OwnDetector | YuNet:
    """The detector that CSSAFE_DETECTOR names.

    Raises:
        ConfigurationError: there is none.
    """
    return YuNet(detector) if detector.suffix.lower() == ".onnx" else OwnDetector(detector)


def squares(boxes: np.ndarray, rolls: np.ndarray) -> np.ndarray:
    """Boxes from forehead to chin -> squares from the brows down, as the mesh network expects them: float32 (n, 4).

    The reverse of `face_boxes` for a face turned by `rolls` (n,) degrees clockwise, by area, which turning changes least.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    side = np.sqrt(np.maximum(sides.prod(axis=1), 0) / (0.95 * 1.2))[:, None]
    down = np.stack([-np.sin(np.radians(rolls)), np.cos(np.radians(rolls))], axis=1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + 0.05 * side * down
    return np.hstack([middle - side / 2, middle + side / 2]).astype(np.float32)


def face_probability(detector: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """How likely each detection is a face, float32 (n,), from both networks' scores in [0, 1]."""
    logits = DETECTOR_WEIGHT * _logit(detector) + MESH_WEIGHT * _logit(mesh) + BIAS
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def face_boxes(boxes: np.ndarray, meshes: Meshes) -> np.ndarray:
    """Boxes from forehead to chin, float32 (n, 4), as people draw them (and as WIDER FACE does).

    The mesh ends at the hairline, so a tenth of its height is added above. BlazeFace's own boxes are squares from the
    brows down; where the mesh is not trusted they are stretched by the numbers that fit faces_train best.
    """
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    middle, size = middle - (0, 0.05) * size, size * (0.95, 1.2)
    stretched = np.hstack([middle - size / 2, middle + size / 2])
    if len(boxes) == 0:
        return stretched.astype(np.float32)
    low, high = meshes.points[..., :2].min(axis=1), meshes.points[..., :2].max(axis=1)
    low[:, 1] -= 0.1 * (high[:, 1] - low[:, 1])
    trusted = meshes.scores[:, None] >= MESH_TRUSTED
    return np.where(trusted, np.hstack([low, high]), stretched).astype(np.float32)


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 0.001, 0.999)
    return np.log(p / (1 - p))
