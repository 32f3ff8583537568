"""Why a score is what it is: from the best there is, 1, what is lost to where a face looks, to its eyes and to its emotion.

The index is a product, so what each factor takes depends on the order: here first looking, then the eyes, then the emotion.
All parts and the index add up to 1.
"""

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult, Signals
from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.scoring.concentration import looking
from cssafe.scoring.formula import MOST_GAZE, Formula
from cssafe.scoring.rescoring import during, expression, signals
from cssafe.stats.intervals import clustered_means, quality_weights

KINDS = ("index", "looking", "eyes", "emotion")
"""What a score is split into where the emotions are taken together."""


def parts(formula: Formula) -> tuple[str, ...]:
    """What is lost to looking away, to eyes not open and, where the formula weighs them, to each emotion."""
    return ("looking", "eyes", *(FERPLUS if formula.emotion is not None else ()))


def explain(signals: Signals, expression: np.ndarray | None, formula: Formula, activity: str) -> pd.DataFrame:
    """One row for each face: `parts`, each in [0, 1], and `index`, together 1; NaN where the face is not measurable or the
    activity not scored.

    Args:
        expression: (n, 8) probabilities; not looked at by a formula without emotion weights.
    """
    names = parts(formula)
    if formula.limits[activity] is None:
        return pd.DataFrame(np.nan, index=range(len(signals.yaw)), columns=[*names, "index"], dtype=float)
    centre, lids = looking(signals, formula, activity)
    gaze = formula.gaze
    with_open_eyes = np.where(centre, gaze["centre_open"], gaze["away_open"]) / MOST_GAZE
    half = np.where(centre, gaze["centre_half"], gaze["away_half"]) / MOST_GAZE
    attention = np.select([lids == 0, lids == 1], [with_open_eyes, half], gaze["closed"] / MOST_GAZE)
    lost = pd.DataFrame({"looking": 1 - with_open_eyes, "eyes": with_open_eyes - attention})
    if formula.emotion is not None and expression is not None:
        lost[list(FERPLUS)] = attention[:, None] * expression * (1 - formula.emotion * MOST_GAZE / formula.divisor)
    lost["index"] = 1 - lost.sum(axis=1, skipna=False)
    lost[np.isnan(signals.yaw)] = np.nan
    return lost


def of_frame(result: FrameResult, formula: Formula, activity: str) -> pd.DataFrame:
    """Rows of `table` for one frame, means over the faces that could be measured."""
    return table(explain(result.signals, result.expression, formula, activity).mean())


def nothing(formula: Formula) -> pd.DataFrame:
    """Rows of `table` where nothing may or can be said: all NaN."""
    return table(pd.Series(np.nan, [*parts(formula), "index"]))


def minutes(rows: pd.DataFrame, activities: pd.DataFrame, formula: Formula) -> pd.DataFrame:
    """The parts of each minute, means over its observations.

    Args:
        rows: of evidence.counted. activities: as in rescoring.during.

    Returns:
        `minute`, `part` (`parts` and index), `points` with low and high (95 %, clusters: faces, cut to [0, 1]) and `share` of
        all that is lost in the minute, NaN for the index and where nothing is lost.
    """
    names = [*parts(formula), "index"]
    doing = during(rows["time"], activities)
    lost = pd.DataFrame(np.nan, index=rows.index, columns=names)
    for activity in np.unique(doing):
        those = doing == activity
        lost.loc[those] = explain(signals(rows[those]), expression(rows[those]), formula, str(activity)).to_numpy()
    weight = quality_weights(rows["quality"].to_numpy(float))
    lost = lost.mul(weight, axis=0).assign(minute=rows["minute"], track=rows["track"], weight=weight).dropna()
    faces = lost.groupby(["minute", "track"])[[*names, "weight"]].sum()
    columns = {"minute": int, "part": str, "points": float, "low": float, "high": float, "share": float}
    if faces.empty:
        return pd.DataFrame(columns=list(columns)).astype(columns)
    minute, first = np.unique(faces.index.get_level_values("minute"), return_index=True)
    parted = np.split(faces.to_numpy(), first[1:])
    mean, low, high = np.stack([np.stack(clustered_means(those[:, :-1], those[:, -1])) for those in parted], axis=1)
    share = np.full_like(mean, np.nan)  # the index is the last
    whole = mean[:, :-1].sum(axis=1, keepdims=True)
    np.divide(mean[:, :-1], whole, out=share[:, :-1], where=whole > 1e-6)
    told = {"minute": minute.repeat(len(names)), "part": np.tile(names, len(minute)), "points": mean.ravel()}
    told |= {"low": low.clip(0, 1).ravel(), "high": high.clip(0, 1).ravel(), "share": share.ravel()}
    return pd.DataFrame(told).astype(columns)


def table(points: pd.Series) -> pd.DataFrame:
    """`parts` and the index of one moment as rows of `part`, `points` and `share` of what is lost."""
    lost = points.drop("index")
    share = lost / lost.sum() if lost.sum() > 1e-6 else lost * np.nan
    return pd.DataFrame(
        {"part": points.index, "points": points.to_numpy(), "share": share.reindex(points.index).to_numpy()}
    )


def kinds(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table`, or of `minutes`, with all emotions as one: `kind` and the sum of `points`, for each minute if there
    are several."""
    kind = table["part"].where(~table["part"].isin(FERPLUS), "emotion")
    by = ["minute", "kind"] if "minute" in table else ["kind"]
    return table.assign(kind=kind).groupby(by, sort=False, as_index=False)["points"].sum()


def words(table: pd.DataFrame) -> str:
    """One sentence: what takes how much from the best score, 1. table: of one moment."""
    points = table.set_index("part")["points"]
    lost = {_("{amount:.2f} to looking away"): points["looking"], _("{amount:.2f} to eyes not open"): points["eyes"]}
    emotions, emotion = points.drop(["looking", "eyes", "index"]), ""
    if len(emotions):
        emotion = _(emotions.idxmax())
        lost[_("{amount:.2f} to the emotion, mostly {emotion}")] = emotions.sum()
    told = [part.format(amount=amount, emotion=emotion) for part, amount in lost.items() if amount >= 0.005]
    sentence = _("{index:.2f} of 1: lost are {parts}.") if told else _("{index:.2f} of 1: nothing is lost.")
    return sentence.format(index=points["index"], parts=", ".join(told))
