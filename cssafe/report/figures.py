"""Figures of a lesson report from the database: emotions, affect, quality and coverage, with the minimum group in the SQL."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.language import N_, _
from cssafe.presence.figure_text import verdict_ends
from cssafe.scoring.affect import COORDINATES
from cssafe.stats.intervals import clustered_means, grouped_means
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED, VALENCE_SQL, summary_of

WINDOW_MINUTES = 5
"""Length of the stretches of a lesson that are compared."""


def _weighted_sum(weights: dict[str, float]) -> str:
    return " + ".join(f"{weight} * p_{name}" for name, weight in weights.items() if weight) or "0"


AROUSAL = _weighted_sum({name: arousal for name, (_valence, arousal) in COORDINATES.items()})
LIKING = _weighted_sum({name: max(0.0, valence) for name, (valence, _arousal) in COORDINATES.items()})
DISLIKING = _weighted_sum({name: max(0.0, -valence) for name, (valence, _arousal) in COORDINATES.items()})

EXPRESSION_KNOWN = "CASE WHEN p_neutral IS NOT NULL THEN"
"""DuckDB's greatest and least skip null."""

EMOTIONS = {name: f"p_{name}" for name in FERPLUS}

AFFECT = {
    "valence": VALENCE_SQL,
    "arousal": AROUSAL,
    "liking": LIKING,
    "disliking": DISLIKING,
    "ambivalence": f"{EXPRESSION_KNOWN} greatest(0, "
    f"1.5 * least({LIKING}, {DISLIKING}) - 0.5 * greatest({LIKING}, {DISLIKING})) END",
}
"""scoring/affect.py as SQL: measure -> value of an observation."""


def _squares(axis: int) -> str:
    """The expectation of the squared coordinate. axis: 0 valence, 1 arousal."""
    return _weighted_sum({name: coordinates[axis] ** 2 for name, coordinates in COORDINATES.items()})


READING_SPREADS = {
    f"{name}_spread": f"{EXPRESSION_KNOWN} sqrt(greatest(0, {_squares(i)} - ({sql}) ** 2)) END"
    for i, (name, sql) in enumerate({"valence": VALENCE_SQL, "arousal": AROUSAL}.items())
}
"""<measure>_spread -> standard deviation of a single reading, as Affect.spreads."""

QUALITY = {"quality": "quality", "hidden": "hidden"}
"""Measures of every lesson."""

EXPRESSION_MEASURES = EMOTIONS | AFFECT | READING_SPREADS
"""Further measures of lessons with expressions."""

HEADINGS = {
    "minute": N_("Minute"),
    "neutral": N_("Neutral"),
    "happy": N_("Happy"),
    "surprise": N_("Surprise"),
    "sad": N_("Sad"),
    "angry": N_("Angry"),
    "disgust": N_("Disgust"),
    "fear": N_("Fear"),
    "contempt": N_("Contempt"),
    "valence": N_("Valence"),
    "arousal": N_("Arousal"),
    "liking": N_("Liking"),
    "disliking": N_("Disliking"),
    "ambivalence": N_("Ambivalence"),
}
"""Measure -> heading of its column."""


def face_minutes(workspace: Workspace, lesson: int, expressive: bool) -> pd.DataFrame:
    """Sums over the observations of each face in each minute.

    Columns: minute (whole, from the start), cluster (the face; of one person alone every ten seconds), alone (bool), and of
    each measure s_<measure> (sum) and n_<measure> (seconds). One query for all measures: among years of lessons, the scan takes
    most of the time."""
    measures = QUALITY | (EXPRESSION_MEASURES if expressive else {})
    columns = ", ".join(
        f"coalesce(sum({sql}), 0) AS s_{name}, count({sql}) AS n_{name}" for name, sql in measures.items()
    )
    with workspace.cursor() as cursor:
        return cursor.execute(
            f"""WITH {COUNTED}
            SELECT date_diff('minute', date_trunc('minute', started), time)::INTEGER AS minute,
                CASE WHEN audience = 'self' THEN date_diff('second', started, time) // 10 ELSE track END AS cluster,
                audience = 'self' AS alone, {columns}
            FROM counted JOIN lessons USING (lesson) GROUP BY ALL ORDER BY minute, cluster""",
            {"lessons": [lesson]},
        ).df()


