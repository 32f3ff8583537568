"""Synthetic sequences of faces over time, made from single pictures.

A sequence shows a few pictures in turn, each for the duration of an expression, as seen by camera and mesh: crops jump from
frame to frame, are blurred, noisy or lit differently, come at uneven intervals, and are sometimes missing. Only NumPy
and OpenCV.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import cv2
import numpy as np

from cssafe.labels import FERPLUS
from cssafe.settings import MIN_SHARPNESS
from cssafe.training.expression.data import SIZE
from cssafe.training.progress import with_progress
from cssafe.vision.crops import crop
from cssafe.vision.mesh import sharpness

PICTURES_PER_SEQUENCE = 4
"""About nine seconds, with three changes."""

STAY_S = (0.5, 4.0)
"""Duration of a picture: that of macro-expressions (Ekman 2003)."""

FADE_S = (0.2, 0.5)
"""Duration of a cross-fade in half of the changes; the other half are cuts."""

RATE_HZ = (3.0, 15.0)
"""Frames a second: a class of student devices at the lower end, a laptop's own camera at the upper."""

PLACE, SCALE, ROLL = (0.002, 0.02), (0.005, 0.025), (0.2, 1.3)
"""Jitter of a crop from frame to frame: standard deviation of its middle and of the logarithm of its side, as shares of the
side, and of its roll in degrees. Measured on the clips by third differences of each track of the mesh (lower numbers: steady
faces, upper: distant ones); constant within a sequence."""

DRIFT = (0.03, 0.03, 0.05, 3.0)
"""Standard deviation of slow drift (x, y, scale, roll): half of the crops of different faces lie within 3 % and 8 % of the side
(expression/alignment.py), as does one face when the head turns. Time constant: a second."""


