"""Read-only SQL -> DataFrame, one function for each chart. No rows give an empty frame with the same columns.

All figures come from the tables that the store makes with the minimum group in them (store/summaries.py), or from its
`counted` observations, so no page can show one of a group that is too small. Intervals: stats/intervals.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.observations import COLUMNS
from cssafe.school.periods import HOURS
from cssafe.settings import MINIMUM_GROUP, PROFILES
from cssafe.stats.intervals import estimate
from cssafe.store import Workspace
from cssafe.store.summaries import BINS, COUNTED, shareable

GROUPS = {"class": "class_name", "subject": "subject", "lesson": "name || strftime(local, ', %d %b %H:%M')"}
"""What histograms can be put side by side for: word -> SQL."""

CHOSEN = """
    chosen AS (
        SELECT *, started AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, source = 'sample' AS synthetic
        FROM lessons
        WHERE (len($classes::VARCHAR[]) = 0 OR list_contains($classes::VARCHAR[], class_name))
            AND (len($subjects::VARCHAR[]) = 0 OR list_contains($subjects::VARCHAR[], subject))
            AND (len($numbers::INTEGER[]) = 0 OR list_contains($numbers::INTEGER[], lesson))
            AND ($synthetic OR NOT synthetic)
            AND CAST(local AS DATE) BETWEEN coalesce($since::DATE, '-infinity') AND coalesce($until::DATE, 'infinity'))
"""


@dataclass(frozen=True)
class Filter:
    """Which lessons; an empty tuple stands for all. since, until: days by the lesson's own clock, both included."""

    classes: Sequence[str] = ()
    subjects: Sequence[str] = ()
    lessons: Sequence[int] = ()
    since: date | None = None
    until: date | None = None
    synthetic: bool = True

    @property
    def parameters(self) -> dict:
        lists = {"classes": list(self.classes), "subjects": list(self.subjects), "numbers": list(self.lessons)}
        return lists | {"since": self.since, "until": self.until, "synthetic": self.synthetic}


ALL = Filter()


@dataclass(frozen=True)
class Choices:
    """What there is to filter by. first, last: days of the first and last lesson, None if there is none. observations: of all
    lessons."""

    classes: list[str]
    subjects: list[str]
    first: date | None
    last: date | None
    real: int
    synthetic: int
    observations: int


