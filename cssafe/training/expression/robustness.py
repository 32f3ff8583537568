"""Robustness of a network to degraded pictures: each fault of a camera, a place or a crop by itself, at several strengths
(after Hendrycks & Dietterich 2019), reproducible by seed.

Crops are uint8 (n, h, w) grey; the face fills them as in FER2013, whose mean picture has the eyes at .36 and the mouth at .79
of its height.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cssafe.language import N_
from cssafe.training.expression.metrics import safe_ratio
from cssafe.training.progress import with_progress
from cssafe.vision.crops import crop

BATCH_CROPS = 256
"""Crops changed and classified at once: limits memory."""


@dataclass(frozen=True)
class Change:
    """One degradation of crops. strengths: in `unit`.
    apply: (crop uint8 (h, w), strength, random numbers of this crop) -> crop uint8 (h, w)."""

    name: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def apply_change(crops: np.ndarray, change: Change, strength: float, first: int = 0, seed: int = 0) -> np.ndarray:
    """The crops with one change, uint8 (n, h, w).

    Args:
        first: number of the first crop in the whole set, which seeds the random numbers.
    """
    made = np.empty_like(crops)
    for i, image in enumerate(crops):
        made[i] = change.apply(image, strength, np.random.default_rng((seed, first + i)))
    return made


def change_steps() -> Iterator[tuple[str, float, str, Change | None]]:
    """Name, strength, unit and change of each row of the table; the first is no change."""
    yield "none", 0.0, "", None
    for change in CHANGES:
        for strength in change.strengths:
            yield change.name, strength, change.unit, change


def _noise(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return _pixels(image + rng.normal(0, deviation, image.shape))


def _jpeg(image: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))


def _rotation(image: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    return _recrop(image, roll=degrees * rng.choice((-1, 1)))


def _shift(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return _recrop(image, by=share * np.array([np.cos(angle), np.sin(angle)]))


def _occlusion(image: np.ndarray, side: float, rng: np.random.Generator) -> np.ndarray:
    y, x = rng.uniform(side / 2, 1 - side / 2, 2)
    return _patch(image, y, x, side, side, float(rng.integers(0, 256)))


CHANGES = (
    Change(N_("brightness"), "grey levels", (-80, -40, 40, 80), lambda image, levels, _: _pixels(image + float(levels))),
    Change(
        N_("contrast"), "times", (0.25, 0.5, 1.5, 2), lambda im, factor, _: _pixels((im - im.mean()) * factor + im.mean())
    ),
    Change(N_("noise"), "grey levels", (5, 10, 20, 40), _noise),
    Change(N_("blur"), "pixels", (0.5, 1, 1.5, 2), lambda image, sigma, _: cv2.GaussianBlur(image, (0, 0), sigma)),
    Change(N_("JPEG quality"), "of 100", (50, 20, 10, 5), _jpeg),
    Change(N_("rotation"), "degrees", (10, 20, 30, 45), _rotation),
    Change(
        N_("dark band over the eyes"), "of the height", (0.1, 0.2, 0.3),
        lambda image, height, _: _patch(image, 0.36, 0.5, height, 0.8, 15),
    ),
    Change(
        N_("patch over the mouth"), "of the height", (0.2, 0.3, 0.4),  # of the face's own grey, like a hand
        lambda image, side, _: _patch(image, 0.79, 0.5, side, 1.3 * side, float(np.median(image))),
    ),
    Change(N_("patch anywhere"), "of the side", (0.2, 0.3, 0.5), _occlusion),
    Change(N_("crop scale"), "of the side", (0.75, 0.85, 1.15, 1.3), lambda image, side, _: _recrop(image, side=side)),
    Change(N_("crop shift"), "of the side", (0.05, 0.1, 0.15, 0.2), _shift),
)  # fmt: skip
"""The weaker half occurs in live faces; the stronger half shows the limits."""


def _pixels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _recrop(image: np.ndarray, roll: float = 0, side: float = 1, by: np.ndarray | float = 0) -> np.ndarray:
    """Crop again with errors of a face finder: turned (degrees), scaled and shifted (shares of the side)."""
    h, w = image.shape
    return crop(image, np.array([(w - 1) / 2, (h - 1) / 2]) + by * w, side * w, roll, w)


def _patch(image: np.ndarray, y: float, x: float, height: float, width: float, level: float) -> np.ndarray:
    """A rectangle of one grey level around (y, x); all in shares of the crop's height and width."""
    h, w = image.shape
    top, left = round((y - height / 2) * h), round((x - width / 2) * w)
    image = image.copy()
    image[max(0, top) : top + round(height * h), max(0, left) : left + round(width * w)] = level
    return image


def measure_robustness(
    networks: Sequence[Callable[[np.ndarray], dict[str, np.ndarray]]], crops: np.ndarray, truth: dict[str, np.ndarray]
) -> dict[str, list[dict[str, Any]]]:
    """Accuracy under every change and strength: set of labels -> rows of "robustness" in cssafe.expression.model_metrics.

    Args:
        networks: the evaluated one and, optionally, one beside it: crops -> {set of labels: probabilities (n, k)}.
        truth: set of labels -> int (n,), -1 without label.
    """
    rows: dict[str, list[dict[str, Any]]] = {labels: [] for labels in truth}
    made = list(change_steps())
    for name, strength, unit, change in with_progress(made, len(made), "robustness, changes"):
        right = [dict.fromkeys(truth, 0) for _ in networks]
        for first in range(0, len(crops), BATCH_CROPS):
            part = crops[first : first + BATCH_CROPS]
            part = part if change is None else apply_change(part, change, strength, first)
            for count, ask in zip(right, networks, strict=True):
                said = ask(part)
                for labels, wanted in truth.items():
                    count[labels] += int((said[labels].argmax(axis=1) == wanted[first : first + BATCH_CROPS]).sum())
        for labels, wanted in truth.items():
            shares = [float(safe_ratio(count[labels], (wanted >= 0).sum())) for count in right]
            row = {"change": name, "strength": strength, "unit": unit, "accuracy": shares[0]}
            rows[labels].append(row | {"beside": shares[1] if len(shares) > 1 else None})
    return rows
