"""The thread that runs the networks, fed by every open camera.

Each camera has a `Feed` with room for one waiting frame, the newest: a slow network makes pictures rarer, never later. Feeds
are served in turn, limited to a fair share of the engine's time. Frames go through the networks one by one: batches of eight
cost the detector more time and save the others less than a millisecond each (two cores). An error with a frame is counted and
answered, and the thread lives on. Nothing here knows of Streamlit or of lessons."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cssafe.errors import ConfigurationError
from cssafe.frames import Frame, FrameResult
from cssafe.language import N_
from cssafe.live.transports.messages import SENTENCES
from cssafe.media import MediaError, decode_image
from cssafe.pipeline import Pipeline, Stream

log = logging.getLogger(__name__)

Picture = bytes | np.ndarray
"""An encoded image, which is decoded on the engine's thread, or uint8 (h, w, 3) BGR."""

ENGINE_SHARE = 0.9
"""Share of the thread's time for the feeds; the rest is for the pages and for frames that take longer."""

COST_SMOOTHING = 0.8
"""Weight of the old value in the moving average of a frame's time: ten frames forget one odd one."""

FEED_TIMEOUT_S = 10.0
"""Longest gap between frames of an open feed: a weak line brings one in two seconds."""


@dataclass(frozen=True)
class Answer:
    """The outcome of the frame with that number: a result, or an error, or neither where it was skipped for a newer one."""

    number: int
    result: FrameResult | None = None
    error: MediaError | None = None


class Feed:
    """One camera's place at the engine. stream: its memory between frames. deliver: called once for each frame offered,
    on the engine's thread (on the offering thread for a skipped frame); must return at once. max_rate: frames a second."""

    def __init__(self, stream: Stream, deliver: Callable[[Answer], None], max_rate: float = math.inf) -> None:
        self.stream = stream
        self.deliver = deliver
        self.max_rate = max_rate
        self._waiting: tuple[int, Picture, datetime] | None = None
        self._cost = 0.0  # seconds that one of its frames takes, moving average; 0 before any
        self._due = 0.0  # when its next frame may be taken
        self._seen = 0.0  # when it last showed that it is there; both on the monotonic clock


def fair_shares(demands: list[float], whole: float) -> list[float]:
    """Max-min fair division of `whole`: nobody gets more than demanded, and the rest goes to the others in equal parts."""
    given, left = [0.0] * len(demands), whole
    for done, i in enumerate(sorted(range(len(demands)), key=demands.__getitem__)):
        given[i] = min(demands[i], left / (len(demands) - done))
        left -= given[i]
    return given


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
        self._open: set[Feed] = set()
        self._cost = 0.0  # seconds that a frame takes, moving average over all feeds
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
        """Why loading failed, in the language of the page that asks; empty otherwise."""
        return str(self.loaded.exception()) if self.state == "failed" else ""

    @property
    def waiting(self) -> int:
        """Frames that wait for their turn."""
        return len(self._turn)

    def offer(self, feed: Feed, number: int, picture: Picture, time: datetime) -> None:
        """Offer a frame for analysis; it replaces one that still waits. time: aware, UTC."""
        with self._condition:
            self._see(feed)
            skipped, feed._waiting = feed._waiting, (number, picture, time)
            if skipped is None:
                self._turn.append(feed)
                self._condition.notify()
        if skipped is not None:
            feed.deliver(Answer(skipped[0]))

    def rate(self, feed: Feed) -> float:
        """Frames a second of this feed that the machine carries now, beside all open feeds. The feed counts as open from here
        on."""
        with self._condition:
            self._see(feed)
            return self._rate(feed)

    def leave(self, feed: Feed) -> None:
        """Forget the feed and its waiting frame. A frame that is being analysed is still delivered."""
        with self._condition:
            self._open.discard(feed)
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
        pipeline = self._load_networks()
        while pipeline is not None and (job := self._next()) is not None:
            feed, number, picture, when = job
            begun = time.perf_counter()
            answer = self._analyze(pipeline, feed, number, picture, when)
            self._note(feed, time.perf_counter() - begun)
            self._deliver(feed, answer)

    def _load_networks(self) -> Pipeline | None:
        """The warm pipeline; None where it cannot be loaded, and `loaded` then says why."""
        try:
            pipeline = self._load()
            pipeline.warm()
            begun = time.perf_counter()
            pipeline.warm()  # once more, now that all is prepared: about the time of a frame
            self._cost = time.perf_counter() - begun
        except ConfigurationError as error:
            self.loaded.set_exception(error)
            return None
        except Exception as error:
            log.exception("The networks could not be loaded.")
            words = N_(
                "The networks could not be loaded ({error}). Install the app's requirements again; the server's log has the "
                "details."
            )
            self.loaded.set_exception(ConfigurationError(words, error=error))
            return None
        self.loaded.set_result(None)
        return pipeline

    def _next(self) -> tuple[Feed, int, Picture, datetime] | None:
        """The newest frame of the due feed that has waited longest; None at the end."""
        with self._condition:
            while not self._closed:
                now = time.monotonic()
                feed = next((feed for feed in self._turn if feed._due <= now), None)
                if feed is None:
                    self._condition.wait(min((feed._due - now for feed in self._turn), default=None))
                    continue
                self._turn.remove(feed)
                assert feed._waiting is not None, "a feed in turn has a frame waiting"
                job, feed._waiting = feed._waiting, None
                # Half a period is forgiven, so that a frame which the line brought late does not make the next one late.
                period = 1 / self._rate(feed)
                feed._due = max(feed._due, now - period / 2) + period
                return feed, *job
            return None

    def _see(self, feed: Feed) -> None:
        now = time.monotonic()
        feed._seen = now
        self._open.add(feed)
        self._open = {other for other in self._open if now - other._seen < FEED_TIMEOUT_S}

    def _rate(self, feed: Feed) -> float:
        feeds = list(self._open | {feed})
        costs = [max(f._cost or self._cost, 1e-4) for f in feeds]
        given = fair_shares([f.max_rate * cost for f, cost in zip(feeds, costs, strict=True)], ENGINE_SHARE)
        own = feeds.index(feed)
        return given[own] / costs[own]

    def _note(self, feed: Feed, seconds: float) -> None:
        with self._condition:
            # A feed starts from the time of other frames: its first may wait for networks of its picture's shape.
            for owner in (feed, self):
                owner._cost = COST_SMOOTHING * (owner._cost or self._cost) + (1 - COST_SMOOTHING) * seconds

    def _analyze(self, pipeline: Pipeline, feed: Feed, number: int, picture: Picture, when: datetime) -> Answer:
        try:
            image = decode_image(picture) if isinstance(picture, bytes) else picture
            result = pipeline.analyze(Frame(image, when), feed.stream)
            self.analyzed += 1
            return Answer(number, result)
        except MediaError as error:
            self.failed += 1
            return Answer(number, error=error)
        except Exception:
            self._failure("A frame could not be analysed")
            return Answer(number, error=MediaError(SENTENCES["not_analysed"]))

    def _deliver(self, feed: Feed, answer: Answer) -> None:
        try:
            feed.deliver(answer)
        except Exception:
            self._failure("An answer could not be delivered")

    def _failure(self, what: str) -> None:
        self.failed += 1
        if self.failed & (self.failed - 1) == 0:  # the 1st, 2nd, 4th, 8th...: a camera fails fifteen times a second
            log.exception("%s (%d so far).", what, self.failed)