def choices(workspace: Workspace) -> Choices:
    """Values for the filters of a page, and how many lessons there are."""
    with workspace.cursor() as cursor:
        row = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT coalesce(list(DISTINCT class_name ORDER BY class_name), []),
                coalesce(list(DISTINCT subject ORDER BY subject), []),
                CAST(min(local) AS DATE), CAST(max(local) AS DATE),
                count(*) FILTER (NOT synthetic), count(*) FILTER (synthetic), (SELECT count(*) FROM observations)
            FROM chosen""",
            ALL.parameters,
        ).fetchone()
    assert row is not None, "an aggregate without groups has one row"
    return Choices(*row)


def emotions(workspace: Workspace, by: str = "class", which: Filter = ALL) -> pd.DataFrame:
    """One row for each group and emotion. by: class, subject or lesson.

    Columns: group, emotion, count (observations in which it was the most probable), share (its mean probability) with
    low and high, observations, lessons, faces, synthetic. Not counted in `count` are, of each lesson, emotions that led in
    fewer faces than the minimum group, and with them the rarest other one, for the observations of all are known.
    """
    seconds = "weight * expressed / measured"
    return _read(
        workspace,
        f"""WITH {CHOSEN}, {_clusters(by, {e: (f"p_{e}", f"n_{e}") for e in FERPLUS}, "expressed", seconds, _FREQUENT)},
        clusters AS (SELECT * REPLACE (CASE WHEN list_contains(rule, category) THEN hits ELSE 0 END AS hits) FROM sums)
        SELECT "group", category AS emotion, sum(hits)::BIGINT AS count, {estimate("share")}, {_SIZES}
        FROM clusters GROUP BY "group", category ORDER BY "group", list_position({list(FERPLUS)}, category)""",
        which.parameters,
    )


def distribution(workspace: Workspace, by: str = "class", which: Filter = ALL) -> pd.DataFrame:
    """One row for each group and tenth of the concentration index. by: class, subject or lesson.

    Columns: group, start (0, 0.1 ... 0.9), count (observations), share with low and high, observations, lessons, faces,
    synthetic. In each lesson by itself, a tenth that fewer faces than the minimum group reached is counted in the nearest one
    that enough did (of two the lower); where none was, all are counted in that of the lesson's mean.
    """
    tenths = {str(i / 10): (f"{name} / measured", name) for i, name in enumerate(BINS)}
    return _read(
        workspace,
        f"""WITH {CHOSEN}, {_clusters(by, tenths, "measured", "weight", _NEAREST)},
        clusters AS (
            SELECT "group", cluster, single, n, observed, faces, synthetic, coalesce(rule[category], category) AS category,
                sum(s) AS s, sum(hits) AS hits
            FROM (
                SELECT * FROM sums
                UNION ALL SELECT * REPLACE (NULL AS rule, 0 AS s, 0 AS hits) FROM sums)  -- a tenth without faces is a row
            GROUP BY ALL)
        SELECT "group", category::DOUBLE AS start, sum(hits)::BIGINT AS count, {estimate("share")}, {_SIZES}
        FROM clusters GROUP BY "group", category ORDER BY "group", start""",
        which.parameters,
    )


def weekly(workspace: Workspace, periods: Sequence[dict] = (), which: Filter = ALL) -> pd.DataFrame:
    """One row for each weekday and period in which something was observed.

    periods: {"name", "start": "08:00", "end": "08:45"}, as periods.read gives them; none stands for hours of the day.
    Columns: weekday (1 Monday), period, start ("08:00"), concentration (mean over minutes) with low and high, minutes,
    lessons, faces (mean), synthetic. The clusters of the interval are lessons.
    """
    return _read(
        workspace,
        f"""WITH {CHOSEN}, {_SLOTS},
        clusters AS (
            SELECT weekday, name, start, lesson, sum(concentration) AS s, count(*) AS n, avg(faces) AS faces,
                bool_or(synthetic) AS synthetic
            FROM slots GROUP BY ALL)
        SELECT weekday, name AS period, start, {estimate("concentration")}, sum(n)::BIGINT AS minutes,
            count(*) AS lessons, sum(faces * n) / sum(n) AS faces, bool_or(synthetic) AS synthetic
        FROM clusters GROUP BY ALL ORDER BY weekday, start, period""",
        which.parameters | {"periods": list(periods) or HOURS},
    )


def cell(
    workspace: Workspace, weekday: int, period: str, periods: Sequence[dict] = (), which: Filter = ALL
) -> pd.DataFrame:
    """The lessons behind one cell of `weekly`, with their minutes and mean in that cell only.

    Columns: lesson, name, class_name, subject, local, minutes, faces, concentration, synthetic.
    """
    return _read(
        workspace,
        f"""WITH {CHOSEN}, {_SLOTS}
        SELECT lesson, any_value(lesson_name) AS name, any_value(class_name) AS class_name,
            any_value(subject) AS subject, any_value(local) AS local, count(*) AS minutes,
            avg(faces) AS faces, avg(concentration) AS concentration,
            bool_or(synthetic) AS synthetic
        FROM slots WHERE weekday = $weekday AND name = $period GROUP BY lesson ORDER BY local, lesson""",
        which.parameters | {"periods": list(periods) or HOURS, "weekday": weekday, "period": period},
    )


def lessons(workspace: Workspace, which: Filter = ALL) -> pd.DataFrame:
    """One row for each lesson, newest first.

    Columns: lesson, name, class_name, subject, room, local (start by its own clock), ended (also; null while it runs),
    time_zone, profile, formula, audience, synthetic, minutes (with figures), faces (typical number seen), concentration
    with low and high (clusters: faces; of one person alone: minutes), withheld (it has one that may not be shown here).
    """
    return _read(
        workspace,
        f"""WITH {CHOSEN},
        clusters AS (
            SELECT lesson, weight AS n, concentration * weight AS s
            FROM tracks JOIN lessons USING (lesson) WHERE audience = 'class' AND concentration IS NOT NULL
            UNION ALL SELECT lesson, seconds, concentration * seconds
            FROM minutes JOIN lessons USING (lesson) WHERE audience = 'self' AND concentration IS NOT NULL),
        means AS (SELECT lesson, {estimate("concentration")} FROM clusters GROUP BY lesson),
        seen AS (
            SELECT lesson, count(*) FILTER (seconds > 0) AS minutes, median(faces) AS faces
            FROM minutes GROUP BY lesson)
        SELECT lesson, name, class_name, subject, room, local, ended AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS ended,
            time_zone, profile, formula, audience, synthetic, coalesce(minutes, 0) AS minutes, faces,
            concentration, low, high, coalesce(minutes, 0) > 0 AND concentration IS NULL AS withheld
        FROM chosen LEFT JOIN seen USING (lesson) LEFT JOIN means USING (lesson)
        ORDER BY local DESC, lesson DESC""",
        which.parameters,
    )


def timeline(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """One row for each minute in which faces were seen.

    Columns: minute (whole, from the lesson's start), local (by its own clock), concentration with low and high
    (clusters: faces, of one person alone every ten seconds; null where fewer than the minimum group were measured), faces
    (mean number seen).
    """
    return _read(
        workspace,
        f"""WITH {COUNTED},
        clusters AS (
            SELECT date_trunc('minute', time) AS time, CASE WHEN audience = 'self' THEN second(time) // 10 ELSE track END,
                sum(concentration * weight) AS s, sum(weight) AS n
            FROM counted JOIN lessons USING (lesson) GROUP BY ALL),
        means AS (SELECT time, {estimate("concentration")} FROM clusters GROUP BY time),
        seen AS (SELECT date_trunc('minute', time) AS time, avg(faces) AS faces FROM seconds GROUP BY ALL)
        SELECT date_diff('minute', date_trunc('minute', started), seen.time) AS minute,
            seen.time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, concentration, low, high, faces
        FROM seen LEFT JOIN means USING (time) JOIN lessons ON lesson = $lessons[1] ORDER BY seen.time""",
        {"lessons": [lesson]},
    )


def markers(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Columns: minute (from the lesson's start, with fraction), local, kind, note."""
    return _read(
        workspace,
        """SELECT date_diff('second', date_trunc('minute', started), time) / 60 AS minute,
            time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, kind, note
        FROM markers JOIN lessons USING (lesson) WHERE lesson = $lesson ORDER BY time""",
        {"lesson": lesson},
    )


def export(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """What may leave the workspace of one lesson, for a file.

    Where every person in it has agreed (profiles that may show individuals): all observations. Else, once it is over, for
    each minute that may be given away: time, faces, seconds and the means of attention and concentration. Before them the
    lesson's number,
    name, class_name, subject, formula, synthetic and local time; `time` is UTC.
    """
    profile = _read(workspace, "SELECT profile FROM lessons WHERE lesson = $lesson", {"lesson": lesson})
    agreed = [profile.name for profile in PROFILES.values() if profile.individuals]
    about = (
        "lesson, name, class_name, subject, formula, source = 'sample' AS synthetic,"
        " time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local"
    )
    if profile["profile"].isin(agreed).all():
        return _read(
            workspace,
            f"""SELECT DISTINCT ON (time, track) {about}, {", ".join(COLUMNS)} FROM observations JOIN lessons USING (lesson)
            WHERE lesson = $lesson ORDER BY time, track""",
            {"lesson": lesson},
        )
    return _read(
        workspace,
        f"""WITH {shareable("SELECT $lesson")}
        SELECT {about}, time, faces, seconds, attention, concentration
        FROM shareable JOIN lessons USING (lesson) WHERE seconds > 0 ORDER BY time""",
        {"lesson": lesson},
    )


_SLOTS = """
    periods AS (SELECT unnest($periods, recursive := true)),
    day AS (SELECT strftime(TIMESTAMP '2000-01-01' + to_minutes(i), '%H:%M') AS moment FROM range(1440) minutes(i)),
    moments AS (SELECT moment, name, start FROM day JOIN periods ON moment >= periods.start AND moment < periods."end"),
    zones AS (
        SELECT lesson, hour, (hour AT TIME ZONE 'UTC' AT TIME ZONE time_zone) - hour AS ahead
        FROM (SELECT DISTINCT lesson, date_trunc('hour', time) AS hour FROM minutes) JOIN chosen USING (lesson)),
    placed AS (
        SELECT lesson, chosen.name AS lesson_name, class_name, subject, chosen.local, synthetic, faces, concentration,
            time + ahead AS clock
        FROM minutes JOIN chosen USING (lesson) JOIN zones USING (lesson)
        WHERE concentration IS NOT NULL AND date_trunc('hour', time) = hour),
    slots AS (
        SELECT placed.*, isodow(clock) AS weekday, name, start
        FROM placed JOIN moments ON strftime(clock, '%H:%M') = moment)
"""
# The zone is looked up once an hour, and the minutes of a day are compared with the periods once, not all minutes of all
# lessons: five years have 200,000 of these.


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
"""SQL: for each lesson the categories that enough faces reached, without the rarest where others were reached by too few."""

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
"""SQL: for each lesson a map from each tenth to the nearest that enough faces reached, or to that of the lesson's mean."""


def _clusters(by: str, cases: Mapping[str, tuple[str, str]], observed: str, weight: str, rule: str) -> str:
    """SQL `sums`: one row for each cluster and category, with s, n and the lesson's `rule`. A cluster is a lesson where a group
    has several, else a face of its one lesson.

    rule: SQL for what is done with few faces, one row for each `lesson`, from `reached`: of each lesson and category the
    number of `faces`, the `least` that may be spoken of, and the lesson's `mean` concentration. So it is done in each lesson
    by itself, and two filters differ by lessons that could be shown by themselves.

    cases: category -> its share of a face's seconds, and the number of these. observed: the number of all. weight: of a face.
    Sums are made before the categories become rows, for there are many more faces than clusters.
    """
    items = ", ".join(
        f"{{'category': '{name}', 's': sum({share} * {weight}), 'hits': sum({hits})}}"
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
                    sum(concentration * weight) / sum(weight) AS mean, [{faces}] AS items
                FROM seen GROUP BY lesson)),
        ruled AS ({rule}),
        groups AS (SELECT "group", min(lesson) = max(lesson) AS single FROM seen GROUP BY "group"),
        parts AS (
            SELECT "group", single, lesson, CASE WHEN single THEN track ELSE lesson END AS cluster, [{items}] AS items,
                sum({weight}) AS n, sum({observed}) AS observed, count(*) AS faces, bool_or(synthetic) AS synthetic
            FROM seen JOIN groups USING ("group") GROUP BY "group", single, lesson, cluster),
        sums AS (
            SELECT "group", single, cluster, n, observed, faces, synthetic, rule, unnest(items, recursive := true)
            FROM parts JOIN ruled USING (lesson))"""


def _read(workspace: Workspace, sql: str, parameters: dict) -> pd.DataFrame:
    with workspace.cursor() as cursor:
        return cursor.execute(sql, parameters).df()
