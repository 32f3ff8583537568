"""Table of lessons; the minutes, markers and shareable rows of one lesson."""

import pandas as pd

from cssafe.observations import COLUMNS
from cssafe.queries.filters import ALL, CHOSEN, Filter, read_frame
from cssafe.settings import PROFILES
from cssafe.stats.intervals import mean_sql
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED, shareable_minutes_sql


def lessons(workspace: Workspace, which: Filter = ALL) -> pd.DataFrame:
    """One row for each lesson, newest first.

    Columns: lesson, name, class_name, subject, room, local (start by its own clock), ended (also; null while it runs),
    time_zone, profile, formula, audience, synthetic, minutes (with figures), faces (typical number seen), concentration
    with low and high (clusters: faces; of one person alone: minutes), withheld (it has a concentration that the profile
    withholds).
    """
    return read_frame(
        workspace,
        f"""WITH {CHOSEN},
        clusters AS (
            SELECT lesson, measured AS n, concentration * measured AS s
            FROM tracks JOIN lessons USING (lesson) WHERE audience = 'class' AND concentration IS NOT NULL
            UNION ALL SELECT lesson, seconds, concentration * seconds
            FROM minutes JOIN lessons USING (lesson) WHERE audience = 'self' AND concentration IS NOT NULL),
        means AS (SELECT lesson, {mean_sql("concentration")} FROM clusters GROUP BY lesson),
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
    return read_frame(
        workspace,
        f"""WITH {COUNTED},
        clusters AS (
            SELECT date_trunc('minute', time) AS time, CASE WHEN audience = 'self' THEN second(time) // 10 ELSE track END,
                sum(concentration) AS s, count(*) AS n
            FROM counted JOIN lessons USING (lesson) GROUP BY ALL),
        means AS (SELECT time, {mean_sql("concentration")} FROM clusters GROUP BY time),
        seen AS (SELECT date_trunc('minute', time) AS time, avg(faces) AS faces FROM seconds GROUP BY ALL)
        SELECT date_diff('minute', date_trunc('minute', started), seen.time) AS minute,
            seen.time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, concentration, low, high, faces
        FROM seen LEFT JOIN means USING (time) JOIN lessons ON lesson = $lessons[1] ORDER BY seen.time""",
        {"lessons": [lesson]},
    )


def markers(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Columns: minute (from the lesson's start, with fraction), local, kind, note."""
    return read_frame(
        workspace,
        """SELECT date_diff('second', date_trunc('minute', started), time) / 60 AS minute,
            time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, kind, note
        FROM markers JOIN lessons USING (lesson) WHERE lesson = $lesson ORDER BY time""",
        {"lesson": lesson},
    )


def shareable_rows(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Rows of a lesson that may leave the workspace.

    Profiles that may show individuals: all observations. Else, once the lesson is over, its shareable minutes: time (UTC),
    faces, seconds and the means of attention and concentration. Before them the lesson's number, name, class_name, subject,
    formula, synthetic and local time.
    """
    profile = read_frame(workspace, "SELECT profile FROM lessons WHERE lesson = $lesson", {"lesson": lesson})
    agreed = [profile.name for profile in PROFILES.values() if profile.individuals]
    about = (
        "lesson, name, class_name, subject, formula, source = 'sample' AS synthetic,"
        " time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local"
    )
    if profile["profile"].isin(agreed).all():
        return read_frame(
            workspace,
            f"""SELECT DISTINCT ON (time, track) {about}, {", ".join(COLUMNS)} FROM observations JOIN lessons USING (lesson)
            WHERE lesson = $lesson ORDER BY time, track""",
            {"lesson": lesson},
        )
    return read_frame(
        workspace,
        f"""WITH {shareable_minutes_sql("SELECT $lesson")}
        SELECT {about}, time, faces, seconds, attention, concentration
        FROM shareable JOIN lessons USING (lesson) WHERE seconds > 0 ORDER BY time""",
        {"lesson": lesson},
    )
