"""The camera of a lesson: the connection that feeds it, and how long the lesson waits without pictures."""

import threading
import time
from collections.abc import Callable

from cssafe.live.engine import Answer, Feed
from cssafe.pipeline import Stream

MAX_FRAMES_PER_S = 15.0
"""Analysed frames a second of one camera: what it films in a dim room. More would show nothing new."""


class CameraLease:
    """The right to feed one lesson. The newest connection holds it; without an analysed picture it expires."""

    def __init__(self, stream: Stream, patience_s: float, expire: Callable[[], None]) -> None:
        """stream: the pipeline's memory of the lesson's frames. patience_s: seconds without an analysed picture after which
        `expire` is called once, on a thread of its own."""
        self.stream = stream
        self.expired = False
        self._patience_s = patience_s
        self._expire = expire
        self._feed: Feed | None = None
        self._closed = False
        self._renewed = time.monotonic()
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to wait for pictures."""
        self._wait(self._patience_s)

    @property
    def connected(self) -> bool:
        """Whether a camera is connected."""
        return self._feed is not None

    def connect(self, deliver: Callable[[Answer], None]) -> Feed:
        """The engine's feed of a new connection; an older connection loses the lease."""
        feed = Feed(self.stream, deliver, MAX_FRAMES_PER_S)
        with self._lock:
            if not self._closed:
                self._feed = feed
        return feed

    def holds(self, feed: Feed) -> bool:
        """Whether that connection may feed the lesson now."""
        return self._feed is feed

    def disconnect(self, feed: Feed) -> None:
        """The connection has ended; the lesson waits for the next one."""
        with self._lock:
            if self.holds(feed):
                self._feed = None

    def renew(self) -> None:
        """A picture was analysed: the patience starts again."""
        self._renewed = time.monotonic()

    def close(self) -> None:
        """Nobody may feed the lesson any more."""
        with self._lock:
            self._closed, self._feed = True, None
            if self._timer is not None:
                self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._check)
        self._timer.daemon = True
        self._timer.start()

    def _check(self) -> None:
        with self._lock:
            if self._closed:
                return
            left = self._renewed + self._patience_s - time.monotonic()
            if left > 0:
                self._wait(left)
                return
        self.expired = True
        self._expire()
