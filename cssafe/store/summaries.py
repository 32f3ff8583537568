"""Summary tables `minutes` and `tracks`, which the charts read. The minimum group is enforced here.

An observation *counts* if its concentration was measured and at least MINIMUM_GROUP faces were measured in the same
second of the same lesson (and, where emotions were computed, had theirs measured, too). In a lesson of one person alone one
face is enough, in seconds without a second face. Each observation has the same weight, wherever its face looks.
"""

import duckdb
import numpy as np
import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.observations import EXPRESSION
from cssafe.presence.minutes import (
    MIN_FOLLOWED_FACE_PX,
    Summary,
    attention_by_look,
    summarise_class,
    summarise_person,
    withhold_headline,
)
from cssafe.presence.still_faces import READINGS, left_out
from cssafe.scoring.affect import COORDINATES
from cssafe.scoring.formula import CONCENTRATION, find_formula
from cssafe.settings import MINIMUM_GROUP
from cssafe.vision.track_linking import link_tracks

EMOTION_COUNTS = tuple(f"n_{name}" for name in FERPLUS)
"""Columns of `tracks`: number of observations in which each emotion was the most probable one."""

BINS = tuple(f"c{i}" for i in range(10))
"""Columns of `tracks`: number of observations with concentration in [i / 10, (i + 1) / 10), the last one closed."""

LEFT_OUT = -1
"""Value of `face` in `faces` of tracks that enter no figure because they never move (presence/still_faces.py)."""

COUNTED = f"""
    once AS (
        SELECT observations.* REPLACE (coalesce(face, track) AS track)
        FROM observations LEFT JOIN faces USING (lesson, track)
        WHERE lesson IN (SELECT unnest($lessons::INTEGER[])) AND face IS DISTINCT FROM {LEFT_OUT}
        QUALIFY row_number() OVER (
            PARTITION BY lesson, time, coalesce(face, track) ORDER BY concentration IS NULL, frames DESC, track) = 1),
    seconds AS (
        SELECT lesson, time, count(*) AS faces, count(concentration) AS measured,
            count({EXPRESSION[0]}) FILTER (concentration IS NOT NULL) AS expressed,
            CASE WHEN any_value(audience) = 'class' THEN {MINIMUM_GROUP} WHEN faces = 1 THEN 1 ELSE faces + 1 END AS least
        FROM once JOIN lessons USING (lesson) GROUP BY lesson, time),
    counted AS (
        SELECT once.* FROM once JOIN seconds USING (lesson, time)
        WHERE concentration IS NOT NULL AND measured >= least AND (expressed = 0 OR expressed >= least))
"""
"""Common table expressions of the lessons in $lessons: `once` (one row for each face and second; linked tracks have the number
of the first), `seconds` (number of faces, and minimum for a figure) and `counted` (observations that count).

Earlier versions wrote seconds twice when the clock was set back, so faces are counted, never rows."""

MIN_MINUTE_S = 30
"""Seconds with figures from which on a minute of a class is shareable. Figures of a few seconds would reveal a single face that
comes or goes."""


def shareable_minutes_sql(lessons: str) -> str:
    """SQL for the common table expression `shareable`: the minutes of lessons (of a subquery) that may leave the workspace.
    Of a class, a minute of fewer than MIN_MINUTE_S seconds has no figure and 0 seconds, and others have theirs in tenths. The
    seconds of a minute in which nobody was found, so that everybody counts as 0, are its looks. Where the withheld minutes have
    fewer than MIN_MINUTE_S seconds together, so is the smallest other one, because the mean of the lesson may be known."""
    return f"""
    sized AS (
        SELECT minutes.*, audience, CASE WHEN unseen = present AND concentration = 0 THEN looks ELSE seconds END AS known_s,
            audience = 'self' OR known_s >= {MIN_MINUTE_S} AS enough
        FROM minutes JOIN lessons USING (lesson) WHERE lesson IN ({lessons})),
    rest AS (
        SELECT lesson, coalesce(sum(seconds) FILTER (NOT enough), 0) AS others,
            arg_min(time, seconds) FILTER (enough AND seconds > 0) AS smallest
        FROM sized GROUP BY lesson),
    judged AS (
        SELECT sized.*, enough AND NOT (others BETWEEN 1 AND {MIN_MINUTE_S - 1} AND time IS NOT DISTINCT FROM smallest)
            AS shown
        FROM sized JOIN rest USING (lesson)),
    shareable AS (
        SELECT lesson, time, faces, CASE WHEN shown THEN known_s ELSE 0 END AS seconds,
            {_tenths("attention")}, {_tenths("concentration")}
        FROM judged)
    """


