"""Objects that live as long as the process: engine, database file, private workspaces, running lessons, room camera.

`current()` is the object that every page uses. app.py's lifespan opens and closes it; tests install their own.

Lock order. A lock may be taken while a lock with a smaller number is held:

1. `RoomScheduler._lock`: start and end of the room's lesson.
2. `Services._opening` and each `Visit._lock`: opening and closing one workspace. Only threads that need the same workspace
   wait.
3. `LiveLesson._ending`: writing the end of one lesson. Only threads that end the same lesson wait.
4. `Services._lock`, `LiveLesson._lock`, `CameraLease._lock`, `Engine._condition`, `WriteQueue._lock`: held for milliseconds, in
   this order. No file, database or network is used under them, so the event loop may take them. It must not take the locks
   of `Database`.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path

from cssafe import settings
from cssafe.errors import ConfigurationError
from cssafe.expression import Expression
from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.room_scheduler import RoomScheduler
from cssafe.pipeline import Pipeline
from cssafe.settings import ABSENCE_TIMEOUT_S, IDLE_TIMEOUT_MINUTES
from cssafe.store import StoreError, Workspace, restore_file

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 5.0
"""Time between two checks for idle visits and two samples of the engine's speed."""


def load_pipeline() -> Pipeline:
    """The pipeline with the networks that the environment's settings name.

    Raises:
        ConfigurationError: a setting or a network cannot be used.
    """
    chosen = settings.load()
    return Pipeline(chosen.profile, chosen.model, chosen.detector)


class Visit:
    """A visitor's private workspace in memory. It is opened at its first use, and closed when it is idle or its visitor has
    gone."""

    def __init__(self, services: "Services", present: Callable[[], bool] = lambda: True) -> None:
        """present: whether the visitor's page is connected at this moment."""
        self.renewed = False
        """Whether an earlier workspace of this visit was closed; the page that shows this sets it back."""
        self.opened: Workspace | None = None
        self._services = services
        self._present = present
        self._used = self._seen = time.monotonic()
        self._lock = threading.Lock()

    def workspace(self) -> Workspace:
        """The open workspace, an empty one if it has been closed.

        Raises:
            StoreError: it cannot be opened.
        """
        with self._lock:
            self._used = self._seen = time.monotonic()
            if self.opened is None:
                self.opened = Workspace.open(None, settings.load().profile.expression)
                self._services.add_visit(self)
            return self.opened

    def sweep(self, idle: float, gone: float) -> None:
        """Close the workspace if it was not used for `idle` seconds or its visitor was away for `gone` seconds. A running
        lesson counts as use."""
        with self._lock:
            now = time.monotonic()
            if self._present():
                self._seen = now
            if self.opened is None:
                return
            if any(lesson.workspace is self.opened for lesson in self._services.lessons()):
                self._used = now
            elif now - self._used >= idle or now - self._seen >= gone:
                self._close(self.opened)

    def close(self) -> None:
        """End its lesson and close the workspace."""
        with self._lock:
            if self.opened is not None:
                self._close(self.opened)

    def _close(self, workspace: Workspace) -> None:
        self.opened, self.renewed = None, True
        try:
            self._services.release(workspace)
        except StoreError as error:  # nobody is there to read it
            log.error("A visit's workspace could not be closed: %s", error)
        self._services.remove_visit(self)


