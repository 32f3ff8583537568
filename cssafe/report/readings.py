"""What a lesson's story reads of the database: emotions, affect, quality and coverage, each with the minimum group in it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cssafe.affect import COORDINATES
from cssafe.intervals import clustered, estimate
from cssafe.labels import FERPLUS
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED

WINDOW = 5
"""Minutes of the best and the weakest stretch of a lesson."""


def _sum(weights: dict[str, float]) -> str:
    return " + ".join(f"{weight} * p_{name}" for name, weight in weights.items() if weight) or "0"


VALENCE = _sum({name: valence for name, (valence, _) in COORDINATES.items()})
AROUSAL = _sum({name: arousal for name, (_, arousal) in COORDINATES.items()})
LIKING = _sum({name: max(0.0, valence) for name, (valence, _) in COORDINATES.items()})
DISLIKING = _sum({name: max(0.0, -valence) for name, (valence, _) in COORDINATES.items()})

KNOWN = "CASE WHEN p_neutral IS NOT NULL THEN"
"""greatest and least pass over what is null."""

EMOTIONS = {name: f"p_{name}" for name in FERPLUS}

AFFECT = {
    "valence": f"(1 + {VALENCE}) / 2",
    "arousal": f"(1 + {AROUSAL}) / 2",
    "liking": LIKING,
    "disliking": DISLIKING,
    "ambivalence": f"{KNOWN} greatest(0, 1.5 * least({LIKING}, {DISLIKING}) - 0.5 * greatest({LIKING}, {DISLIKING})) END",
}
"""affect.affect as SQL; valence and arousal moved from [-1, 1] to [0, 1], where intervals are cut (`affect` below moves them
back)."""

UNSURE = {
    name: f"{KNOWN} sqrt(greatest(0, {_sum({e: at[i] ** 2 for e, at in COORDINATES.items()})} - ({mean}) * ({mean}))) END"
    for i, (name, mean) in enumerate({"valence": VALENCE, "arousal": AROUSAL}.items())
}
"""The standard deviation of a single reading for not knowing which emotion it is, as in affect.Affect.spreads."""

QUALITY = {"quality": "quality", "hidden": "hidden"}


def minutes(workspace: Workspace, lesson: int, measures: dict[str, str]) -> pd.DataFrame:
    """One row for each minute with figures and measure. Columns: minute (from the start), measure, mean, low, high (clusters:
    faces; of one person alone every ten seconds). measures: name -> SQL over an observation, in [0, 1]."""
    return _means(
        workspace, lesson, measures, "date_diff('minute', date_trunc('minute', started), time)", "second(time) // 10"
    )


def whole(workspace: Workspace, lesson: int, measures: dict[str, str]) -> pd.DataFrame:
    """The same over the whole lesson, by measure; of one person alone the clusters are minutes. Columns: mean, low, high."""
    table = _means(workspace, lesson, measures, "0", "date_diff('minute', started, time)")
    return table.drop(columns="minute").set_index("measure").reindex(list(measures))


def affect(table: pd.DataFrame) -> pd.DataFrame:
    """A table of AFFECT with valence and arousal in [-1, 1] again. table: of `minutes`, or of `whole`."""
    measure = table["measure"] if "measure" in table else table.index.to_series()
    moved = measure.isin(("valence", "arousal")).to_numpy(float)
    return table.assign(**{name: (1 + moved) * table[name].astype(float) - moved for name in ("mean", "low", "high")})


def clusters(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Concentration of each face in each minute, as weighted sums: columns minute, cluster, s, n; of one person alone each ten
    seconds are a cluster of their own."""
    with workspace.cursor() as cursor:
        return cursor.execute(
            f"""WITH {COUNTED}
            SELECT date_diff('minute', date_trunc('minute', started), time) AS minute,
                CASE WHEN audience = 'self' THEN date_diff('second', started, time) // 10 ELSE track END AS cluster,
                sum(concentration * weight) AS s, sum(weight) AS n
            FROM counted JOIN lessons USING (lesson) GROUP BY ALL ORDER BY minute, cluster""",
            {"lessons": [lesson]},
        ).df()


