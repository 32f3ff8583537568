"""A running lesson: its identity, its camera, its figures and its rows in the store.

Results come on the engine's thread, the page reads `state` on Streamlit's, cameras connect on the web server's. One lock guards
the figures, and the database is never waited for under it. No pixel gets here."""

import logging
import secrets
import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd

from cssafe.frames import FrameResult
from cssafe.live.camera_lease import CameraLease
from cssafe.live.class_view import ClassView
from cssafe.live.clock import LessonClock
from cssafe.live.lesson_state import LessonState
from cssafe.live.transports.messages import Notice, Overlay
from cssafe.observations import Second
from cssafe.pipeline import Stream
from cssafe.privacy import chosen_anonymization
from cssafe.scoring.formula import choose_formula
from cssafe.settings import ABSENCE_TIMEOUT_S, Profile
from cssafe.store import Lesson, StoreError, Workspace

log = logging.getLogger(__name__)

SHARED_VIEWS = ("projector", "phone")
"""Pages that show a class's lesson on another device: to the class, and to its teacher."""


class LiveLesson:
    """One started lesson. It ends by the End button, without pictures for too long, or with the program."""

    def __init__(
        self,
        workspace: Workspace,
        lesson: Lesson,
        number: int,
        class_view: ClassView,
        *,
        clock: LessonClock,
        way: str,
        patience_s: float = ABSENCE_TIMEOUT_S,
    ) -> None:
        """number: of the lesson in the workspace. way: how faces appear in its pictures, of privacy.Anonymization. patience_s:
        see CameraLease."""
        self.workspace = workspace
        self.profile = class_view.profile
        self.lesson = lesson
        self.number = number
        self.class_view = class_view
        self.clock = clock
        """Dates the lesson's frames, markers and activities, and its end."""
        self.way = way
        """May be changed at any time."""
        stream = Stream(live=True, formula=class_view.formula, activity=class_view.activity)
        self.lease = CameraLease(stream, patience_s, self._expire)
        self.token = secrets.token_urlsafe(32)
        """Opens the camera's connection."""
        self.keys = {view: secrets.token_urlsafe(16) for view in SHARED_VIEWS}
        """Key of each of SHARED_VIEWS; none of them opens another, or the camera's connection."""
        self.ended: datetime | None = None
        self.written = False
        """Whether the end is in the database, or could not be written."""
        self._lock = threading.Lock()
        self._ending = threading.Lock()

    @classmethod
    def start(
        cls,
        workspace: Workspace,
        profile: Profile,
        *,
        class_name: str,
        audience: str,
        expected: int | None = None,
        source: str = "camera",
        patience_s: float = ABSENCE_TIMEOUT_S,
        clock: LessonClock | None = None,
        **form: Any,
    ) -> "LiveLesson":
        """Write a new lesson and wait for its camera. audience: "self" if one person films only herself, else "class".
        expected: people in the class, 0 if unknown, remembered for its name; None for the number remembered. source: camera
        or file. clock: None for a new one. form: subject, room, time_zone (and name), as in Lesson.from_form.

        Raises:
            StoreError: the lesson cannot be written.
        """
        clock = clock or LessonClock()
        formula = choose_formula(workspace.get("formula"), profile.expression)
        people = _remember_expected(workspace, class_name, expected) if audience == "class" else 0
        about = (profile.name, str(formula), source, audience, clock.started)
        lesson = Lesson.from_form(*about, class_name=class_name, expected=people, **form)
        number = workspace.start_lesson(lesson)
        hints = audience == "class" and workspace.get("hints", True)
        view = ClassView(profile, audience, formula, lesson.activity, hints, lesson.expected)
        faces = chosen_anonymization(workspace.get("anonymous", {}), audience)
        started = cls(workspace, lesson, number, view, clock=clock, way=faces, patience_s=patience_s)
        started.lease.start()
        return started

    @property
    def bands(self) -> dict[str, float]:
        """The limits between the levels of this lesson's formula."""
        return self.class_view.formula.bands

    @property
    def activity(self) -> str:
        """The activity of the class, of labels.ACTIVITIES. It sets what counts as attentive."""
        return self.class_view.activity

    @property
    def hints(self) -> bool:
        """Whether hints are given. May be changed at any time."""
        return self.class_view.hints

    @hints.setter
    def hints(self, given: bool) -> None:
        self.class_view.hints = given

    @property
    def expired(self) -> bool:
        """Whether the lesson ended by itself because no picture came."""
        return self.lease.expired

    def add_result(self, result: FrameResult) -> Overlay:
        """Count and record an analysed frame; what the browser draws over it."""
        with self._lock:
            self.lease.renew()
            if self.ended is None:
                self._record(self.class_view.add_result(result))
            overlay = self.class_view.overlay(result)
        return replace(overlay, notice=Notice("not_written")) if self.workspace.problem else overlay

    def state(self) -> LessonState:
        """The lesson at this moment."""
        with self._lock:
            now, view = self.clock.now(), self.class_view
            return LessonState(
                reading=view.reading_at(now),
                history=view.history(),
                connected=self.lease.connected,
                ended=self.ended,
                seconds=view.seconds,
                faces=view.faces,
                problem=self.workspace.problem,
                lost=self.workspace.lost_seconds(self.number),
                still=view.still,
                alert=view.alert_at(now),
                now=now,
            )

    def explain_score(self) -> pd.DataFrame:
        """See ClassView.explain_score."""
        with self._lock:
            return self.class_view.explain_score()

    def add_marker(self, kind: str) -> None:
        """Note an event of this moment, of labels.MARKERS."""
        self.workspace.add_marker(self.number, kind, self.clock.now())

    def switch_activity(self, activity: str) -> None:
        """Change the activity from this moment on. The current one changes nothing: a page that is drawn again calls twice."""
        if activity == self.activity:
            return
        self.workspace.switch_activity(self.number, activity, self.clock.now())
        self.class_view.activity = self.lease.stream.activity = activity

    def end(self) -> None:
        """Record what is left and close the lesson; without a face in view it is deleted. While the database cannot be written,
        the workspace retries. A second call waits for the first.

        Raises:
            StoreError: the workspace is closed.
        """
        with self._ending:
            with self._lock:
                if self.ended is not None:
                    return
                self.ended = self.clock.now()
                self.lease.close()
                self._record(self.class_view.finish())
            try:
                if self.class_view.seconds:
                    self.workspace.end_lesson(self.number, self.ended)
                else:
                    self.workspace.discard(self.number)
            finally:
                self.written = True

    def _record(self, seconds: list[Second]) -> None:
        for second in seconds:
            if second.rows.empty:
                self.workspace.record_empty(self.number, second.time)
            else:
                self.workspace.record(self.number, second.rows)

    def _expire(self) -> None:
        try:
            self.end()
        except StoreError as error:
            log.error("Lesson %d could not be ended: %s", self.number, error)


def _remember_expected(workspace: Workspace, class_name: str, expected: int | None) -> int:
    """People expected in a class without a number: those of its last lesson."""
    known = workspace.get("expected", {})
    if expected is None:
        return known.get(class_name, 0)
    if class_name and expected != known.get(class_name, 0):
        workspace.set("expected", known | {class_name: expected})
    return expected
