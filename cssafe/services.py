"""What lives as long as the process: the engine, the file database and the lessons that are running.

Opened and closed by app.py; a page that runs without it (a test) finds everything made at its first use.
"""

import threading

from cssafe import settings
from cssafe.live.engine import Engine
from cssafe.live.room import Room
from cssafe.live.session import LiveLesson
from cssafe.pipeline import Pipeline
from cssafe.store import Workspace

_lock = threading.RLock()
_opening = threading.Lock()  # by itself, for opening a large database must not hold up the cameras
_engine: Engine | None = None
_workspace: Workspace | None = None
_lessons: dict[str, LiveLesson] = {}
_room: Room | None = None


def open() -> None:
    """Start loading the networks in the background, and follow the room's timetable; returns at once."""
    engine()
    room().open()


def close() -> None:
    """End what is running and write what is left; afterwards everything is as before `open`."""
    global _engine, _workspace, _room
    room().close()
    with _lock:
        _room = None
        if _engine is not None:
            _engine.close()
        try:
            for workspace in {lesson.workspace for lesson in _lessons.values()} | {_workspace}:
                if workspace is not None:
                    release(workspace)
        finally:
            _engine, _workspace = None, None


def engine() -> Engine:
    """The engine; see `Engine.state` for whether it is ready."""
    global _engine
    with _lock:
        if _engine is None:
            _engine = Engine(_load).start()
        return _engine


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
        ConfigurationError: the environment's settings cannot be used.
    """
    global _workspace
    with _opening:
        if _workspace is None:
            _workspace = Workspace.open(settings.read().database)
        return _workspace


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


def _forget() -> None:
    for token in [token for token, lesson in _lessons.items() if lesson.ended]:
        del _lessons[token]


def _load() -> Pipeline:
    chosen = settings.read()
    return Pipeline(chosen.profile, chosen.model)
