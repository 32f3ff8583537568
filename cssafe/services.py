"""What lives as long as the process: the engine, the file database, the visitors' own databases in memory and the lessons
that are running.

Opened and closed by app.py; a page that runs without it (a test) finds everything made at its first use.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from cssafe import settings
from cssafe.expression import Expression
from cssafe.live.engine import Engine
from cssafe.live.room import Room
from cssafe.live.session import LiveLesson
from cssafe.pipeline import Pipeline
from cssafe.settings import GONE, IDLE_MINUTES, ConfigurationError
from cssafe.store import StoreError, Workspace, restore_file

log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between two looks at who has gone and how fast the engine is."""

started = time.time()
"""When the process began, seconds since 1970."""

_lock = threading.RLock()
_opening = threading.Lock()  # by itself, for opening a large database must not hold up the cameras
_engine: Engine | None = None
_network: Expression | None = None
_workspace: Workspace | None = None
_store_problem = ""
_lessons: dict[str, LiveLesson] = {}
_room: Room | None = None
_visits: "set[Visit]" = set()  # those whose workspace is open
_speeds: deque[tuple[float, int]] = deque(maxlen=3)  # monotonic seconds and frames analysed until then, one a beat
_ending = threading.Event()


class Visit:
    """A visitor's own workspace in memory: opened when it is asked for, closed when nobody has used it for a while or
    when the visitor has gone, and reached by nobody else."""

    def __init__(self, present: Callable[[], bool] = lambda: True) -> None:
        """present: whether the visitor's page is connected at this moment."""
        self.renewed = False
        """Whether an earlier workspace of this visit was closed; who tells the visitor sets it back."""
        self._present = present
        self._workspace: Workspace | None = None
        self._used = self._seen = time.monotonic()
        self._lock = threading.Lock()

    def workspace(self) -> Workspace:
        """The open workspace, an empty one if it has been closed.

        Raises:
            StoreError: it cannot be opened.
        """
        with self._lock:
            self._used = self._seen = time.monotonic()
            if self._workspace is None:
                self._workspace = Workspace.open(None)
                with _lock:
                    _visits.add(self)
            return self._workspace

    def sweep(self, idle: float, gone: float) -> None:
        """Close the workspace if it was not asked for for `idle` seconds, or its visitor not seen for `gone`. A running
        lesson is use."""
        with self._lock:
            now = time.monotonic()
            if self._present():
                self._seen = now
            if self._workspace is None:
                return
            if _running(self._workspace):
                self._used = now
            elif now - self._used >= idle or now - self._seen >= gone:
                self._close(self._workspace)

    def close(self) -> None:
        """End its lesson and close the workspace."""
        with self._lock:
            if self._workspace is not None:
                self._close(self._workspace)

    def _close(self, workspace: Workspace) -> None:
        self._workspace, self.renewed = None, True
        with _lock:
            _visits.discard(self)
        try:
            release(workspace)
        except StoreError as error:  # nobody is there to read it
            log.error("A visit's workspace could not be closed: %s", error)


def open() -> None:
    """Start loading the networks in the background, look after the visits, and see whether the database can be opened,
    and follow the room's timetable. Returns at once, but for opening the database."""
    engine()
    _ending.clear()
    threading.Thread(target=_look_after, name="visits", daemon=True).start()
    with contextlib.suppress(StoreError, ConfigurationError):  # told by pages and /healthz
        if settings.read().profile.stored:
            workspace()
    room().open()


def close() -> None:
    """End what is running and write what is left; afterwards everything is as before `open`."""
    global _engine, _network, _workspace, _store_problem, _room
    room().close()  # without the lock, for its thread may wait for it
    _ending.set()
    with _lock:
        _room = None
        running, visits = _engine, list(_visits)
    if running is not None:
        running.close()
    for visit in visits:
        visit.close()
    with _lock:
        try:
            for workspace in {lesson.workspace for lesson in _lessons.values()} | {_workspace}:
                if workspace is not None:
                    release(workspace)
        finally:
            _engine, _network, _workspace, _store_problem = None, None, None, ""
            _speeds.clear()


def engine() -> Engine:
    """The engine; see `Engine.state` for whether it is ready."""
    global _engine
    with _lock:
        if _engine is None:
            _engine = Engine(_load).start()
        return _engine


