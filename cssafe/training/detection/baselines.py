"""Detectors to compare, each a function: picture -> boxes (n, 4) from forehead to chin, scores (n,).

Each returns all candidates down to MIN_SCORE, so that all thresholds can be compared.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cssafe.vision.face_finder import FaceFinder

FaceDetector = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

HAAR_CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"

MIN_SCORE = 0.05
"""Lowest score of our boxes."""


def our_detector(folder: Path) -> FaceDetector:
    """The detector in a model folder, rescored by the mesh network, as served."""
    finder = FaceFinder(folder, MIN_SCORE)

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, _ = finder.find(image)
        return faces.boxes, faces.scores

    return find


def haar() -> FaceDetector:
    """OpenCV's frontal cascade (Viola & Jones 2001), from 20 pixels up; its scores are sums of the last stage."""
    cascade = cv2.CascadeClassifier(str(HAAR_CASCADE))

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        squares, _, sums = cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=3, minSize=(18, 18), outputRejectLevels=True
        )
        xywh = np.array(squares, np.float32).reshape(-1, 4)
        return np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]), np.array(sums, np.float32).reshape(-1)

    return find