def minute_means(table: pd.DataFrame, measures: Iterable[str]) -> pd.DataFrame:
    """Means of each minute. Columns: minute, measure, mean, low, high. table: of `face_minutes`."""
    parts = []
    for name in measures:
        there = table[f"n_{name}"] > 0
        minute, group = np.unique(table["minute"][there], return_inverse=True)
        mean, low, high = grouped_means(
            table[f"s_{name}"][there].to_numpy(float), table[f"n_{name}"][there].to_numpy(float), group
        )
        parts.append(pd.DataFrame({"minute": minute, "measure": name, "mean": mean, "low": low, "high": high}))
    return _clipped(pd.concat(parts).sort_values("minute", kind="stable", ignore_index=True))


def lesson_means(table: pd.DataFrame, measures: Iterable[str]) -> pd.DataFrame:
    """Means of the whole lesson by measure, NaN where there is none; of one person alone the clusters are minutes.

    Columns: measure, mean, low, high. table: of `face_minutes`.
    """
    cluster = table["cluster"].where(~table["alone"].astype(bool), table["minute"])
    joined = table.drop(columns=["minute", "cluster", "alone"]).groupby(cluster).sum()
    sums = ((name, joined[f"s_{name}"].to_numpy(float), joined[f"n_{name}"].to_numpy(float)) for name in measures)
    rows = [(name, *_clustered(s, n)) for name, s, n in sums]
    return _clipped(pd.DataFrame(rows, columns=["measure", "mean", "low", "high"])).set_index("measure")


@dataclass(frozen=True)
class Window:
    """Minutes of a lesson from first to last, both included, and their class figure with its band and interval."""

    first: int
    last: int
    concentration: float
    lowest: float
    highest: float
    low: float
    high: float

    @property
    def minutes(self) -> int:
        return self.last - self.first + 1

    @property
    def ends(self) -> tuple[float, float]:
        """See verdict_ends."""
        return verdict_ends(self.concentration, self.lowest, self.highest, self.low, self.high, least=-1.0)