@dataclass(frozen=True)
class Window:
    """Minutes of a lesson from first to last, both included, and its mean concentration with the interval over faces."""

    first: int
    last: int
    mean: float
    low: float
    high: float


def windows(table: pd.DataFrame) -> list[Window]:
    """Every WINDOW minutes on end that all have figures. table: of `clusters`."""
    there = np.unique(table["minute"])
    found = []
    for first in there:
        last = int(first) + WINDOW - 1
        inside = table[table["minute"].between(first, last)]
        if inside["minute"].nunique() == WINDOW:
            found.append(Window(int(first), last, *_mean(inside)))
    return found


def change(table: pd.DataFrame) -> tuple[float, float, float]:
    """By how much concentration was higher in the last third of a lesson than in the first, face by face, with the interval
    over faces; of one person alone NaN for the interval. NaN of a lesson shorter than two windows. table: of `clusters`."""
    length = 0 if table.empty else table["minute"].max() + 1 - table["minute"].min()
    if length < 2 * WINDOW:
        return np.nan, np.nan, np.nan
    third = (table["minute"] - table["minute"].min()) * 3 // length
    sums = table.assign(third=third).groupby(["cluster", "third"])[["s", "n"]].sum().unstack()
    sums = sums.reindex(columns=pd.MultiIndex.from_product([["s", "n"], [0, 2]])).dropna()
    if sums.empty:
        return np.nan, np.nan, np.nan
    weight = sums["n", 0] * sums["n", 2] / (sums["n", 0] + sums["n", 2])
    difference = sums["s", 2] / sums["n", 2] - sums["s", 0] / sums["n", 0]
    mean, low, high = clustered((difference * weight).to_numpy()[:, None], weight.to_numpy())
    return float(mean[0]), float(low[0]), float(high[0])


def coverage(workspace: Workspace, lesson: int) -> pd.Series:
    """Counts: `seconds` in which a face was seen, `told` of them with enough measured faces, `faces` (seconds times faces)
    seen, `measured` of them."""
    with workspace.cursor() as cursor:
        return (
            cursor.execute(
                f"""WITH {COUNTED}
            SELECT count(*)::BIGINT AS seconds,
                count(*) FILTER (measured >= least AND (expressed = 0 OR expressed >= least))::BIGINT AS told,
                coalesce(sum(faces), 0)::BIGINT AS faces, coalesce(sum(measured), 0)::BIGINT AS measured FROM seconds""",
                {"lessons": [lesson]},
            )
            .df()
            .iloc[0]
        )


def _mean(rows: pd.DataFrame) -> tuple[float, float, float]:
    sums = rows.groupby("cluster")[["s", "n"]].sum().to_numpy()
    mean, low, high = clustered(sums[:, :1], sums[:, 1])
    return float(mean[0]), float(low[0]), float(high[0])


def _means(workspace: Workspace, lesson: int, measures: dict[str, str], minute: str, alone: str) -> pd.DataFrame:
    """alone: SQL for the clusters of one person alone."""
    sums = ", ".join(
        f"sum(({sql}) * weight) AS s_{name}, sum(weight) FILTER (({sql}) IS NOT NULL) AS n_{name}"
        for name, sql in measures.items()
    )
    items = ", ".join(f"{{'measure': '{name}', 's': s_{name}, 'n': n_{name}}}" for name in measures)
    with workspace.cursor() as cursor:
        return cursor.execute(
            f"""WITH {COUNTED},
            sums AS (
                SELECT {minute} AS minute, CASE WHEN audience = 'self' THEN {alone} ELSE track END AS cluster, {sums}
                FROM counted JOIN lessons USING (lesson) GROUP BY ALL),
            clusters AS (SELECT minute, unnest([{items}], recursive := true) FROM sums)
            SELECT minute::INTEGER AS minute, measure, {estimate("mean")}
            FROM clusters WHERE n > 0 GROUP BY minute, measure
            ORDER BY minute, list_position({list(measures)}, measure)""",
            {"lessons": [lesson]},
        ).df()
