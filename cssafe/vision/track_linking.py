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
        size = np.minimum(place[before, 2:], place[row, 2:])
        distance = np.linalg.norm((place[before, :2] - place[row, :2]) / np.maximum(size, 1e-6), axis=1)
        growth = np.abs(np.log(np.maximum(place[before, 3], 1e-6) / max(place[row, 3], 1e-6)))
        same = (last[before] < first[row]) & (distance <= MAX_DISTANCE_FACES) & (growth <= np.log(MAX_GROWTH))
        if same.any():
            nearest = int(np.flatnonzero(same)[np.argmin(distance[same])])
            faces[row], newest[nearest] = faces[before[nearest]], row
        else:
            newest[found] = row
            found += 1
    return faces