def network() -> Expression | None:
    """The expression network that is served, for what it tells of itself: only the engine's thread runs it. None while it is
    loaded, and where the profile has none."""
    return _network


def room() -> Room:
    """The room camera of this computer."""
    global _room
    with _lock:
        if _room is None:
            _room = Room(engine, workspace, register)
        return _room


def problem() -> str:
    """Why the networks could not be loaded, in words for the user; empty while all is well."""
    return _engine.problem if _engine is not None else ""


def workspace() -> Workspace:
    """The one database in a file.

    Raises:
        StoreError: it cannot be opened; the next call tries again.
        ConfigurationError: the environment's settings cannot be used, or are such that nothing is kept in a file.
    """
    global _workspace, _store_problem
    with _opening:
        if _workspace is None:
            try:
                _workspace = Workspace.open(settings.read().database)
                _store_problem = ""
            except StoreError as error:
                _store_problem = str(error)
                raise
        return _workspace


def restore(backup: Path) -> Path | None:
    """Put a backup in the place of the one database in a file, also of one that cannot be opened; where the replaced
    database is kept.

    Raises:
        StoreError: as Workspace.restore.
    """
    with _opening:
        if _workspace is not None:
            return _workspace.restore(backup)
        return restore_file(settings.read().database, backup)


def store_problem() -> str:
    """Why the database could not be opened, in words for the user; empty while all is well."""
    return _store_problem


def sweep(idle: float = 60 * IDLE_MINUTES, gone: float = GONE) -> None:
    """Close the workspaces of visits that were not used for `idle` seconds, or whose visitor is away since `gone`."""
    with _lock:
        visits = list(_visits)
    for visit in visits:
        visit.sweep(idle, gone)


def lessons() -> list[LiveLesson]:
    """Those that are running."""
    with _lock:
        _forget()
        return list(_lessons.values())


def workspaces() -> list[Workspace]:
    """Those that are open, the file's and the visits'."""
    with _lock:
        opened = [visit._workspace for visit in _visits] + [_workspace]
    return [workspace for workspace in opened if workspace is not None]


def speed() -> float:
    """Frames analysed a second, over the last ten seconds or so."""
    with _lock:
        if _engine is None or not _speeds:
            return 0.0
        then, before = _speeds[0]
        return max(_engine.analyzed - before, 0) / max(time.monotonic() - then, 1.0)


def register(lesson: LiveLesson) -> None:
    """From now on the lesson's camera may connect."""
    with _lock:
        _forget()
        _lessons[lesson.token] = lesson


def find(token: str) -> LiveLesson | None:
    """The running lesson of that token."""
    with _lock:
        _forget()
        return _lessons.get(token)


def watched(view: str, key: str) -> LiveLesson | None:
    """The running lesson of a class that this key opens in that view, one of live.session.VIEWS."""
    found = (lesson for lesson in classes() if secrets.compare_digest(lesson.keys[view].encode(), key.encode()))
    return next(found, None)


def classes(workspace: Workspace | None = None) -> list[LiveLesson]:
    """The running lessons of classes, of the workspace if one is named: only these may be watched from other devices."""
    return [
        lesson
        for lesson in lessons()
        if lesson.lesson.audience == "class" and (workspace is None or lesson.workspace is workspace)
    ]


def release(workspace: Workspace) -> None:
    """End the workspace's running lessons and close it."""
    with _lock:
        try:
            for lesson in _lessons.values():
                if lesson.workspace is workspace:
                    lesson.end()
            _forget()
        finally:
            workspace.close()


def _running(workspace: Workspace) -> bool:
    with _lock:
        return any(lesson.workspace is workspace and not lesson.ended for lesson in _lessons.values())


def _look_after() -> None:
    while not _ending.wait(BEAT):
        sweep()
        with _lock:
            if _engine is not None:
                _speeds.append((time.monotonic(), _engine.analyzed))


def _forget() -> None:
    for token in [token for token, lesson in _lessons.items() if lesson.ended]:
        del _lessons[token]


def _load() -> Pipeline:
    global _network
    chosen = settings.read()
    pipeline = Pipeline(chosen.profile, chosen.model, chosen.detector)
    _network = pipeline.network
    return pipeline
