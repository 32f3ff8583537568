"""Mesh and eyes -> head pose, gaze, eye openness. Geometry only; what counts as attentive is said by a formula.

No expression is used here.
"""

import numpy as np

from cssafe.vision.mesh import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE, Eyes, Meshes

GAZE_REACH = 0.8
"""Iris shift over half the eye's width, for an eye turned by 90 degrees if the iris went straight on: an eyeball of 12 mm
radius in an opening of 30 mm (rounded anatomical means). An eye turned by a has the shift 0.8 sin(a)."""

OPEN_EYE = 0.30
"""Openness assumed of a person before her own eyes were seen: open eyes measure 0.27-0.40 on clips, most near 0.3."""

EYES_FROM = 60
"""Face height in pixels below which an eye is under a dozen pixels wide and its lids are not read."""


def head_pose(meshes: Meshes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Yaw, pitch, roll in degrees, (n,) each; see frames.Signals for their signs.

    The head's axes are the line through the outer corners of the eyes and, made perpendicular to it, the line from forehead
    to chin. That is steadier than fitting six points of a rigid head, and needs no camera.
    """
    points = meshes.points
    x = _unit(points[:, LEFT_EYE[0]] - points[:, RIGHT_EYE[0]])
    z = _unit(np.cross(x, points[:, CHIN] - points[:, FOREHEAD]))
    y = np.cross(z, x)
    yaw = np.arctan2(-x[:, 2], np.hypot(y[:, 2], z[:, 2]))
    pitch = np.arctan2(y[:, 2], z[:, 2])
    roll = np.arctan2(x[:, 1], x[:, 0])
    return tuple(np.degrees(angle).astype(np.float32) for angle in (yaw, pitch, roll))


def gaze(eyes: Eyes) -> tuple[np.ndarray, np.ndarray]:
    """Where the irises stand, x and y (n,) in [-1, 1], mean of both eyes; x > 0 towards the right of the picture."""
    outer, inner = eyes.contours[:, :, 0], eyes.contours[:, :, 8]
    half_width = np.linalg.norm(inner - outer, axis=-1, keepdims=True) / 2
    shift = (eyes.irises - (outer + inner) / 2) / np.maximum(half_width, 1e-6)
    shift[:, 1, 0] *= -1  # the left eye's crop is mirrored
    x, y = np.clip(shift.mean(axis=1), -1, 1).astype(np.float32).T
    return x, y


def openness(eyes: Eyes) -> np.ndarray:
    """Height over width of the eyes' contours, float32 (n,), mean of both; about 0.05-0.1 closed, 0.3 open.

    From the iris network: the mesh's own lids do not follow closing eyes.
    """
    contours = eyes.contours
    width = np.linalg.norm(contours[:, :, 8] - contours[:, :, 0], axis=-1)
    heights = np.linalg.norm(contours[:, :, 11:14] - contours[:, :, 3:6], axis=-1).mean(axis=-1)
    return (heights / np.maximum(width, 1e-6)).mean(axis=1).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
