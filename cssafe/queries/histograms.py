"""Histograms of emotions and of the concentration index, by class, subject or lesson."""

from collections.abc import Mapping

import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.queries.filters import ALL, CHOSEN, Filter, class_figures, read_frame
from cssafe.settings import MINIMUM_GROUP
from cssafe.stats.intervals import mean_sql
from cssafe.store import Workspace
from cssafe.store.summaries import BINS

GROUPS = {"class": "class_name", "subject": "subject", "lesson": "name || strftime(local, ', %d %b %H:%M')"}
"""Groups of a histogram -> SQL of their names."""


def emotions(workspace: Workspace, by: str = "class", which: Filter = ALL) -> pd.DataFrame:
    """One row for each group and emotion. by: class, subject or lesson.

    Columns: group, emotion, count (observations in which it was the most probable), share (its mean probability) with low and
    high, observations, lessons, faces, synthetic. `count` leaves out emotions that led in fewer faces of a lesson than the
    minimum group, and with them the rarest other one, because the number of all observations is known.
    """
    return read_frame(
        workspace,
        f"""WITH {CHOSEN}, {_clusters(by, {e: (f"p_{e}", f"n_{e}") for e in FERPLUS}, "expressed", _FREQUENT)},
        clusters AS (SELECT * REPLACE (CASE WHEN list_contains(rule, category) THEN hits ELSE 0 END AS hits) FROM sums)
        SELECT "group", category AS emotion, sum(hits)::BIGINT AS count, {mean_sql("share")}, {_SIZES}
        FROM clusters GROUP BY "group", category ORDER BY "group", list_position({list(FERPLUS)}, category)""",
        _comparable(workspace, by, which).parameters,
    )


def distribution(workspace: Workspace, by: str = "class", which: Filter = ALL) -> pd.DataFrame:
    """One row for each group and tenth of the concentration index. by: class, subject or lesson.

    Columns: group, start (0, 0.1 ... 0.9), count (observations), share with low and high, observations, lessons, faces,
    synthetic. In each lesson, a tenth with fewer faces than the minimum group is counted in the nearest one with enough (of
    two the lower), or, where there is none, in that of the lesson's mean.
    """
    tenths = {str(i / 10): (f"{name} / measured", name) for i, name in enumerate(BINS)}
    return read_frame(
        workspace,
        f"""WITH {CHOSEN}, {_clusters(by, tenths, "measured", _NEAREST)},
        clusters AS (
            SELECT "group", cluster, single, n, observed, faces, synthetic, coalesce(rule[category], category) AS category,
                sum(s) AS s, sum(hits) AS hits
            FROM (
                SELECT * FROM sums
                UNION ALL SELECT * REPLACE (NULL AS rule, 0 AS s, 0 AS hits) FROM sums)  -- a tenth without faces is a row
            GROUP BY ALL)
        SELECT "group", category::DOUBLE AS start, sum(hits)::BIGINT AS count, {mean_sql("share")}, {_SIZES}
        FROM clusters GROUP BY "group", category ORDER BY "group", start""",
        _comparable(workspace, by, which).parameters,
    )


def _comparable(workspace: Workspace, by: str, which: Filter) -> Filter:
    """The lessons that may be in one group: all where a group is one lesson, else those of `class_figures`."""
    return which if by == "lesson" else class_figures(workspace, which)


_SIZES = """
    sum(observed)::BIGINT AS observations, CASE WHEN bool_or(single) THEN 1 ELSE count(*) END AS lessons,
    sum(faces)::BIGINT AS faces, bool_or(synthetic) AS synthetic
"""

_FREQUENT = """
    SELECT lesson, list(category) FILTER (faces >= least AND NOT (few AND category = rarest)) AS rule
    FROM reached JOIN (
        SELECT lesson, arg_min(category, faces) FILTER (faces >= least) AS rarest,
            bool_or(faces BETWEEN 1 AND least - 1) AS few
        FROM reached GROUP BY lesson) USING (lesson)
    GROUP BY lesson
"""
"""SQL of each lesson's categories with enough faces, without the rarest where others have too few."""

_NEAREST = """
    SELECT lesson, map_from_entries(list((category, target))) AS rule
    FROM (
        SELECT here.lesson, here.category, coalesce(
            arg_min(there.category, round(100 * abs(here.category::DOUBLE - there.category::DOUBLE))
                + there.category::DOUBLE),
            (least(floor(10 * any_value(here.mean)), 9) / 10)::VARCHAR) AS target
        FROM reached here LEFT JOIN reached there ON here.lesson = there.lesson AND there.faces >= there.least
        GROUP BY here.lesson, here.category)
    GROUP BY lesson
"""
"""SQL of each lesson's map from tenths to the nearest with enough faces, or to that of the lesson's mean."""


def _clusters(by: str, cases: Mapping[str, tuple[str, str]], observed: str, rule: str) -> str:
    """SQL `sums`: one row for each cluster and category, with s, n and the lesson's `rule`. A cluster is a lesson where a group
    has several, else a face of its one lesson.

    rule: SQL of the treatment of few faces, one row for each `lesson`, from `reached`: number of `faces` of each lesson and
    category, the minimum (`least`), and the lesson's `mean` concentration. As each lesson is treated by itself, the difference
    of two filters shows no more than its lessons.

    cases: category -> its share of a face's seconds, and their number. observed: number of all seconds, the weight
    of a face. Sums are made before the categories become rows, because there are many more faces than clusters.
    """
    items = ", ".join(
        f"{{'category': '{name}', 's': sum({share} * {observed}), 'hits': sum({hits})}}"
        for name, (share, hits) in cases.items()
    )
    faces = ", ".join(
        f"{{'category': '{name}', 'faces': count(*) FILTER ({hits} > 0)}}" for name, (_share, hits) in cases.items()
    )
    return f"""
        seen AS (
            SELECT tracks.*, audience, {GROUPS[by]} AS "group", synthetic
            FROM tracks JOIN chosen USING (lesson) WHERE {observed} > 0 AND concentration IS NOT NULL),
        reached AS (
            SELECT lesson, least, mean, unnest(items, recursive := true) FROM (
                SELECT lesson, CASE WHEN any_value(audience) = 'self' THEN 1 ELSE {MINIMUM_GROUP} END AS least,
                    sum(concentration * measured) / sum(measured) AS mean, [{faces}] AS items
                FROM seen GROUP BY lesson)),
        ruled AS ({rule}),
        groups AS (SELECT "group", min(lesson) = max(lesson) AS single FROM seen GROUP BY "group"),
        parts AS (
            SELECT "group", single, lesson, CASE WHEN single THEN track ELSE lesson END AS cluster, [{items}] AS items,
                sum({observed}) AS n, sum({observed}) AS observed, count(*) AS faces, bool_or(synthetic) AS synthetic
            FROM seen JOIN groups USING ("group") GROUP BY "group", single, lesson, cluster),
        sums AS (
            SELECT "group", single, cluster, n, observed, faces, synthetic, rule, unnest(items, recursive := true)
            FROM parts JOIN ruled USING (lesson))"""
