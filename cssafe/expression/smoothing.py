"""Expression over time: an exponential average of each track's probabilities."""

import numpy as np

HALF_LIFE_S = 0.1
"""Seconds after which an older frame counts half: chosen on made sequences, against each frame by itself, other averages and a
recurrent network (docs/method.md, "Over time")."""


def smooth(now: np.ndarray, before: np.ndarray, passed: np.ndarray, half_life: float = HALF_LIFE_S) -> np.ndarray:
    """Blend probabilities (n, 8) into the averages so far (n, 8); NaN rows of `before` take `now`, those of `now` stay NaN.

    Args:
        passed: (n,), seconds since the average was last renewed. half_life: seconds, above 0.
    """
    share = 0.5 ** (np.maximum(passed, 0) / half_life)[:, None]
    blend = share * before + (1 - share) * now
    return np.where(np.isnan(before), now, blend).astype(np.float32)
