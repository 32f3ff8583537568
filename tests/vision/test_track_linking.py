"""Which tracks are one face, by place and time."""

import numpy as np
import pandas as pd
import pytest

from cssafe.vision.track_linking import link_tracks


def tracks(*rows) -> pd.DataFrame:
    """Each (first, last, x, y) or (first, last, x, y, h) of a face of a tenth of the picture."""
    full = [(n, *row[:4], 0.1, row[4] if len(row) > 4 else 0.1) for n, row in enumerate(rows, 1)]
    return pd.DataFrame(full, columns=["track", "first", "last", "x", "y", "w", "h"])


@pytest.mark.parametrize(
    ("rows", "faces"),
    [
        ([], []),
        ([(0, 9, 0.5, 0.5)], [1]),
        ([(0, 9, 0.5, 0.5), (12, 20, 0.52, 0.47)], [1, 1]),
        ([(0, 9, 0.5, 0.5), (2000, 2700, 0.5, 0.5)], [1, 1]),  # half an hour later
        ([(0, 9, 0.5, 0.5), (9, 20, 0.5, 0.5)], [1, 2]),  # seen in the same second: two
        ([(0, 9, 0.5, 0.5), (4, 20, 0.5, 0.5)], [1, 2]),
        ([(0, 9, 0.5, 0.5), (12, 20, 0.6, 0.5)], [1, 2]),  # a neighbour's place
        ([(0, 9, 0.5, 0.5), (12, 20, 0.5, 0.5, 0.2)], [1, 2]),  # somebody much nearer to the camera
        ([(0, 9, 0.5, 0.5), (12, 20, 0.55, 0.5), (22, 30, 0.6, 0.5)], [1, 1, 1]),  # the place goes with the face
        ([(0, 9, 0.5, 0.5), (0, 9, 0.6, 0.5), (12, 20, 0.56, 0.5)], [1, 2, 2]),  # the nearer of two
        ([(0, 9, 0.5, 0.5), (11, 12, 0.5, 0.5), (14, 20, 0.5, 0.5)], [1, 1, 1]),
        ([(0, 9, np.nan, 0.5), (12, 20, np.nan, 0.5)], [1, 2]),
    ],
)
def test_a_face_that_comes_back_to_its_own_place_is_the_same_one(rows, faces):
    table = tracks(*rows)
    assert link_tracks(table).tolist() == faces
    assert link_tracks(table[::-1]).tolist() == faces[::-1]
