"""Every face of an image, with its mesh: detector and mesh network together."""

from collections.abc import Callable
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
    """Detector and mesh network, loaded once."""

    def __init__(self, detector: Path | None = None) -> None:
        """Load both.

        Args:
            detector: a folder made by `train --task detection`, or YuNet as .onnx; None: BlazeFace.

        Raises:
            ConfigurationError: there is no such detector.
        """
        mesh = MeshNetwork()
        self.fit = mesh.fit
        self._detect = self._with_blazeface if detector is None else self._with_whole_faces
        self._detector: Detector | OwnDetector | YuNet = Detector() if detector is None else chosen(detector)

    def find(self, image: np.ndarray, clock: Callable[[str], None] = lambda stage: None) -> tuple[Faces, Meshes]:
        """The n faces of an image, uint8 (h, w, 3) BGR, and their n meshes, surest first.

        Args:
            clock: called with "detect" and "mesh" after each stage, for timing.
        """
        return self._detect(image, clock)

    def _with_whole_faces(self, image: np.ndarray, clock: Callable[[str], None]) -> tuple[Faces, Meshes]:
        """What the detector finds is a face, and its boxes are drawn as people draw them."""
        faces, rolls = self._detector.detect(image)
        clock("detect")
        meshes = self.fit(image, squares(faces.boxes, rolls), rolls)
        clock("mesh")
        return faces, meshes

    def _with_blazeface(self, image: np.ndarray, clock: Callable[[str], None]) -> tuple[Faces, Meshes]:
        """The mesh network weighs each detection, and says where the face ends."""
        candidates, rolls = self._detector.detect(image)
        clock("detect")
        meshes = self.fit(image, candidates.boxes, rolls)
        scores = face_probability(candidates.scores, meshes.scores)
        believed = scores >= BELIEVED
        boxes, scores, meshes = candidates.boxes[believed], scores[believed], meshes[believed]
        boxes = face_boxes(boxes, meshes)
        keep = suppress(boxes, scores)  # a part of a face, taken for one, has the mesh of the whole face
        clock("mesh")
        return Faces(boxes[keep], scores[keep]), meshes[keep]


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
