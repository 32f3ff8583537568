"""Lips -> how far the mouth is open, and yawns. No expression is used here."""

from dataclasses import dataclass

import numpy as np

from cssafe.vision.mesh import Meshes

CORNERS, LIPS = (61, 291), (13, 14)
"""Mesh points of the mouth's corners (the person's right first) and of the inner lips' middles (upper first)."""

YAWN, YAWN_TIME = 0.5, 2.0
"""Opening from which, and seconds after which, a mouth that stays open yawns. On faces_train the widest of 530 laughing mouths
opens to 0.43 and one scream to 0.54; speech opens the mouth for a fraction of a second. A yawn lasts about 6 s (Gallup et
al. 2016)."""

LONGEST_GAP = 1.0
"""Seconds without a reading after which a yawn is not the same one."""


def opening(meshes: Meshes) -> np.ndarray:
    """Height of the inner lips over the width of the mouth, float32 (n,); 0 closed."""
    points = meshes.points
    height = np.linalg.norm(points[:, LIPS[0]] - points[:, LIPS[1]], axis=-1)
    width = np.linalg.norm(points[:, CORNERS[0]] - points[:, CORNERS[1]], axis=-1)
    return (height / np.maximum(width, 1e-6)).astype(np.float32)


@dataclass
class Jaw:
    """Since when one person's mouth is wide open (seconds, NaN: it is not), and when it was last read."""

    since: float = float("nan")
    before: float = float("-inf")

    def see(self, now: float, opening: float) -> float:
        """Take the next frame: 1 while a yawn lasts, else 0; NaN where the mouth cannot be read (opening NaN)."""
        if np.isnan(opening):
            return float("nan")
        if opening < YAWN or now - self.before > LONGEST_GAP:
            self.since = float("nan")
        if opening >= YAWN and np.isnan(self.since):
            self.since = now
        self.before = now
        return float(now - self.since >= YAWN_TIME)
