"""The detectors that are compared, each as one function: picture -> boxes (n, 4) from forehead to chin, scores (n,).

Each is asked for everything that it takes for a face however little, so that all thresholds can be compared.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cssafe.vision import finder
from cssafe.vision.detector import Detector, suppress
from cssafe.vision.mesh import Meshes, MeshNetwork
from cssafe.vision.ours import OwnDetector

Finds = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"

LEAST = 0.05
"""Score from which our boxes, and BlazeFace's, are looked at."""


def ours(folder: Path) -> Finds:
    """The detector in a model folder, alone."""
    detector = OwnDetector(folder, LEAST)

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, _ = detector.detect(image)
        return faces.boxes, faces.scores

    return find


def blazeface() -> Finds:
    """BlazeFace alone, its boxes stretched to whole faces."""
    detector = Detector(LEAST)

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, _ = detector.detect(image)
        untrusted = Meshes(np.zeros((len(faces), 1, 3), np.float32), np.zeros(len(faces), np.float32))
        return finder.face_boxes(faces.boxes, untrusted), faces.scores

    return find


def blazeface_and_mesh() -> Finds:
    """BlazeFace and the mesh network, which weighs each detection, as cssafe.vision.finder serves them."""
    detector, mesh = Detector(LEAST), MeshNetwork()

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, rolls = detector.detect(image)
        meshes = mesh.fit(image, faces.boxes, rolls)
        scores = finder.face_probability(faces.scores, meshes.scores)
        boxes = finder.face_boxes(faces.boxes, meshes)
        keep = suppress(boxes, scores)
        return boxes[keep], scores[keep]

    return find


def haar() -> Finds:
    """OpenCV's frontal cascade (Viola & Jones 2001), from 20 pixels up; its scores are sums of the last stage."""
    cascade = cv2.CascadeClassifier(str(CASCADE))

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        squares, _, sums = cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=3, minSize=(18, 18), outputRejectLevels=True
        )
        xywh = np.array(squares, np.float32).reshape(-1, 4)
        return np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]), np.array(sums, np.float32).reshape(-1)

    return find
