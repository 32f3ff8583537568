"""Crops of faces -> probabilities of the eight emotions."""

from cssafe.expression.alignment import place_boxes, place_meshes
from cssafe.expression.network import Expression, read_card
from cssafe.expression.smoothing import smooth

__all__ = ["Expression", "place_boxes", "place_meshes", "read_card", "smooth"]
