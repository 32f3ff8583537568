"""Figures of a class from its frame results: reading, history, hint, score breakdown and face covers.

Pure: no clock, lock, thread or store. Live lessons and tests feed it alike.
"""

from collections import deque
from datetime import datetime

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult, describe
from cssafe.labels import FERPLUS, LEVELS
from cssafe.live.alerts import ALERT_COOLDOWN, Alert, AlertDetector
from cssafe.live.lesson_state import ClassReading
from cssafe.live.transports.messages import Notice, Overlay
from cssafe.observations import Seconds
from cssafe.presence.still_faces import StillFaces
from cssafe.privacy import individuals, withheld_code
from cssafe.scoring.concentration import levels
from cssafe.scoring.explanation import empty_parts, frame_parts
from cssafe.scoring.formula import Formula
from cssafe.settings import LIVE_HISTORY_MINUTES, MINIMUM_GROUP, Profile
from cssafe.stats.intervals import mean_interval, quality_weights
from cssafe.vision.anonymize import cover_polygons
from cssafe.vision.face_parts import box_outlines

READING_WINDOW_S = 2.0
"""Frames that a reading averages: long enough to be read, short enough to follow a class."""

MAX_FRAME_AGE_S = 6.0
"""Age of the newest frame above which "no picture" is shown: a slow host analyses one frame in two seconds."""

HISTORY = ("time", "faces", "concentration", "low", "high")
"""Columns of the history, see LessonState."""


