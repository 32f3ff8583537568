"""FrameResults -> observations: one row for each face and second. Nothing else is kept."""

from collections.abc import Iterator, Sequence
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

COLUMNS = ("time", "track", "frames", "score", *POSITION, *SIGNALS, *EXPRESSION, "attention", "concentration", "level")
"""time: naive UTC, whole second. frames: number averaged. level: 0 low, 1 medium, 2 high, the commonest in the
second, null where not measurable. All others: mean over the second's frames, null where no frame could be measured."""

MIN_FRAMES_SHARE = 0.5
"""Share of a second's frames in which a face must be found to be observed: a short flash is mostly no face. In a clip without
people but with lettering, drawings found as faces fill up to 0.4 of a second's frames; real faces of 20 px fill all."""


def average_seconds(results: Sequence[FrameResult]) -> pd.DataFrame:
    """Average frames into rows of COLUMNS, one for each second and track, ordered by both; no frames give no rows."""
    rows = pd.concat([_rows(result) for result in results], ignore_index=True) if results else _empty()
    if rows.empty:
        return _empty()
    groups = rows.groupby(["time", "track"], sort=True)
    means = groups[["score", *POSITION, *SIGNALS, *EXPRESSION, "attention", "concentration"]].mean()
    means["frames"] = groups.size()
    votes = pd.DataFrame({level: rows["level"] == level for level in range(len(LEVELS))})
    votes = votes.groupby([rows["time"], rows["track"]], sort=True).sum()
    means["level"] = votes.idxmax(axis=1).where(votes.any(axis=1)).astype(float)
    looked = pd.Series([_period_start(result.time) for result in results]).value_counts()
    seen = means["frames"] >= MIN_FRAMES_SHARE * means.index.get_level_values("time").map(looked)
    return means[seen].reset_index()[list(COLUMNS)]


MAX_UNCHANGED = timedelta(seconds=8)
"""Longest time without a change in the picture; from then on it counts as frozen. Reported within 10 s."""


class Seconds:
    """Collects the frames of one stream and hands out each second once, when it is over. Seconds without a change in the picture
    are held until it changes; those of a frozen picture are dropped."""

    def __init__(self) -> None:
        self.frozen = False
        """Whether the picture has not changed for MAX_UNCHANGED."""
        self.held: list[pd.DataFrame] = []
        """Seconds that are over and were not handed out."""
        self._unchanged_since: datetime | None = None
        self._changed = False  # in the open second
        self._results: list[FrameResult] = []
        self._open = datetime.min
        """The earliest second that is not over."""

    def add(self, result: FrameResult) -> Iterator[pd.DataFrame]:
        """Yields the observations of the seconds before, once a frame of a later second has come. A frame of a second that
        is over is left out: a second handed out twice would count its faces twice."""
        second = _period_start(result.time)
        if second < self._open:
            return
        if second > self._open and self._results:
            self.held.append(self.flush())
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

    def flush(self) -> pd.DataFrame:
        """The observations of the frames collected so far, which are then forgotten; their second is over."""
        results, self._results = self._results, []
        if results:
            self._open += ROW_PERIOD
        return average_seconds(results)


def _period_start(time: datetime) -> datetime:
    """Start of the period in which a time (aware) lies; naive UTC."""
    time = time.astimezone(UTC).replace(tzinfo=None)
    return time - (time - datetime.min) % ROW_PERIOD


def _rows(result: FrameResult) -> pd.DataFrame:
    n = len(result)
    expression = np.full((n, len(FERPLUS)), np.nan, np.float32) if result.expression is None else result.expression
    corners = result.faces.boxes.reshape(n, 2, 2) / np.array([result.width, result.height], np.float32)
    place = np.concatenate([corners.mean(axis=1), corners[:, 1] - corners[:, 0]], axis=1)
    return pd.DataFrame(
        {"time": pd.Series([_period_start(result.time)] * n, dtype="datetime64[us]"), "track": result.tracks}
        | {"score": result.faces.scores}
        | {name: place[:, i] for i, name in enumerate(POSITION)}
        | {name: getattr(result.signals, name) for name in SIGNALS}
        | {name: expression[:, i] for i, name in enumerate(EXPRESSION)}
        | {"attention": result.attention, "concentration": result.concentration}
        | {"level": np.where(result.levels < 0, np.nan, result.levels)}
    )


def _empty() -> pd.DataFrame:
    floats = {name: np.zeros(0, np.float32) for name in COLUMNS}
    whole = {"time": pd.Series([], dtype="datetime64[us]"), "track": np.zeros(0, np.int32), "frames": np.zeros(0, int)}
    return pd.DataFrame(floats | whole)[list(COLUMNS)]
