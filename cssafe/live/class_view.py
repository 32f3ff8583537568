"""Figures of a class from its frame results: reading, history, hint, score breakdown and face covers.

Pure: no clock, lock, thread or store. Live lessons and tests feed it alike.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult, describe
from cssafe.labels import FERPLUS, LEVELS
from cssafe.live.alerts import ALERT_COOLDOWN, Alert, AlertDetector, person_measures
from cssafe.live.lesson_state import FIGURES, ClassReading
from cssafe.live.transports.messages import Notice, Overlay
from cssafe.observations import Second, Seconds
from cssafe.presence.class_figure import ClassSums, sum_class
from cssafe.presence.live_people import LivePeople
from cssafe.presence.minutes import STATES
from cssafe.presence.people import People
from cssafe.presence.still_faces import StillFaces
from cssafe.privacy import individuals, withheld_code
from cssafe.scoring.concentration import levels
from cssafe.scoring.explanation import class_parts, empty_parts
from cssafe.scoring.formula import Formula
from cssafe.settings import LIVE_HISTORY_MINUTES, MINIMUM_GROUP, Profile
from cssafe.stats.intervals import clustered_means
from cssafe.vision.anonymize import cover_polygons
from cssafe.vision.face_parts import box_outlines

READING_WINDOW_S = 2.0
"""Frames that a reading averages: long enough to be read, short enough to follow a class."""

MAX_FRAME_AGE_S = 6.0
"""Age of the newest frame above which "no picture" is shown: a slow host analyses one frame in two seconds."""

HISTORY = ("time", "faces", *FIGURES)
"""Columns of the history, see LessonState."""


class ClassView:
    """The figures of one lesson. Times are those of the frames."""

    def __init__(
        self, profile: Profile, audience: str, formula: Formula, activity: str, hints: bool = False, expected: int = 0
    ) -> None:
        """audience: "self" or "class". activity: of labels.ACTIVITIES. hints: whether hints are given. expected: people, by the
        teacher; 0 if unknown."""
        self.profile = profile
        self.audience = audience
        self.formula = formula
        self.activity = activity
        self.hints = hints
        self.expected = expected
        self.seconds = 0
        """Seconds with a face in view."""
        self.faces = 0
        """Most faces in one of them."""
        self._observing = Seconds()
        self._recent: deque[FrameResult] = deque()
        self._stills = StillFaces()
        self._people = LivePeople(READING_WINDOW_S)
        self._others = np.nan, np.nan  # mean attention and concentration of the people who were last readable
        self._reading = ClassReading()  # at the newest frame
        self._history: dict[datetime, ClassReading] = {}  # the last reading of each second
        self._alerts = AlertDetector(formula.bands["low_below"])
        self._alert: Alert | None = None
        self._watched = datetime.min  # the newest second in which a hint was looked for
        self._level = -1  # of the last reading: levels have hysteresis

    def add_result(self, result: FrameResult) -> list[Second]:
        """Count a frame; the seconds that are over now and are recorded."""
        finished = self._count(list(self._observing.add(result)))
        seen = self._stills.without(result)
        self._recent.append(seen)
        while abs((self._recent[0].time - result.time).total_seconds()) > READING_WINDOW_S:
            self._recent.popleft()
        if self._observing.frozen:
            self._reading = ClassReading(len(seen), notice=Notice("unchanged"))
            return finished
        self._reading = self._read(self._people.add(seen))
        self._remember(result.time.replace(tzinfo=None, microsecond=0))
        return finished

    def finish(self) -> list[Second]:
        """The second that was still open at the end of the lesson, if it is recorded."""
        return self._count(self._observing.flush())

    @property
    def still(self) -> int:
        """Faces in view that are left out as pictures."""
        return len(self._stills.still)

    def reading(self) -> ClassReading:
        """Figures of the newest frames; none while the activity is not scored."""
        if self._reading.faces and self.formula.limits[self.activity] is None:
            notice = self._withheld(self._reading.faces, 0, {})
            return ClassReading(self._reading.faces, self._reading.measured, notice=notice)
        return self._reading

    def _read(self, people: np.ndarray) -> ClassReading:
        """The reading at the newest frame. people: person of each of its faces."""
        newest = self._recent[-1]
        moved = self._people.moved[people] | (self.audience == "self")
        faces, measured = len(newest), int(np.count_nonzero(moved & ~np.isnan(newest.concentration)))
        if self.audience == "self":
            figures = self._figures_of_one()
        else:
            figures = self._figures_of_class(people)
        reason = newest.reasons[0] if self.audience == "self" and faces == 1 else ""
        if notice := self._withheld(faces, measured, figures):
            return ClassReading(faces, measured, notice=notice, reason=reason)
        concentration = np.array([figures["concentration"]])
        self._level = int(levels(concentration, np.array([self._level]), self.formula)[0])
        reading = ClassReading(faces, measured, level=self._level, expression=self._expression(), reason=reason)
        return replace(reading, **figures)  # type: ignore[arg-type]

    def _figures_of_one(self) -> dict[str, float]:
        """FIGURES of one person alone in the last frames; none if the newest has more faces or cannot be read."""
        alone = [result for result in self._recent if len(result) == 1]
        if not alone or alone[-1] is not self._recent[-1] or np.isnan(alone[-1].concentration).any():
            return {}
        values = np.concatenate([result.concentration for result in alone])
        return {"concentration": float(np.nanmean(values)), "present": 1.0}

    def _figures_of_class(self, people: np.ndarray) -> dict[str, float]:
        """FIGURES of the people of a class over the last frames; none where they are withheld."""
        recent = self._people.recent()
        weight = np.full(len(recent.times), self.formula.unseen_weight(self.activity))
        sums = sum_class(recent, weight, self.formula.bands, self.expected, before=self._others)
        readable = sums.on_task + sums.off_task
        if readable[-1]:
            there = ~np.isnan(recent.concentration[:, -1])
            self._others = float(recent.attention[there, -1].mean()), float(recent.concentration[there, -1].mean())
        self._watch(recent, sums, people)
        shown = ~np.isnan(sums.concentration)
        if not shown[-1]:
            return {}
        present = sums.present[shown].sum()
        figures = {
            name: float(getattr(sums, name)[shown].sum() / present) for name in ("concentration", "lowest", "highest")
        }
        figures |= {name: float(getattr(sums, name)[-1]) for name in ("present", *STATES)}
        n, shares = recent.present[:, shown].sum(axis=1), sums.shares[:, shown].sum(axis=1)
        _mean, low, high = clustered_means(shares[n > 0, None], n[n > 0].astype(float))
        return figures | {"low": float(np.clip(low[0], 0, 1)), "high": float(np.clip(high[0], 0, 1))}

    def _expression(self) -> dict[str, float] | None:
        """Mean probability of each emotion over the faces of the last frames; None where withheld."""
        shown = [result for result in self._recent if result.expression is not None]
        if not shown:
            return None
        rows = np.concatenate([result.expression for result in shown])
        tracks = np.concatenate([result.tracks for result in shown])
        there = ~np.isnan(rows).any(axis=1)
        if self.audience == "class":
            there &= np.isin(tracks, list(self._stills.moving))
        least = 1 if self.audience == "self" else MINIMUM_GROUP
        if len(np.unique(tracks[there])) < least:
            return None
        return dict(zip(FERPLUS, rows[there].mean(axis=0).tolist(), strict=True))

    def _watch(self, people: People, sums: ClassSums, found: np.ndarray) -> None:
        """Look for a hint once a second. found: person of each face of the newest frame."""
        second = self._recent[-1].time.replace(tzinfo=None, microsecond=0)
        if not self.hints or second == self._watched:
            return
        self._watched = second
        measures = person_measures(self._recent[-1], found, people, sums)
        self._alert = self._alerts.add(second, people.persons, measures) or self._alert

    def _remember(self, second: datetime) -> None:
        """Keep the reading as that of its second."""
        if self._reading.faces or not np.isnan(self._reading.present):
            self._history[second] = self._reading
        while len(self._history) > LIVE_HISTORY_MINUTES * 60:
            del self._history[next(iter(self._history))]

    def reading_at(self, now: datetime) -> ClassReading:
        """As `reading`, but without a figure where the newest frame is too old. now: aware."""
        if not self._recent or (now - self._recent[-1].time).total_seconds() > MAX_FRAME_AGE_S:
            return ClassReading(notice=Notice("no_picture"))
        return self.reading()

    def history(self) -> pd.DataFrame:
        """One row of HISTORY a second of the last minutes. The last one is that of `reading`."""
        rows = [(time, *(getattr(reading, name) for name in HISTORY[1:])) for time, reading in self._history.items()]
        return pd.DataFrame(rows, columns=list(HISTORY)).astype({"time": "datetime64[us]"})

    def alert_at(self, now: datetime) -> Alert | None:
        """The hint to show at that moment (aware)."""
        if self._alert is None or not self.hints or now.replace(tzinfo=None) - self._alert.time > ALERT_COOLDOWN:
            return None
        return self._alert

    def explain_score(self) -> pd.DataFrame:
        """Score breakdown of the reading, rows of explanation.parts_table; NaN where withheld or not measurable."""
        reading = self._reading
        if np.isnan(reading.concentration):
            return empty_parts(self.formula)
        return class_parts(self._recent, self.formula, self.activity, reading.concentration, reading.seen_share)

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

    def _count(self, seconds: list[Second]) -> list[Second]:
        """Count seconds that are over. Returns those that are recorded: with a face that is no picture, and, after the first of
        them, without one. Pictures keep their rows beside faces, because the whole lesson decides on these
        (store/summaries.py)."""
        recorded = []
        for second in seconds:
            self._stills.add(second.rows)
            self._people.judge(self._stills.moving, self._stills.still)
            faces = int((~second.rows["track"].isin(self._stills.still)).sum())
            self.seconds += faces > 0
            self.faces = max(self.faces, faces)
            if self.seconds:
                recorded.append(second if faces else replace(second, rows=second.rows[:0]))
        return recorded

    def _withheld(self, faces: int, measured: int, figures: dict[str, float]) -> Notice | None:
        """Why no figure is shown of a frame with that many faces; None where one is."""
        if faces and self.formula.limits[self.activity] is None:
            return Notice(f"{self.activity.replace(' ', '_')}_not_scored")
        if figures:
            return None
        code = withheld_code(self.audience, faces, measured) or "too_few_faces"
        fields = {"measured": measured, "least": MINIMUM_GROUP} if code == "too_few_faces" else {}
        return Notice(code, fields)
