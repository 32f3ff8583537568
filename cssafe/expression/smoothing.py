"""Expression over time: an exponential average of each track's probabilities."""

import numpy as np

HALF_LIFE = 0.35
"""Seconds after which an older frame counts half: expressions last from half a second up (Ekman 2003, macro-expressions
0.5-4 s), single frames flicker."""


def smooth(now: np.ndarray, before: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Blend probabilities (n, 8) into the averages so far (n, 8); NaN rows on either side take the other side.

    Args:
        passed: (n,), seconds since the average was last renewed.
    """
    share = 0.5 ** (np.maximum(passed, 0) / HALF_LIFE)[:, None]
    blend = share * before + (1 - share) * now
    return np.where(np.isnan(before), now, np.where(np.isnan(now), np.nan, blend)).astype(np.float32)
