"""The room camera of this computer: one lesson at a time, started and ended by a person or by the timetable, with or without
an open browser.

Kept in the workspace's settings: `room` (source, time_zone), `timetable` (entries as in school.room_timetable) and `room_rests`
(time before which the timetable starts nothing, because a person has ended a lesson)."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cssafe import media, settings
from cssafe.errors import ConfigurationError, CssafeError
from cssafe.language import N_
from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.room_camera import CameraReader, check_source
from cssafe.media import MediaError
from cssafe.school import room_timetable
from cssafe.school.room_timetable import Entry
from cssafe.settings import Settings
from cssafe.store import StoreError, Workspace

log = logging.getLogger(__name__)

TICK_S = 1.0
"""Time between two looks at the timetable."""

RETRY_S = 30.0
"""Time until the timetable is tried again after an error: another program may hold the database."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RoomPlan:
    """The timetable that is followed. source: the camera. paused_until: aware; nothing is started before."""

    source: str = ""
    time_zone: str = "UTC"
    entries: tuple[Entry, ...] = ()
    paused_until: datetime = LONG_AGO


class RoomScheduler:
    """Starts and ends the lessons of the room camera. Its methods may be called from any thread."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        workspace: Callable[[], Workspace],
        register: Callable[[LiveLesson], None],
    ) -> None:
        """engine, workspace: those of the process. register: a lesson then ends with its workspace."""
        self.reader: CameraReader | None = None
        """Of the newest lesson, running or over."""
        self.error: CssafeError | None = None
        """Why the timetable cannot be followed."""
        self._engine = engine
        self._workspace = workspace
        self._register = register
        self._until: datetime | None = None
        self._entry: Entry | None = None
        self._plan = RoomPlan()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._follow, name="timetable", daemon=True)

    def open(self) -> "RoomScheduler":
        """Follow the timetable from now on."""
        self._clock.start()
        return self

    def close(self) -> None:
        """Stop following the timetable. A running lesson ends with its workspace."""
        self._closed.set()
        if self._clock.is_alive():
            self._clock.join(timeout=10)

    @property
    def problem(self) -> str:
        """The error in words for the user."""
        return str(self.error) if self.error else ""

    def running(self) -> CameraReader | None:
        """The reader of the running lesson."""
        return self.reader if self.reader is not None and self.reader.lesson.ended is None else None

    def ends_at(self) -> datetime | None:
        """When the running lesson ends by itself (aware); None if a person must end it."""
        if self._entry is None:
            return self._until
        return room_timetable.due_until(self._entry, datetime.now(UTC), self._plan.time_zone)

    def start(self, workspace: Workspace, source: str, *, until: datetime | None = None, **form: Any) -> None:
        """Start a lesson; it ends at `until` (aware) if nobody ends it before. form: class_name, expected and the form of
        LiveLesson.start.

        Raises:
            ConfigurationError: a lesson runs already, not everybody has agreed, or as `check_source`.
            MediaError: as `check_source`.
            StoreError: the lesson cannot be written.
        """
        with self._lock:
            chosen = self._check_start(workspace, source)
            kind = "camera" if media.is_camera(source) else "file"
            lesson = LiveLesson.start(workspace, chosen.profile, audience="class", source=kind, **form)
            self._register(lesson)
            self.reader = CameraReader(chosen, self._engine(), lesson, source).start()
            self._until, self._entry = until, None

    def _check_start(self, workspace: Workspace, source: str) -> Settings:
        """The settings, where a lesson may start; raises as `start`."""
        chosen = settings.load()
        check_source(chosen, source)
        if self.running() is not None:
            raise ConfigurationError(N_("The room camera runs already. End its lesson before you start another one."))
        if chosen.profile.agreement and not workspace.get("agreed", False):
            raise ConfigurationError(
                N_("Nobody has confirmed yet that everybody in the picture has agreed. Do so on the page Room.")
            )
        return chosen

    def end(self) -> None:
        """End the lesson for a person; the timetable then starts nothing until its lesson of this moment is over.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._lock:
            if (reader := self.running()) is None:
                return
            now, plan = datetime.now(UTC), self._plan
            if (entry := room_timetable.due_entry(plan.entries, now, plan.time_zone)) is not None:
                over = room_timetable.due_until(entry, now, plan.time_zone).astimezone(UTC)
                self._plan = replace(plan, paused_until=over)
                self._workspace().set("room_rests", over.isoformat())
            reader.end()

    def reload(self) -> None:
        """Read camera and timetable from the workspace after a change.

        Raises:
            StoreError: the database cannot be read.
        """
        workspace = self._workspace()
        paused = datetime.fromisoformat(workspace.get("room_rests", LONG_AGO.isoformat()))
        entries = tuple(workspace.get("timetable", ()))
        with self._lock:
            self._plan = RoomPlan(**workspace.get("room", {}), entries=entries, paused_until=paused)

    def tick(self, now: datetime) -> None:
        """End the lesson whose time is over and start the one that is due now (aware).

        Raises:
            ConfigurationError, MediaError, StoreError: as `start`.
        """
        with self._lock:
            plan = self._plan
            entry = room_timetable.due_entry(plan.entries, now, plan.time_zone)
            if (reader := self.running()) is not None:
                over = self._until is not None and now >= self._until
                if not over and self._entry in (None, entry):
                    return
                reader.end()
            if entry is None or now < plan.paused_until:
                return
            form = {name: entry[name] for name in ("class_name", "subject", "room")}
            self.start(self._workspace(), plan.source, time_zone=plan.time_zone, **form)
            self._entry = entry

    def _follow(self) -> None:
        known, pause = False, 0.0
        while not self._closed.wait(pause):
            pause = TICK_S
            try:
                chosen = settings.load()
                if chosen.hosted:
                    return
                if not known and chosen.profile.stored and chosen.database.exists():
                    self.reload()
                known = True
                self.tick(datetime.now(UTC))
                self.error = None
            except (ConfigurationError, MediaError, StoreError) as error:
                if str(error) != self.problem:
                    log.warning("The timetable of the room cannot be followed: %s", error)
                self.error, pause = error, RETRY_S
            except Exception:
                log.exception("The timetable of the room cannot be followed.")
                words = N_("Something unexpected happened; the log has the details. It is tried again.")
                self.error, pause = CssafeError(words), RETRY_S