def cluster_minutes(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """The clusters of the intervals of a past lesson: persons; of one person alone stretches of ten seconds.

    Columns: minute (whole, from the start), cluster, present (looks), shares (sum of its part of the class figure), alone.
    """
    with workspace.cursor() as cursor:
        row = cursor.execute("SELECT started, audience = 'self' FROM lessons WHERE lesson = ?", [lesson]).fetchone()
        assert row is not None, "the lesson is there"
        clusters = summary_of(cursor, lesson).clusters
    minute = (clusters["time"] - pd.Timestamp(row[0]).floor("min")) // pd.Timedelta(minutes=1)
    cluster = clusters["cluster"] + (minute * len(clusters) if row[1] else 0)
    return clusters.drop(columns="time").assign(minute=minute, cluster=cluster, alone=row[1])


def five_minute_windows(course: pd.DataFrame, clusters: pd.DataFrame) -> list[Window]:
    """All stretches of WINDOW_MINUTES consecutive minutes with figures.

    course: queries.timeline. clusters: of `cluster_minutes`.
    """
    there = course.dropna(subset="concentration")
    minutes = there["minute"].to_numpy()
    starts = minutes[: max(0, len(minutes) - WINDOW_MINUTES + 1)]
    return [
        _window(there[i : i + WINDOW_MINUTES], clusters)
        for i, first in enumerate(starts)
        if minutes[i + WINDOW_MINUTES - 1] == first + WINDOW_MINUTES - 1
    ]


def _window(course: pd.DataFrame, clusters: pd.DataFrame) -> Window:
    first, last = int(course["minute"].iloc[0]), int(course["minute"].iloc[-1])
    figure, lowest, highest = _class_figure(course)
    inside = clusters[clusters["minute"].between(first, last)].groupby("cluster")[["present", "shares"]].sum()
    mean, low, high = _clustered(inside["shares"].to_numpy(float), inside["present"].to_numpy(float))
    return Window(first, last, figure, lowest, highest, low + figure - mean, high + figure - mean)


def _class_figure(course: pd.DataFrame) -> np.ndarray:
    """Concentration, lowest and highest, (3,), of these minutes with figures, by person-seconds as in queries.lessons. A minute
    of earlier versions has neither a band nor a number of people."""
    weight = course["looks"].fillna(course["seconds"]) * course["present"].fillna(course["faces"])
    figures = [course[name].fillna(course["concentration"]) for name in ("concentration", "lowest", "highest")]
    return np.average(np.array(figures, float), axis=1, weights=weight)


def last_third_change(course: pd.DataFrame, clusters: pd.DataFrame) -> Window | None:
    """Change of the class figure from the first to the last third of a lesson, with the interval over people there in both.

    The band is the change if people not visible attend not at all, or like the rest, in both thirds. None for one person alone,
    for a lesson shorter than two windows, and where nobody was there in both. course: queries.timeline. clusters:
    `cluster_minutes`.
    """
    there = course.dropna(subset="concentration")
    length = 0 if there.empty else int(there["minute"].max() + 1 - there["minute"].min())
    if length < 2 * WINDOW_MINUTES or clusters["alone"].any():
        return None
    start = int(there["minute"].min())
    third = (there["minute"] - start) * 3 // length
    change = _class_figure(there[third == 2]) - _class_figure(there[third == 0])
    joined = clusters.assign(third=(clusters["minute"] - start) * 3 // length)
    joined = joined.groupby(["cluster", "third"])[["shares", "present"]].sum().unstack()
    wanted = pd.MultiIndex.from_product([["shares", "present"], [0, 2]])
    first_s, last_s, first_n, last_n = joined.reindex(columns=wanted).dropna().to_numpy(float).T
    if not len(first_n):
        return None
    weight = first_n * last_n / (first_n + last_n)
    mean, low, high = _clustered((last_s / last_n - first_s / first_n) * weight, weight)
    apart = change[0] - mean
    return Window(start, start + length - 1, change[0], change.min(), change.max(), low + apart, high + apart)


def count_coverage(workspace: Workspace, lesson: int) -> pd.Series:
    """Counts: `seconds` in which a face was seen, `shown` of them with enough measured faces, `faces` (seconds times faces)
    seen, `measured` of them."""
    with workspace.cursor() as cursor:
        counted = cursor.execute(
            f"""WITH {COUNTED}
            SELECT count(*)::BIGINT AS seconds,
                count(*) FILTER (measured >= least AND (expressed = 0 OR expressed >= least))::BIGINT AS shown,
                coalesce(sum(faces), 0)::BIGINT AS faces, coalesce(sum(measured), 0)::BIGINT AS measured FROM seconds""",
            {"lessons": [lesson]},
        )
        return counted.df().iloc[0]


def _clustered(s: np.ndarray, n: np.ndarray) -> tuple[float, float, float]:
    """intervals.clustered_means of one measure; clusters without weight do not count."""
    s, n = s[n > 0], n[n > 0]
    if not len(n):
        return np.nan, np.nan, np.nan
    mean, low, high = clustered_means(s[:, None], n)
    return float(mean[0]), float(low[0]), float(high[0])


def _clipped(table: pd.DataFrame) -> pd.DataFrame:
    """The table with intervals cut to the range of each measure: [-1, 1] for valence and arousal, else [0, 1]."""
    least = np.where(table["measure"].isin(("valence", "arousal")), -1, 0)
    return table.assign(
        low=np.maximum(table["low"].astype(float), least), high=np.minimum(table["high"].astype(float), 1)
    )


def with_headings(table: pd.DataFrame) -> pd.DataFrame:
    """The table with translated headings."""
    return table.rename(columns={name: _(head) for name, head in HEADINGS.items()})
