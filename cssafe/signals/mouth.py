"""Lips -> opening of the mouth, and yawns. No expression is used here."""

from dataclasses import dataclass, field

import numpy as np

from cssafe.vision.mesh import LEFT_EYE, RIGHT_EYE, Meshes

CORNERS, LIPS = (61, 291), (13, 14)
"""Mesh points of the mouth's corners (the person's right first) and of the inner lips' middles (upper first)."""

MIN_GAPING_OPENING, MAX_GAPING_WIDTH = 0.2, 0.58
"""Opening from which, and width (over the distance between the outer corners of the eyes) up to which a mouth gapes. The mesh
draws open mouths too small: screams and wide laughs reach 0.25-0.54. So width tells them apart: of the faces that open their
mouth beyond 0.2, 43 of 49 surprised and 11 of 54 happy ones are as narrow (FER2013's PublicTest), and 2 of 108 happy ones
(faces_train). That is 1 % of all happy faces."""

MIN_YAWN_S = 2.0
"""Seconds after which a gaping mouth yawns: speech opens it for a fraction of a second, surprise for about one. Assumption."""

MAX_GAP_S = 1.0
"""Seconds without a reading after which a yawn is not the same one."""


def opening(meshes: Meshes) -> np.ndarray:
    """Height of the inner lips over the width of the mouth, float32 (n,); 0 closed."""
    points = meshes.points
    height = np.linalg.norm(points[:, LIPS[0]] - points[:, LIPS[1]], axis=-1)
    width = np.linalg.norm(points[:, CORNERS[0]] - points[:, CORNERS[1]], axis=-1)
    return (height / np.maximum(width, 1e-6)).astype(np.float32)


def is_gaping(meshes: Meshes) -> np.ndarray:
    """1 where a mouth is open and not drawn wide by a laugh, else 0: float32 (n,)."""
    points = meshes.points
    width = np.linalg.norm(points[:, CORNERS[0]] - points[:, CORNERS[1]], axis=-1)
    eyes = np.linalg.norm(points[:, LEFT_EYE[0]] - points[:, RIGHT_EYE[0]], axis=-1)
    return ((opening(meshes) >= MIN_GAPING_OPENING) & (width <= MAX_GAPING_WIDTH * eyes)).astype(np.float32)


@dataclass
class YawnDetector:
    """Yawns of n mouths. since: (n,), when each began to gape, seconds, NaN while it does not. read: (n,), when it was last
    read. `update` changes both in place."""

    since: np.ndarray = field(default_factory=lambda: np.full(1, np.nan))
    read: np.ndarray = field(default_factory=lambda: np.full(1, -np.inf))

    def update(self, now: float, gaping: np.ndarray) -> np.ndarray:
        """Add the next frame: float32 (n,), 1 while a yawn lasts, else 0; NaN where the mouth cannot be read (gaping NaN)."""
        known, open_ = ~np.isnan(gaping), gaping > 0
        self.since[known & (~open_ | (now - self.read > MAX_GAP_S))] = np.nan
        self.since[known & open_ & np.isnan(self.since)] = now
        self.read[known] = now
        return np.where(known, now - self.since >= MIN_YAWN_S, np.nan).astype(np.float32)
