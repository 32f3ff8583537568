"""Mesh and irises -> head pose and gaze direction, in degrees."""

import numpy as np

from cssafe.frames import Signals
from cssafe.vision.mesh import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE, Meshes

GAZE_REACH = 0.8
"""Iris shift over half the eye's width, for an eye turned by 90 degrees if the iris went straight on: an eyeball of 12 mm
radius in an opening of 30 mm (rounded anatomical means). An eye turned by a has the shift 0.8 sin(a)."""


STRAIGHT_GAZE = -0.13
"""gaze_y of an eye that looks straight ahead, whose iris stands above the line between the corners: the median of 607 faces
that face the camera (faces_train)."""

YAW_GAIN = 1.25
"""True degrees of yaw over those of the mesh's axes: the mesh shrinks a turn. Of 40 photographed faces (faces_train) drawn at
known angles within yaw ±40 and pitch ±25, half were taken for choosing this number; on the other half the median error of yaw
fell from 5.7 to 3.5 degrees, that of pitch is 4.1 (`python -m cssafe signals`). On photographs of turned heads the axes and a
fit of a mean face to the mesh's flat points differ as they do on the drawn ones (16 and 19, 24 and 29, 43 and 47 degrees)."""


def head_axes(meshes: Meshes) -> np.ndarray:
    """The mesh's own axes in the picture's, float (n, 3, 3): columns are x (to its left eye), y (to its chin), z (back).

    They are the line through the outer corners of the eyes and, made perpendicular to it, the line from forehead to chin.
    That is steadier than fitting six points of a rigid head, and needs no camera.
    """
    points = meshes.points
    x = _unit(points[:, LEFT_EYE[0]] - points[:, RIGHT_EYE[0]])
    z = _unit(np.cross(x, points[:, CHIN] - points[:, FOREHEAD]))
    return np.stack([x, np.cross(z, x), z], axis=-1)


def head_pose(meshes: Meshes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Yaw, pitch, roll in degrees, (n,) each; see frames.Signals for their signs."""
    x, y, z = np.moveaxis(head_axes(meshes), -1, 0)
    yaw = np.arctan2(-x[:, 2], np.hypot(y[:, 2], z[:, 2])) * YAW_GAIN
    pitch = np.arctan2(y[:, 2], z[:, 2])
    roll = np.arctan2(x[:, 1], x[:, 0])
    return tuple(np.degrees(angle).astype(np.float32) for angle in (yaw, pitch, roll))


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The axes (3, 3) of a head that is first turned by pitch, then by yaw, then by roll, in degrees."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def gaze_in_head(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """Where the eyes point in the head, (n,) each, degrees with the signs of yaw and pitch: towards the left edge of the
    picture, and down. NaN where the eyes were not read. Reading errors of gaze_x and gaze_y of 0.02 are 1.5 degrees."""
    return -_turn(signals.gaze_x), _turn(signals.gaze_y - STRAIGHT_GAZE)


def gaze_to_camera(signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """Where a person looks, (n,) each, degrees sideways and down from the line to the camera: eyes and head together; the
    head alone where the eyes were not read (a small face), NaN where neither was."""
    sideways, down = gaze_in_head(signals)
    return signals.yaw + np.nan_to_num(sideways), signals.pitch + np.nan_to_num(down)


def _turn(shift: np.ndarray) -> np.ndarray:
    """Shift of an iris over half the eye's width -> degrees by which the eye is turned."""
    return np.degrees(np.arcsin(np.clip(shift / GAZE_REACH, -1, 1)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
