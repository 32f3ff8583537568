"""Attention and expression -> the concentration index and its level.

The numbers are from a formula (scoring/formula.py). docs/concentration.md explains the limits of such an index: it does not
measure anybody's mind.
"""

import numpy as np

from cssafe.frames import Signals
from cssafe.presence.people import ON_TASK
from cssafe.scoring.formula import MAX_GAZE_WEIGHT, ContinuousFormula, Formula, SteppedFormula
from cssafe.signals.pose import GAZE_REACH


def degrees_outside(signals: Signals, limits: dict[str, float]) -> np.ndarray:
    """Degrees by which each face looks past the target's rectangle, (n,), 0 inside; NaN where the head cannot be read.

    Side and height combine to the distance from the nearest point of the rectangle (Pythagoras), so nothing jumps at a corner.

    Args:
        limits: of one activity, see formula.LIMITS.
    """
    beside = np.maximum(np.abs(_sideways(signals)) - limits["yaw"], 0)
    beyond = np.maximum(np.maximum(signals.pitch - limits["down"], -limits["up"] - signals.pitch), 0)
    return np.hypot(beside, beyond)


def read_gaze(signals: Signals, limits: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Gaze on the target, bool (n,), and state of the eyes, int8 (n,): 0 open or unread, 1 half closed, 2 closed."""
    openness = np.nan_to_num(signals.eyes_open, nan=1.0)
    lids = np.where(openness < limits["closed"], 2, openness < limits["half_open"]).astype(np.int8)
    return degrees_outside(signals, limits) == 0, lids


def attention_parts(signals: Signals, formula: Formula, activity: str) -> tuple[np.ndarray, np.ndarray]:
    """Attention as it would be with open eyes, and attention, (n,) each in [0, 1].

    Where the eyes cannot be read (a small face) both rest on the direction of the head alone, and `eyes_open` is NaN. NaN where
    the head cannot be read, and for all faces in an activity that the formula does not score.
    """
    limits = formula.limits[activity]
    if limits is None:
        return np.full(len(signals.yaw), np.nan), np.full(len(signals.yaw), np.nan)
    if isinstance(formula, SteppedFormula):
        with_open_eyes, attending = _gaze_weights(signals, formula.gaze, limits)
    else:
        assert isinstance(formula, ContinuousFormula), "there are two forms"
        with_open_eyes = 1 - np.minimum(degrees_outside(signals, limits) / formula.fall, 1)
        attending = with_open_eyes * _eye_factor(signals.eyes_open, limits)
    unread = np.isnan(signals.yaw)
    return np.where(unread, np.nan, with_open_eyes), np.where(unread, np.nan, attending)


def attention(signals: Signals, formula: Formula, activity: str) -> np.ndarray:
    """Attention to the target of the activity, float32 (n,) in [0, 1]; NaN as in `attention_parts`.

    By a continuous formula 1 inside the target, falling evenly to 0 over `fall` degrees outside it, times a factor that falls
    from 1 to 0 as the eyes close; by a stepped one the weight of the gaze's state over MAX_GAZE_WEIGHT.
    """
    return attention_parts(signals, formula, activity)[1].astype(np.float32)


def on_task(attention: np.ndarray) -> np.ndarray:
    """Whether each face is on task, bool (n,); false where attention is NaN."""
    return attention >= ON_TASK


def concentration(attention: np.ndarray, expression: np.ndarray | None, formula: Formula) -> np.ndarray:
    """The index, float32 (n,) in [0, 1]: attention x expression factor; NaN where a part is not measurable, but 0 without
    attention, whatever the emotion.

    Args:
        attention: (n,), as `attention` has it.
        expression: (n, 8) probabilities in the order of labels.FERPLUS; the factor is their mean factor. A formula without
            emotion weights takes None and has the factor 1.
    """
    if formula.emotion is None:
        emotion = np.ones(len(attention), np.float32)
    elif expression is None:
        raise ValueError(f"The formula {formula} weighs emotions; no expression was given.")
    else:
        emotion = expression @ formula.emotion
    index = emotion * attention
    if isinstance(formula, SteppedFormula):  # in this order: values of earlier versions stay the same to the bit
        index = index * MAX_GAZE_WEIGHT / formula.divisor
    return np.where(attention == 0, 0, np.clip(index, 0, 1)).astype(np.float32)


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


def _sideways(signals: Signals) -> np.ndarray:
    """Degrees to the side, (n,): the turn of the head and, where they are read, that of the eyes."""
    eyes = np.degrees(np.arcsin(np.clip(np.nan_to_num(signals.gaze_x) / GAZE_REACH, -1, 1)))
    return signals.yaw - eyes


def _gaze_weights(signals: Signals, gaze: dict[str, float], limits: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Weight over MAX_GAZE_WEIGHT of the gaze with open eyes, and of the state it is in, (n,) each."""
    centre, lids = read_gaze(signals, limits)
    on = np.array([gaze["centre_open"], gaze["centre_half"], gaze["closed"]])
    off = np.array([gaze["away_open"], gaze["away_half"], gaze["closed"]])
    weight = np.clip(np.where(centre, on[lids], off[lids]) / MAX_GAZE_WEIGHT, 0, 1)
    return np.where(centre, on[0], off[0]) / MAX_GAZE_WEIGHT, weight


def _eye_factor(eyes_open: np.ndarray, limits: dict[str, float]) -> np.ndarray:
    """From 0 with closed eyes to 1 with open ones, (n,); 1 where they cannot be read, so that the direction alone counts."""
    share = (eyes_open - limits["closed"]) / (limits["half_open"] - limits["closed"])
    return np.nan_to_num(np.clip(share, 0, 1), nan=1.0)
