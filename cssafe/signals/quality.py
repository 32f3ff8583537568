"""Trust in each signal: its unit and range, its measured error, and the quality that follows.

`python -m cssafe signals DATA` measures the errors again: clear faces are shrunk, blurred and read again, and photographs of
faces are drawn at known angles. Figures here: 2026-11-21, 60 faces of faces_train of 160 px and higher, shrunk and blurred; of
yaw and pitch 40 drawn ones, whose truth is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ERROR_DOUBLING_SHARPNESS, ERROR_DOUBLING_HEIGHT_PX = 39.0, 118.0
"""Sharpness (grey levels) and height (pixels) at which blur and smallness alone double an error squared, fitted to all the
signals at once: 13 errors at 8 sizes and 5 strengths of blur lie within 20 % of
`blur_and_size_factor` times their own best error."""


@dataclass(frozen=True)
class Reading:
    """Properties of one signal. low, high: its range. error: median error on a large, sharp face. spread: standard deviation
    between the faces that it was measured on; both in `unit`, None where nothing was measured."""

    unit: str
    low: float
    high: float
    error: float | None = None
    spread: float | None = None


_EYES = "percent of the distance between the eyes' outer corners"

READINGS = {
    "yaw": Reading("degrees", -90, 90, 0.9, 13.2),
    "pitch": Reading("degrees", -90, 90, 1.3, 11.5),
    "roll": Reading("degrees", -180, 180, 0.27, 12.6),
    "gaze_x": Reading("half widths of the eye", -1, 1, 0.010, 0.12),
    "gaze_y": Reading("half widths of the eye", -1, 1, 0.009, 0.061),
    "openness": Reading("height over width", 0, 1, 0.005, 0.059),
    "eyes_open": Reading("share of the own open eyes", 0, 1, 0.017, 0.2),
    "size": Reading("pixels", 0, np.inf),
    "sharpness": Reading("grey levels", 0, 128),
    "blinks": Reading("a minute", 0, np.inf),
    "perclos": Reading("share of the last minute", 0, 1),
    "mouth": Reading("height over width", 0, np.inf, 0.006, 0.074),
    "yawning": Reading("1 or 0", 0, 1),
    "hidden": Reading("share of the face", 0, 1),
    "quality": Reading("share", 0, 1),
    "smile": Reading(_EYES, -100, 100, 0.32, 4.3),
    "brow_raise": Reading(_EYES, -100, 100, 0.27, 2.5),
    "frown": Reading(_EYES, -100, 100, 0.37, 3.6),
    "nose_wrinkle": Reading(_EYES, -100, 100, 0.37, 2.6),
    "jaw_drop": Reading(_EYES, -100, 100, 0.45, 3.3),
}
"""Signal -> its properties; the same names as the fields of frames.Signals."""


ERROR_DOUBLING_TURN_DEG = 12.0
"""Degrees of turn at which the turn alone doubles an error squared: on drawn heads the median errors of yaw are 1.7, 3.4, 5 and
8.5 at 0, 20, 40 and 60 degrees."""


def turn_factor(turn: np.ndarray) -> np.ndarray:
    """Growth of the errors on a head turned or lowered by these degrees, (n,), 1 or more."""
    return np.hypot(1, turn / ERROR_DOUBLING_TURN_DEG)


def blur_and_size_factor(size: np.ndarray, sharpness: np.ndarray) -> np.ndarray:
    """Growth of the errors on a small or blurred face, (n,), 1 or more."""
    small, blurred = (
        ERROR_DOUBLING_HEIGHT_PX / np.maximum(size, 1),
        ERROR_DOUBLING_SHARPNESS / np.maximum(sharpness, 0.1),
    )
    return np.sqrt(1 + small**2 + blurred**2)


_KNOWN = {name: r.spread / (1.48 * r.error) for name, r in READINGS.items() if r.error and r.spread}
"""Signal with a measured error -> its spread over that error, as a standard deviation: 1.48 times the median one, as it is
where errors are normal."""


def confidence(names: Sequence[str], size: np.ndarray, sharpness: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Reliability of readings, (n, len(names)) in [0, 1]: the share of their variance that is the face and not the error.

    As in test theory, spread² / (spread² + error²), with the error made worse by size, blur and turn.

    Args:
        names: signals with a measured error. size: pixels. sharpness: grey levels. turn: degrees.
    """
    grown = (blur_and_size_factor(size, sharpness) * turn_factor(turn))[:, None]
    return 1 / (1 + (grown / np.array([_KNOWN[name] for name in names])) ** 2)


def quality(
    size: np.ndarray, sharpness: np.ndarray, yaw: np.ndarray, pitch: np.ndarray, scores: np.ndarray, hidden: np.ndarray
) -> np.ndarray:
    """Trust in the readings of a face, float32 (n,) in [0, 1]: the mean confidence of all that have a measured
    error, times the mesh's score and the share of the face that nothing hides."""
    trust = confidence(tuple(_KNOWN), size, sharpness, np.hypot(yaw, pitch)).mean(axis=1)
    return (trust * scores * (1 - hidden)).astype(np.float32)
