"""Why a score is what it is: from the best there is, 1, what is lost to where a face looks, to its eyes and to its emotion.

The index is a product, so what each factor takes depends on the order: here first looking, then the eyes, then the emotion.
All parts and the index add up to 1.
"""

import numpy as np
import pandas as pd

from cssafe.concentration import looking
from cssafe.formula import MOST_GAZE, Formula
from cssafe.frames import Signals
from cssafe.intervals import clustered
from cssafe.labels import FERPLUS
from cssafe.rescoring import during, expression, signals

PARTS = ("looking", "eyes", *FERPLUS)
"""Columns of what is lost: to looking away, to eyes not open, to each emotion."""


def explain(signals: Signals, expression: np.ndarray | None, formula: Formula, activity: str) -> pd.DataFrame:
    """One row for each face: PARTS, each in [0, 1], and `index`, together 1; NaN where the face is not measurable or the
    activity not scored.

    Args:
        expression: (n, 8) probabilities; not looked at by a formula without emotion weights, which loses nothing to them.
    """
    n = len(signals.yaw)
    if formula.limits[activity] is None:
        return pd.DataFrame(np.nan, index=range(n), columns=[*PARTS, "index"], dtype=float)
    centre, lids = looking(signals, formula, activity)
    gaze = formula.gaze
    with_open_eyes = np.where(centre, gaze["centre_open"], gaze["away_open"]) / MOST_GAZE
    half = np.where(centre, gaze["centre_half"], gaze["away_half"]) / MOST_GAZE
    attention = np.select([lids == 0, lids == 1], [with_open_eyes, half], gaze["closed"] / MOST_GAZE)
    lost = np.zeros((n, len(FERPLUS)))
    if formula.emotion is not None and expression is not None:
        lost = attention[:, None] * expression * (1 - formula.emotion * MOST_GAZE / formula.divisor)
    parts = pd.DataFrame(lost, columns=list(FERPLUS))
    parts.insert(0, "looking", 1 - with_open_eyes)
    parts.insert(1, "eyes", with_open_eyes - attention)
    parts["index"] = 1 - parts.sum(axis=1, skipna=False)
    parts[np.isnan(signals.yaw)] = np.nan
    return parts


def minutes(rows: pd.DataFrame, activities: pd.DataFrame, formula: Formula, started: pd.Timestamp) -> pd.DataFrame:
    """The parts of each minute, means over its observations.

    Args:
        rows: observations of one lesson that may enter a figure (`queries.counted`). activities: as in rescoring.during.
        started: of the lesson, naive UTC.

    Returns:
        `minute` (whole, from the start), `part` (PARTS and index), `points` with low and high (95 %, clusters: faces) and
        `share` of all that is lost in the minute, NaN for the index and where nothing is lost.
    """
    doing = during(rows["time"], activities)
    parts = pd.DataFrame(np.nan, index=rows.index, columns=[*PARTS, "index"])
    for activity in np.unique(doing):
        those = doing == activity
        found = explain(signals(rows[those]), expression(rows[those]), formula, str(activity))
        parts.loc[those] = found.to_numpy()
    minute = (rows["time"].dt.floor("min") - started.floor("min")) // pd.Timedelta(minutes=1)
    parts = parts.assign(minute=minute, track=rows["track"]).dropna()
    told = []
    for number, those in parts.groupby("minute"):
        sums = those.groupby("track")[[*PARTS, "index"]].sum()
        mean, low, high = clustered(sums.to_numpy(), those.groupby("track").size().to_numpy())
        told.append(table(mean).assign(minute=number, low=low, high=high))
    columns = ["minute", "part", "points", "low", "high", "share"]
    return pd.concat(told, ignore_index=True)[columns] if told else pd.DataFrame(columns=columns)


def table(points: np.ndarray) -> pd.DataFrame:
    """PARTS and the index, (10,), as rows of `part`, `points` and `share` of what is lost."""
    lost = points[:-1].sum()
    share = np.append(points[:-1] / lost if lost > 1e-6 else np.full(len(PARTS), np.nan), np.nan)
    return pd.DataFrame({"part": [*PARTS, "index"], "points": points, "share": share})
