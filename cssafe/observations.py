"""FrameResults -> observations: one row for each face and second, and the seconds without a face. Nothing else is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cssafe.frames import SIGNALS, FrameResult
from cssafe.labels import FERPLUS, LEVELS

ROW_PERIOD = timedelta(seconds=1)
"""The period over which the frames of a face are averaged into one row."""

EXPRESSION = tuple(f"p_{name}" for name in FERPLUS)
"""Column names of the eight probabilities."""

POSITION = ("x", "y", "w", "h")
"""Position of the face: middle, width and height of its box, as shares of the picture's width and height."""

MEASURED = ("score", *POSITION, *SIGNALS, *EXPRESSION, "attention", "concentration")
"""Columns that are means over the frames of a second."""

COLUMNS = ("time", "track", "frames", *MEASURED, "level")
"""time: naive UTC, whole second. frames: number averaged. level: 0 low, 1 medium, 2 high, the commonest in the
second, null where not measurable. All others: mean over the second's frames, null where no frame could be measured."""

MIN_FRAMES_SHARE = 0.5
"""Share of a second's frames in which a face must be found to be observed: a short flash is mostly no face. In a clip without
people but with lettering, drawings found as faces fill up to 0.4 of a second's frames; real faces of 20 px fill all."""


def average_seconds(results: Sequence[FrameResult]) -> pd.DataFrame:
    """Average frames into rows of COLUMNS, one for each second and track, ordered by both; no frames give no rows."""
    times = np.array([_period_start(result.time) for result in results], "datetime64[us]")
    time = times.repeat([len(result) for result in results])
    tracks = np.concatenate([result.tracks for result in results] or [np.zeros(0, np.int32)])
    _seconds, second, looks = np.unique(times, return_inverse=True, return_counts=True)
    second = second.repeat([len(result) for result in results])
    order = np.lexsort((tracks, second))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(second[order]) != 0) | (np.diff(tracks[order]) != 0)
    group = np.empty(len(order), int)
    group[order] = np.cumsum(new) - 1
    first = order[new]  # of each row, one of its frames
    frames = np.bincount(group, minlength=len(first))
    values = np.concatenate([_values(result) for result in results]) if results else np.zeros((0, len(MEASURED)))
    table = pd.DataFrame(_means(values, group, len(first)).astype(np.float32), columns=list(MEASURED))
    levels = np.concatenate([result.levels for result in results] or [np.zeros(0, np.int8)])
    votes = np.stack([np.bincount(group[levels == i], minlength=len(first)) for i in range(len(LEVELS))], axis=1)
    table = table.assign(time=time[first], track=tracks[first], frames=frames)
    table["level"] = np.where(votes.any(axis=1), votes.argmax(axis=1), np.nan)
    seen = frames >= MIN_FRAMES_SHARE * looks[second[first]]
    return table.loc[seen, list(COLUMNS)].reset_index(drop=True)


MAX_UNCHANGED = timedelta(seconds=8)
"""Longest time without a change in the picture; from then on it counts as frozen. Reported within 10 s."""


@dataclass(frozen=True)
class Second:
    """One second of a stream that was watched. time: naive UTC. rows: of COLUMNS; none without a face."""

    time: datetime
    rows: pd.DataFrame


class Seconds:
    """Collects the frames of one stream and hands out each second once, when it is over. Seconds without a change in the
    picture are held until it changes; those of a frozen picture are dropped."""

    def __init__(self) -> None:
        self.frozen = False
        """Whether the picture has not changed for MAX_UNCHANGED."""
        self.held: list[Second] = []
        """Seconds that are over and were not handed out."""
        self._unchanged_since: datetime | None = None
        self._changed = False  # in the open second
        self._results: list[FrameResult] = []
        self._open = datetime.min
        """The earliest second that is not over."""

    def add(self, result: FrameResult) -> Iterator[Second]:
        """Yields the seconds before, once a frame of a later second has come. A frame of a second that is over is left out: a
        second handed out twice would count its faces twice."""
        second = _period_start(result.time)
        if second < self._open:
            return
        if second > self._open and self._results:
            self._close()
            if self._changed:
                yield from self.held
                self.held = []
            self._changed = False
        self._open = second
        self._results.append(result)
        self._changed |= result.changed
        if result.changed or self._unchanged_since is None:
            self._unchanged_since = result.time
        self.frozen = result.time - self._unchanged_since >= MAX_UNCHANGED
        if self.frozen:
            self.held, self._results = [], []

    def flush(self) -> list[Second]:
        """The seconds not handed out so far, which are then over and forgotten."""
        if self._results:
            self._close()
        held, self.held = self.held, []
        return held

    def _close(self) -> None:
        """Hold the open second, which is over."""
        self.held.append(Second(self._open, average_seconds(self._results)))
        self._results = []
        self._open += ROW_PERIOD


def _period_start(time: datetime) -> datetime:
    """Start of the period in which a time (aware) lies; naive UTC."""
    time = time.astimezone(UTC).replace(tzinfo=None)
    return time - (time - datetime.min) % ROW_PERIOD


def _values(result: FrameResult) -> np.ndarray:
    """MEASURED of each face, float64 (n, k)."""
    n = len(result)
    expression = np.full((n, len(FERPLUS)), np.nan) if result.expression is None else result.expression
    corners = result.faces.boxes.reshape(n, 2, 2) / np.array([result.width, result.height], np.float32)
    place = (corners.mean(axis=1), corners[:, 1] - corners[:, 0])
    signals = [getattr(result.signals, name) for name in SIGNALS]
    columns = (result.faces.scores, *place, *signals, expression, result.attention, result.concentration)
    return np.column_stack(columns).astype(float)


def _means(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Mean of each column (n, k) in each group, NaN where it has no value, (groups, k)."""
    there = ~np.isnan(values)
    sums, counts = np.zeros((2, groups, values.shape[1]))
    np.add.at(sums, group, np.where(there, values, 0))
    np.add.at(counts, group, there)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
