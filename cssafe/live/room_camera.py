"""A camera of this computer, read without a browser: its frames feed one lesson until the lesson ends.

A lost camera is tried again, ever more rarely, and continues the same lesson. A video file in its place plays at its own speed
and begins again at its end. Pictures live in memory until the next one is there."""

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cssafe import media
from cssafe.errors import ConfigurationError
from cssafe.language import N_, _
from cssafe.live.engine import Answer, Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.messages import Overlay
from cssafe.media import MediaError, hide_password
from cssafe.settings import Settings
from cssafe.vision.anonymize import anonymize
from cssafe.vision.preview import preview

log = logging.getLogger(__name__)

RECONNECT_DELAYS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Delays before the tries to open a lost camera; the last one repeats."""

TRIAL_S = 3.0
"""Length of the video that a probe reads."""

MAX_PREVIEW_PX = 960
"""Longer side of the preview: it is sent once a second."""

HOSTED = N_(
    "This CSSAFE is hosted, so that it opens no camera of its own. Run it on a computer of the school (CSSAFE_MODE=local) "
    "to use a room camera."
)


class CameraFormat(NamedTuple):
    """Picture format of a camera. width, height: pixels. rate: frames a second, NaN if there was only one."""

    width: int
    height: int
    rate: float


def check_source(chosen: Settings, source: str) -> None:
    """Check that a camera may be opened: rtsp:// or http:// address, device number or video file.

    Raises:
        ConfigurationError: hosted, where strangers share the server's cameras and files.
        MediaError: the source is none of these.
    """
    if chosen.hosted:
        raise ConfigurationError(HOSTED)
    if not (media.is_camera(source) or Path(source).is_file()):
        raise MediaError(
            N_(
                "{camera}: expected an address that begins with rtsp:// or http://, the number of a camera of this computer "
                "such as 0, or a video file that is there."
            ),
            camera=hide_password(source) or _("The camera is missing"),
        )


def probe_camera(chosen: Settings, source: str) -> CameraFormat:
    """Format of a camera, read from a few seconds of video; nothing is analysed or kept.

    Raises:
        ConfigurationError, MediaError: as `check_source`, or it gives no picture.
    """
    check_source(chosen, source)
    pictures = media.frames(source, every=0)
    first = newest = next(pictures)
    more = 0
    while newest.seconds - first.seconds < TRIAL_S and (picture := next(pictures, None)) is not None:
        newest, more = picture, more + 1
    height, width = newest.image.shape[:2]
    return CameraFormat(width, height, more / (newest.seconds - first.seconds) if more else float("nan"))


class CameraReader:
    """Thread that reads one lesson's camera until the lesson has ended."""

    def __init__(self, chosen: Settings, engine: Engine, lesson: LiveLesson, source: str) -> None:
        self.lesson = lesson
        self.source = source
        self._problem: MediaError | None = None
        self._chosen = chosen
        self._engine = engine
        self._live = False
        self._offered: dict[int, np.ndarray] = {}
        self._newest: tuple[np.ndarray, Overlay] | None = None
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-reader", daemon=True)

    def start(self) -> "CameraReader":
        """Raises as `check_source`."""
        check_source(self._chosen, self.source)
        self._thread.start()
        return self

    @property
    def problem(self) -> str:
        """What is wrong with the camera or its pictures, in the page's language and without a password; or empty."""
        return str(self._problem) if self._problem else ""

    @property
    def state(self) -> str:
        """connecting, live, lost or ended."""
        if self.lesson.ended is not None:
            return "ended"
        return "live" if self._live else "lost" if self._problem else "connecting"

    def end(self) -> None:
        """End the lesson and the reader. A silent camera is closed with its next picture or after media.PATIENCE.

        Raises:
            StoreError: the database cannot be written.
        """
        try:
            self.lesson.end()
        finally:
            self._wake.set()
            self._thread.join(timeout=2)

    def preview(self) -> bytes | None:
        """JPEG of the newest analysed picture, its faces framed and anonymized as the lesson says; None while there is none."""
        if (newest := self._newest) is None:
            return None
        image, overlay = newest
        return preview(anonymize(image, np.array(overlay.covers), self.lesson.way), overlay.faces, MAX_PREVIEW_PX)

    def _run(self) -> None:
        failures = 0
        while self.lesson.ended is None:
            try:
                self._read()
                problem = MediaError(N_("{camera}: the camera has stopped sending."), camera=hide_password(self.source))
            except MediaError as error:
                problem = error
            except Exception:
                problem = MediaError(
                    N_("{camera}: the camera cannot be read; the log has the details."),
                    camera=hide_password(self.source),
                )
                log.error("%s", traceback.format_exc().replace(self.source, hide_password(self.source)))
            failures = 0 if self._live else failures + 1
            if self.lesson.ended is None and str(problem) != self.problem:
                log.warning("Room camera: %s It is tried again.", problem)
            self._live, self._newest, self._problem = False, None, problem
            self._wake.wait(RECONNECT_DELAYS_S[min(failures, len(RECONNECT_DELAYS_S) - 1)])

    def _read(self) -> None:
        """Offer all pictures of one connection."""
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
        """Pictures of the camera, at most one in media.EVERY seconds; those of a file at its own speed, in a loop."""
        while True:
            began = time.monotonic()
            for seconds, image in media.frames(self.source):
                if self._wake.wait(max(0.0, began + seconds - time.monotonic())):
                    return
                yield image
            if media.is_camera(self.source):
                return
            self._wake.wait(media.FRAME_INTERVAL_S)

    def _deliver(self, answer: Answer) -> None:
        image = self._offered.pop(answer.number, None)
        if answer.result is not None:
            overlay = self.lesson.add_result(answer.result)
            if image is not None and self._live:
                self._newest, self._problem = (image, overlay), None
        elif answer.error is not None and self._live:
            self._problem = answer.error
