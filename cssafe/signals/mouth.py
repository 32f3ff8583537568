"""Lips -> how far the mouth is open, and yawns. No expression is used here."""

from dataclasses import dataclass

import numpy as np

from cssafe.vision.mesh import LEFT_EYE, RIGHT_EYE, Meshes

CORNERS, LIPS = (61, 291), (13, 14)
"""Mesh points of the mouth's corners (the person's right first) and of the inner lips' middles (upper first)."""

OPEN, NARROW = 0.2, 0.58
"""Opening from which, and width (over the distance between the outer corners of the eyes) up to which a mouth gapes. The mesh
draws open mouths too small: screams and wide laughs reach 0.25-0.54. So width tells them apart: of the faces that open their
mouth beyond 0.2, 43 of 49 surprised and 11 of 54 happy ones are as narrow (FER2013's PublicTest), and 2 of 108 happy ones
(faces_train). That is 1 % of all happy faces."""

YAWN_TIME = 2.0
"""Seconds after which a gaping mouth yawns: speech opens it for a fraction of a second, surprise for about one. Assumption."""

LONGEST_GAP = 1.0
"""Seconds without a reading after which a yawn is not the same one."""


def opening(meshes: Meshes) -> np.ndarray:
    """Height of the inner lips over the width of the mouth, float32 (n,); 0 closed."""
    points = meshes.points
    height = np.linalg.norm(points[:, LIPS[0]] - points[:, LIPS[1]], axis=-1)
    width = np.linalg.norm(points[:, CORNERS[0]] - points[:, CORNERS[1]], axis=-1)
    return (height / np.maximum(width, 1e-6)).astype(np.float32)


def gaping(meshes: Meshes) -> np.ndarray:
    """Which mouths are open and not drawn wide by a laugh, float32 (n,) of 1 and 0."""
    points = meshes.points
    width = np.linalg.norm(points[:, CORNERS[0]] - points[:, CORNERS[1]], axis=-1)
    eyes = np.linalg.norm(points[:, LEFT_EYE[0]] - points[:, RIGHT_EYE[0]], axis=-1)
    return ((opening(meshes) >= OPEN) & (width <= NARROW * eyes)).astype(np.float32)


@dataclass
class Jaw:
    """Since when one person's mouth gapes (seconds, NaN: it does not), and when it was last read."""

    since: float = float("nan")
    before: float = float("-inf")

    def see(self, now: float, gaping: float) -> float:
        """Take the next frame: 1 while a yawn lasts, else 0; NaN where the mouth cannot be read (gaping NaN)."""
        if np.isnan(gaping):
            return float("nan")
        if not gaping or now - self.before > LONGEST_GAP:
            self.since = float("nan")
        if gaping and np.isnan(self.since):
            self.since = now
        self.before = now
        return float(now - self.since >= YAWN_TIME)
