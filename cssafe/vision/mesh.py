"""Landmark networks: 468 points of the face mesh, contours of both eyes, irises."""

from dataclasses import dataclass

import cv2
import numpy as np

from cssafe.vision import openvino_runtime
from cssafe.vision.crops import crop, crop_matrix, to_image

MESH_INPUT_PX, EYE_INPUT_PX = 192, 64
"""Input sides of the two networks, pixels."""

RIGHT_EYE, LEFT_EYE = (33, 133), (263, 362)
"""Mesh points of each eye's outer and inner corner; right and left are the person's own."""

FOREHEAD, CHIN = 10, 152
"""Mesh points at the top and bottom of the face."""


@dataclass(frozen=True)
class Meshes:
    """points: float32 (n, 468, 3), x and y in image pixels, z in the same unit, smaller is nearer.
    scores: float32 (n,) in [0, 1], near 1 on a face, near 0 elsewhere."""

    points: np.ndarray
    scores: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Meshes":
        return Meshes(self.points[rows], self.scores[rows])

    @property
    def rolls(self) -> np.ndarray:
        """Tilt of each head, degrees clockwise in [-180, 180], by the outer corners of its eyes: (n,)."""
        across = self.points[:, LEFT_EYE[0], :2] - self.points[:, RIGHT_EYE[0], :2]
        return np.degrees(np.arctan2(across[:, 1], across[:, 0]))


@dataclass(frozen=True)
class Eyes:
    """Both eyes of n faces, the person's right eye first. Coordinates are pixels of the upright 64-pixel eye crop, in
    which the left eye is mirrored so that both look like right eyes: x grows from the outer corner to the nose.

    contours: float32 (n, 2, 16, 2): 0 outer corner to 8 inner corner along the lower lid, 9 to 15 back along the upper.
    irises: float32 (n, 2, 2), the middle of each iris.
    """

    contours: np.ndarray
    irises: np.ndarray


class MeshNetwork:
    """FaceMesh, all faces of an image in one batch."""

    def __init__(self) -> None:
        graph = openvino_runtime.resize_input(
            openvino_runtime.load_packaged("face_landmark"), MESH_INPUT_PX, MESH_INPUT_PX
        )
        self._network = openvino_runtime.compile_model(openvino_runtime.accept_bgr(graph, mean=0, scale=255))

    def fit(self, image: np.ndarray, boxes: np.ndarray, rolls: np.ndarray) -> Meshes:
        """Lay the mesh on the faces in `boxes` (n, 4) pixels, turned by `rolls` (n,) degrees clockwise."""
        if len(boxes) == 0:
            return Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        sides = 1.5 * (boxes[:, 2:] - boxes[:, :2]).max(axis=1)  # the margin that the network was trained with
        placed = list(zip(middles, sides, rolls, strict=True))
        crops = np.stack([crop(image, *place, MESH_INPUT_PX) for place in placed])
        maps = openvino_runtime.run_batches(self._network, crops)
        points = next(m for m in maps if m.shape[-1] == 1404).reshape(-1, 468, 3)
        logits = next(m for m in maps if m.shape[-1] == 1).reshape(-1)
        for face, place in zip(points, placed, strict=True):
            face[:, :2] = to_image(face[:, :2], crop_matrix(*place, MESH_INPUT_PX))
            face[:, 2] *= place[1] / MESH_INPUT_PX
        return Meshes(points.astype(np.float32), (1 / (1 + np.exp(-logits))).astype(np.float32))


class EyeNetwork:
    """Iris: contour and iris of both eyes, all faces in one batch."""

    def __init__(self) -> None:
        graph = openvino_runtime.resize_input(
            openvino_runtime.load_packaged("iris_landmark"), EYE_INPUT_PX, EYE_INPUT_PX
        )
        self._network = openvino_runtime.compile_model(openvino_runtime.accept_bgr(graph, mean=0, scale=255))

    def fit(self, image: np.ndarray, meshes: Meshes) -> Eyes:
        n = len(meshes.points)
        if n == 0:
            return Eyes(np.zeros((0, 2, 16, 2), np.float32), np.zeros((0, 2, 2), np.float32))
        crops = [
            _eye_crop(image, face[outer, :2], face[inner, :2], mirrored)
            for face in meshes.points
            for (outer, inner), mirrored in ((RIGHT_EYE, False), (LEFT_EYE, True))
        ]
        maps = openvino_runtime.run_batches(self._network, np.stack(crops))
        contours = next(m for m in maps if m.shape[-1] == 213).reshape(n, 2, 71, 3)[:, :, :16, :2]
        irises = next(m for m in maps if m.shape[-1] == 15).reshape(n, 2, 5, 3)[:, :, 0, :2]
        return Eyes(contours, irises)


def _eye_crop(image: np.ndarray, outer: np.ndarray, inner: np.ndarray, mirrored: bool) -> np.ndarray:
    """The eye's crop: upright, 2.3 times as wide as the eye, as the network was trained."""
    across = outer - inner if mirrored else inner - outer
    roll = np.degrees(np.arctan2(across[1], across[0]))
    return crop(image, (outer + inner) / 2, 2.3 * float(np.hypot(*across)) + 1e-3, roll, EYE_INPUT_PX, flip=mirrored)


def sharpness(crops: np.ndarray) -> np.ndarray:
    """Sharpness of grey crops uint8 (n, h, w): deviation of the Laplacian in grey levels, float32 (n,)."""
    return np.array([cv2.Laplacian(c, cv2.CV_32F).std() for c in crops], np.float32).reshape(-1)
