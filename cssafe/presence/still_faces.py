"""Faces that never move: posters, portraits and screens on a wall are no people.

A living head moves by more than the reading of a still picture changes, within five seconds in all clips at hand. The same rule
holds for the last seconds of a live lesson and for a whole stored one.
"""

from collections import deque

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult
from cssafe.language import _

STILL_LOOKS = 25
"""Seconds without movement from which on a face is a picture. Reported within 30 s."""

MIN_LOOKS = 5
"""Seconds from which on a face can be said not to have moved: a person in a clip did not for four."""

WINDOW_LOOKS = 300
"""Seconds of a running lesson in which a face must move: nobody who has moved is a picture after half a minute of stillness."""

SPREAD = (0.05, 0.95)
"""Quantiles between which a reading must stay: somebody who passes a portrait changes it for a moment."""

SPREAD_SD = 3.29
"""Standard deviations between them, of normal noise."""

NOISE = {
    "x": (0.004, 0.55),
    "y": (0.004, 0.55),
    "yaw": (1.0, 80.0),
    "pitch": (1.0, 80.0),
    "roll": (0.4, 20.0),
    "openness": (0.015, 0.0),
    "mouth": (0.03, 0.0),
}
"""Largest standard deviation of the readings of a picture over seconds: the first number plus the second over the height of
the face in pixels. x, y: in widths and heights of the face. Of 199 photographs of 20 to 140 px with sensor noise of 1 to 4 grey
levels, changing light, JPEG or H.264, 97 % stay within for 15 s; x and y stay below .0045 at 140 px and .012 at 27 px, and a
portrait in MPEG-4 of a low rate reaches .0087 at 104 px."""

READINGS = (*NOISE, "w", "h", "size")
"""Columns of observations from which movement is judged."""

MIN_PX = 16.0
"""Height of the smallest faces of the measurement."""


def judge_movement(tracks: np.ndarray, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces, sorted, their number of looks, and whether they have moved: int, int and bool (m,). Faces of unknown place or size
    have moved. tracks: int (n,), the face at each look. readings: float (n, k), READINGS then."""
    faces, face, looks = np.unique(tracks, return_inverse=True, return_counts=True)
    if not len(faces):
        return faces, looks, np.zeros(0, bool)
    order = np.argsort(face, kind="stable")
    look = np.arange(len(face)) - np.repeat(np.cumsum(looks) - looks, looks)
    values = np.full((len(faces), looks.max(), readings.shape[1]), np.nan)
    values[face[order], look] = readings[order]
    values.sort(axis=1)  # NaN last
    count = (~np.isnan(values)).sum(axis=1)
    low, middle, high = (_nth(values, np.rint(q * (count - 1)).astype(int)) for q in (SPREAD[0], 0.5, SPREAD[1]))
    spread = ((high - low) / SPREAD_SD)[:, : len(NOISE)]
    width, height, size = middle[:, len(NOISE) :].T
    spread[:, 0] /= width
    spread[:, 1] /= height
    base, per_px = np.array(list(NOISE.values())).T
    moved = (spread > base + per_px / np.maximum(size, MIN_PX)[:, None]).any(axis=1)
    return faces, looks, moved | np.isnan(spread[:, :2]).any(axis=1) | np.isnan(size)


def _nth(values: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Of sorted values (m, l, k) the n-th, int (m, k), of each column: (m, k). The first where n is negative."""
    return np.take_along_axis(values, np.maximum(n, 0)[:, None], axis=1)[:, 0]


def left_out(rows: pd.DataFrame, audience: str) -> np.ndarray:
    """Tracks of a lesson that is over and that enter no figure: pictures, and in a class also faces seen for a shorter time
    that have not moved, because they must not complete a minimum group. rows: `track` and READINGS."""
    faces, looks, moved = judge_movement(rows["track"].to_numpy(), rows[list(READINGS)].to_numpy(float))
    least = MIN_LOOKS if audience == "class" else STILL_LOOKS
    return faces[~moved & (looks >= least)]


class StillFaces:
    """Recognises pictures in a running lesson.

    still: tracks of pictures in view. moving: tracks that have moved in the last WINDOW_LOOKS; only they complete a group.
    """

    def __init__(self) -> None:
        self.still: frozenset[int] = frozenset()
        self.moving: frozenset[int] = frozenset()
        self._recent: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=WINDOW_LOOKS)

    def add(self, second: pd.DataFrame) -> None:
        """Learn from a second that is over, rows of observations.COLUMNS."""
        self._recent.append((second["track"].to_numpy(), second[list(READINGS)].to_numpy(float)))
        tracks, readings = (np.concatenate(parts) for parts in zip(*self._recent, strict=True))
        here = np.isin(tracks, second["track"])
        faces, looks, moved = judge_movement(tracks[here], readings[here])
        self.moving = frozenset(faces[moved].tolist())
        self.still = frozenset(faces[~moved & (looks >= STILL_LOOKS)].tolist())

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
