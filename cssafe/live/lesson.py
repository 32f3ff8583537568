"""A lesson while it runs: what the camera's results become for the database, the page and the person in the picture.

Results come in on the engine's thread, the page reads `view` on Streamlit's, connections change on the web server's;
one lock guards them all, and nothing waits for the database under it. No pixel gets here."""

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult, describe
from cssafe.labels import DEFAULT_ACTIVITY, FERPLUS, LEVELS
from cssafe.language import N_, _
from cssafe.live.alerts import REST, Alert, Watcher
from cssafe.live.clock import LessonClock
from cssafe.live.engine import Answer, Feed
from cssafe.live.lesson_state import Reading, View
from cssafe.observations import Seconds
from cssafe.pipeline import Stream
from cssafe.privacy import chosen_anonymization, individuals, withheld
from cssafe.scoring.concentration import levels
from cssafe.scoring.explanation import empty_parts, frame_parts
from cssafe.scoring.formula import choose_formula
from cssafe.settings import ABSENCE_TIMEOUT_S, LIVE_HISTORY_MINUTES, Profile
from cssafe.stats.intervals import mean_interval, quality_weights
from cssafe.store import NO_CLASS, NO_SUBJECT, Lesson, StoreError, Workspace
from cssafe.vision.anonymize import cover_polygons
from cssafe.vision.face_parts import box_outlines

log = logging.getLogger(__name__)

NOW = timedelta(seconds=2)
"""What the page calls now: long enough to be read, short enough to follow a class."""

SILENCE = timedelta(seconds=6)
"""How old the newest picture may be before the page says that none comes: a slow host analyses one in two seconds."""

FRAMES = 15.0
"""Frames a second of one camera that are analysed at most: what it films in a dim room. More would show nothing new."""

VIEWS = ("projector", "phone")
"""How a class's lesson can be watched from another device: by the class, and by its teacher."""

NOT_SCORED = {
    N_("front"): N_("Front is not scored."),
    N_("screen"): N_("Screen is not scored."),
    N_("desk work"): N_("Desk work is not scored."),
    N_("group work"): N_("Group work is not scored."),
    N_("break"): N_("Break is not scored."),
}
"""Of labels.ACTIVITIES: which of them are not, the formula says."""


