"""A photographed head, turned: the picture is laid on the mesh and drawn at any angle, so that the true angle is known."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import ConvexHull, Delaunay

from cssafe.signals.pose import head_axes
from cssafe.vision.mesh import Meshes

RINGS = ((1.08, 0.1), (1.25, 0.35), (1.5, 0.65), (2.0, 0.8), (3.0, 0.8))
"""Around the face, where the mesh ends: how far out the hair, ears and background stand (over the face's outline), and how
far behind it (in widths of the face). Assumption: a head is about as deep as its face is high; what lies behind it is flat."""


@dataclass(frozen=True)
class Head:
    """points: float (v, 3), x to its left eye, y to its chin, z back, pixels from its middle. triangles: int (t, 3).
    texture: uint8 (h, w, 3) BGR. places: float32 (v, 2), where in the texture each point is seen."""

    points: np.ndarray
    triangles: np.ndarray
    texture: np.ndarray
    places: np.ndarray


def head_model(image: np.ndarray, mesh: np.ndarray) -> Head:
    """The head in a picture, uint8 (h, w, 3) BGR, from its mesh (468, 3); made upright by the pose that the mesh has."""
    axes = head_axes(Meshes(mesh[None], np.ones(1, np.float32)))[0]
    middle = (mesh.min(axis=0) + mesh.max(axis=0)) / 2
    face = (mesh - middle) @ axes
    outline = face[ConvexHull(face[:, :2]).vertices]
    width = np.ptp(face[:, 0])
    rings = [np.column_stack([outline[:, :2] * out, outline[:, 2] + back * width]) for out, back in RINGS]
    points = np.concatenate([face, *rings])
    places = (points @ axes.T + middle)[:, :2]
    return Head(points, Delaunay(points[:, :2]).simplices, image, places.astype(np.float32))


def draw_head(seen: Head, axes: np.ndarray, size: int, scale: float = 1.0) -> np.ndarray:
    """The head with these axes (3, 3), seen from afar, in the middle of a picture uint8 (size, size, 3).

    Every triangle is filled where nothing nearer was drawn (a depth buffer); then the texture is fetched at once.
    """
    points = seen.points @ axes.T * scale
    points[:, :2] += size / 2
    depth = np.full((size, size), np.inf)
    where = np.full((size, size, 2), -1, np.float32)
    for corners, places in zip(points[seen.triangles], seen.places[seen.triangles], strict=True):
        low = np.clip(np.ceil(corners[:, :2].min(axis=0)).astype(int), 0, size)
        high = np.clip(np.floor(corners[:, :2].max(axis=0)).astype(int) + 1, 0, size)
        (ax, ay), (bx, by), (cx, cy) = corners[:, :2]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if (high <= low).any() or abs(area) < 1e-9:
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
        c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
        weights = np.stack([1 - b - c, b, c], axis=-1)
        z = weights @ corners[:, 2]
        part = depth[low[1] : high[1], low[0] : high[0]]
        nearer = (weights.min(axis=-1) >= -1e-9) & (z < part)
        part[nearer] = z[nearer]
        where[low[1] : high[1], low[0] : high[0]][nearer] = (weights @ places)[nearer]
    drawn = cv2.remap(seen.texture, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    drawn[np.isinf(depth)] = np.median(seen.texture.reshape(-1, 3), axis=0).astype(np.uint8)
    return drawn
