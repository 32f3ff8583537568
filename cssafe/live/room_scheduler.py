"""The room camera of this computer: one lesson at a time, begun and ended by a person or by the timetable, whether a
browser is open or not.

What it needs to know is kept in the workspace's settings: `room` (source, time_zone), `timetable` (entries as in
cssafe.school.room_timetable) and `room_rests` (until when the timetable starts nothing, because a person has ended a
lesson)."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cssafe import media, settings
from cssafe.errors import CssafeError
from cssafe.language import N_
from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.room_camera import Capture, check
from cssafe.media import MediaError
from cssafe.school import room_timetable
from cssafe.school.room_timetable import Entry
from cssafe.settings import ConfigurationError
from cssafe.store import StoreError, Workspace

log = logging.getLogger(__name__)

GLANCE = 1.0
"""Seconds between two looks at the clock."""

RETRY = 30.0
"""Seconds until the timetable is tried again after it could not be followed: another program may hold the database."""


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """The timetable as it is followed. source: the camera. rests: aware; nothing is started before."""

    source: str = ""
    time_zone: str = "UTC"
    entries: tuple[Entry, ...] = ()
    rests: datetime = LONG_AGO


class Room:
    """What is asked of it may come from any thread."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        workspace: Callable[[], Workspace],
        register: Callable[[LiveLesson], None],
    ) -> None:
        """engine, workspace: the process's own. register: makes a lesson end with the process and its workspace."""
        self.capture: Capture | None = None
        """The newest one, running or over."""
        self.error: CssafeError | None = None
        """Why the timetable cannot be followed."""
        self._engine = engine
        self._workspace = workspace
        self._register = register
        self._until: datetime | None = None
        self._entry: Entry | None = None
        self._plan = Plan()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._follow, name="timetable", daemon=True)

    def open(self) -> "Room":
        """Follow the timetable from now on, where there may be one."""
        self._clock.start()
        return self

    def close(self) -> None:
        """Follow the timetable no more. The running lesson is left to be ended by whoever closes its workspace."""
        self._closed.set()
        if self._clock.is_alive():
            self._clock.join(timeout=10)

    @property
    def problem(self) -> str:
        """The error in words for the user."""
        return str(self.error) if self.error else ""

    def running(self) -> Capture | None:
        """The capture of the lesson under way."""
        return self.capture if self.capture is not None and self.capture.lesson.ended is None else None

    def until(self) -> datetime | None:
        """When the lesson under way ends by itself (aware); None if a person must end it."""
        if self._entry is None:
            return self._until
        return room_timetable.ends(self._entry, datetime.now(UTC), self._plan.time_zone)

    def start(
        self,
        workspace: Workspace,
        source: str,
        *,
        class_name: str,
        subject: str,
        room: str,
        time_zone: str,
        until: datetime | None = None,
    ) -> None:
        """Begin a lesson; it ends at `until` (aware) if nobody ends it before. The rest is as of LiveLesson.

        Raises:
            ConfigurationError: a lesson runs already, not everybody has agreed, or as `check`.
            MediaError: as `check`.
            StoreError: the lesson cannot be written.
        """
        with self._lock:
            chosen = settings.read()
            check(chosen, source)
            if self.running() is not None:
                raise ConfigurationError(
                    N_("The room camera runs already. End its lesson before you start another one.")
                )
            if chosen.profile.agreement and not workspace.get("agreed", False):
                raise ConfigurationError(
                    N_("Nobody has confirmed yet that everybody in the picture has agreed. Do so on the page Room.")
                )
            lesson = LiveLesson.start(
                workspace,
                chosen.profile,
                class_name=class_name,
                subject=subject,
                room=room,
                time_zone=time_zone,
                audience="class",
                source="camera" if media.is_camera(source) else "file",
            )
            self._register(lesson)
            self.capture, self._until, self._entry = Capture(chosen, self._engine(), lesson, source), until, None

    def end(self) -> None:
        """A person ends the lesson: the timetable starts nothing either until its lesson of this moment is over.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._lock:
            if (capture := self.running()) is None:
                return
            now, plan = datetime.now(UTC), self._plan
            if (entry := room_timetable.due(plan.entries, now, plan.time_zone)) is not None:
                rests = room_timetable.ends(entry, now, plan.time_zone).astimezone(UTC)
                self._plan = replace(plan, rests=rests)
                self._workspace().set("room_rests", rests.isoformat())
            capture.end()

    def reload(self) -> None:
        """Read camera and timetable again from the workspace, after they have been changed.

        Raises:
            StoreError: the database cannot be read.
        """
        workspace = self._workspace()
        rests = datetime.fromisoformat(workspace.get("room_rests", LONG_AGO.isoformat()))
        with self._lock:
            self._plan = Plan(**workspace.get("room", {}), entries=tuple(workspace.get("timetable", ())), rests=rests)

    def glance(self, now: datetime) -> None:
        """Do what is due at this moment (aware): end the lesson whose time is over, start the one whose time has come.

        Raises:
            ConfigurationError, MediaError, StoreError: as `start`.
        """
        with self._lock:
            plan = self._plan
            entry = room_timetable.due(plan.entries, now, plan.time_zone)
            if (capture := self.running()) is not None:
                over = self._until is not None and now >= self._until
                if not over and self._entry in (None, entry):
                    return
                capture.end()
            if entry is None or now < plan.rests:
                return
            form = {name: entry[name] for name in ("class_name", "subject", "room")}
            self.start(self._workspace(), plan.source, time_zone=plan.time_zone, **form)
            self._entry = entry

    def _follow(self) -> None:
        known, pause = False, 0.0
        while not self._closed.wait(pause):
            pause = GLANCE
            try:
                chosen = settings.read()
                if chosen.hosted:
                    return
                if not known and chosen.profile.stored and chosen.database.exists():
                    self.reload()
                known = True
                self.glance(datetime.now(UTC))
                self.error = None
            except (ConfigurationError, MediaError, StoreError) as error:
                if str(error) != self.problem:
                    log.warning("The timetable of the room cannot be followed: %s", error)
                self.error, pause = error, RETRY
            except Exception:
                log.exception("The timetable of the room cannot be followed.")
                words = N_("Something unexpected happened; the log has the details. It is tried again.")
                self.error, pause = CssafeError(words), RETRY
