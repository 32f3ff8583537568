"""Loss of the detector and assignment of faces to places, in Keras operations.

Truth is float32 (n, faces, 7): x1, y1, x2, y2 in pixels, cosine and sine of the roll, kind (FACE, IGNORED, NONE). Every picture
of a batch has the same number of rows, filled up with NONE.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

FACE, IGNORED, NONE = 1.0, -1.0, 0.0
"""Kinds of rows: to be found; neither right nor wrong; filling."""

MAX_CANDIDATES = 10
"""Most places assigned to one face (YOLOX, Ge et al. 2021, arXiv 2107.08430)."""

CENTRE_RADIUS = 2.5
"""Strides from the middle of a face within which its places are preferred (YOLOX)."""

BOX_WEIGHT, ROLL_WEIGHT = 2.0, 0.5
"""Weights of the box loss (as in GFL, Li et al. 2020) and the roll loss over the score loss."""

Tensor = Any
"""Of Keras' backend."""


class DetectionLoss(keras.losses.Loss):
    """Quality focal loss (Li et al. 2020, arXiv 2006.04388) of the score, whose target is the IoU of the place's own box;
    EIoU (Zhang et al. 2021, arXiv 2101.08158) of the box; squares of the roll's cosine and sine.

    Args:
        places: (places, 3) of network.places.
    """

    def __init__(self, places: np.ndarray) -> None:
        super().__init__(name="detection", reduction="sum", dtype="float32")
        self.places = places

    def call(self, truth: Tensor, said: Tensor) -> Tensor:
        places = ops.convert_to_tensor(self.places)
        boxes, roll = decode_boxes(said, places), said[..., 5:7]
        owner, positive = assign_faces(truth, ops.stop_gradient(boxes), ops.stop_gradient(said[..., 0]), places)
        target = ops.take_along_axis(truth, owner[..., None], axis=1)
        overlap, penalty = eiou(boxes, target[..., :4])
        faces = ops.maximum(ops.sum(positive), 1.0)

        quality = ops.stop_gradient(overlap) * positive
        score = ops.sigmoid(said[..., 0])
        crossed = ops.binary_crossentropy(quality, said[..., 0], from_logits=True)
        counted = ops.maximum(positive, 1.0 - ignored_mask(truth, places))
        score_loss = ops.sum(counted * ops.square(quality - score) * crossed)
        box_loss = ops.sum(positive * penalty)
        roll_loss = ops.sum(positive * ops.sum(ops.square(roll - target[..., 4:6]), axis=-1))
        return (score_loss + BOX_WEIGHT * box_loss + ROLL_WEIGHT * roll_loss) / faces


def decode_boxes(said: Tensor, places: Tensor) -> Tensor:
    """The network's numbers (n, places, 7) -> boxes (n, places, 4), x1 y1 x2 y2 in pixels."""
    stride = places[:, 2:3]
    middle = places[:, :2] + said[..., 1:3] * stride
    half = ops.exp(ops.clip(said[..., 3:5], -4.0, 6.0)) * stride / 2
    return ops.concatenate([middle - half, middle + half], axis=-1)


def assign_faces(truth: Tensor, boxes: Tensor, logits: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Assign places to faces by SimOTA (YOLOX), for all pictures of a batch at once.

    Each face gets the places of least cost around its middle, as many as its best overlaps add up to. A contested place goes
    to the face of least cost.

    Returns:
        owner: int (n, places), row of the truth. positive: float (n, places), 1 where the place is assigned.
    """
    middle_x, middle_y, stride = (places[None, None, :, i] for i in range(3))
    x1, y1, x2, y2 = (truth[..., i][..., None] for i in range(4))
    inside = (middle_x > x1) & (middle_x < x2) & (middle_y > y1) & (middle_y < y2)
    off_x, off_y = ops.abs(middle_x - (x1 + x2) / 2), ops.abs(middle_y - (y1 + y2) / 2)
    near = (off_x < CENTRE_RADIUS * stride) & (off_y < CENTRE_RADIUS * stride)
    allowed = (inside | near) & (truth[..., 6] == FACE)[..., None]

    overlap = ops.where(allowed, iou(truth[:, :, None, :4], boxes[:, None]), 0.0)
    cost = ops.softplus(-logits)[:, None] - 3 * ops.log(overlap + 1e-8) + ops.where(inside & near, 0.0, 1e3)
    cost = ops.where(allowed, cost, 1e6)
    wanted = ops.sum(ops.top_k(overlap, MAX_CANDIDATES)[0], axis=-1)
    wanted = ops.clip(ops.cast(wanted, "int32"), 1, MAX_CANDIDATES)
    cheapest = -ops.top_k(-cost, MAX_CANDIDATES)[0]
    dearest = ops.take_along_axis(cheapest, wanted[..., None] - 1, axis=-1)
    chosen = allowed & (cost <= dearest)

    cost = ops.where(chosen, cost, 1e9)
    return ops.argmin(cost, axis=1), ops.cast(ops.any(chosen, axis=1), "float32")


def ignored_mask(truth: Tensor, places: Tensor) -> Tensor:
    """1 for places within half a stride of an ignored box, else 0: (n, places)."""
    middle_x, middle_y, stride = (places[None, None, :, i] for i in range(3))
    x1, y1, x2, y2 = (truth[..., i][..., None] for i in range(4))
    edge = stride / 2
    inside = (middle_x > x1 - edge) & (middle_x < x2 + edge) & (middle_y > y1 - edge) & (middle_y < y2 + edge)
    return ops.cast(ops.any(inside & (truth[..., 6] == IGNORED)[..., None], axis=1), "float32")


def iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of boxes (..., 4) that broadcast."""
    shared = _area(ops.maximum(boxes[..., 0], others[..., 0]), ops.maximum(boxes[..., 1], others[..., 1]),
                   ops.minimum(boxes[..., 2], others[..., 2]), ops.minimum(boxes[..., 3], others[..., 3]))  # fmt: skip
    both = _area(*(boxes[..., i] for i in range(4))) + _area(*(others[..., i] for i in range(4)))
    return shared / ops.maximum(both - shared, 1e-6)


def eiou(boxes: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """IoU in [0, 1], and the EIoU loss: 1 - IoU plus squared distances of middles, widths and heights over the enclosing box.
    Boxes (..., 4) each."""
    overlap = iou(boxes, target)
    around = ops.maximum(boxes[..., 2:], target[..., 2:]) - ops.minimum(boxes[..., :2], target[..., :2])
    around = ops.square(ops.maximum(around, 1e-3))
    apart = ops.square((boxes[..., :2] + boxes[..., 2:] - target[..., :2] - target[..., 2:]) / 2)
    larger = ops.square(boxes[..., 2:] - boxes[..., :2] - target[..., 2:] + target[..., :2])
    distance = ops.sum(apart, axis=-1) / ops.sum(around, axis=-1)
    return overlap, 1 - overlap + distance + ops.sum(larger / around, axis=-1)


def _area(x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor) -> Tensor:
    return ops.maximum(x2 - x1, 0.0) * ops.maximum(y2 - y1, 0.0)