class ClassView:
    """The figures of one lesson. Times are those of the frames."""

    def __init__(self, profile: Profile, audience: str, formula: Formula, activity: str, hints: bool = False) -> None:
        """audience: "self" or "class". activity: of labels.ACTIVITIES. hints: whether hints are given."""
        self.profile = profile
        self.audience = audience
        self.formula = formula
        self.activity = activity
        self.hints = hints
        self.seconds = 0
        """Seconds with a face in view."""
        self.faces = 0
        """Most faces in one of them."""
        self._observing = Seconds()
        self._stills = StillFaces()
        self._recent: deque[FrameResult] = deque()
        self._history: deque[tuple[datetime, int, float, float, float]] = deque(maxlen=LIVE_HISTORY_MINUTES * 60)
        self._alerts = AlertDetector(formula.bands["low_below"])
        self._alert: Alert | None = None
        self._level = -1  # of the last reading: levels have hysteresis

    def add_result(self, result: FrameResult) -> list[pd.DataFrame]:
        """Count a frame; the seconds that are over now, rows of observations.COLUMNS each."""
        finished = self._count(list(self._observing.add(result)))
        self._recent.append(self._stills.without(result))
        while abs((self._recent[0].time - result.time).total_seconds()) > READING_WINDOW_S:
            self._recent.popleft()
        return finished

    def finish(self) -> list[pd.DataFrame]:
        """The second that was still open at the end of the lesson, if a face was in it."""
        return self._count([*self._observing.held, self._observing.flush()])

    @property
    def still(self) -> int:
        """Faces in view that are left out as pictures."""
        return len(self._stills.still)

    def reading(self) -> ClassReading:
        """Figures of the newest frames."""
        if not self._recent:
            return ClassReading()
        newest = self._recent[-1]
        faces, measured = len(newest), self._measured(newest)
        if self._observing.frozen:
            return ClassReading(faces, measured, notice=Notice("unchanged"))
        reason = newest.reasons[0] if self.audience == "self" and faces == 1 else ""
        if notice := self._withheld(faces, measured):
            return ClassReading(faces, measured, notice=notice, reason=reason)
        # Only frames that may be shown by themselves: no single face hides in the mean.
        shown = [r for r in self._recent if not self._withheld(len(r), self._measured(r))]
        values = np.concatenate([r.concentration for r in shown])
        weight = quality_weights(np.concatenate([r.signals.quality for r in shown]))
        tracks = np.concatenate([r.tracks for r in shown])
        mean, low, high = mean_interval(values, weight, tracks)
        self._level = int(levels(np.array([mean]), np.array([self._level]), self.formula)[0])
        expression = None
        if newest.expression is not None:
            rows = np.concatenate([r.expression for r in shown])
            there = ~np.isnan(rows).any(axis=1)
            if there.any() and not self._withheld(faces, len(np.unique(tracks[there]))):
                means = np.average(rows[there], axis=0, weights=weight[there])
                expression = {name: float(p) for name, p in zip(FERPLUS, means, strict=True)}
        return ClassReading(faces, measured, mean, low, high, self._level, expression, reason=reason)

    def reading_at(self, now: datetime) -> ClassReading:
        """As `reading`, but without a figure where the newest frame is too old. now: aware."""
        if not self._recent or (now - self._recent[-1].time).total_seconds() > MAX_FRAME_AGE_S:
            return ClassReading(notice=Notice("no_picture"))
        return self.reading()

    def history(self) -> pd.DataFrame:
        """One row of HISTORY a second of the last minutes."""
        return pd.DataFrame(list(self._history), columns=list(HISTORY)).astype({"time": "datetime64[us]"})

    def alert_at(self, now: datetime) -> Alert | None:
        """The hint to show at that moment (aware)."""
        if self._alert is None or not self.hints or now.replace(tzinfo=None) - self._alert.time > ALERT_COOLDOWN:
            return None
        return self._alert

    def explain_score(self) -> pd.DataFrame:
        """Score breakdown of the newest frame, rows of explanation.table, mean over its faces; NaN where withheld or not
        measurable."""
        newest = self._recent[-1] if self._recent else None
        if newest is None or self._withheld(len(newest), self._measured(newest)):
            return empty_parts(self.formula)
        return frame_parts(newest, self.formula, self.activity)

    def overlay(self, result: FrameResult) -> Overlay:
        """What is drawn over this frame."""
        reading, seen = self.reading(), self._stills.without(result)
        return Overlay(
            size=(result.width, result.height),
            covers=self._covers(result),
            faces=describe(seen, individuals(self.profile, self.audience, len(seen))),
            concentration=None if np.isnan(reading.concentration) else round(float(reading.concentration), 2),
            level=LEVELS[reading.level] if reading.level >= 0 else None,
            notice=reading.notice,
        )

    def _covers(self, result: FrameResult) -> list[list[list[int]]]:
        """Polygons over the faces of this frame, pixels, and over faces lost a moment ago at their last position."""
        last: dict[int, np.ndarray] = {}
        for seen in (*self._recent, result):
            outlines = box_outlines(seen.faces.boxes) if seen.outlines is None else seen.outlines
            last |= dict(zip(seen.tracks.tolist(), cover_polygons(outlines), strict=True))
        return [polygon.round().astype(int).tolist() for polygon in last.values()]

    def _count(self, seconds: list[pd.DataFrame]) -> list[pd.DataFrame]:
        """Count seconds that are over. Returns those with a face that is no picture; pictures keep their rows in them, because
        the whole lesson decides on these (store/summaries.py)."""
        recorded = []
        for full in seconds:
            self._stills.add(full)
            second = full[~full["track"].isin(self._stills.still)]
            if second.empty:
                continue
            recorded.append(full)
            self.seconds += 1
            self.faces = max(self.faces, len(second))
            values = second["concentration"].to_numpy(float)
            figures = mean_interval(
                values, quality_weights(second["quality"].to_numpy(float)), second["track"].to_numpy()
            )
            if self._withheld(len(second), self._completing(second["track"].to_numpy(), values)):
                figures = (np.nan, np.nan, np.nan)
            self._history.append((second["time"].iloc[0], len(second), *figures))
            if self.hints:
                self._alert = self._alerts.add(second) or self._alert
        return recorded

    def _measured(self, result: FrameResult) -> int:
        return self._completing(result.tracks, result.concentration)

    def _completing(self, tracks: np.ndarray, values: np.ndarray) -> int:
        """Number of measured faces that complete a group: of a class, those that have moved."""
        moved = np.isin(tracks, list(self._stills.moving)) | (self.audience == "self")
        return int(np.count_nonzero(moved & ~np.isnan(values)))

    def _withheld(self, faces: int, measured: int) -> Notice | None:
        """Why no figure of a frame with that many faces is shown; None where one may be."""
        if faces and self.formula.limits[self.activity] is None:
            return Notice(f"{self.activity.replace(' ', '_')}_not_scored")
        code = withheld_code(self.audience, faces, measured)
        fields = {"measured": measured, "least": MINIMUM_GROUP} if code == "too_few_faces" else {}
        return Notice(code, fields) if code else None