@dataclass(frozen=True)
class Sequences:
    """n sequences of at most t frames, shorter ones filled up at their end.

    seconds: float64 (n, t), rising. truth: int (n, t), index into FERPLUS, -1 where unknown or filled up. probabilities:
    float32 (n, t, 8), rows sum to 1, NaN where nothing was measured or filled up.
    """

    seconds: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, rows: slice | np.ndarray) -> "Sequences":
        return Sequences(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def measured(self) -> np.ndarray:
        """bool (n, t): frames with probabilities."""
        return ~np.isnan(self.probabilities[..., 0])


def stack_sequences(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Sequences:
    """Stack sequences of unequal length, each (seconds (t,), truth (t,), probabilities (t, 8)), filled up to the longest."""
    t = max((len(seconds) for seconds, _, _ in parts), default=0)
    seconds, truth = np.zeros((len(parts), t)), np.full((len(parts), t), -1)
    probabilities = np.full((len(parts), t, len(FERPLUS)), np.nan, np.float32)
    for i, (times, labels, rows) in enumerate(parts):
        seconds[i] = np.pad(times, (0, t - len(times)), mode="edge") if len(times) else 0
        truth[i, : len(labels)], probabilities[i, : len(rows)] = labels, rows
    return Sequences(seconds, truth, probabilities)


def synthesize(
    images: np.ndarray, labels: np.ndarray, network: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator
) -> Sequences:
    """Sequences in which each picture is shown once, in random order.

    Args:
        images: uint8 (n, 48, 48) grey. labels: int (n,), index into FERPLUS.
        network: crops uint8 (m, 48, 48) -> probabilities (m, 8).
    """
    parts = []
    order = rng.permutation(len(images))
    groups = [order[i : i + PICTURES_PER_SEQUENCE] for i in range(0, len(order), PICTURES_PER_SEQUENCE)]
    for chosen in with_progress(groups, len(groups), "making sequences"):
        seconds, shown, crops, there = render_sequence(images[chosen], rng)
        rows = np.full((len(crops), len(FERPLUS)), np.nan, np.float32)
        rows[there] = network(crops[there])
        parts.append((seconds, labels[chosen][shown], rows))
    return stack_sequences(parts)


def render_sequence(
    images: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Show k pictures uint8 (k, 48, 48), k at least 1, one after the other.

    Returns:
        seconds (t,), rising; index of the picture, int (t,), of the stronger one in a blend; crops, uint8 (t, 48, 48); face
        readable, bool (t,).
    """
    ends = np.cumsum(rng.uniform(*STAY_S, len(images)))
    rate = np.exp(rng.uniform(*np.log(RATE_HZ)))
    seconds = np.cumsum(rng.uniform(0.7, 1.3, int(ends[-1] * rate / 0.7)) / rate)
    seconds = seconds[(seconds < ends[-1]) & ~_episodes(seconds, 0.1, (0.2, 1.5), rng)]  # no face was found at all
    t = len(seconds)
    shown = np.searchsorted(ends, seconds, side="right")

    x, y, scale, roll = _places(seconds, rng).T
    blurred, lit, noisy = (_episodes(seconds, 0.15, (0.2, 1.0), rng) for _ in range(3))
    gamma = np.where(lit, np.exp(rng.uniform(-0.8, 0.8)), 1.0)
    noise = rng.uniform(0, 4) + np.where(noisy, rng.uniform(5, 12), 0)
    blur = np.where(blurred, rng.uniform(0.8, 2.0), 0.0)
    far = int(rng.uniform(0.5, 1) * SIZE) if rng.random() < 0.3 else SIZE  # a small face, enlarged to the crop

    crops = np.zeros((t, SIZE, SIZE), np.uint8)
    for i, face in enumerate(_blended(images, seconds, ends, rng)):
        middle = (SIZE - 1) / 2 + SIZE * np.array([x[i], y[i]])
        view = crop(face, middle, SIZE * np.exp(scale[i]), roll[i], SIZE)
        if blur[i]:
            view = cv2.GaussianBlur(view, (0, 0), blur[i])
        view = 255 * (view / 255) ** gamma[i] + rng.normal(0, noise[i], view.shape)
        view = np.clip(view, 0, 255).astype(np.uint8)
        if far < SIZE:
            view = cv2.resize(cv2.resize(view, (far, far), interpolation=cv2.INTER_AREA), (SIZE, SIZE))
        crops[i] = view
    unread = _episodes(seconds, 0.1, (0.2, 1.0), rng) | (rng.random(t) < 0.03) | (sharpness(crops) < MIN_SHARPNESS)
    return seconds, shown, crops, ~unread


def _episodes(seconds: np.ndarray, often: float, lasting: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """bool (t,): frames within episodes that begin `often` times a second and last `lasting` (from, to) seconds."""
    within = np.zeros(len(seconds), bool)
    whole = seconds[-1] if len(seconds) else 0.0
    for begin in rng.uniform(0, whole, rng.poisson(often * whole)):
        within |= (seconds >= begin) & (seconds < begin + rng.uniform(*lasting))
    return within


def _places(seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift in x and y, logarithm of the scale, roll in degrees, (t, 4): a slow walk about 0 plus jumps."""
    jump = np.array(
        [np.exp(rng.uniform(*np.log(PLACE)))] * 2 + [np.exp(rng.uniform(*np.log(r))) for r in (SCALE, ROLL)]
    )
    places, now = np.zeros((len(seconds), 4)), rng.normal(0, 1, 4)
    for i, passed in enumerate(np.diff(seconds, prepend=seconds[:1])):
        kept = np.exp(-passed)
        now = kept * now + np.sqrt(1 - kept**2) * rng.normal(0, 1, 4)  # an Ornstein-Uhlenbeck process of unit variance
        places[i] = now
    return places * DRIFT + rng.normal(0, 1, places.shape) * jump


def _blended(
    images: np.ndarray, seconds: np.ndarray, ends: np.ndarray, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The picture of each moment, blended around changes."""
    fades = np.where(rng.random(len(ends)) < 0.5, rng.uniform(*FADE_S, len(ends)), 1e-6)
    fades[-1] = 1e-6
    for now in seconds:
        # How much of each picture has arrived: 0 before, 1 after.
        arrived = np.clip((now - ends[:-1]) / fades[:-1] + 0.5, 0, 1)
        weights = np.append(1.0, arrived) * np.append(1 - arrived, 1.0)
        yield (weights[:, None, None] * images).sum(axis=0).round().astype(np.uint8)


def seconds_since_measured(sequences: Sequences) -> np.ndarray:
    """Seconds since the last frame that was measured before each, since the first frame where there is none, (n, t)."""
    times = np.where(sequences.measured, sequences.seconds, -np.inf)
    before = np.concatenate([sequences.seconds[:, :1], times[:, :-1]], axis=1)
    return sequences.seconds - np.maximum.accumulate(before, axis=1)
