"""Why a score is what it is: from the best there is, 1, what is lost to where a face looks, to its eyes and to its emotion.

The index is a product, so what each factor takes depends on the order: here first looking, then the eyes, then the emotion.
All parts and the index add up to 1.
"""

import numpy as np
import pandas as pd

from cssafe.concentration import looking
from cssafe.formula import MOST_GAZE, Formula
from cssafe.frames import Signals
from cssafe.intervals import clustered, weights
from cssafe.labels import FERPLUS
from cssafe.rescoring import during, expression, signals

KINDS = ("index", "looking", "eyes", "emotion")
"""What a score is split into where the emotions are taken together."""

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


def minutes(rows: pd.DataFrame, activities: pd.DataFrame, formula: Formula) -> pd.DataFrame:
    """The parts of each minute, means over its observations.

    Args:
        rows: of evidence.counted. activities: as in rescoring.during.

    Returns:
        `minute`, `part` (PARTS and index), `points` with low and high (95 %, clusters: faces) and
        `share` of all that is lost in the minute, NaN for the index and where nothing is lost.
    """
    doing = during(rows["time"], activities)
    parts = pd.DataFrame(np.nan, index=rows.index, columns=[*PARTS, "index"])
    for activity in np.unique(doing):
        those = doing == activity
        found = explain(signals(rows[those]), expression(rows[those]), formula, str(activity))
        parts.loc[those] = found.to_numpy()
    weight = weights(rows["quality"].to_numpy(float))
    parts = parts.mul(weight, axis=0).assign(minute=rows["minute"], track=rows["track"], weight=weight).dropna()
    told = []
    for number, those in parts.groupby("minute"):
        sums = those.groupby("track")[[*PARTS, "index", "weight"]].sum().to_numpy()
        mean, low, high = clustered(sums[:, :-1], sums[:, -1])
        told.append(table(mean).assign(minute=number, low=low, high=high))
    columns = ["minute", "part", "points", "low", "high", "share"]
    return pd.concat(told, ignore_index=True)[columns] if told else pd.DataFrame(columns=columns)


def kinds(parts: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table`, or of `minutes`, with all emotions as one: `kind` and the sum of `points`, for each minute if there
    are several."""
    kind = parts["part"].where(~parts["part"].isin(FERPLUS), "emotion")
    by = ["minute", "kind"] if "minute" in parts else ["kind"]
    return parts.assign(kind=kind).groupby(by, sort=False, as_index=False)["points"].sum()


def words(parts: pd.DataFrame) -> str:
    """One sentence: what takes how much from the best score, 1. parts: of one moment."""
    points = parts.set_index("part")["points"]
    emotions = points[list(FERPLUS)]
    lost = {"looking away": points["looking"], "eyes not open": points["eyes"]}
    lost |= {f"the emotion, mostly {emotions.idxmax()}": emotions.sum()}
    told = [f"{amount:.2f} to {what}" for what, amount in lost.items() if amount >= 0.005]
    return f"{points['index']:.2f} of 1: " + (f"lost are {', '.join(told)}." if told else "nothing is lost.")


def table(points: np.ndarray) -> pd.DataFrame:
    """PARTS and the index, (10,), as rows of `part`, `points` and `share` of what is lost."""
    lost = points[:-1].sum()
    share = np.append(points[:-1] / lost if lost > 1e-6 else np.full(len(PARTS), np.nan), np.nan)
    return pd.DataFrame({"part": [*PARTS, "index"], "points": points, "share": share})