def _tenths(name: str) -> str:
    """SQL for a figure of `judged`; of a class in tenths, rounded by the hash of its minute: coarser than the effect of one of
    seven faces, and unbiased over many minutes."""
    rounded = f"floor(10 * {name} + hash(time) / {2**64}) / 10"
    return f"CASE WHEN audience = 'self' THEN {name} WHEN shown THEN {rounded} END AS {name}"


VALENCE_SQL = " + ".join(f"{valence} * p_{name}" for name, (valence, _arousal) in COORDINATES.items() if valence)
"""SQL for the valence of an observation: scoring/affect.py."""

VALENCE_BY_MINUTE = f"""
    UPDATE minutes SET valence = shown.valence FROM (
        WITH {COUNTED}
        SELECT lesson, date_trunc('minute', time) AS time, avg({VALENCE_SQL}) AS valence FROM counted GROUP BY ALL) shown
    WHERE minutes.lesson = shown.lesson AND minutes.time = shown.time
"""
"""The mean over the faces whose emotion is known."""


def _commonest() -> str:
    highest = f"greatest({', '.join(EXPRESSION)})"
    return ", ".join(
        f"count(*) FILTER ({p} = {highest}) AS {n}" for p, n in zip(EXPRESSION, EMOTION_COUNTS, strict=True)
    )


TRACKS = f"""
    INSERT INTO tracks BY NAME
    WITH {COUNTED}
    SELECT lesson, track, count(*) AS measured, count({EXPRESSION[0]}) AS expressed,
        avg(attention) AS attention, avg(concentration) AS concentration,
        {", ".join(f"avg({p}) AS {p}" for p in EXPRESSION)}, {_commonest()},
        {", ".join(f"count(*) FILTER (least(floor(concentration * 10), 9) = {i}) AS {c}" for i, c in enumerate(BINS))}
    FROM counted GROUP BY lesson, track ORDER BY lesson, track
"""


TRACK_POSITIONS = """
    SELECT track, min(time) AS first, max(time) AS last,
        median(x) AS x, median(y) AS y, median(w) AS w, median(h) AS h
    FROM observations JOIN lessons USING (lesson)
    WHERE lesson = $lesson AND source = 'camera' AND x IS NOT NULL GROUP BY track
"""
"""Positions of the tracks of fixed cameras. Files of one lesson may show different persons at one position."""


PLACES = f"""
    SELECT coalesce(face, track) AS track, {", ".join(READINGS)}
    FROM observations LEFT JOIN faces USING (lesson, track) JOIN lessons USING (lesson)
    WHERE lesson = $lesson AND source <> 'sample'
"""
"""Places and readings of each person, from which pictures are recognised."""

SIGHTS = f"""
    SELECT time, coalesce(face, track) AS person, attention, concentration, size
    FROM observations LEFT JOIN faces USING (lesson, track)
    WHERE observations.lesson = $lesson AND face IS DISTINCT FROM {LEFT_OUT}
    QUALIFY row_number() OVER (PARTITION BY time, coalesce(face, track) ORDER BY concentration IS NULL, frames DESC, track) = 1
    ORDER BY time, person
"""
"""Each person once in each second, measured if possible."""

EMPTY = """
    SELECT time FROM empty_seconds WHERE lesson = $lesson UNION SELECT time FROM observations WHERE lesson = $lesson
"""
"""Times at which nobody need be found: those without a face, and all others, in which there may be pictures alone."""

FACES_SEEN = f"""
    SELECT date_trunc('minute', time) AS time, avg(faces) AS faces
    FROM (SELECT time, count(DISTINCT coalesce(face, track)) AS faces
        FROM observations LEFT JOIN faces USING (lesson, track)
        WHERE observations.lesson = $lesson AND face IS DISTINCT FROM {LEFT_OUT} GROUP BY time
        UNION ALL SELECT time, 0 FROM empty_seconds WHERE lesson = $lesson)
    GROUP BY ALL HAVING max(faces) > 0
"""


