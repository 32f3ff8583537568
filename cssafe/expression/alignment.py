"""Alignment of crops: faces lie in them as in FER2013's pictures."""

import numpy as np

from cssafe.signals.pose import head_pose
from cssafe.vision.mesh import Meshes

CROP_SIDE_SHARE = 1.157
"""Side of a FER2013 picture over the geometric mean of width and height of the mesh laid on the face in it."""

CROP_RISE_SHARE = 0.035
"""Offset of the picture's middle above the mesh's middle, over that side.

Both are medians over 1,037 pictures of FER2013's Training part on which the mesh was found (half of the faces lie within
8 % of the side and 3 % of the place, so training shifts and scales its pictures by about as much)."""

FOREHEAD_SHARE = 1.1
"""Height of a face's box over the height of its mesh, which ends at the hairline: measured on faces_train."""


def mesh_crop_poses(meshes: Meshes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle (n, 2) pixels, side (n,) pixels and roll (n,) degrees of each face's crop, for vision.crops.crop."""
    roll = head_pose(meshes)[2]
    cos, sin = np.cos(np.radians(roll))[:, None], np.sin(np.radians(roll))[:, None]
    x, y = meshes.points[..., 0], meshes.points[..., 1]
    upright = np.stack([x * cos + y * sin, y * cos - x * sin], axis=-1)
    low, high = (upright.min(axis=1), upright.max(axis=1)) if len(x) else (np.zeros((0, 2)), np.zeros((0, 2)))
    side = CROP_SIDE_SHARE * np.sqrt((high - low).prod(axis=1))
    middle = (low + high) / 2
    middle[:, 1] -= CROP_RISE_SHARE * side
    back = np.hstack([middle[:, :1] * cos - middle[:, 1:] * sin, middle[:, :1] * sin + middle[:, 1:] * cos])
    return back, side, roll


def box_crop_poses(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same from boxes (n, 4) x1 y1 x2 y2 around upright faces, forehead to chin, where there is no mesh."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    mesh_height = sizes[:, 1] / FOREHEAD_SHARE
    side = CROP_SIDE_SHARE * np.sqrt(sizes[:, 0] * mesh_height)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    middle[:, 1] = boxes[:, 3] - mesh_height / 2 - CROP_RISE_SHARE * side
    return middle, side, np.zeros(len(boxes), np.float32)
