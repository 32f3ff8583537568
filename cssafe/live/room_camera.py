"""A camera of this computer's own, without a browser: its frames go to the engine for one lesson, until the lesson
ends.

A camera that is lost is sought again, ever more rarely, and found in the same lesson. A video file in its place plays in
its own time and begins again at its end, as a camera has none. Pictures live in memory until the next one is there."""

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cssafe import media
from cssafe.language import N_, _
from cssafe.live.engine import Answer, Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.messages import Overlay
from cssafe.media import MediaError, hidden
from cssafe.settings import ConfigurationError, Settings
from cssafe.vision.anonymize import cover
from cssafe.vision.preview import preview

log = logging.getLogger(__name__)

BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each try to find a lost camera again; the last one is kept."""

TRIAL = 3.0
"""Seconds of video by which a camera is tried."""

PREVIEW = 960
"""Pixels of the preview's longer side at most: it is sent once a second."""

HOSTED = N_(
    "This CSSAFE is hosted, so that it opens no camera of its own. Run it on a computer of the school (CSSAFE_MODE=local) "
    "to use a room camera."
)


class Camera(NamedTuple):
    """What a camera gives. width, height: pixels. rate: frames a second, NaN if there was only one."""

    width: int
    height: int
    rate: float


def check(chosen: Settings, source: str) -> None:
    """Whether this may be opened at all: rtsp:// or http:// address, device number or video file.

    Raises:
        ConfigurationError: strangers share this server, so that its own cameras and files are out of reach.
        MediaError: it is none of these.
    """
    if chosen.hosted:
        raise ConfigurationError(HOSTED)
    if not (media.is_camera(source) or Path(source).is_file()):
        raise MediaError(
            N_(
                "{camera}: expected an address that begins with rtsp:// or http://, the number of a camera of this computer "
                "such as 0, or a video file that is there."
            ),
            camera=hidden(source) or _("The camera is missing"),
        )


def look(chosen: Settings, source: str) -> Camera:
    """Try a camera for a moment; nothing is analysed or kept.

    Raises:
        ConfigurationError, MediaError: as `check`, or it gives no picture.
    """
    check(chosen, source)
    pictures = media.frames(source, every=0)
    first = newest = next(pictures)
    more = 0
    while newest.seconds - first.seconds < TRIAL and (picture := next(pictures, None)) is not None:
        newest, more = picture, more + 1
    height, width = newest.image.shape[:2]
    return Camera(width, height, more / (newest.seconds - first.seconds) if more else float("nan"))


class Capture:
    """One lesson's camera, read by a thread of its own until the lesson has ended.

    state: connecting, live, lost or ended. problem: what is wrong with the camera or its pictures, in the words of whoever
    asks and without a password; empty while all is well."""

    def __init__(self, chosen: Settings, engine: Engine, lesson: LiveLesson, source: str) -> None:
        """Raises as `check`."""
        check(chosen, source)
        self.lesson = lesson
        self.source = source
        self._problem: MediaError | None = None
        self._engine = engine
        self._live = False
        self._offered: dict[int, np.ndarray] = {}
        self._newest: tuple[np.ndarray, Overlay] | None = None
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        return str(self._problem) if self._problem else ""

    @property
    def state(self) -> str:
        if self.lesson.ended is not None:
            return "ended"
        return "live" if self._live else "lost" if self._problem else "connecting"

    def end(self) -> None:
        """End the lesson, and the capture with it; a camera that is silent just now is let go when it speaks or after
        media.PATIENCE.

        Raises:
            StoreError: the database cannot be written.
        """
        try:
            self.lesson.end()
        finally:
            self._wake.set()
            self._thread.join(timeout=2)

    def preview(self) -> bytes | None:
        """The newest analysed picture with its faces framed, and covered as the lesson says, as a JPEG; None while there is
        none."""
        if (newest := self._newest) is None:
            return None
        image, overlay = newest
        return preview(cover(image, np.array(overlay.covers), self.lesson.way), overlay.faces, PREVIEW)

    def _run(self) -> None:
        failures = 0
        while self.lesson.ended is None:
            try:
                self._read()
                problem = MediaError(N_("{camera}: the camera has stopped sending."), camera=hidden(self.source))
            except MediaError as error:
                problem = error
            except Exception:
                problem = MediaError(
                    N_("{camera}: the camera cannot be read; the log has the details."), camera=hidden(self.source)
                )
                log.error("%s", traceback.format_exc().replace(self.source, hidden(self.source)))
            failures = 0 if self._live else failures + 1
            if self.lesson.ended is None and str(problem) != self.problem:
                log.warning("Room camera: %s It is tried again.", problem)
            self._live, self._newest, self._problem = False, None, problem
            self._wake.wait(BACKOFF[min(failures, len(BACKOFF) - 1)])

    def _read(self) -> None:
        """From the first picture of a connection to its last."""
        feed = self.lesson.lease.connect(self._deliver)
        try:
            for number, image in enumerate(self._pictures()):
                if not self.lesson.lease.holds(feed):
                    return
                if not self._live:
                    self._live, self._problem = True, None
                self._offered[number] = image
                self._engine.offer(feed, number, image, self.lesson.clock.now())
        finally:
            self._engine.leave(feed)
            self.lesson.lease.disconnect(feed)
            self._offered.clear()

    def _pictures(self) -> Iterator[np.ndarray]:
        """The camera's pictures as they come, at most one in media.EVERY; a file's in its own time, over and over."""
        while True:
            began = time.monotonic()
            for seconds, image in media.frames(self.source):
                if self._wake.wait(max(0.0, began + seconds - time.monotonic())):
                    return
                yield image
            if media.is_camera(self.source):
                return
            self._wake.wait(media.EVERY)

    def _deliver(self, answer: Answer) -> None:
        image = self._offered.pop(answer.number, None)
        if answer.result is not None:
            overlay = self.lesson.add_result(answer.result)
            if image is not None and self._live:
                self._newest, self._problem = (image, overlay), None
        elif answer.error is not None and self._live:
            self._problem = answer.error
