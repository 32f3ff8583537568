"""Attention and expression -> the concentration index and its level.

The numbers are from a formula (scoring/formula.py). docs/concentration.md explains the limits of such an index: it does not
measure anybody's mind.
"""

import numpy as np

from cssafe.frames import Signals
from cssafe.scoring.formula import MAX_GAZE_WEIGHT, Formula
from cssafe.signals.pose import GAZE_REACH


def read_gaze(signals: Signals, formula: Formula, activity: str) -> tuple[np.ndarray, np.ndarray]:
    """Gaze on the target, bool (n,), and state of the eyes, int8 (n,): 0 open, 1 half closed, 2 closed.

    activity: one that the formula scores. The sideways turn of the eyes is added to that of the head. Where the eyes cannot be
    read (a small face), the head alone decides and the eyes count as open (assumption).
    """
    limits = formula.limits[activity]
    assert limits is not None, "the activity is scored"
    eyes = np.degrees(np.arcsin(np.clip(np.nan_to_num(signals.gaze_x) / GAZE_REACH, -1, 1)))
    sideways = np.abs(signals.yaw - eyes) <= limits["yaw"]
    centre = sideways & (signals.pitch >= -limits["up"]) & (signals.pitch <= limits["down"])
    openness = np.nan_to_num(signals.eyes_open, nan=1.0)
    closed = openness < limits["closed"]
    return centre, np.where(closed, 2, openness < limits["half_open"]).astype(np.int8)


def attention(signals: Signals, formula: Formula, activity: str) -> np.ndarray:
    """Attention to the target of the activity: gaze weight divided by the largest, float32 (n,) in [0, 1].

    NaN where the head cannot be read, and for all faces in an activity that the formula does not score.
    """
    if formula.limits[activity] is None:
        return np.full(len(signals.yaw), np.nan, np.float32)
    centre, lids = read_gaze(signals, formula, activity)
    gaze = formula.gaze
    on = np.array([gaze["centre_open"], gaze["centre_half"], gaze["closed"]])[lids]
    off = np.array([gaze["away_open"], gaze["away_half"], gaze["closed"]])[lids]
    weight = np.where(np.isnan(signals.yaw), np.nan, np.where(centre, on, off))
    return np.clip(weight / MAX_GAZE_WEIGHT, 0, 1).astype(np.float32)


def concentration(attention: np.ndarray, expression: np.ndarray | None, formula: Formula) -> np.ndarray:
    """The index, float32 (n,) in [0, 1]: emotion weight x gaze weight / divisor; NaN where a part is not measurable, but 0
    without attention, whatever the emotion.

    Args:
        attention: (n,), gaze weight over 5.
        expression: (n, 8) probabilities in the order of labels.FERPLUS; the emotion weight is their mean weight. A
            formula without emotion weights takes None and weighs every emotion as 1.
    """
    if formula.emotion is None:
        emotion = np.ones(len(attention), np.float32)
    elif expression is None:
        raise ValueError(f"The formula {formula} weighs emotions; no expression was given.")
    else:
        emotion = expression @ formula.emotion
    index = np.where(attention == 0, 0, emotion * attention * MAX_GAZE_WEIGHT / formula.divisor)
    return np.clip(index, 0, 1).astype(np.float32)


def levels(index: np.ndarray, previous: np.ndarray, formula: Formula) -> np.ndarray:
    """The level of each index, int8 (n,): 0 low, 1 medium, 2 high, -1 not measurable.

    Args:
        index: (n,) in [0, 1] or NaN.
        previous: int8 (n,), the level so far (-1: none yet). It changes only when the index passes a limit by the formula's
            hysteresis, so that levels do not flicker.
    """
    low, high, margin = (formula.bands[name] for name in ("low_below", "high_above", "hysteresis"))
    low_edge = low + margin * np.select([previous == 0, previous > 0], [1, -1], 0)
    high_edge = high + margin * np.select([previous == 2, previous >= 0], [-1, 1], 0)
    level = (index >= low_edge).astype(np.int8) + (index > high_edge)
    return np.where(np.isnan(index), -1, level).astype(np.int8)
