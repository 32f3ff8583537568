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

MAX_MESH_PROBABILITY = 0.999
"""Highest probability of the mesh network that counts, and one minus the lowest."""

MIN_MESH_SCORE = 0.5
"""Mesh score from which a mesh lies on a face and is read."""

MAX_ROLL_ERROR_DEG = 2.0
"""Degrees between the roll by the detector and by its mesh from which the mesh is fitted once more: that network was trained on
upright faces, and a third of what a head is tilted by is all that the detector finds (median error 4.7, BlazeFace's 2.4).
With 3 and more, lowered eyes in a clip were taken for closed ones more often than when BlazeFace was served."""

WIDER, HIGHER, LOWER = 0.95, 1.2, 0.11
"""Width and height of a box from forehead to chin against the square that BlazeFace would draw, for which the mesh network was
made, and offset of the square's middle downwards, in its sides: medians over 258 faces held back."""


class FaceFinder:
    """Detector and mesh network, loaded once: `detect`, `fit_meshes` and `rescore` in this order, or `find` for all of it."""

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
            self._detector = Detector(detector, min_detector_score(self._threshold))

    def find(self, image: np.ndarray) -> tuple[Faces, Meshes]:
        """The n faces of an image, uint8 (h, w, 3) BGR, and their n meshes, surest first."""
        detections, rolls = self.detect(image)
        meshes = self.fit_meshes(image, detections.boxes, rolls)
        faces, rows = self.rescore(detections, meshes)
        return faces, meshes[rows]

    def detect(self, image: np.ndarray, close_ups: bool = False) -> tuple[Faces, np.ndarray]:
        """Detect candidate faces in an image, uint8 (h, w, 3) BGR, and their rolls (n,), degrees clockwise.

        close_ups: only large faces, in a tenth of the time.
        """
        return self._detector.detect(image, close_ups)

    def fit_meshes(self, image: np.ndarray, boxes: np.ndarray, rolls: np.ndarray) -> Meshes:
        """Meshes of detections with boxes (n, 4) pixels and rolls (n,) degrees. Where the mesh shows another roll, it is fitted
        a second time."""
        meshes = self._mesh.fit(image, mesh_rois(boxes, rolls), rolls)
        mesh_rolls = meshes.rolls
        tilted = (np.abs((mesh_rolls - rolls + 180) % 360 - 180) > MAX_ROLL_ERROR_DEG) & (
            meshes.scores >= MIN_MESH_SCORE
        )
        if tilted.any():
            refitted = self._mesh.fit(image, mesh_rois(boxes[tilted], mesh_rolls[tilted]), mesh_rolls[tilted])
            meshes.points[tilted], meshes.scores[tilted] = refitted.points, refitted.scores
        return meshes

    def rescore(self, detections: Faces, meshes: Meshes) -> tuple[Faces, np.ndarray]:
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


def min_detector_score(threshold: float) -> float:
    """The detector's score below which not even the surest mesh makes a face of it."""
    return float(probability(logit(threshold) - MESH_WEIGHT * logit(MAX_MESH_PROBABILITY)))


def mesh_rois(boxes: np.ndarray, rolls: np.ndarray) -> np.ndarray:
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
    """Probability that each detection is a face, float32 (n,), from both networks' scores in [0, 1]."""
    return probability(logit(detector) + MESH_WEIGHT * logit(mesh, MAX_MESH_PROBABILITY))


def logit(p: np.ndarray | float, surest: float = 1 - 1e-6) -> np.ndarray:
    """Logarithm of the odds of probabilities, which are taken for no more than `surest` and no less than its opposite."""
    p = np.clip(p, 1 - surest, surest)
    return np.log(p / (1 - p))


def probability(logit: np.ndarray) -> np.ndarray:
    """The reverse of `logit`, float32 in [0, 1]."""
    return (1 / (1 + np.exp(-logit))).astype(np.float32)
