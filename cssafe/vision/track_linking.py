"""Link tracks of the same seat (position and time only, no appearance).

The tracker bridges 1.5 s. Over a lesson a face is away for longer: it is turned to a neighbour, behind a hand, or the
camera was gone; without links it would be counted each time it comes back.
"""

import numpy as np
import pandas as pd

MAX_DISTANCE_FACES = 0.8
"""Maximum distance between two tracks of a seat, in sizes of the box: half of that between two neighbours who sit shoulder
to shoulder (assumption)."""

MAX_GROWTH = 1.6
"""Maximum ratio of the box heights: a face that leans forward, not one of another row (assumption)."""


def link_tracks(tracks: pd.DataFrame) -> np.ndarray:
    """The number of the first track of the same face, for each track, int (n,).

    A track goes on with the face that was nearest to its place among those not seen since it began; a face's place is that of
    its newest track. Two people who use one seat one after the other count as one: nothing here knows faces.

    Args:
        tracks: of one lesson, with `track`, `first` and `last` (when it was seen) and the medians x, y, w, h of
            observations.PLACE; one without a place is a face of its own.
    """
    order = np.lexsort((tracks["track"], tracks["first"]))
    number, first, last = (tracks[name].to_numpy() for name in ("track", "first", "last"))
    place = tracks[["x", "y", "w", "h"]].to_numpy(float)
    faces = number.copy()
    newest = np.zeros(len(tracks), int)  # of each face found so far, the row of its newest track
    found = 0
    for row in order:
        before = newest[:found]
        nearest = nearest_place(place[row], place[before], last[before] < first[row])
        if nearest >= 0:
            faces[row], newest[nearest] = faces[before[nearest]], row
        else:
            newest[found] = row
            found += 1
    return faces


def nearest_place(place: np.ndarray, places: np.ndarray, free: np.ndarray) -> int:
    """Index of the place (n, 4) that a face at `place` (4,) may be of, the nearest of those that are free (bool, (n,)); -1
    without one. Both are x, y, w, h."""
    size = np.minimum(places[:, 2:], place[2:])
    distance = np.linalg.norm((places[:, :2] - place[:2]) / np.maximum(size, 1e-6), axis=1)
    growth = np.abs(np.log(np.maximum(places[:, 3], 1e-6) / max(place[3], 1e-6)))
    same = free & (distance <= MAX_DISTANCE_FACES) & (growth <= np.log(MAX_GROWTH))
    return int(np.flatnonzero(same)[np.argmin(distance[same])]) if same.any() else -1
