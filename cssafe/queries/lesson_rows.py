"""Table of lessons; the minutes, markers and shareable rows of one lesson."""

import pandas as pd

from cssafe.observations import COLUMNS
from cssafe.presence.minutes import MINUTE
from cssafe.queries.filters import ALL, CHOSEN, Filter, read_frame
from cssafe.settings import PROFILES
from cssafe.stats.intervals import mean_sql
from cssafe.store import Workspace
from cssafe.store.summaries import minutes_of, shareable_minutes_sql


def lessons(workspace: Workspace, which: Filter = ALL) -> pd.DataFrame:
    """One row for each lesson, newest first.

    Columns: lesson, name, class_name, subject, room, local (start by its own clock), ended (also; null while it runs),
    time_zone, profile, formula, audience, synthetic, expected (people, by the teacher), minutes (with figures), faces (typical
    number seen), concentration (the headline, see presence/class_figure.py) with low and high (clusters: people; of one
    person alone: minutes), lowest and highest (the band), present, seen (mean number of people there, and of those who can be
    seen), too_small (its faces are, so it has a band without a headline), withheld (it has a concentration that the profile
    withholds).
    """
    return read_frame(
        workspace,
        f"""WITH {CHOSEN},
        clusters AS (
            SELECT lesson, present AS n, shares AS s
            FROM people JOIN lessons USING (lesson) WHERE audience = 'class' AND shares IS NOT NULL
            UNION ALL SELECT lesson, looks, concentration * looks
            FROM minutes JOIN lessons USING (lesson) WHERE audience = 'self' AND concentration IS NOT NULL
            UNION ALL SELECT lesson, measured, concentration * measured  -- of earlier versions: those who were seen
            FROM tracks ANTI JOIN people USING (lesson) JOIN lessons USING (lesson)
            WHERE audience = 'class' AND concentration IS NOT NULL),
        means AS (SELECT lesson, {mean_sql("mean")} FROM clusters GROUP BY lesson),
        seen AS (
            SELECT lesson, count(*) FILTER (coalesce(looks, seconds) > 0) AS minutes, median(faces) AS faces,
                {_weighted("concentration")}, {_weighted("lowest")}, {_weighted("highest")},
                sum(present * looks) / sum(looks) AS present,
                sum((present - unseen) * looks) / sum(looks) AS seen
            FROM minutes GROUP BY lesson)
        SELECT lesson, name, class_name, subject, room, local, ended AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS ended,
            time_zone, profile, formula, audience, synthetic, expected, coalesce(minutes, 0) AS minutes, faces,
            coalesce(concentration, mean) AS concentration, {_shifted("low")}, {_shifted("high")}, lowest, highest,
            present, seen, lowest IS NOT NULL AND coalesce(concentration, mean) IS NULL AS too_small,
            coalesce(minutes, 0) > 0 AND coalesce(concentration, mean, lowest) IS NULL AS withheld
        FROM chosen LEFT JOIN seen USING (lesson) LEFT JOIN means USING (lesson)
        ORDER BY local DESC, lesson DESC""",
        which.parameters,
    )


def _weighted(name: str) -> str:
    """SQL for the mean of a figure over minutes, by person-seconds."""
    there = f"FILTER ({name} IS NOT NULL)"
    return f"sum({name} * present * looks) / sum(present * looks) {there} AS {name}"


def _shifted(end: str) -> str:
    """SQL for the end of an interval. Expected people who were never seen are in the mean, not among the clusters."""
    moved = f"({end} + coalesce(concentration - mean, 0))"
    return f"CASE WHEN {end} IS NOT NULL THEN greatest(0, least(1, {moved})) END AS {end}"


def timeline(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """One row for each minute in which faces were seen.

    Columns: minute (whole, from the lesson's start), local (by its own clock), faces (mean number seen), seconds (with
    figures), concentration with low, high, lowest and highest, and present, on_task, off_task, unreadable, unseen, n_low,
    n_medium and n_high (mean numbers of people), see presence/minutes.py.
    """
    with workspace.cursor() as cursor:
        row = cursor.execute("SELECT ended FROM lessons WHERE lesson = ?", [lesson]).fetchone()
        if row == (None,):  # it runs: its minutes are not stored yet
            course, _people = minutes_of(cursor, lesson)
        else:
            course = cursor.execute("FROM minutes WHERE lesson = ?", [lesson]).df()
        cursor.register("course", course)
        return cursor.execute(
            f"""SELECT date_diff('minute', date_trunc('minute', started), time) AS minute,
                time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, faces, {", ".join(MINUTE[1:])}
            FROM course JOIN lessons ON lessons.lesson = ? ORDER BY time""",
            [lesson],
        ).df()


def count_people(workspace: Workspace, lesson: int) -> tuple[int, int]:
    """Number of people of a past lesson of a class, and of those who are not there any more in its last minute with figures."""
    with workspace.cursor() as cursor:
        row = cursor.execute(
            """SELECT count(*), greatest(0, count(*) - round((
                SELECT arg_max(present, time) FROM minutes WHERE lesson = $lesson AND present IS NOT NULL)))
            FROM people WHERE lesson = $lesson""",
            {"lesson": lesson},
        ).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1] or 0))


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
    about = (
        "lesson, name, class_name, subject, formula, source = 'sample' AS synthetic,"
        " time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local"
    )
    if _shows_individuals(workspace, lesson):
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


def shareable_timeline(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """`timeline` with what may leave the workspace, see shareable_rows: of lessons without individuals, the shareable minutes
    with faces, seconds, attention and concentration, the other columns empty."""
    course = timeline(workspace, lesson)
    if _shows_individuals(workspace, lesson):
        return course
    shareable = shareable_rows(workspace, lesson)[["local", "faces", "seconds", "attention", "concentration"]]
    return course[["minute", "local"]].merge(shareable, on="local").reindex(columns=course.columns)


def _shows_individuals(workspace: Workspace, lesson: int) -> bool:
    profile = read_frame(workspace, "SELECT profile FROM lessons WHERE lesson = $lesson", {"lesson": lesson})
    return bool(profile["profile"].isin([profile.name for profile in PROFILES.values() if profile.individuals]).all())