def summarise(connection: duckdb.DuckDBPyConnection, lessons: list[int]) -> None:
    """Replace the summaries of these lessons. To be called inside a transaction."""
    for table in ("faces", "people", "minutes", "tracks"):
        connection.execute(
            f"DELETE FROM {table} WHERE list_contains($lessons::INTEGER[], lesson)", {"lessons": lessons}
        )
    for lesson in lessons:
        _link_faces(connection, lesson)
        for table, rows in zip(("minutes", "people"), minutes_of(connection, lesson), strict=True):
            _insert(connection, table, lesson, rows)
    for statement in (VALENCE_BY_MINUTE, TRACKS):
        connection.execute(statement, {"lessons": lessons})


def _link_faces(connection: duckdb.DuckDBPyConnection, lesson: int) -> None:
    """Write `faces`: linked tracks, and those left out."""
    here = {"lesson": lesson}
    tracks = connection.execute(TRACK_POSITIONS, here).df()
    _insert(
        connection, "faces", lesson, tracks.assign(face=link_tracks(tracks)).query("face != track")[["track", "face"]]
    )
    ((audience,),) = connection.execute("SELECT audience FROM lessons WHERE lesson = $lesson", here).fetchall()
    gone = left_out(connection.execute(PLACES, here).df(), audience)
    linked = here | {"gone": gone.tolist()}
    connection.execute(
        f"UPDATE faces SET face = {LEFT_OUT} WHERE lesson = $lesson AND list_contains($gone::INTEGER[], face)", linked
    )
    _insert(connection, "faces", lesson, pd.DataFrame({"track": gone, "face": LEFT_OUT}))


def minutes_of(cursor: duckdb.DuckDBPyConnection, lesson: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `minutes` and `people` of a lesson that is there, from its observations."""
    minutes, people, _clusters = summary_of(cursor, lesson)
    seen = cursor.execute(FACES_SEEN, {"lesson": lesson}).df()
    return seen.merge(minutes, on="time", how="outer").fillna({"faces": 0, "seconds": 0}), people


def summary_of(cursor: duckdb.DuckDBPyConnection, lesson: int) -> Summary:
    """The people of a lesson that is there, from its observations."""
    audience, (sights, empty, weights, bands, expected) = _seen(cursor, lesson)
    if audience != "class":
        return summarise_person(sights, weights, bands)
    summary = summarise_class(sights, empty, weights, bands, expected)
    return withhold_headline(summary) if sights["size"].median() < MIN_FOLLOWED_FACE_PX else summary


def class_attention(cursor: duckdb.DuckDBPyConnection, lesson: int) -> pd.DataFrame:
    """Attention of a class at each look of a lesson, see attention_by_look; no rows where its headline is withheld."""
    audience, seen = _seen(cursor, lesson)
    looks = attention_by_look(*seen)
    return looks if audience == "class" and seen[0]["size"].median() >= MIN_FOLLOWED_FACE_PX else looks[:0]


def _seen(
    cursor: duckdb.DuckDBPyConnection, lesson: int
) -> tuple[str, tuple[pd.DataFrame, np.ndarray, pd.Series, dict[str, float], int]]:
    """Audience of a lesson that is there, and the arguments of summarise_class."""
    here = {"lesson": lesson}
    ((audience, name, expected),) = cursor.execute(
        "SELECT audience, formula, coalesce(expected, 0) FROM lessons WHERE lesson = $lesson", here
    ).fetchall()
    formula = find_formula(name) or CONCENTRATION
    activities = cursor.execute("SELECT time, activity FROM activities WHERE lesson = $lesson ORDER BY time", here).df()
    weights = activities["activity"].map(formula.unseen_weight).set_axis(activities["time"])
    sights = cursor.execute(SIGHTS, here).df()
    empty = cursor.execute(EMPTY, here).df()["time"].to_numpy("datetime64[us]")
    return audience, (sights, empty, weights, formula.bands, expected)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, lesson: int, rows: pd.DataFrame) -> None:
    connection.register("arriving_rows", rows.assign(lesson=lesson))
    try:
        connection.execute(f"INSERT INTO {table} BY NAME FROM arriving_rows")
    finally:
        connection.unregister("arriving_rows")
