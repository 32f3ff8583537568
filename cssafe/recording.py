"""Recordings -> observations -> one lesson, for the command line and the page Files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cssafe import media
from cssafe.frames import Frame, FrameResult
from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.media import Picture, Source
from cssafe.observations import POSITION, ROW_PERIOD, Second, Seconds, average_seconds
from cssafe.presence.still_faces import StillFaces, left_out
from cssafe.privacy import individuals, withheld
from cssafe.settings import Profile
from cssafe.stats.intervals import mean_interval
from cssafe.vision.track_linking import link_tracks

Analyze = Callable[[Frame], FrameResult]
"""The networks, with one source's memory between frames."""

MAX_CLOCK_DIFFERENCE = timedelta(hours=12)
"""Files further apart than this belong to no one lesson by their own clocks: one of the clocks is wrong."""

ROWS_BEFORE_JOIN = 60
"""Seconds whose tables are put into one."""


class Recording:
    """The figures of one source, growing while it is analysed. began: aware, UTC; None for a camera, which begins with
    its first picture. frames: number analysed; seconds: time of the last; most: faces at once. observations:
    rows of observations.COLUMNS of the seconds that are over. still: tracks that are pictures, known at the end; they have no
    rows. empty: times (naive UTC) of the seconds after the first face in which nobody was found, known at the end."""

    def __init__(self, began: datetime | None) -> None:
        self.began = began
        self.frames, self.seconds, self.most = 0, 0.0, 0
        self.still = np.zeros(0, int)
        self.empty = pd.DatetimeIndex([])
        self._stills = StillFaces()
        self._collecting = Seconds()
        self._parts: list[pd.DataFrame] = []
        self._times: list[datetime] = []

    def add(self, at: float, result: FrameResult) -> None:
        """Count the next frame. at: seconds from the start."""
        self._collect(self._collecting.add(result))
        if len(self._parts) > ROWS_BEFORE_JOIN:  # one table takes less memory than one a second
            self._parts = [_together(self._parts)]
        self.frames, self.seconds, self.most = self.frames + 1, at, max(self.most, len(result))

    @property
    def observations(self) -> pd.DataFrame:
        return _together(self._parts)

    @property
    def frozen(self) -> bool:
        """Whether the picture does not change; such seconds are not recorded."""
        return self._collecting.frozen

    def without_still(self, result: FrameResult) -> FrameResult:
        """The result without the faces known to be pictures."""
        return self._stills.without(result)

    def _collect(self, seconds: Iterable[Second]) -> None:
        for second in seconds:
            self._stills.add(second.rows)
            self._parts.append(second.rows)
            self._times.append(second.time)

    def end(self) -> None:
        """The last second is over."""
        self._collect(self._collecting.flush())
        rows = _together(self._parts)
        self.still = left_out(rows, "self")
        if len(self.still):
            rows = rows[~rows["track"].isin(self.still)]
            self.most = int(rows["time"].value_counts().max()) if len(rows) else 0
        self._parts = [rows]
        watched = pd.DatetimeIndex(self._times, dtype="datetime64[us]")
        self.empty = watched[watched > rows["time"].min()].difference(rows["time"])

    @property
    def ended(self) -> datetime:
        """When the second of its last frame was over; aware, UTC. Only of a recording that has begun."""
        assert self.began is not None, "a recording ends after it began"
        return self.began + timedelta(seconds=int(self.seconds) + 1)


def analyze(
    source: Source, every: float, networks: Analyze, recording: Recording
) -> Iterator[tuple[Picture, FrameResult]]:
    """Yield each picture with its result, which the recording has counted by then; the caller ends it.
    every: as in media.frames.

    Raises:
        MediaError: as media.frames; earlier results stay in the recording.
    """
    for picture in media.frames(source, every):
        if recording.began is None:
            recording.began = datetime.now(UTC)
        result = networks(Frame(picture.image, recording.began + timedelta(seconds=picture.seconds)))
        recording.add(picture.seconds, result)
        yield picture, recording.without_still(result)


