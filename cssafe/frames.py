"""Shared types: a frame, its faces, their signals, the result of a frame.

Each is a frozen set of parallel NumPy arrays, one row a face; no face is n = 0 and an ordinary case everywhere. Shapes are
checked once, where a value is born. NaN means: not measurable.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import compress

import numpy as np

from cssafe.labels import FERPLUS, LEVELS, REASONS


@dataclass(frozen=True)
class Frame:
    """One picture. image: uint8 (h, w, 3), BGR. time: aware, UTC."""

    image: np.ndarray
    time: datetime

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"A frame is uint8 (h, w, 3); this one is {self.image.dtype} {self.image.shape}.")
        if self.time.tzinfo is None:
            raise ValueError("A frame's time carries a time zone (UTC); this one has none.")


@dataclass(frozen=True)
class Faces:
    """Where faces are. boxes: float32 (n, 4), x1 y1 x2 y2 in pixels. scores: float32 (n,) in [0, 1]."""

    boxes: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        _check(self, len(self.scores), boxes=(4,), scores=())

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: np.ndarray) -> "Faces":
        return Faces(self.boxes[rows], self.scores[rows])

    @property
    def heights(self) -> np.ndarray:
        """Pixels, (n,)."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    @classmethod
    def none(cls) -> "Faces":
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Signals:
    """Signals of each face, float32 (n,) each, NaN where it cannot be.

    yaw, pitch, roll: degrees; yaw > 0 towards the left edge of the picture, pitch > 0 down, roll > 0 clockwise.
    gaze_x, gaze_y: place of the iris between the corners and lids of the eyes, in [-1, 1]; x > 0 towards the right edge of
    the picture, y > 0 down; relative to the head.
    openness: height over width of the eye's contour; about 0.1 closed, 0.3 open.
    eyes_open: openness over the person's own baseline, in [0, 1].
    size: height of the face's box, pixels. sharpness: deviation of the Laplacian of the 48-pixel crop, grey levels.
    blinks: a minute, over the last minute. perclos: share of the last minute with the eyes at least 80 % closed.
    mouth: height of the inner lips over the width of the mouth. yawning: 1 while a yawn lasts, else 0.
    hidden: share of the face that something hides, in [0, 1]. quality: trust in the readings, in [0, 1].
    smile ... jaw_drop (MOVEMENTS): facial movements, as distances against the person's own neutral, in percent of
    the distance between the outer corners of the eyes; see signals.movements. They are expression: NaN in a profile that
    computes none.
    The unit, range and error of each stand in signals.quality.READINGS.
    """

    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray
    gaze_x: np.ndarray
    gaze_y: np.ndarray
    openness: np.ndarray
    eyes_open: np.ndarray
    size: np.ndarray
    sharpness: np.ndarray
    blinks: np.ndarray
    perclos: np.ndarray
    mouth: np.ndarray
    yawning: np.ndarray
    hidden: np.ndarray
    quality: np.ndarray
    smile: np.ndarray
    brow_raise: np.ndarray
    frown: np.ndarray
    nose_wrinkle: np.ndarray
    jaw_drop: np.ndarray

    def __post_init__(self) -> None:
        _check(self, len(self.yaw), **{field.name: () for field in fields(self)})

    def __getitem__(self, rows: np.ndarray) -> "Signals":
        return Signals(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @classmethod
    def none(cls) -> "Signals":
        return cls(**{field.name: np.zeros(0, np.float32) for field in fields(cls)})


SIGNALS = tuple(field.name for field in fields(Signals))

MOVEMENTS = SIGNALS[SIGNALS.index("smile") :]
"""The signals that tell of expression."""


@dataclass(frozen=True)
class FrameResult:
    """Result of one frame.

    time: aware, UTC. width, height: of the frame, pixels. faces: n of them. tracks: int32 (n,), numbers within one stream.
    signals: n of them. expression: float32 (n, 8) in the order of labels.FERPLUS, rows sum to 1 or are NaN; None where the
    profile computes none. attention, concentration: float32 (n,) in [0, 1] or NaN. levels: int8 (n,), index into LEVELS or -1.
    changed: whether the picture differs from the ones before; the first of a stream does not.
    outlines: float32 (n, 36, 2) pixels, where each face ends (vision.face_parts.outlines); None where only boxes are known.
    reasons: n codes of labels.REASONS, why a face has no score or its eyes were not read; "" where everything was measured,
    which is also meant by no reasons at all.
    """

    time: datetime
    width: int
    height: int
    faces: Faces
    tracks: np.ndarray
    signals: Signals
    expression: np.ndarray | None
    attention: np.ndarray
    concentration: np.ndarray
    levels: np.ndarray
    outlines: np.ndarray | None = None
    reasons: tuple[str, ...] = ()
    changed: bool = True

    def __post_init__(self) -> None:
        n = len(self.faces)
        if not self.reasons:
            object.__setattr__(self, "reasons", ("",) * n)
        if len(self.reasons) != n or not {"", *REASONS}.issuperset(self.reasons):
            raise ValueError(f"FrameResult.reasons: expected {n} codes of labels.REASONS or '', got {self.reasons}.")
        _check(self, n, tracks=(), attention=(), concentration=(), levels=())
        if self.expression is not None:
            _check(self, n, expression=(len(FERPLUS),))

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, rows: np.ndarray) -> "FrameResult":
        """The result with some of its faces. rows: bool (n,)."""
        names = ("faces", "tracks", "signals", "attention", "concentration", "levels")
        kept = {name: getattr(self, name)[rows] for name in names}
        for name in ("expression", "outlines"):
            kept[name] = None if (values := getattr(self, name)) is None else values[rows]
        return replace(self, **kept, reasons=tuple(compress(self.reasons, rows)))


def describe(result: FrameResult, individuals: bool = True) -> list[dict]:
    """Faces of a result as plain values for JSON, for `analyze --json` and the browser.

    Box is [x, y, w, h] in pixels; what cannot be measured is None; `expression` is left out where none was computed.
    `reason` is a code of labels.REASONS or None. With `individuals` false only positions are given, no readings.
    """
    faces = []
    for i in range(len(result)):
        x1, y1, x2, y2 = (float(v) for v in result.faces.boxes[i])
        face: dict = {
            "track": int(result.tracks[i]),
            "box": [round(v, 1) for v in (x1, y1, x2 - x1, y2 - y1)],
            "score": _plain(result.faces.scores[i]),
        }
        if individuals:
            if result.expression is not None:
                shares = {name: _plain(p, 4) for name, p in zip(FERPLUS, result.expression[i], strict=True)}
                face["expression"] = None if np.isnan(result.expression[i]).any() else shares
            for name in ("yaw", "pitch", "roll"):
                face[name] = _plain(getattr(result.signals, name)[i], 1)
            face["eyes_open"] = _plain(result.signals.eyes_open[i])
            face["attention"] = _plain(result.attention[i])
            face["concentration"] = _plain(result.concentration[i])
            face["level"] = LEVELS[result.levels[i]] if result.levels[i] >= 0 else None
            face["hidden"] = _plain(result.signals.hidden[i])
            face["reason"] = result.reasons[i] or None
        faces.append(face)
    return faces


def _plain(value: float, digits: int = 3) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)


def _check(owner: object, n: int, **tails: tuple[int, ...]) -> None:
    for name, tail in tails.items():
        shape = getattr(owner, name).shape
        if shape != (n, *tail):
            raise ValueError(f"{type(owner).__name__}.{name}: expected shape {(n, *tail)}, got {shape}.")
