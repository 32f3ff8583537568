"""What lives as long as the process: the engine, the file database, the visitors' own databases in memory and the lessons
that are running.

Opened and closed by app.py; a page that runs without it (a test) finds everything made at its first use.

Locks, in the order in which one may be taken while another is held:

1. `Room._lock`: beginning and ending the room's lesson.
2. `_opening` and each `Visit._lock`: opening and closing one workspace, held for as long as that takes. Only threads that need
   the same workspace wait.
3. `LiveLesson._ending`: writing the end of one lesson. Only threads that end the same lesson wait.
4. `_lock` here, `LiveLesson._lock`, `Engine._condition`, `Workspace._lock`: held for milliseconds. Nothing under them waits for
   a file, a database or a network, so the web server's event loop may take them. The locks of `Database` it may not.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from copy import copy
from pathlib import Path

from cssafe import settings
from cssafe.errors import ConfigurationError
from cssafe.expression import Expression
from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.room_scheduler import Room
from cssafe.pipeline import Pipeline
from cssafe.settings import ABSENCE_TIMEOUT_S, IDLE_TIMEOUT_MINUTES
from cssafe.store import StoreError, Workspace, restore_file

log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between two looks at who has gone and how fast the engine is."""

started = time.monotonic()
"""When the process began, on the monotonic clock."""

_lock = threading.Lock()
_opening = threading.Lock()
_engine: Engine | None = None
_network: Expression | None = None
_workspace: Workspace | None = None
_store_error: StoreError | None = None
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
                self._workspace = Workspace.open(None, settings.load().profile.expression)
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
        try:
            _release(workspace)
        except StoreError as error:  # nobody is there to read it
            log.error("A visit's workspace could not be closed: %s", error)
        with _lock:
            _visits.discard(self)


def open() -> None:
    """Start loading the networks in the background, look after the visits, and see whether the database can be opened,
    and follow the room's timetable. Returns at once, but for opening the database."""
    engine()
    _ending.clear()
    threading.Thread(target=_look_after, name="visits", daemon=True).start()
    with contextlib.suppress(StoreError, ConfigurationError):  # told by pages and /healthz
        if settings.load().profile.stored:
            workspace()
    room().open()


def close() -> None:
    """End what is running and write what is left; afterwards everything is as before `open`."""
    global _engine, _network, _workspace, _store_error, _room
    room().close()
    _ending.set()
    with _lock:
        running, visits = _engine, list(_visits)
    if running is not None:
        running.close()
    for visit in visits:
        visit.close()
    with _opening:
        with _lock:
            _forget()
            left = {lesson.workspace for lesson in _lessons.values()} | ({_workspace} if _workspace else set())
        try:
            with contextlib.ExitStack() as stack:  # each is released, whatever becomes of the others
                for workspace in left:
                    stack.callback(_release, workspace)
        finally:
            _workspace, _store_error = None, None
            with _lock:
                _engine, _network, _room = None, None, None
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
    with _lock:
        running = _engine
    return running.problem if running is not None else ""


def workspace() -> Workspace:
    """The one database in a file.

    Raises:
        StoreError: it cannot be opened; the next call tries again.
        ConfigurationError: the environment's settings cannot be used, or are such that nothing is kept in a file.
    """
    global _workspace, _store_error
    with _opening:
        if _workspace is None:
            try:
                chosen = settings.load()
                _workspace = Workspace.open(chosen.database, chosen.profile.expression)
                _store_error = None
            except StoreError as error:
                _store_error = copy(error)  # without the traceback, which would keep the page's objects alive
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
        return restore_file(settings.load().database, backup)


def store_problem() -> str:
    """Why the database could not be opened, in words for the user; empty while all is well."""
    return str(_store_error or "")


def store_notice() -> str:
    """What may be missing in the file database after an unclean end, in words; empty after a clean one, or once somebody has
    read it."""
    opened = _workspace
    return "" if opened is None or opened.notice is None else str(opened.notice)


def sweep(idle: float = 60 * IDLE_TIMEOUT_MINUTES, gone: float = ABSENCE_TIMEOUT_S) -> None:
    """Close the workspaces of visits that were not used for `idle` seconds, or whose visitor is away since `gone`."""
    with _lock:
        visits = list(_visits)
    for visit in visits:
        visit.sweep(idle, gone)


def lessons() -> list[LiveLesson]:
    """Those that are running."""
    with _lock:
        _forget()
        return [lesson for lesson in _lessons.values() if lesson.ended is None]


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
        lesson = _lessons.get(token)
    return lesson if lesson is not None and lesson.ended is None else None


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


def _release(workspace: Workspace) -> None:
    """End the workspace's lessons and close it, under the lock that opens it and under no other: both take their time.

    Raises:
        StoreError: the database cannot be written. Each lesson was ended as far as it could be, and the workspace is closed.
    """
    with _lock:
        ending = [lesson for lesson in _lessons.values() if lesson.workspace is workspace]
    with contextlib.ExitStack() as stack:  # backwards and each, whatever becomes of the others
        stack.callback(workspace.close)
        for lesson in ending:  # also one that another thread is ending: it is waited for
            stack.callback(lesson.end)


def _running(workspace: Workspace) -> bool:
    return any(lesson.workspace is workspace for lesson in lessons())


def _look_after() -> None:
    while not _ending.wait(BEAT):
        sweep()
        with _lock:
            if _engine is not None:
                _speeds.append((time.monotonic(), _engine.analyzed))


def _forget() -> None:
    """Lessons whose end is written. To be called under the lock."""
    for token in [token for token, lesson in _lessons.items() if lesson.written]:
        del _lessons[token]


def _load() -> Pipeline:
    global _network
    chosen = settings.load()
    pipeline = Pipeline(chosen.profile, chosen.model, chosen.detector)
    _network = pipeline.network
    return pipeline