class LiveLesson:
    """One started lesson; made by the Start button, ended by the End button, by the page's absence or by the program's
    end."""

    def __init__(
        self,
        workspace: Workspace,
        profile: Profile,
        *,
        class_name: str,
        subject: str,
        room: str,
        time_zone: str,
        audience: str,
        name: str = "",
        source: str = "camera",
        patience: float = ABSENCE_TIMEOUT_S,
        clock: LessonClock | None = None,
    ) -> None:
        """class_name, subject and room may be empty, and so may name, which is then made of them. source: camera or file.
        time_zone: IANA name. audience: "self" if one person films only
        herself, else "class". patience: seconds without an analysed picture after which the lesson ends by itself. clock:
        None for a new one.

        Raises:
            StoreError: the lesson cannot be written.
        """
        self.clock = clock or LessonClock()
        """What dates the frames, markers and activities of this lesson, and its end."""
        self._formula = choose_formula(workspace.get("formula"), profile.expression)
        self.workspace = workspace
        self.profile = profile
        self.lesson = Lesson(
            name=name or " ".join(part for part in (subject, class_name) if part) or N_("Lesson"),
            class_name=class_name or NO_CLASS,
            subject=subject or NO_SUBJECT,
            room=room,
            time_zone=time_zone,
            profile=profile.name,
            formula=str(self._formula),
            source=source,
            audience=audience,
            started=self.clock.started,
            activity=DEFAULT_ACTIVITY[audience],
        )
        self.token = secrets.token_urlsafe(32)
        self.keys = {view: secrets.token_urlsafe(16) for view in VIEWS}
        """What opens each of VIEWS; none of them opens another, or the camera's connection."""
        self.number = workspace.start_lesson(self.lesson)
        self.ended: datetime | None = None
        self.written = False
        """Whether the end is in the database, or could not be written."""
        self.expired = False
        self.way = chosen_anonymization(workspace.get("anonymous", {}), audience)
        """How faces appear in its pictures, of privacy.Anonymization; may be changed at any time."""
        self._stream = Stream(live=True, formula=self._formula, activity=self.lesson.activity)
        self._feed: Feed | None = None
        self._observing = Seconds()
        self._now: deque[FrameResult] = deque()
        self._history: deque[tuple[datetime, int, float, float, float]] = deque(maxlen=LIVE_HISTORY_MINUTES * 60)
        self.hints = audience == "class" and workspace.get("hints", True)
        """Whether hints are given. May be changed while the lesson runs."""
        self._watcher = Watcher(self._formula.bands["low_below"])
        self._alert: Alert | None = None
        self._level = -1
        self._seconds = 0
        self._faces = 0
        self._lock = threading.RLock()
        self._ending = threading.Lock()
        self._patience = patience
        self._heard = time.monotonic()  # when the newest picture was analysed, or the lesson began
        self._away = self._wait(patience)

    @property
    def bands(self) -> dict[str, float]:
        """The limits between the levels of this lesson's formula."""
        return self._formula.bands

    @property
    def activity(self) -> str:
        """What the class is doing, one of formula.ACTIVITIES; it sets what counts as attentive."""
        return self._stream.activity

    @property
    def connected(self) -> bool:
        """Whether a camera is."""
        return self._feed is not None

    def connect(self, deliver: Callable[[Answer], None]) -> Feed:
        """A camera has come (again): its place at the engine. An older connection of the same lesson no longer
        counts."""
        with self._lock:
            self._feed = Feed(self._stream, deliver, FRAMES)
            return self._feed

    def holds(self, feed: Feed) -> bool:
        """Whether that connection is still the lesson's own."""
        return self._feed is feed and self.ended is None

    def disconnect(self, feed: Feed) -> None:
        """The camera has gone, and the lesson waits for its return. The second under way stays open, for the camera may be
        back within it, and a second recorded twice would count its faces twice."""
        with self._lock:
            if self.holds(feed):
                self._feed = None

    def take(self, result: FrameResult) -> dict:
        """Count a result; what the browser draws of it, as plain values for JSON."""
        with self._lock:
            self._heard = time.monotonic()
            if self.ended is None:
                for second in self._observing.add(result):
                    self._record(second)
                self._now.append(result)
                while abs(self._now[0].time - result.time) > NOW:
                    self._now.popleft()
            reading = self._read()
            covered = self._covered(result)
        return {
            "size": [result.width, result.height],
            "covers": covered,
            "faces": describe(result, individuals(self.profile, self.lesson.audience, len(result))),
            "concentration": None if np.isnan(reading.concentration) else round(reading.concentration, 2),
            "level": LEVELS[reading.level] if reading.level >= 0 else None,
            "note": self.workspace.problem or reading.note,
        }

    def view(self) -> View:
        """The state of this moment."""
        with self._lock:
            now = self.clock.now()
            stale = not self._now or now - self._now[-1].time > SILENCE
            reading = Reading(note=_("No picture is coming from the camera.")) if stale else self._read()
            columns = ["time", "faces", "concentration", "low", "high"]
            history = pd.DataFrame(list(self._history), columns=columns).astype({"time": "datetime64[us]"})
            alert = self._alert
            if alert and (not self.hints or now.replace(tzinfo=None) - alert.time > REST):
                alert = None
            problem, lost = self.workspace.problem, self.workspace.lost_seconds(self.number)
            counts = self._seconds, self._faces
            return View(reading, history, self.connected, self.ended, *counts, problem, lost, alert, now)

    def why(self) -> pd.DataFrame:
        """What takes how much from the score of this moment, rows of explanation.parts_table, mean over the faces of the newest
        frame; NaN where nothing may or can be said."""
        with self._lock:
            newest = self._now[-1] if self._now else None
        if newest is None or self._withheld(len(newest), int(np.count_nonzero(~np.isnan(newest.concentration)))):
            return empty_parts(self._formula)
        return frame_parts(newest, self._formula, self.activity)

    def mark(self, kind: str) -> None:
        """Note an event of this moment."""
        self.workspace.add_marker(self.number, kind, self.clock.now())

    def switch(self, activity: str) -> None:
        """From this moment on the class does something else. Saying so twice is allowed: a page that is drawn again meanwhile
        does."""
        if activity == self.activity:
            return
        self.workspace.switch_activity(self.number, activity, self.clock.now())
        self._stream.activity = activity

    def end(self) -> None:
        """Record what is left and close the lesson; one in which no face was seen is deleted. While the database cannot be
        written, the workspace retries. Ending twice is allowed: the second call returns when the first is through.

        Raises:
            StoreError: the workspace is closed.
        """
        with self._ending:
            with self._lock:
                if self.ended is not None:
                    return
                self._away.cancel()
                self.ended = self.clock.now()
                self._feed = None
                self._record(self._observing.flush())
            try:
                if self._seconds:
                    self.workspace.end_lesson(self.number, self.ended)
                else:
                    self.workspace.discard(self.number)
            finally:
                self.written = True

    def _wait(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        return timer

    def _expire(self) -> None:
        with self._lock:
            if self.ended is not None:
                return
            left = self._heard + self._patience - time.monotonic()
            if left > 0:
                self._away = self._wait(left)
                return
        self.expired = True
        try:
            self.end()
        except StoreError as error:
            log.error("Lesson %d could not be ended: %s", self.number, error)

    def _record(self, second: pd.DataFrame) -> None:
        if second.empty:
            return
        self.workspace.record(self.number, second)
        self._seconds += 1
        self._faces = max(self._faces, len(second))
        values = second["concentration"].to_numpy(float)
        shown = not self._withheld(len(second), int(np.count_nonzero(~np.isnan(values))))
        figures = mean_interval(values, quality_weights(second["quality"].to_numpy(float)), second["track"].to_numpy())
        self._history.append((second["time"].iloc[0], len(second), *(figures if shown else [np.nan] * 3)))
        if self.hints:
            self._alert = self._watcher.add(second) or self._alert

    def _read(self) -> Reading:
        if not self._now:
            return Reading()
        newest = self._now[-1]
        faces, measured = len(newest), int(np.count_nonzero(~np.isnan(newest.concentration)))
        reason = newest.reasons[0] if self.lesson.audience == "self" and faces == 1 else ""
        if note := self._withheld(faces, measured):
            return Reading(faces, measured, note=note, reason=reason)
        # Of the last two seconds only frames that may be shown by themselves: no single face hides in the mean.
        shown = [r for r in self._now if not self._withheld(len(r), int(np.count_nonzero(~np.isnan(r.concentration))))]
        values = np.concatenate([r.concentration for r in shown])
        weight = quality_weights(np.concatenate([r.signals.quality for r in shown]))
        tracks = np.concatenate([r.tracks for r in shown])
        mean, low, high = mean_interval(values, weight, tracks)
        self._level = int(levels(np.array([mean]), np.array([self._level]), self._formula)[0])
        expression = None
        if newest.expression is not None:
            rows = np.concatenate([r.expression for r in shown])
            there = ~np.isnan(rows).any(axis=1)
            if there.any() and not self._withheld(faces, len(np.unique(tracks[there]))):
                means = np.average(rows[there], axis=0, weights=weight[there])
                expression = {name: float(p) for name, p in zip(FERPLUS, means, strict=True)}
        return Reading(faces, measured, mean, low, high, self._level, expression, reason=reason)

    def _covered(self, result: FrameResult) -> list[list[list[int]]]:
        """Polygons that hide the faces of this frame, pixels; also those that are lost for a moment, where they were last."""
        last: dict[int, np.ndarray] = {}
        for seen in (*self._now, result):
            ends = box_outlines(seen.faces.boxes) if seen.outlines is None else seen.outlines
            last |= dict(zip(seen.tracks.tolist(), cover_polygons(ends), strict=True))
        return [polygon.round().astype(int).tolist() for polygon in last.values()]

    def _withheld(self, faces: int, measured: int) -> str:
        """Why nothing is said about a frame with that many faces; empty where something may be."""
        if faces and self._formula.limits[self.activity] is None:
            return _(NOT_SCORED[self.activity])
        return withheld(self.lesson.audience, faces, measured)
