"""Faces that never move: posters, portraits and screens on a wall are no people.

A living head moves by more than the reading of a still picture changes, within four seconds in all clips at hand. The same rule
holds for the last seconds of a live lesson and for a whole stored one.
"""

from collections import deque

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult
from cssafe.language import _

STILL_LOOKS = 25
"""Seconds without movement from which on a face is a picture. Reported within 30 s."""

MIN_LOOKS = 4
"""Seconds from which on a face can be said not to have moved: a person who talks did not for three."""

WINDOW_LOOKS = 30
"""Seconds of a live lesson in which a face must move."""

SPREAD = (0.05, 0.95)
"""Quantiles between which a reading must stay: somebody who passes a portrait changes it for a moment."""

SPREAD_SD = 3.29
"""Standard deviations between them, of normal noise."""

NOISE = {
    "x": (0.003, 0.35),
    "y": (0.003, 0.35),
    "yaw": (1.0, 80.0),
    "pitch": (1.0, 80.0),
    "roll": (0.4, 20.0),
    "openness": (0.015, 0.0),
    "mouth": (0.02, 0.0),
}
"""Largest standard deviation of the readings of a picture over seconds: the first number plus the second over the height of
the face in pixels. x, y: in widths and heights of the face. Measured on photographs with sensor noise (1 to 4 grey levels),
changing light, JPEG and H.264, faces of 20 to 140 px: x and y stay below .0045 at 140 px and .012 at 27 px."""

MIN_PX = 16.0
"""Height of the smallest faces of the measurement."""


def judge_movement(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether each face has moved: `looks` (seconds) and `moved` (bool), by track. Faces of unknown place or size have moved.

    rows: of one lesson, with `track`, `w`, `h`, `size` and the columns of NOISE of cssafe.observations.
    """
    faces = rows.groupby("track")
    columns = list(NOISE)
    low, high = (faces[columns].quantile(q) for q in SPREAD)
    spread = (high - low) / SPREAD_SD
    middle = faces[["w", "h", "size"]].median()
    spread["x"] /= middle["w"]
    spread["y"] /= middle["h"]
    size = middle["size"].clip(lower=MIN_PX)
    limits = pd.DataFrame({name: base + per_px / size for name, (base, per_px) in NOISE.items()})
    unknown = spread[["x", "y"]].isna().any(axis=1) | middle["size"].isna()
    return pd.DataFrame({"looks": faces.size(), "moved": (spread > limits).any(axis=1) | unknown})


def left_out(rows: pd.DataFrame, audience: str) -> np.ndarray:
    """Tracks of a lesson that is over and that enter no figure: pictures, and in a class also faces seen for a shorter time
    that have not moved, because they must not complete a minimum group. rows: as in judge_movement."""
    if rows.empty:
        return np.zeros(0, int)
    faces = judge_movement(rows)
    least = MIN_LOOKS if audience == "class" else STILL_LOOKS
    return faces.index[~faces["moved"] & (faces["looks"] >= least)].to_numpy()


class StillFaces:
    """Recognises pictures in a running lesson.

    still: tracks of pictures in view. moving: tracks that have moved in the last WINDOW_LOOKS; only they complete a group.
    """

    def __init__(self) -> None:
        self.still: frozenset[int] = frozenset()
        self.moving: frozenset[int] = frozenset()
        self._recent: deque[pd.DataFrame] = deque(maxlen=WINDOW_LOOKS)

    def add(self, second: pd.DataFrame) -> None:
        """Learn from a second that is over, rows of observations.COLUMNS."""
        self.still = self.moving = frozenset()
        if second.empty:
            return
        self._recent.append(second)
        rows = pd.concat(list(self._recent), ignore_index=True)
        faces = judge_movement(rows[rows["track"].isin(second["track"])])
        self.moving = frozenset(faces.index[faces["moved"]])
        self.still = frozenset(faces.index[~faces["moved"] & (faces["looks"] >= STILL_LOOKS)])

    def without(self, result: FrameResult) -> FrameResult:
        """The result without pictures."""
        return result[~np.isin(result.tracks, list(self.still))] if self.still else result


def describe_still(faces: int) -> str:
    """One sentence about pictures that are left out; empty without any."""
    if faces == 0:
        return ""
    if faces == 1:
        return _("One face never moves: it is left out as a picture.")
    return _("{faces} faces never move: they are left out as pictures.").format(faces=faces)
