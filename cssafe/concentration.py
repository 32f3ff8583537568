"""Attention and expression -> the concentration index and its level.

A formula is a data file in formulas/ in which every number stands beside its citation or the word "assumption". What such
an index can and cannot tell is said in README.md; it is no measurement of anybody's mind.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cssafe.frames import Signals
from cssafe.labels import FERPLUS
from cssafe.signals.pose import GAZE_REACH

FORMULAS = Path(__file__).parent / "formulas"

_LARGEST_GAZE_WEIGHT = 5.0


@dataclass(frozen=True)
class Formula:
    """The numbers of one formula file, without their sources.

    emotion: float32 (8,) in the order of labels.FERPLUS, or None where the formula looks at no emotion.
    gaze: weights in [0, 5] of where and how the eyes are. limits, bands: see the file.
    """

    name: str
    version: int
    divisor: float
    emotion: np.ndarray | None
    gaze: dict[str, float]
    limits: dict[str, float]
    bands: dict[str, float]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def read_formula(path: Path) -> Formula:
    """Read a formula file; its emotion weights are looked up by name."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    def values(part: str) -> dict[str, float]:
        return {name: entry["value"] for name, entry in data[part].items()}

    emotion = np.array([values("emotion")[name] for name in FERPLUS], np.float32) if data["emotion"] else None
    divisor = data["divisor"]["value"]
    return Formula(data["name"], data["version"], divisor, emotion, values("gaze"), values("limits"), values("bands"))


PUBLISHED = read_formula(FORMULAS / "published-1.json")
ATTENTION_ONLY = read_formula(FORMULAS / "attention-only-1.json")


def attention(signals: Signals, formula: Formula) -> np.ndarray:
    """How far each face attends to what is in front of it: its gaze-and-eyes weight over 5, float32 (n,) in [0, 1].

    The eyes' own sideways turn is added to the head's. Where the eyes cannot be read (a small face), the head alone
    decides and the eyes count as open: an assumption that every small face shares. NaN where the head cannot be read.
    """
    eyes = np.degrees(np.arcsin(np.clip(np.nan_to_num(signals.gaze_x) / GAZE_REACH, -1, 1)))
    sideways = np.abs(signals.yaw - eyes) <= formula.limits["yaw"]
    centre = sideways & (np.abs(signals.pitch) <= formula.limits["pitch"])
    open_weight = np.where(centre, formula.gaze["centre_open"], formula.gaze["away_open"])
    half_weight = np.where(centre, formula.gaze["centre_half"], formula.gaze["away_half"])
    openness = np.nan_to_num(signals.eyes_open, nan=1.0)
    weight = np.where(openness < formula.limits["half_open"], half_weight, open_weight)
    weight = np.where(openness < formula.limits["closed"], formula.gaze["closed"], weight)
    return np.where(np.isnan(signals.yaw), np.nan, weight / _LARGEST_GAZE_WEIGHT).astype(np.float32)


def concentration(attention: np.ndarray, expression: np.ndarray | None, formula: Formula) -> np.ndarray:
    """The index, float32 (n,) in [0, 1]: emotion weight x gaze weight / divisor; NaN where a part is not measurable.

    Args:
        attention: (n,), gaze weight over 5.
        expression: (n, 8) probabilities in the order of labels.FERPLUS; the emotion weight is their mean weight. A
            formula without emotion weights takes None and counts every emotion as 1.
    """
    if formula.emotion is None:
        emotion = np.ones(len(attention), np.float32)
    elif expression is None:
        raise ValueError(f"The formula {formula} weighs emotions; no expression was given.")
    else:
        emotion = expression @ formula.emotion
    return np.clip(emotion * attention * _LARGEST_GAZE_WEIGHT / formula.divisor, 0, 1).astype(np.float32)


def levels(index: np.ndarray, before: np.ndarray, formula: Formula) -> np.ndarray:
    """The level of each index, int8 (n,): 0 low, 1 medium, 2 high, -1 not measurable.

    Args:
        index: (n,) in [0, 1] or NaN.
        before: int8 (n,), the level so far (-1: none yet). It is left only when the index passes the limit between two
            levels by the formula's hysteresis, so that a level does not flicker.
    """
    low, high, margin = (formula.bands[name] for name in ("low_below", "high_above", "hysteresis"))
    # Leaving a level downwards needs less than the limit, upwards more than it, each by the margin.
    low_edge = low + margin * np.select([before == 0, before > 0], [1, -1], 0)
    high_edge = high + margin * np.select([before == 2, before >= 0], [-1, 1], 0)
    level = (index >= low_edge).astype(np.int8) + (index > high_edge)
    return np.where(np.isnan(index), -1, level).astype(np.int8)
