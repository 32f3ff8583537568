"""Every face of an image, with its mesh: detector and mesh network together."""

from pathlib import Path

import numpy as np

from cssafe.errors import ConfigurationError
from cssafe.frames import Faces
from cssafe.language import N_
from cssafe.settings import DEFAULT_DETECTOR
from cssafe.vision.detector import Detector, read_card
from cssafe.vision.mesh import Meshes, MeshNetwork
from cssafe.vision.yunet import YuNet

MESH_WEIGHT = 0.07
"""Of the logit of the mesh network's score beside the detector's, by a logistic regression on the detections on the photographs
that `train` holds back."""

SURE = 0.999
"""The mesh network says no more than this, and no less than the opposite, however certain it is."""

MESH_TRUSTED = 0.5
"""Mesh score from which a mesh lies on the face; below, nothing is read from it."""

MISTAKEN = 2.0
"""Degrees between the roll by the detector and by its mesh from which the mesh is laid once more: that network was trained on
upright faces, and a third of what a head is tilted by is all that the detector says (median error 4.7, BlazeFace's 2.4).
With 3 and more, lowered eyes in a clip were taken for closed ones more often than when BlazeFace was served."""

WIDER, HIGHER, LOWER = 0.95, 1.2, 0.11
"""Width and height of a box from forehead to chin against the square that BlazeFace would draw, for which the mesh network was
made, and how far the square's middle lies lower, in its sides: medians over 258 faces held back."""


class Finder:
    """Detector and mesh network, loaded once: `detect`, `lay` and `judge` in this order, or `find` for all of it."""

    def __init__(self, detector: Path = DEFAULT_DETECTOR, believed: float | None = None) -> None:
        """Load both.

        Args:
            detector: a folder made by `train --task detection`, or YuNet as .onnx.
            believed: probability from which a detection of ours is a face; None: the one that was chosen for it.

        Raises:
            ConfigurationError: there is no such detector.
        """
        self._mesh = MeshNetwork()
        self._detector: Detector | YuNet
        if detector.suffix.lower() == ".onnx":
            self._detector, self._threshold = YuNet(detector), None
        else:
            self._threshold = chosen_threshold(detector) if believed is None else believed
            self._detector = Detector(detector, least(self._threshold))

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
        """The meshes of detections with boxes (n, 4) pixels and rolls (n,) degrees; on heads that turn out to be tilted
        otherwise, anew."""
        meshes = self._mesh.fit(image, squares(boxes, rolls), rolls)
        told = meshes.rolls
        tilted = (np.abs((told - rolls + 180) % 360 - 180) > MISTAKEN) & (meshes.scores >= MESH_TRUSTED)
        if tilted.any():
            anew = self._mesh.fit(image, squares(boxes[tilted], told[tilted]), told[tilted])
            meshes.points[tilted], meshes.scores[tilted] = anew.points, anew.scores
        return meshes

    def judge(self, detections: Faces, meshes: Meshes) -> tuple[Faces, np.ndarray]:
        """Which detections are faces, and their rows, the surest face first. Ours are weighed by the mesh network; YuNet's
        are believed."""
        if self._threshold is None:
            return detections, np.arange(len(detections))
        scores = face_probability(detections.scores, meshes.scores)
        rows = np.argsort(-scores, kind="stable")
        rows = rows[scores[rows] >= self._threshold]
        return Faces(detections.boxes[rows], scores[rows]), rows


def chosen_threshold(folder: Path) -> float:
    """The probability from which a detection is a face, as it was chosen on the photographs that `train` holds back.

    Raises:
        ConfigurationError: no detector, or none that a threshold was chosen for.
    """
    card = read_card(folder)
    if "threshold" not in card:
        raise ConfigurationError(
            N_(
                "{path} names no threshold, as when `python -m cssafe train --task detection` held no photographs back: start "
                "that command again, or leave CSSAFE_DETECTOR out."
            ),
            path=folder / "model.json",
        )
    return float(card["threshold"])


def least(threshold: float) -> float:
    """The detector's score below which not even the surest mesh makes a face of it."""
    return float(probability(logit(threshold) - MESH_WEIGHT * logit(SURE)))


def squares(boxes: np.ndarray, rolls: np.ndarray) -> np.ndarray:
    """Boxes from forehead to chin -> squares from the brows down, as the mesh network expects them: float32 (n, 4).

    See WIDER, HIGHER and LOWER. Of a face turned by `rolls` (n,) degrees clockwise the area
    counts, which turning changes least.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    side = np.sqrt(np.maximum(sides.prod(axis=1), 0) / (WIDER * HIGHER))[:, None]
    down = np.stack([-np.sin(np.radians(rolls)), np.cos(np.radians(rolls))], axis=1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + LOWER * side * down
    return np.hstack([middle - side / 2, middle + side / 2]).astype(np.float32)


def face_probability(detector: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """How likely each detection is a face, float32 (n,), from both networks' scores in [0, 1]."""
    return probability(logit(detector) + MESH_WEIGHT * logit(mesh, SURE))


def logit(p: np.ndarray | float, surest: float = 1 - 1e-6) -> np.ndarray:
    """Logarithm of the odds of probabilities, which are taken for no more than `surest` and no less than its opposite."""
    p = np.clip(p, 1 - surest, surest)
    return np.log(p / (1 - p))


def probability(logit: np.ndarray) -> np.ndarray:
    """The reverse of `logit`, float32 in [0, 1]."""
    return (1 / (1 + np.exp(-logit))).astype(np.float32)
