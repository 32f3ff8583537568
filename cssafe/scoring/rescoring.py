"""Scores of stored observations by another formula.

An observation is the mean of a second's frames. A running lesson stores means of its frames' scores; here, scores are made
from the mean signals. The two differ where a face turns or blinks within a second.
"""

import numpy as np
import pandas as pd

from cssafe.frames import SIGNALS, Signals
from cssafe.observations import EXPRESSION
from cssafe.scoring.concentration import attention, concentration, levels
from cssafe.scoring.formula import Formula

HALF_SECOND = np.timedelta64(500, "ms")
"""An observation's time is the start of its second; the activity in the middle of the second counts."""


def signals(rows: pd.DataFrame) -> Signals:
    """The signals of observations."""
    return Signals(**{name: rows[name].to_numpy(np.float32, na_value=np.nan) for name in SIGNALS})


def expression(rows: pd.DataFrame) -> np.ndarray:
    """The probabilities of observations, float32 (n, 8), NaN where none were computed."""
    return rows[list(EXPRESSION)].to_numpy(np.float32, na_value=np.nan)


def activity_at(times: pd.Series, activities: pd.DataFrame) -> np.ndarray:
    """The activity at each time, str (n,). activities: `time` and `activity`, at least one row, by time; the first also holds
    before its time."""
    at = np.searchsorted(activities["time"].to_numpy(), times.to_numpy() + HALF_SECOND, side="right") - 1
    return activities["activity"].to_numpy(str)[np.maximum(at, 0)]


def score_observations(rows: pd.DataFrame, activities: pd.DataFrame, formula: Formula) -> pd.DataFrame:
    """The observations of one lesson with new `attention`, `concentration` and `level`, by time and track.

    rows: `time`, `track`, the signals and the probabilities. activities: as in `activity_at`.
    """
    rows = rows.sort_values(["time", "track"], ignore_index=True)
    attending = np.full(len(rows), np.nan, np.float32)
    doing = activity_at(rows["time"], activities)
    for activity in np.unique(doing):
        those = doing == activity
        attending[those] = attention(signals(rows[those]), formula, str(activity))
    index = concentration(attending, expression(rows), formula)
    level = levels_with_hysteresis(rows["time"].to_numpy(), rows["track"].to_numpy(), index, formula)
    return rows.assign(attention=attending, concentration=index, level=np.where(level < 0, np.nan, level))


def levels_with_hysteresis(times: np.ndarray, tracks: np.ndarray, index: np.ndarray, formula: Formula) -> np.ndarray:
    """The level of each row, int8 (n,), second by second, because hysteresis needs each face's last level. times: sorted."""
    level = np.full(len(index), -1, np.int8)
    faces, face = np.unique(tracks, return_inverse=True)
    last = np.full(len(faces), -1, np.int8)
    starts = np.flatnonzero(times[1:] != times[:-1]) + 1
    for second in np.split(np.arange(len(index)), starts):
        previous = last[face[second]]
        level[second] = levels(index[second], previous, formula)
        last[face[second]] = np.where(level[second] < 0, previous, level[second])
    return level
