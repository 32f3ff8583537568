"""Crops of faces -> probabilities of the eight emotions."""

from cssafe.expression.alignment import box_crop_poses, mesh_crop_poses
from cssafe.expression.network import Expression, read_card
from cssafe.expression.smoothing import smooth

__all__ = ["Expression", "box_crop_poses", "mesh_crop_poses", "read_card", "smooth"]
