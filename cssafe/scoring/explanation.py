"""Parts of a score: losses from the best score of 1, to people not visible, to looking away, to the eyes and to the emotion.

The index is a product, so the loss to each factor depends on the order: first looking, then the eyes, then the emotion. All
parts and the index add up to 1.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cssafe.frames import FrameResult, Signals
from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.scoring.concentration import attention_parts
from cssafe.scoring.formula import Formula
from cssafe.scoring.rescoring import activity_at, expression, signals
from cssafe.stats.intervals import clustered_means

KINDS = ("index", "unseen", "looking", "eyes", "emotion")
"""Parts of a score with all emotions as one."""


def part_names(formula: Formula) -> tuple[str, ...]:
    """Names of the losses: to looking away, to eyes not open and, where the formula weighs them, to each emotion."""
    return ("looking", "eyes", *(FERPLUS if formula.emotion is not None else ()))


def face_parts(signals: Signals, expression: np.ndarray | None, formula: Formula, activity: str) -> pd.DataFrame:
    """One row for each face: `part_names`, each in [0, 1], and `index`, together 1; NaN where the face is not measurable or the
    activity not scored.

    expression: (n, 8) probabilities; ignored by a formula without emotion weights.
    """
    with_open_eyes, attention = attention_parts(signals, formula, activity)
    lost = pd.DataFrame({"looking": 1 - with_open_eyes, "eyes": with_open_eyes - attention})
    if formula.emotion is not None:
        shares = np.full((len(lost), len(FERPLUS)), np.nan) if expression is None else expression
        emotions = attention[:, None] * shares * (1 - formula.factors)
        lost[list(FERPLUS)] = np.where(attention[:, None] == 0, 0, emotions)  # a head turned away has no expression
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
    means = pd.concat(faces).mean()
    return parts_table(_with_unseen(means, index, (1 - seen_share) * (1 - formula.unseen_weight(activity))))


def class_minutes(
    parts: pd.DataFrame, course: pd.DataFrame, activities: pd.DataFrame, formula: Formula
) -> pd.DataFrame:
    """Parts of the minutes of a class, which add up with its figure: those of `minute_parts` scaled, and `unseen`.

    Args:
        parts: of minute_parts. course: queries.timeline. activities: `minute` from which each `activity` holds.
    """
    tables = []
    of_minute = dict(tuple(parts.groupby("minute")))
    nobody = empty_parts(formula).fillna(0.0).assign(low=np.nan, high=np.nan)
    for now in course.dropna(subset=["concentration", "present"]).to_dict("records"):
        minute = now["minute"]
        begun = int((activities["minute"] <= minute + 1).sum())
        activity = activities["activity"].iloc[max(0, begun - 1)]
        unseen = now["unseen"] / now["present"] * (1 - formula.unseen_weight(activity))
        if minute not in of_minute and unseen < 1:  # the losses of people like the rest are not known
            continue
        faces = of_minute.get(minute, nobody)
        points = faces.set_index("part")["points"]
        table = parts_table(_with_unseen(points, now["concentration"], unseen)).assign(minute=minute)
        ends = faces.set_index("part").loc[:, ["low", "high"]].div(points.where(points > 0), axis=0)
        ends = ends.reindex(table["part"]).mul(table["points"].to_numpy(), axis=0).clip(upper=1)
        ends.loc["index"] = now["low"], now["high"]
        tables.append(table.assign(low=ends["low"].to_numpy(), high=ends["high"].to_numpy()))
    return pd.concat(tables, ignore_index=True) if tables else parts.iloc[:0]


def _with_unseen(points: pd.Series, index: float, unseen: float) -> pd.Series:
    """The points of visible faces, scaled so that they, `index` and the loss to people not visible add up to 1."""
    lost = points.drop("index")
    unseen = min(unseen, 1 - index) if lost.sum() > 0 else 1 - index
    scaled = lost * ((1 - index - unseen) / lost.sum()) if lost.sum() > 0 else lost
    return pd.concat([pd.Series({"unseen": unseen}), scaled, pd.Series({"index": index})])


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
    lost = lost.assign(minute=rows["minute"], track=rows["track"], seconds=1.0).dropna()
    faces = lost.groupby(["minute", "track"])[[*names, "seconds"]].sum()
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
    points = 100 * table.set_index("part")["points"]
    lost = {
        _("{amount:.0f} to people not visible"): points.get("unseen", 0.0),
        _("{amount:.0f} to looking away"): points["looking"],
        _("{amount:.0f} to eyes not open"): points["eyes"],
    }
    emotions, emotion = points.reindex(list(FERPLUS)).dropna(), ""
    if len(emotions):
        emotion = _(emotions.idxmax())
        lost[_("{amount:.0f} to the emotion, mostly {emotion}")] = emotions.sum()
    losses = [part.format(amount=amount, emotion=emotion) for part, amount in lost.items() if amount >= 0.5]
    sentence = _("{index:.0f} of 100: lost are {parts}.") if losses else _("{index:.0f} of 100: nothing is lost.")
    return sentence.format(index=points["index"], parts=", ".join(losses))
