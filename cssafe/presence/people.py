"""The persons of a lesson, look by look: who is there, whose attention was read, and who could not be seen.

A person is a linked place (vision/track_linking.py), never an identity. At each look a person who is known to be there is *on
task*, *off task*, *present but not readable* or *not visible*. "Not visible" is never dropped, because students who do not
attend are found less often.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

MIN_PERSON_LOOKS = 20
"""Looks at which a place has a face, from which on it is a person: somebody who walks by stays at one place for a few seconds,
and false alarms flash, while a student found in one second of fifty has more in a lesson. Half the looks of a short recording
suffice."""

LATE_S = 60.0
"""Seconds of a lesson in which a person first seen counts as there from the start: some begin it with a lowered head."""

LEFT_S = 600.0
"""Seconds without a sight, up to the end, from which on a person, or the whole class, has left for good: longer than a head
lies on the desk (assumption)."""

MAX_LEFT_SHARE = 0.1
"""Share of the people who may have left for good. If more are not seen up to the end, they lie on their desks or are hidden."""

FILLED_GAP_S = 4.0
"""Seconds of the longest gap between two equal states that takes that state. Students stay on or off task for 6 s and more, so
another state rarely fits in between."""

NO_PICTURE_S = 5.0
"""Seconds neither with a face nor known to be watched from which on there was no picture, as when a camera reconnects."""

ON_TASK = 0.5
"""Attention from which a person is on task: the middle of the fall at the edge of the target (assumption)."""


@dataclass(frozen=True)
class People:
    """n persons at t looks.

    times: datetime64[us] (t,), naive UTC, at equal steps. step_s: seconds from one look to the next. persons: int (n,), the
    number of the first track. present, found: bool (n, t), known to be there, and a face is seen at the place. attention,
    concentration: float (n, t), NaN where not read. pictured: bool (t,), whether there was a picture.
    """

    times: np.ndarray
    step_s: float
    persons: np.ndarray
    present: np.ndarray
    found: np.ndarray
    attention: np.ndarray
    concentration: np.ndarray
    pictured: np.ndarray

    def __len__(self) -> int:
        return len(self.persons)


def find_people(observations: pd.DataFrame, empty: np.ndarray) -> People:
    """The persons of one lesson.

    Args:
        observations: columns `time` (naive UTC), `person`, `attention` and `concentration`, at most one row for each person
            and time.
        empty: datetime64[us] (k,), naive UTC, times at which the camera gave a picture without a face.
    """
    times = observations["time"].to_numpy("datetime64[us]")
    seen = np.unique(times)
    moments = _watched(seen, empty)
    step = float(np.median(np.diff(moments)) / np.timedelta64(1, "s")) if len(moments) > 1 else 1.0
    watched = _looks(moments, moments[:1], step)
    look = _looks(times, moments[:1], step)
    looks = int(watched.max(initial=-1)) + 1
    persons, person = np.unique(observations["person"].to_numpy(), return_inverse=True)
    enough = np.bincount(person, minlength=len(persons)) >= min(MIN_PERSON_LOOKS, len(seen) / 2)
    counted = enough[person]
    place = (np.cumsum(enough) - 1)[person[counted]], look[counted]
    found = np.zeros((int(enough.sum()), looks), bool)
    found[place] = True
    attention, concentration = np.full((2, *found.shape), np.nan)
    attention[place] = observations["attention"].to_numpy(float)[counted]
    concentration[place] = observations["concentration"].to_numpy(float)[counted]
    pictured = _pictured(np.bincount(watched, minlength=looks) > 0, step)
    grid = moments[:1] + (np.arange(looks) * step * 1e6).astype("timedelta64[us]")
    present = _present(found, int(look.max(initial=-1)), step) & pictured
    return People(grid, step, persons[enough], present, found, attention, concentration, pictured)


def _watched(seen: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Times of looks, ascending: those with a face, and those without one from the first face on. Those after the last face
    count unless they last for LEFT_S: then all have left."""
    faces_before = np.searchsorted(seen, empty)
    known = faces_before > 0
    if known.any() and empty.max() - seen[-1] >= np.timedelta64(int(LEFT_S), "s"):
        known &= faces_before < len(seen)
    return np.union1d(seen, empty[known])


def _looks(times: np.ndarray, first: np.ndarray, step_s: float) -> np.ndarray:
    """Number of the look at each time, int. first: time of look 0, (1,), or (0,) without times."""
    return np.rint((times - first) / np.timedelta64(1, "s") / step_s).astype(int)


def fill_gaps(people: People) -> People:
    """Give each short gap between two equal states that state; its values are the mean of both ends."""
    read = ~np.isnan(people.attention)
    before, after = _neighbours(read)
    longest = int(FILLED_GAP_S / people.step_s)
    row, column = np.nonzero(~read & (before >= 0) & (after < read.shape[1]) & (after - before - 1 <= longest))
    left, right = before[row, column], after[row, column]
    on = people.attention >= ON_TASK
    equal = on[row, left] == on[row, right]
    row, column, left, right = row[equal], column[equal], left[equal], right[equal]
    found, attention, concentration = people.found.copy(), people.attention.copy(), people.concentration.copy()
    found[row, column] = True
    for values in (attention, concentration):
        values[row, column] = (values[row, left] + values[row, right]) / 2
    return replace(people, found=found, attention=attention, concentration=concentration)


def _present(found: np.ndarray, last_face: int, step_s: float) -> np.ndarray:
    """When each person is there, bool (n, t): from the first look to the last one, see LATE_S and LEFT_S. last_face: the last
    look with any face. The looks after it belong to the scene before."""
    n, looks = found.shape
    if not n:
        return found
    first, last = found.argmax(axis=1), looks - 1 - found[:, ::-1].argmax(axis=1)
    begin, end = _scene(first, last, last_face + 1)
    end = np.where(end == last_face, looks - 1, end)
    late = (first - begin) * step_s >= LATE_S
    left = (end - last) * step_s >= LEFT_S
    if left.sum() > max(1, MAX_LEFT_SHARE * n):
        left[:] = False
    look = np.arange(looks)
    return (look >= np.where(late, first, begin)[:, None]) & (look <= np.where(left, last, end)[:, None])


def _scene(first: np.ndarray, last: np.ndarray, looks: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last look, int (n,) each, of the scene of each person: files of one lesson may show different people, and two
    looks that no person spans are of two scenes."""
    change = np.zeros(looks + 1, int)
    np.add.at(change, first + 1, 1)
    np.add.at(change, last + 1, -1)
    scene = np.cumsum(np.cumsum(change[:looks]) == 0)
    return np.searchsorted(scene, scene[first], "left"), np.searchsorted(scene, scene[first], "right") - 1


def _pictured(any_face: np.ndarray, step_s: float) -> np.ndarray:
    before, after = _neighbours(any_face[None])
    return any_face | ((after - before - 1)[0] * step_s < NO_PICTURE_S)


def _neighbours(there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last column up to each one, and the first from it on, where `there` is true: int (n, t), -1 and t without one."""
    looks = there.shape[1]
    column = np.arange(looks)
    before = np.maximum.accumulate(np.where(there, column, -1), axis=1)
    after = np.minimum.accumulate(np.where(there, column, looks)[:, ::-1], axis=1)[:, ::-1]
    return before, after