class Services:
    """One process's engine, workspaces, lessons and room camera, each made at its first use."""

    def __init__(self, load: Callable[[], Pipeline] = load_pipeline) -> None:
        """load: makes the pipeline, on the engine's thread; may raise ConfigurationError."""
        self.started = time.monotonic()
        """Seconds on the monotonic clock."""
        self._load = load
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._network: Expression | None = None
        self._workspace: Workspace | None = None
        self._store_error: StoreError | None = None
        self._lessons: dict[str, LiveLesson] = {}
        self._room: RoomScheduler | None = None
        self._visits: set[Visit] = set()
        """Those whose workspace is open."""
        self._speeds: deque[tuple[float, int]] = deque(maxlen=3)
        """Monotonic seconds and the engine's count of frames at each sweep."""
        self._closing = threading.Event()

    def open(self) -> None:
        """Load the networks in the background, start the sweeps and follow the room's timetable. Returns once the database has
        been tried."""
        self.engine()
        self._closing.clear()
        threading.Thread(target=self._sweep_regularly, name="visits", daemon=True).start()
        with contextlib.suppress(StoreError, ConfigurationError):  # pages and /healthz show it
            if settings.load().profile.stored:
                self.workspace()
        self.room().open()

    def close(self) -> None:
        """End what is running and write what is left. Afterwards the object is as new.

        Raises:
            StoreError: the database cannot be written; all that could be closed is.
        """
        self.room().close()
        self._closing.set()
        with self._lock:
            running, visits = self._engine, list(self._visits)
        if running is not None:
            running.close()
        for visit in visits:
            visit.close()
        with self._opening:
            with self._lock:
                self._forget_written()
                left = {lesson.workspace for lesson in self._lessons.values()}
            if self._workspace is not None:
                left.add(self._workspace)
            try:
                with contextlib.ExitStack() as stack:  # each is released even where another fails
                    for workspace in left:
                        stack.callback(self.release, workspace)
            finally:
                self._workspace, self._store_error = None, None
                with self._lock:
                    self._engine, self._network, self._room = None, None, None
                    self._speeds.clear()

    def engine(self) -> Engine:
        """The engine; `Engine.state` says whether it is ready."""
        with self._lock:
            if self._engine is None:
                self._engine = Engine(self._load_network).start()
            return self._engine

    def network(self) -> Expression | None:
        """The served expression network, for its metadata: only the engine's thread runs it. None while it is loaded, and
        where the profile has none."""
        return self._network

    def room(self) -> RoomScheduler:
        """The room camera of this computer."""
        with self._lock:
            if self._room is None:
                self._room = RoomScheduler(self.engine, self.workspace, self.register)
            return self._room

    def problem(self) -> str:
        """Why the networks could not be loaded, in words for the user; empty while all is well."""
        with self._lock:
            running = self._engine
        return running.problem if running is not None else ""

    def workspace(self) -> Workspace:
        """The workspace of the database file.

        Raises:
            StoreError: it cannot be opened; the next call tries again.
            ConfigurationError: the environment's settings cannot be used, or keep nothing in a file.
        """
        with self._opening:
            if self._workspace is None:
                try:
                    chosen = settings.load()
                    self._workspace = Workspace.open(chosen.database, chosen.profile.expression)
                    self._store_error = None
                except StoreError as error:
                    self._store_error = copy(error)  # without the traceback, which would keep the page's objects alive
                    raise
            return self._workspace

    def restore(self, backup: Path) -> Path | None:
        """Replace the database file by a backup, also a file that cannot be opened; where the replaced file is kept.

        Raises:
            StoreError: as Workspace.restore.
        """
        with self._opening:
            if self._workspace is not None:
                return self._workspace.restore(backup)
            return restore_file(settings.load().database, backup)

    def store_problem(self) -> str:
        """Why the database file could not be opened, in words for the user; empty while all is well."""
        return str(self._store_error or "")

    def store_notice(self) -> str:
        """What may be missing in the database file after an unclean end, in words; empty once it was read."""
        opened = self._workspace
        return "" if opened is None or opened.notice is None else str(opened.notice)

    def visit(self, present: Callable[[], bool] = lambda: True) -> Visit:
        """A new visitor's private workspace. present: whether the visitor's page is connected at this moment."""
        return Visit(self, present)

    def add_visit(self, visit: Visit) -> None:
        """The visit's workspace is open: sweeps and `close` reach it."""
        with self._lock:
            self._visits.add(visit)

    def remove_visit(self, visit: Visit) -> None:
        """The visit's workspace is closed."""
        with self._lock:
            self._visits.discard(visit)

    def sweep(self, idle: float = 60 * IDLE_TIMEOUT_MINUTES, gone: float = ABSENCE_TIMEOUT_S) -> None:
        """Close the workspaces of visits that were idle for `idle` seconds or whose visitor was away for `gone` seconds."""
        with self._lock:
            visits = list(self._visits)
        for visit in visits:
            visit.sweep(idle, gone)

    def workspaces(self) -> list[Workspace]:
        """Open workspaces, the file's and the visits'."""
        with self._lock:
            opened = [visit.opened for visit in self._visits] + [self._workspace]
        return [workspace for workspace in opened if workspace is not None]

    def speed(self) -> float:
        """Frames analysed a second, over the last ten seconds or so."""
        with self._lock:
            if self._engine is None or not self._speeds:
                return 0.0
            then, before = self._speeds[0]
            return max(self._engine.analyzed - before, 0) / max(time.monotonic() - then, 1.0)

    def register(self, lesson: LiveLesson) -> None:
        """From now on the lesson's camera may connect, and the lesson ends with its workspace."""
        with self._lock:
            self._forget_written()
            self._lessons[lesson.token] = lesson

    def lessons(self) -> list[LiveLesson]:
        """Running lessons."""
        with self._lock:
            self._forget_written()
            return [lesson for lesson in self._lessons.values() if lesson.ended is None]

    def find(self, token: str) -> LiveLesson | None:
        """The running lesson of that token."""
        with self._lock:
            lesson = self._lessons.get(token)
        return lesson if lesson is not None and lesson.ended is None else None

    def find_shared(self, view: str, key: str) -> LiveLesson | None:
        """The running lesson of a class that this key opens in that view, one of live.lesson.VIEWS."""
        found = (
            lesson for lesson in self.classes() if secrets.compare_digest(lesson.keys[view].encode(), key.encode())
        )
        return next(found, None)

    def classes(self, workspace: Workspace | None = None) -> list[LiveLesson]:
        """Running lessons of classes, of one workspace if it is given: only these can be watched from other devices."""
        return [
            lesson
            for lesson in self.lessons()
            if lesson.lesson.audience == "class" and (workspace is None or lesson.workspace is workspace)
        ]

    def release(self, workspace: Workspace) -> None:
        """End the workspace's lessons and close it. Both take time: hold only the lock that opens this workspace.

        Raises:
            StoreError: the database cannot be written. Each lesson was ended if it could be, and the workspace is closed.
        """
        with self._lock:
            ending = [lesson for lesson in self._lessons.values() if lesson.workspace is workspace]
        with contextlib.ExitStack() as stack:  # in reverse order, each even where another fails
            stack.callback(workspace.close)
            for lesson in ending:  # also one that another thread is ending: this waits for it
                stack.callback(lesson.end)

    def _sweep_regularly(self) -> None:
        while not self._closing.wait(SWEEP_INTERVAL_S):
            self.sweep()
            with self._lock:
                if self._engine is not None:
                    self._speeds.append((time.monotonic(), self._engine.analyzed))

    def _forget_written(self) -> None:
        """Drop lessons whose end is written. Call under the lock."""
        for token in [token for token, lesson in self._lessons.items() if lesson.written]:
            del self._lessons[token]

    def _load_network(self) -> Pipeline:
        pipeline = self._load()
        self._network = pipeline.network
        return pipeline


_installed = [Services()]


def current() -> Services:
    """The services of this process, or those that a test has installed."""
    return _installed[-1]


@contextlib.contextmanager
def install(services: Services) -> Iterator[Services]:
    """Use these services inside the block, then close them."""
    _installed.append(services)
    try:
        yield services
    finally:
        try:
            services.close()
        finally:
            _installed.remove(services)
