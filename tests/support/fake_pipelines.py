"""Pipelines without networks, and one JPEG: what the engine, lessons and cameras are tested with."""

import io
import threading
import time
from datetime import datetime, timedelta

import numpy as np
from PIL import Image

from cssafe.frames import SIGNALS, Faces, Frame, FrameResult, Signals
from cssafe.pipeline import Stream


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "JPEG")
    return file.getvalue()


JPEG = jpeg()


class GatedPipeline:
    """Finds no face. `gate` holds it up; a `broken` one raises at every frame. seconds: that each frame takes."""

    def __init__(self, broken: bool = False, seconds: float = 0.0) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.broken = broken
        self.seconds = seconds
        self.streams: list[Stream] = []

    def warm(self) -> None:
        time.sleep(self.seconds)

    def analyze(self, frame: Frame, stream: Stream) -> FrameResult:
        self.entered.release()
        assert self.gate.wait(60)
        time.sleep(self.seconds)
        self.streams.append(stream)
        if self.broken:
            raise RuntimeError("broken on purpose")
        nothing = np.zeros(0, np.float32)
        return FrameResult(
            frame.time,
            frame.image.shape[1],
            frame.image.shape[0],
            Faces.none(),
            np.zeros(0, np.int32),
            Signals.none(),
            None,
            nothing,
            nothing,
            np.zeros(0, np.int8),
        )


class Crowd:
    """A pipeline that finds `faces` neutral faces looking straight on, whatever the picture shows."""

    network = None

    def __init__(self, faces: int = 1, expression: bool = True) -> None:
        self.faces = faces
        self.expression = expression
        self.seconds = 0.0  # that a frame takes

    def warm(self) -> None:
        time.sleep(self.seconds)

    def analyze(self, frame: Frame, stream: Stream) -> FrameResult:
        time.sleep(self.seconds)
        return crowd(self.faces, frame.time, self.expression)


def crowd_before(n: int, at: datetime, expression: bool = True) -> list[FrameResult]:
    """Results of the three seconds before, in which all have moved: only such faces complete a group."""
    return [crowd(n, at - timedelta(seconds=s), expression) for s in (3, 2, 1)]


def crowd(n: int, at: datetime, expression: bool = True) -> FrameResult:
    level = np.linspace(0.6, 1.0, n, dtype=np.float32)
    shares = np.full((n, 8), 0.02, np.float32)
    shares[:, 0] = 0.86
    boxes = np.tile(np.array([10, 10, 30, 40], np.float32), (n, 1))
    values = dict.fromkeys(SIGNALS, 0.5) | {"size": 60.0, "roll": 0.5 + 10.0 * (at.second % 2)}  # living heads move
    signals = Signals(**{name: np.full(n, value, np.float32) for name, value in values.items()})
    return FrameResult(
        at,
        64,
        48,
        Faces(boxes, np.ones(n, np.float32)),
        np.arange(n, dtype=np.int32),
        signals,
        shares if expression else None,
        level,
        level,
        np.full(n, 2, np.int8),
    )