def starts_at(recorded: datetime | None, first: datetime, before: datetime) -> datetime:
    """Start of a recording in a lesson of several: its own, in whole seconds; without one, or with a clock that is far off, it
    follows the one before.

    Args:
        recorded: aware, or None.
        first: start of the earliest of them.
        before: end of the one before; for the first of all, start of the lesson.
    """
    if recorded is None or abs(recorded - first) > MAX_CLOCK_DIFFERENCE:
        return before
    return recorded.replace(microsecond=0)


def join_recordings(
    recordings: Sequence[Recording], shift: timedelta = timedelta(0)
) -> tuple[pd.DataFrame, pd.DataFrame, datetime, datetime]:
    """One lesson: observations and empty seconds as Workspace.add takes them, start and end (aware, UTC).

    Tracks of different sources are different people until shown otherwise; in one source a face that comes back to its own
    place is the same one (vision/track_linking.py). shift: whole seconds between the recordings' clocks and the lesson.
    """
    rows = _together([recording.observations.assign(source=i) for i, recording in enumerate(recordings)])
    empty = pd.DataFrame({"lesson": 0, "time": np.concatenate([recording.empty for recording in recordings])})
    empty["time"] += shift
    if rows.empty:
        start = end = (recordings[0].began or datetime.now(UTC)) + shift
    else:
        start = rows["time"].min().to_pydatetime().replace(tzinfo=UTC) + shift
        last = max(rows["time"].max() + shift, empty["time"].max()) if len(empty) else rows["time"].max() + shift
        end = last.to_pydatetime().replace(tzinfo=UTC) + ROW_PERIOD
    spans = rows.groupby(["source", "track"]).agg(
        first=("time", "min"), last=("time", "max"), **{name: (name, "median") for name in POSITION}
    )
    spans = spans.reset_index()
    spans["face"] = np.concatenate(
        [link_tracks(part) for _source, part in spans.groupby("source")] or [np.zeros(0, int)]
    )
    rows = rows.merge(spans[["source", "track", "face"]], on=["source", "track"])
    tracks = rows.groupby(["source", "face"]).ngroup().astype("int32") + 1
    rows = rows.assign(track=tracks, time=rows["time"] + shift, lesson=0).drop(columns=["source", "face"])
    return rows, empty, start, end


def seconds_table(moments: Sequence[tuple[int, FrameResult]], audience: str) -> pd.DataFrame:
    """One row for each analysed second, in order, with the figures of the picture that may be shown.

    Columns: `second` from the start; `faces`; `concentration` with `low` and `high` (mean over the faces and its 95 %
    interval, NaN where withheld or not measurable; one face alone has no interval); `emotion`, the leading one and its mean
    probability, or why it is withheld.

    Args:
        moments: the second and one frame of it.
        audience: "self" or "class".
    """
    rows = []
    for second, result in moments:
        note = withheld(audience, len(result), int(np.count_nonzero(~np.isnan(result.concentration))))
        figures = mean_interval(result.concentration, result.tracks)
        rows.append((second, len(result), *([np.nan] * 3 if note else figures), note or _leading(result)))
    return pd.DataFrame(rows, columns=["second", "faces", "concentration", "low", "high", "emotion"])


def faces_table(moments: Sequence[tuple[int, FrameResult]], profile: Profile, audience: str) -> pd.DataFrame:
    """The course of each single face, as far as it may be shown: columns `second`, `track` and `concentration` (NaN where
    not measurable). moments, audience: as in timeline."""
    rows = [
        (second, int(track), float(value))
        for second, result in moments
        if individuals(profile, audience, len(result))
        for track, value in zip(result.tracks, result.concentration, strict=True)
    ]
    return pd.DataFrame(rows, columns=["second", "track", "concentration"])


def _leading(result: FrameResult) -> str:
    if result.expression is None or np.isnan(result.expression).all():
        return _("not measured")
    shares = np.nanmean(result.expression, axis=0)
    return _("{emotion}, {share:.0f} %").format(emotion=_(FERPLUS[int(shares.argmax())]), share=100 * shares.max())


def _together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if not part.empty]
    return pd.concat(filled, ignore_index=True) if filled else (parts[-1] if parts else average_seconds([]))
