"""Parts of a score: the losses, from the best score of 1, to looking away, to the eyes and to the emotion.

The index is a product, so the loss to each factor depends on the order: first looking, then the eyes, then the emotion. All
parts and the index add up to 1.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult, Signals
from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.scoring.concentration import read_gaze
from cssafe.scoring.formula import MAX_GAZE_WEIGHT, Formula
from cssafe.scoring.rescoring import activity_at, expression, signals
from cssafe.stats.intervals import clustered_means, quality_weights

KINDS = ("index", "looking", "eyes", "emotion")
"""Parts of a score with all emotions as one."""


def part_names(formula: Formula) -> tuple[str, ...]:
    """Names of the losses: to looking away, to eyes not open and, where the formula weighs them, to each emotion."""
    return ("looking", "eyes", *(FERPLUS if formula.emotion is not None else ()))


def face_parts(signals: Signals, expression: np.ndarray | None, formula: Formula, activity: str) -> pd.DataFrame:
    """One row for each face: `part_names`, each in [0, 1], and `index`, together 1; NaN where the face is not measurable or the
    activity not scored.

    expression: (n, 8) probabilities; ignored by a formula without emotion weights.
    """
    names = part_names(formula)
    if formula.limits[activity] is None:
        return pd.DataFrame(np.nan, index=range(len(signals.yaw)), columns=[*names, "index"], dtype=float)
    centre, lids = read_gaze(signals, formula, activity)
    gaze = formula.gaze
    with_open_eyes = np.where(centre, gaze["centre_open"], gaze["away_open"]) / MAX_GAZE_WEIGHT
    half = np.where(centre, gaze["centre_half"], gaze["away_half"]) / MAX_GAZE_WEIGHT
    attention = np.select([lids == 0, lids == 1], [with_open_eyes, half], gaze["closed"] / MAX_GAZE_WEIGHT)
    lost = pd.DataFrame({"looking": 1 - with_open_eyes, "eyes": with_open_eyes - attention})
    if formula.emotion is not None and expression is not None:
        lost[list(FERPLUS)] = (
            attention[:, None] * expression * (1 - formula.emotion * MAX_GAZE_WEIGHT / formula.divisor)
        )
    lost["index"] = 1 - lost.sum(axis=1, skipna=False)
    lost[lost.isna().any(axis=1) | np.isnan(signals.yaw)] = np.nan
    return lost


def frame_parts(result: FrameResult, formula: Formula, activity: str) -> pd.DataFrame:
    """Rows of `parts_table` for one frame, means over its measured faces."""
    return parts_table(face_parts(result.signals, result.expression, formula, activity).mean())


def class_parts(
    results: Iterable[FrameResult], formula: Formula, activity: str, index: float, seen_share: float
) -> pd.DataFrame:
    """Rows of `parts_table` for a class's `index` over some frames: means over their measured faces, scaled to add up with it.

    seen_share: of the people present. Those not visible are a part of their own, by the formula's weight for them.
    """
    faces = [face_parts(result.signals, result.expression, formula, activity) for result in results]
    means = pd.concat(faces).mean().drop("index")
    unseen = (1 - seen_share) * (1 - formula.unseen_weight(activity))
    lost = max(0.0, 1 - index - unseen)
    means = means * (lost / means.sum() if means.sum() > 0 else 0)
    return parts_table(pd.concat([means, pd.Series({"unseen": 1 - index - means.sum(), "index": index})]))


def empty_parts(formula: Formula) -> pd.DataFrame:
    """Rows of `parts_table` with NaN, for a moment without figures."""
    return parts_table(pd.Series(np.nan, [*part_names(formula), "index"]))


def minute_parts(rows: pd.DataFrame, activities: pd.DataFrame, formula: Formula) -> pd.DataFrame:
    """The parts of each minute, means over its observations.

    Args:
        rows: scored_observations.counted. activities: as in rescoring.activity_at.

    Returns:
        `minute`, `part` (`part_names` and index), `points` with low and high (95 %, clusters: faces, cut to [0, 1]) and
        `share` of all losses in the minute, NaN for the index and where nothing is lost.
    """
    names = [*part_names(formula), "index"]
    doing = activity_at(rows["time"], activities)
    lost = pd.DataFrame(np.nan, index=rows.index, columns=names)
    for activity in np.unique(doing):
        those = doing == activity
        lost.loc[those] = face_parts(signals(rows[those]), expression(rows[those]), formula, str(activity)).to_numpy()
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
    figures = {"minute": minute.repeat(len(names)), "part": np.tile(names, len(minute)), "points": mean.ravel()}
    figures |= {"low": low.clip(0, 1).ravel(), "high": high.clip(0, 1).ravel(), "share": share.ravel()}
    return pd.DataFrame(figures).astype(columns)


def parts_table(points: pd.Series) -> pd.DataFrame:
    """`part_names` and the index of one moment as rows of `part`, `points` and `share` of all losses."""
    lost = points.drop("index")
    share = lost / lost.sum() if lost.sum() > 1e-6 else lost * np.nan
    return pd.DataFrame(
        {"part": points.index, "points": points.to_numpy(), "share": share.reindex(points.index).to_numpy()}
    )


def sum_by_kind(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of `parts_table` or `minute_parts` with all emotions as one: `kind` and the sum of `points`, for each minute."""
    kind = table["part"].where(~table["part"].isin(FERPLUS), "emotion")
    by = ["minute", "kind"] if "minute" in table else ["kind"]
    return table.assign(kind=kind).groupby(by, sort=False, as_index=False)["points"].sum()


def describe_parts(table: pd.DataFrame) -> str:
    """The score and its losses in one sentence. table: parts of one moment."""
    points = table.set_index("part")["points"]
    lost = {_("{amount:.2f} to looking away"): points["looking"], _("{amount:.2f} to eyes not open"): points["eyes"]}
    emotions, emotion = points.drop(["looking", "eyes", "index"]), ""
    if len(emotions):
        emotion = _(emotions.idxmax())
        lost[_("{amount:.2f} to the emotion, mostly {emotion}")] = emotions.sum()
    losses = [part.format(amount=amount, emotion=emotion) for part, amount in lost.items() if amount >= 0.005]
    sentence = _("{index:.2f} of 1: lost are {parts}.") if losses else _("{index:.2f} of 1: nothing is lost.")
    return sentence.format(index=points["index"], parts=", ".join(losses))
