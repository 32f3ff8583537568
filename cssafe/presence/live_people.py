"""The people of a running lesson, frame by frame. A state is carried no longer than detection flickers, because what comes next
is not known."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from cssafe.frames import FrameResult
from cssafe.presence.people import LEFT_S, MAX_LEFT_SHARE, MIN_PERSON_LOOKS, People
from cssafe.vision.track_linking import nearest_place

CARRIED_S = 2.0
"""Seconds for which a person who is not found keeps the last state: the detector misses a face for single frames."""

PERSON_MEMORY = np.dtype(
    [
        ("place", float, 4),
        ("moved", bool),
        ("last", float),
        ("looks", int),
        ("second", int),
        ("attention", float),
        ("concentration", float),
    ]
)
"""One row for each place. place: x, y, w, h as in observations.POSITION. moved: has moved, and is no picture. last: time of its
newest face, seconds. looks: number of seconds with a face, second: the newest of them. attention, concentration: of the newest
face."""


class LivePeople:
    """Links tracks to people, and has those of the last seconds."""

    def __init__(self, window_s: float) -> None:
        """window_s: seconds of frames that `recent` has."""
        self._window_s = window_s
        self._memory = np.zeros(0, PERSON_MEMORY)
        self._of_track: dict[int, int] = {}
        self._began = self._now = -np.inf
        self._frames: deque[tuple[float, np.ndarray]] = deque()
        """Time of each frame, and the memory then."""

    def add(self, result: FrameResult) -> np.ndarray:
        """Count a frame; the number of the person of each face, int (n,)."""
        now = result.time.timestamp()
        self._began = now if np.isinf(self._began) else min(self._began, now)
        self._now = now
        people = self._link(result, now)
        memory = self._memory
        memory["last"][people] = now
        new = memory["second"][people] != int(now)
        memory["looks"][people] += new
        memory["second"][people] = int(now)
        memory["attention"][people], memory["concentration"][people] = result.attention, result.concentration
        self._frames.append((now, memory.copy()))
        while abs(now - self._frames[0][0]) > self._window_s:
            self._frames.popleft()
        return people

    @property
    def moved(self) -> np.ndarray:
        """Whether each person has moved, bool (n,)."""
        return self._memory["moved"]

    def judge(self, moving: Iterable[int], still: Iterable[int]) -> None:
        """Note tracks that have moved, and those of pictures, which are not people."""
        for tracks, moved in ((moving, True), (still, False)):
            self._memory["moved"][[self._of_track[track] for track in tracks if track in self._of_track]] = moved

    def recent(self) -> People:
        """Everybody who is known to be there and has moved, at each frame of the window. Without anybody, expected people are
        not there either."""
        memory = self._memory
        seconds = max(1.0, self._now - self._began + 1)
        known = memory["moved"] & (memory["looks"] >= min(MIN_PERSON_LOOKS, seconds / 2))
        left = known & (self._now - memory["last"] >= LEFT_S)
        if left.sum() == known.sum() or left.sum() <= max(1, MAX_LEFT_SHARE * known.sum()):
            known &= ~left
        rows = np.flatnonzero(known)
        shape = len(rows), len(self._frames)
        found, attention, concentration = np.zeros(shape, bool), np.full(shape, np.nan), np.full(shape, np.nan)
        for column, (time, then) in enumerate(self._frames):
            there = np.flatnonzero(rows < len(then))
            there = there[time - then["last"][rows[there]] <= CARRIED_S]
            found[there, column] = True
            attention[there, column] = then["attention"][rows[there]]
            concentration[there, column] = then["concentration"][rows[there]]
        times = (1e6 * np.array([time for time, _memory in self._frames])).astype("datetime64[us]")
        present, pictured = np.ones(shape, bool), np.full(shape[1], len(rows) > 0)
        return People(times, np.nan, rows, present, found, attention, concentration, pictured)

    def _link(self, result: FrameResult, now: float) -> np.ndarray:
        """The person of each face: of its track, or nearest to its place and not seen in this frame, or a new one."""
        corners = result.faces.boxes.reshape(-1, 2, 2) / np.array([result.width, result.height])
        places = np.concatenate([corners.mean(axis=1), corners[:, 1] - corners[:, 0]], axis=1)
        tracks = result.tracks.tolist()
        people = [self._of_track.get(track, -1) for track in tracks]
        for face in [face for face, person in enumerate(people) if person < 0]:
            free = ~np.isin(np.arange(len(self._memory)), people)
            person = nearest_place(places[face], self._memory["place"], free)
            if person < 0:
                person = len(self._memory)
                self._memory = np.concatenate([self._memory, np.zeros(1, PERSON_MEMORY)])
            people[face] = self._of_track[tracks[face]] = person
        found = np.array(people, int)
        self._memory["place"][found] = places
        return found
