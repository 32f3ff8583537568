"""Detectors to compare, each a function: picture -> boxes (n, 4) from forehead to chin, scores (n,).

Each returns all candidates down to MIN_SCORE, so that all thresholds can be compared.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cssafe.frames import Faces
from cssafe.training.detection.blazeface import (
    CANDIDATE_THRESHOLD,
    SERVED_THRESHOLD,
    BlazeFace,
    face_boxes,
    face_probability,
)
from cssafe.vision.boxes import nms
from cssafe.vision.face_finder import FaceFinder
from cssafe.vision.mesh import Meshes, MeshNetwork

FaceDetector = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
MeshDetector = Callable[[np.ndarray], tuple[Faces, Meshes]]

HAAR_CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"

MIN_SCORE = 0.05
"""Lowest score of our boxes and of BlazeFace's."""


def our_detector(folder: Path) -> FaceDetector:
    """The detector in a model folder, rescored by the mesh network, as served."""
    return _without_meshes(FaceFinder(folder, MIN_SCORE).find)


def blazeface() -> FaceDetector:
    """BlazeFace alone, its boxes stretched to whole faces."""
    detector = BlazeFace(MIN_SCORE)

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, _ = detector.detect(image)
        return face_boxes(faces.boxes), faces.scores

    return find


def blazeface_and_mesh() -> FaceDetector:
    """BlazeFace rescored by the mesh network: served before ours."""
    return _without_meshes(blazeface_chain(MIN_SCORE, 0.0))


def blazeface_chain(least: float = CANDIDATE_THRESHOLD, believed: float = SERVED_THRESHOLD) -> MeshDetector:
    """BlazeFace with meshes, as it was served; the mesh also refines the box.

    Args:
        least: lowest score of a candidate. believed: lowest probability of a face.
    """
    detector, mesh = BlazeFace(least), MeshNetwork()

    def find(image: np.ndarray) -> tuple[Faces, Meshes]:
        faces, rolls = detector.detect(image)
        meshes = mesh.fit(image, faces.boxes, rolls)
        scores = face_probability(faces.scores, meshes.scores)
        boxes = face_boxes(faces.boxes, meshes)
        (rows,) = np.nonzero(scores >= believed)
        # A detected part of a face has the mesh and so the box of the whole face.
        keep = rows[nms(boxes[rows], scores[rows])]
        return Faces(boxes[keep], scores[keep]), meshes[keep]

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


def _without_meshes(chain: MeshDetector) -> FaceDetector:
    """The faces of a chain without their meshes."""

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, _ = chain(image)
        return faces.boxes, faces.scores

    return find
