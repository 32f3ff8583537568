"""Segmentation of a face into parts, and its outline, from the mesh's polygons.

The lists of points are facts of the FaceMesh topology, as published with MediaPipe (mediapipe/python/solutions/
face_mesh_connections.py, Apache-2.0). Right and left are the person's own.
"""

import cv2
import numpy as np

from cssafe.vision.mesh import Meshes

# fmt: off
OUTLINE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
"""The silhouette: from the top of the forehead by the left ear (eighth) to the chin (eighteenth) and back by the right one, so
that the k-th point from either end is the other's mirror."""

EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
BROWS = ((46, 53, 52, 65, 55, 107, 66, 105, 63, 70), (276, 283, 282, 295, 285, 336, 296, 334, 293, 300))
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
MOUTH = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
# fmt: on

PARTS = ("none", "skin", "eyes", "brows", "lips")
"""Parts by label value. The inside of an open mouth is none of them."""

FINE = 4
"""Binary digits after the point with which corners are drawn: small faces would wobble on whole pixels."""


def segment(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """The part that each pixel of a picture belongs to, uint8 (height, width), index into PARTS.

    Args:
        points: (n, 468, 2) pixels of that picture, the meshes of n faces; where two overlap, the later one lies on top.
    """
    labels = np.zeros((height, width), np.uint8)
    for face in np.round(points * 2**FINE).astype(np.int32):
        for value, polygons in ((1, (OUTLINE,)), (2, EYES), (3, BROWS), (4, (LIPS,)), (0, (MOUTH,))):
            for polygon in polygons:
                cv2.fillPoly(labels, [face[list(polygon)]], value, shift=FINE)
    return labels


def outlines(boxes: np.ndarray, meshes: Meshes, trusted: np.ndarray) -> np.ndarray:
    """Outline of each face, float32 (n, 36, 2) pixels: the mesh's silhouette where it is trusted, bool (n,), else its box."""
    silhouettes = meshes.points[:, OUTLINE, :2]
    return np.where(trusted[:, None, None], silhouettes, box_outlines(boxes)).astype(np.float32)


def box_outlines(boxes: np.ndarray) -> np.ndarray:
    """The same of boxes (n, 4) x1 y1 x2 y2 alone: each corner nine times."""
    return np.repeat(boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]], len(OUTLINE) // 4, axis=1)
