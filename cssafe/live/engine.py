"""One thread that runs the networks, fed by every open camera.

Each camera has a `Feed` with room for one waiting frame, the newest: a slow network makes pictures rarer, never later.
Waiting feeds are served in turn, so that nobody's camera starves another's. What goes wrong with a frame is counted and
answered; the thread lives on. Nothing here knows of Streamlit or of lessons."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cssafe.frames import Frame, FrameResult
from cssafe.media import MediaError, decode
from cssafe.pipeline import Pipeline, Stream
from cssafe.settings import ConfigurationError

log = logging.getLogger(__name__)

Picture = bytes | np.ndarray
"""An encoded image, which is decoded on the engine's thread, or uint8 (h, w, 3) BGR."""


@dataclass(frozen=True)
class Answer:
    """What became of the frame with that number: a result; or a problem, in words for the user; or, with neither, it
    was passed over for a newer one."""

    number: int
    result: FrameResult | None = None
    problem: str = ""


class Feed:
    """One camera's place at the engine. stream: its memory between frames. deliver: called once for each frame offered,
    on the engine's thread (on the offering thread for a frame passed over); must return at once."""

    def __init__(self, stream: Stream, deliver: Callable[[Answer], None]) -> None:
        self.stream = stream
        self.deliver = deliver
        self._waiting: tuple[int, Picture, datetime] | None = None


class Engine:
    """Owns the pipeline and the only thread that runs it."""

    def __init__(self, load: Callable[[], Pipeline]) -> None:
        """load: makes the pipeline, on the engine's thread; may raise ConfigurationError."""
        self.loaded: Future[None] = Future()
        """Done when the networks are loaded and warm; its exception is a ConfigurationError with a message for the
        user."""
        self.analyzed = 0
        self.failed = 0
        self._load = load
        self._turn: deque[Feed] = deque()
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self.loaded.set_running_or_notify_cancel()

    def start(self) -> "Engine":
        self._thread.start()
        return self

    @property
    def state(self) -> str:
        """loading, ready or failed."""
        if not self.loaded.done():
            return "loading"
        return "failed" if self.loaded.exception() else "ready"

    @property
    def problem(self) -> str:
        """Why loading failed, in words for the user; empty otherwise."""
        return str(self.loaded.exception()) if self.state == "failed" else ""

    @property
    def waiting(self) -> int:
        """Frames that wait for their turn."""
        return len(self._turn)

    def offer(self, feed: Feed, number: int, picture: Picture, time: datetime) -> None:
        """Leave a frame for analysis; one that still waits there is passed over. time: aware, UTC."""
        with self._condition:
            passed_over, feed._waiting = feed._waiting, (number, picture, time)
            if passed_over is None:
                self._turn.append(feed)
                self._condition.notify()
        if passed_over is not None:
            feed.deliver(Answer(passed_over[0]))

    def leave(self, feed: Feed) -> None:
        """Forget the feed's waiting frame. One already being analysed is still delivered."""
        with self._condition:
            feed._waiting = None
            if feed in self._turn:
                self._turn.remove(feed)

    def close(self) -> None:
        """End the thread after the frame it works on."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            pipeline = self._load()
            pipeline.warm()
        except ConfigurationError as error:
            self.loaded.set_exception(error)
            return
        except Exception as error:
            log.exception("The networks could not be loaded.")
            self.loaded.set_exception(
                ConfigurationError(
                    f"The networks could not be loaded ({error}). Install the app's requirements again; "
                    "the server's log has the details."
                )
            )
            return
        self.loaded.set_result(None)
        while (job := self._next()) is not None:
            feed, number, picture, time = job
            self._deliver(feed, self._analyze(pipeline, feed, number, picture, time))

    def _next(self) -> tuple[Feed, int, Picture, datetime] | None:
        with self._condition:
            self._condition.wait_for(lambda: self._turn or self._closed)
            if self._closed:
                return None
            feed = self._turn.popleft()
            assert feed._waiting is not None, "a feed in turn has a frame waiting"
            job, feed._waiting = feed._waiting, None
            return feed, *job

    def _analyze(self, pipeline: Pipeline, feed: Feed, number: int, picture: Picture, time: datetime) -> Answer:
        try:
            image = decode(picture) if isinstance(picture, bytes) else picture
            result = pipeline.analyze(Frame(image, time), feed.stream)
            self.analyzed += 1
            return Answer(number, result)
        except MediaError as error:
            self.failed += 1
            return Answer(number, problem=str(error))
        except Exception:
            self._failure("A frame could not be analysed")
            return Answer(number, problem="This picture could not be analysed; the next one is tried.")

    def _deliver(self, feed: Feed, answer: Answer) -> None:
        try:
            feed.deliver(answer)
        except Exception:
            self._failure("An answer could not be delivered")

    def _failure(self, what: str) -> None:
        self.failed += 1
        if self.failed & (self.failed - 1) == 0:  # the 1st, 2nd, 4th, 8th...: a camera fails fifteen times a second
            log.exception("%s (%d so far).", what, self.failed)
