"""Analysis of uploaded files, one after the other on a thread of its own, while the page shows its progress.

Their pictures take turns with the cameras' at the engine: the next one is offered when the last is answered. Files stay in
memory, and one picture is decoded at a time. Of an image its preview is kept, of a video one frame's figures a second; both go
with the visit.
"""

import logging
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np

from cssafe import media
from cssafe.errors import ConfigurationError, CssafeError
from cssafe.frames import Frame, FrameResult, describe
from cssafe.labels import DEFAULT_ACTIVITY
from cssafe.language import N_
from cssafe.live.engine import Answer, Engine, Feed
from cssafe.media import About, MediaError
from cssafe.pipeline import Stream
from cssafe.presence.still_faces import left_out
from cssafe.privacy import individuals
from cssafe.recording import Recording, analyze, starts_at
from cssafe.scoring.formula import Formula, choose_formula
from cssafe.settings import Profile
from cssafe.vision.anonymize import anonymize, cover_polygons
from cssafe.vision.face_parts import box_outlines
from cssafe.vision.preview import preview

log = logging.getLogger(__name__)

STOP_CHECK_S = 0.2
"""Time between two checks for a stop by the visitor, while the engine is busy elsewhere."""


class AnalysisStopped(Exception):
    """The visitor has stopped the analysis."""


@dataclass
class Upload:
    """One file and its results. moments: second -> seconds from the start and figures of its first frame.
    preview: JPEG of an image with its faces drawn, empty for a video. error: why it, or the rest of it, was not read."""

    file: BinaryIO
    about: About
    recording: Recording
    moments: dict[int, tuple[float, FrameResult]] = field(default_factory=dict)
    preview: bytes = b""
    error: MediaError | None = None

    @property
    def name(self) -> str:
        return self.file.name

    def leave_out(self, unmoved: np.ndarray) -> None:
        """Drop pictures, and these tracks, from the figures."""
        gone = [*self.recording.still, *unmoved]
        self.moments = {s: (at, result[~np.isin(result.tracks, gone)]) for s, (at, result) in self.moments.items()}

    @property
    def problem(self) -> str:
        """The error in words for the user."""
        return str(self.error) if self.error else ""


@dataclass(frozen=True)
class Progress:
    """Progress of an analysis. number: of the current file, from 1. files: number of all. share: of the whole work, in [0, 1].
    left: seconds, None while unknown."""

    number: int
    files: int
    name: str
    share: float
    left: float | None


class Analysis:
    """Analysis of one visitor's files. Call `stop` when nobody waits for it any more."""

    def __init__(
        self,
        engine: Engine,
        files: Sequence[BinaryIO],
        profile: Profile,
        audience: str,
        way: str,
        formula: Formula | None = None,
    ) -> None:
        """files: each with its `name`. audience: "self" or "class"; all files count as its default activity. way: how
        faces appear in pictures, of privacy.Anonymization. formula: None for the profile's own."""
        self.profile, self.audience, self.way = profile, audience, way
        self.formula = formula or choose_formula(None, profile.expression)
        self.uploads: list[Upload] = []
        self.error: CssafeError | None = None
        """Why the analysis ended early."""
        self.done = threading.Event()
        """Set at the end of the analysis, complete or not."""
        self._engine = engine
        self._files = files
        self._answer: Answer | None = None
        self._answered = threading.Event()
        self._stop = threading.Event()
        self._work: list[float] = []  # expected frames of each file
        self._clock = 0.0
        self._frames = 0
        self._thread = threading.Thread(target=self._run, name="upload", daemon=True)

    def start(self) -> "Analysis":
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the current picture; finished results stay."""
        self._stop.set()

    @property
    def problem(self) -> str:
        """The error in words for the user."""
        return str(self.error) if self.error else ""

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def progress(self) -> Progress | None:
        """None until the first file is begun."""
        uploads, work = list(self.uploads), list(self._work)
        if not uploads:
            return None
        now = len(uploads) - 1
        frames = uploads[now].recording.frames
        work[now] = max(work[now], frames + 1)
        done = sum(work[:now]) + frames
        left = None
        if self._frames:
            left = (time.monotonic() - self._clock) / self._frames * (sum(work) - done)
        return Progress(now + 1, len(work), uploads[now].name, done / sum(work), left)

    def draw_preview(self, image: np.ndarray, result: FrameResult) -> bytes:
        """JPEG of a picture, uint8 (h, w, 3) BGR, its faces drawn and anonymized as chosen."""
        ends = box_outlines(result.faces.boxes) if result.outlines is None else result.outlines
        faces = describe(result, individuals(self.profile, self.audience, len(result)))
        return preview(anonymize(image, cover_polygons(ends), self.way), faces)

    def _run(self) -> None:
        try:
            self._wait_for_networks()
            self._read_all()
        except AnalysisStopped:
            pass
        except ConfigurationError as error:
            self.error = error
        except Exception:
            log.exception("An upload could not be analysed.")
            self.error = CssafeError(
                N_("The rest could not be analysed. Try these files again; the server's log has the details.")
            )
        finally:
            self.done.set()

    def _wait_for_networks(self) -> None:
        while not self._engine.loaded.done():
            if self._stop.wait(STOP_CHECK_S):
                raise AnalysisStopped
        self._engine.loaded.result()

    def _read_all(self) -> None:
        abouts = [media.about(file) for file in self._files]
        self._work = [max(1.0, (about.seconds or 0) / media.FRAME_INTERVAL_S) for about in abouts]
        known = [about.recorded for about in abouts if about.recorded is not None]
        first = begin = min(known, default=datetime.now(UTC)).replace(microsecond=0)
        self._clock = time.monotonic()
        for file, about in zip(self._files, abouts, strict=True):
            upload = Upload(file, about, Recording(starts_at(about.recorded, first, begin)))
            self.uploads.append(upload)
            try:
                self._read(upload)
            except MediaError as error:
                upload.error = error
            finally:
                upload.recording.end()
                upload.leave_out(left_out(upload.recording.observations, self.audience))
            begin = upload.recording.ended

    def _read(self, upload: Upload) -> None:
        feed = Feed(Stream(formula=self.formula, activity=DEFAULT_ACTIVITY[self.audience]), self._deliver)
        try:
            seen = analyze(upload.file, media.FRAME_INTERVAL_S, lambda frame: self._ask(feed, frame), upload.recording)
            for picture, result in seen:
                self._frames += 1
                if upload.about.still:
                    upload.preview = self.draw_preview(picture.image, result)
                upload.moments.setdefault(int(picture.seconds), (picture.seconds, result))
        finally:
            self._engine.leave(feed)

    def _ask(self, feed: Feed, frame: Frame) -> FrameResult:
        """The engine's result of a frame.

        Raises:
            AnalysisStopped: the visitor has stopped.
            MediaError: the frame could not be analysed.
        """
        if self._stop.is_set():
            raise AnalysisStopped
        self._answered.clear()
        self._engine.offer(feed, self._frames, frame.image, frame.time)
        while not self._answered.wait(STOP_CHECK_S):
            if self._stop.is_set():
                raise AnalysisStopped
        answer = self._answer
        assert answer is not None, "an answer has come"
        if answer.result is None:
            raise MediaError(N_("A picture could not be analysed, and the rest was left out. Try the file again."))
        return answer.result

    def _deliver(self, answer: Answer) -> None:
        self._answer = answer
        self._answered.set()


class AnalysisHandle:
    """A visit's analysis, which ends when the visit is garbage-collected."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        weakref.finalize(self, analysis.stop)
