"""Moving clips for the benchmark: drawn heads that turn, tilt and sway; people who leave and come back."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from cssafe.signals.pose import rotation
from cssafe.training.signals.render import draw_head, head_model

POSES = 90
"""Head poses that are drawn; a head goes round them in TURN_S."""

TURN_S = 6.0
"""Seconds in which a head turns to both sides and back, resting in between."""

YAW_DEG, PITCH_DEG, ROLL_DEG = 30.0, 10.0, 8.0
"""Largest angles of a head: the score is measured within ±40 degrees of yaw."""

SWAY_SHARE, SWAY_S = 0.05, 4.1
"""Largest shift of a head, as a share of its cell's side, and seconds of one swing."""

ABSENCE_S, WALK_S = 2.5, 0.6
"""Seconds for which a person is away once in a clip, and of the way out of the picture and back."""

RESTLESS = 4
"""One person in so many leaves, the first among them."""

HEAD_PX = 384
"""Side of a drawn head's picture, pixels; the face takes half of it."""

GOLDEN = (5**0.5 - 1) / 2
"""Spreads people evenly over a period, whatever their number."""


@dataclass(frozen=True)
class Clip:
    """people: seated on a grid. width, height: pixels. live: faces take turns. rate_hz: frames a second of the source."""

    people: int
    width: int
    height: int
    live: bool
    rate_hz: float

    @property
    def columns(self) -> int:
        """Columns of the grid, so that its cells are as large as possible."""
        n = self.people
        return max(c for c in range(1, n + 1) if c == 1 or (self.width / c) >= self.height / -(-n // c))

    @property
    def side(self) -> int:
        """Side of a cell, pixels."""
        return min(self.width // self.columns, self.height // -(-self.people // self.columns))


def draw_heads(portrait: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """A head in POSES poses of one loop: uint8 (POSES, HEAD_PX, HEAD_PX, 3).

    portrait: uint8 (h, w, 3) BGR. mesh: float32 (468, 3), the mesh of the face in it.
    """
    head = head_model(portrait, mesh)
    scale = HEAD_PX / 2 / float(np.ptp(mesh[:, 1]))
    turn = 2 * np.pi * np.arange(POSES) / POSES
    angles = zip(YAW_DEG * np.sin(turn) ** 3, PITCH_DEG * np.sin(2 * turn) ** 3, strict=True)
    return np.stack([draw_head(head, rotation(yaw, pitch, 0), HEAD_PX, scale) for yaw, pitch in angles])


def draw_clip(clip: Clip, heads: np.ndarray, frames: int) -> Iterator[tuple[np.ndarray, int]]:
    """Frames of a clip, uint8 (height, width, 3) BGR, each with the number of people who sit in it.

    heads: of `draw_heads`.
    """
    side, wall = clip.side, heads[0, 0, 0]
    sized = np.stack([cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA) for head in heads])
    for number in range(frames):
        image = np.empty((clip.height, clip.width, 3), np.uint8)
        image[:] = wall
        now, seated = number / clip.rate_hz, 0
        for person in range(clip.people):
            out = distance_out(person, now, frames / clip.rate_hz)
            seated += out == 0
            if out < 1:
                row, column = divmod(person, clip.columns)
                x, y = column * (clip.width // clip.columns), row * side
                image[y : y + side, x : x + side] = _place_head(sized, person, now, out, wall)
        yield image, seated


def distance_out(person: int, now: float, duration: float) -> float:
    """Where a person is on the way out of the picture at `now` seconds: 0 in the seat, 1 and more outside."""
    if person % RESTLESS:
        return 0.0
    leaves = (duration - ABSENCE_S) * ((person + 1) * GOLDEN % 1)
    middle = leaves + ABSENCE_S / 2
    return max(0.0, min(1.0, (ABSENCE_S / 2 - abs(now - middle)) / WALK_S))


def _place_head(heads: np.ndarray, person: int, now: float, out: float, wall: np.ndarray) -> np.ndarray:
    side, start = heads.shape[1], person * GOLDEN
    head = heads[int(POSES * (now / TURN_S + start)) % POSES]
    swing = 2 * np.pi * (now / SWAY_S + start)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), ROLL_DEG * np.sin(0.7 * swing), 1)
    matrix[:, 2] += side * np.array([SWAY_SHARE * np.sin(swing), SWAY_SHARE * np.cos(1.3 * swing) / 2 + out])
    return cv2.warpAffine(head, matrix, (side, side), borderMode=cv2.BORDER_CONSTANT, borderValue=wall.tolist())
