"""Suggestions from a class's own lessons: markers after which its concentration rose.

Teachers often ask a question or begin a quiz when attention has dropped, and it mostly recovers by itself. So the change
after a marker is compared with the change expected from other moments of this class: a least-squares fit on the concentration
just before (against the lesson so far) and the time in the lesson. Only facts known at the moment select the moments
compared, as in emulated trials (Hernán & Robins, American Journal of Epidemiology 183, 2016). Intervals come from the
jackknife over lessons (CR3, safe with few clusters: MacKinnon, Nielsen & Webb, Journal of Econometrics 232, 2023), and hold
together in 19 of 20 classes (Bonferroni over kinds of markers). Minutes are compared within one activity, which defines
attention.

The figures come from the table `minutes`, which enforces the minimum group, of lessons scored by the formula in force.
"""

import numpy as np
import pandas as pd

from cssafe.language import N_, _
from cssafe.stats.evidence import Verdict, judge_interval
from cssafe.stats.regression import jackknife_excess
from cssafe.store import NO_CLASS, Workspace

BEFORE_MINUTES = 3
"""Minutes before the one with the marker, to which the teacher may have reacted (assumption)."""

AFTER_MINUTES = 5
"""Minutes after it, long enough to matter for the lesson (assumption)."""

MAX_SPAN_MINUTES = 20
"""Maximum span of all these minutes: a quiz or a break with another activity may lie between them (assumption)."""

MAX_AGE_DAYS = 300
"""Maximum age of a lesson against the class's newest: a school year, after which the class may have other students
(assumption)."""

MIN_LESSONS = 6
"""Minimum of lessons with such a marker, and of lessons with other moments: in five, all rise or all fall by chance in more
than 1 of 20 classes (sign test, 2 / 2^5)."""

COLUMNS = ("kind", "lessons", "rose", "change", "low", "high", "clear", "synthetic")

FOUND = {
    "question": N_(
        "After a question, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on average"
        " ({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
    "instruction": N_(
        "After an instruction, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on "
        "average ({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
    "demonstration": N_(
        "After a demonstration, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on "
        "average ({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
    "quiz": N_(
        "After a quiz, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on average "
        "({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
    "joke": N_(
        "After a joke, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on average "
        "({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
    N_("group work"): N_(
        "After group work, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on average"
        " ({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
    N_("break"): N_(
        "After a break, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on average "
        "({low:.2f} to {high:.2f}) against other moments that began alike."
    ),
}
OTHER = N_(
    "After “{kind}”, this class's concentration rose in {rose} of {lessons} lessons: by {change:.2f} on average "
    "({low:.2f} to {high:.2f}) against other moments that began alike."
)


def suggestions(workspace: Workspace, class_name: str) -> pd.DataFrame:
    """Rows of marker_effects with a clear rise, the largest first."""
    table = marker_effects(workspace, class_name)
    return table[table["clear"] & (table["change"] > 0)].reset_index(drop=True)


def describe_suggestion(row: pd.Series) -> str:
    """Sentence with interval and number of lessons. row: of `suggestions`."""
    return _(FOUND.get(row["kind"], OTHER)).format(**row)


def marker_effects(workspace: Workspace, class_name: str) -> pd.DataFrame:
    """One row for each kind of marker that counts in a past lesson of the class, the largest change first.

    Columns: kind, lessons (in which one counts), rose (in how many of them concentration then was higher than expected),
    change (mean over lessons of what it was higher by, in [-1, 1]) with low and high, NaN where fewer than MIN_LESSONS lessons
    tell; clear (the interval leaves out zero), synthetic (all lessons are invented: such count only where a class has no
    others).
    """
    formula = str(workspace.formula())
    with workspace.cursor() as cursor:
        moments = cursor.execute(MOMENTS_SQL, {"class": class_name, "formula": formula}).df()
    if class_name == NO_CLASS:  # its lessons are no class, and have no history
        moments = moments[:0]
    marked = moments.dropna(subset="kind")
    counted = marked.groupby("kind")["lesson"].nunique()
    alpha = 0.05 / max(1, (counted >= MIN_LESSONS).sum())
    effects = [
        (kind, lessons, *mean_excess(moments, kind, alpha))
        if lessons >= MIN_LESSONS
        else (kind, lessons, 0, *[np.nan] * 3)
        for kind, lessons in counted.items()
    ]
    table = pd.DataFrame(effects, columns=list(COLUMNS[:6]))
    judged = [judge_interval(row.change, row.low, row.high, row.lessons, MIN_LESSONS) for row in table.itertuples()]
    table["clear"] = [found.verdict == Verdict.DIFFERS for found in judged]
    return table.assign(synthetic=bool(moments["synthetic"].any())).sort_values(
        "change", ascending=False, ignore_index=True
    )


def mean_excess(moments: pd.DataFrame, kind: str, alpha: float) -> tuple[int, float, float, float]:
    """In how many lessons concentration was higher after markers of that kind than expected, by how much on average over
    lessons, and the ends of its interval; NaN where the other moments lie in fewer than MIN_LESSONS lessons.

    moments: rows of MOMENTS_SQL. alpha: share of intervals that may miss the truth.
    """
    lesson = np.unique(moments["lesson"], return_inverse=True)[1]
    late = moments["minute"] / 45
    x = np.column_stack([np.ones(len(moments)), moments["was"], moments["newest"], late, late**2])
    y = moments["change"].to_numpy(float)
    other = moments["kind"].isna().to_numpy()
    if len(np.unique(lesson[other])) < MIN_LESSONS:
        return 0, np.nan, np.nan, np.nan

    rows = (moments["kind"] == kind).to_numpy()
    above, mean, low, high = jackknife_excess(y, x, lesson, other, rows, alpha)
    return int((above > 0).sum()), mean, low, high


MOMENTS_SQL = f"""
    WITH mine AS (
        SELECT lesson, started, source = 'sample' AS synthetic FROM lessons
        WHERE class_name = $class AND audience = 'class' AND formula = $formula AND ended IS NOT NULL
        QUALIFY synthetic = bool_and(synthetic) OVER ()
            AND started > max(started) OVER (PARTITION BY synthetic) - INTERVAL {MAX_AGE_DAYS} DAY),
    placed AS (
        SELECT lesson, minutes.time, concentration, activity, date_diff('minute', started, minutes.time) AS minute,
            activities.time > minutes.time AND activities.time > started AS mixed
        FROM minutes JOIN mine USING (lesson) ASOF JOIN activities
            ON activities.lesson = minutes.lesson AND activities.time < minutes.time + INTERVAL 1 MINUTE
        WHERE concentration IS NOT NULL),
    moments AS (
        SELECT lesson, time, minute, avg(concentration) OVER sofar AS usual, avg(concentration) OVER before - usual AS was,
            concentration - usual AS newest, avg(concentration) OVER after - avg(concentration) OVER before AS change,
            min(time) OVER before AS first, max(time) OVER after AS last,
            count(*) OVER before AS known, count(*) OVER after AS seen
        FROM placed WHERE NOT mixed
        WINDOW sofar AS (PARTITION BY lesson, activity ORDER BY time ROWS UNBOUNDED PRECEDING),
            before AS (PARTITION BY lesson, activity ORDER BY time ROWS BETWEEN {BEFORE_MINUTES - 1} PRECEDING AND CURRENT ROW),
            after AS (PARTITION BY lesson, activity ORDER BY time ROWS BETWEEN 2 FOLLOWING AND {AFTER_MINUTES + 1} FOLLOWING)),
    whole AS (
        SELECT * FROM moments
        WHERE known = {BEFORE_MINUTES} AND seen = {AFTER_MINUTES} AND last - first < INTERVAL {MAX_SPAN_MINUTES} MINUTE),
    marked AS (
        SELECT lesson, date_trunc('minute', time) AS time, kind,
            lag(time) OVER (PARTITION BY lesson, kind ORDER BY time) AS same
        FROM markers JOIN mine USING (lesson)),
    firsts AS (
        SELECT marked.kind, whole.*
        FROM marked ASOF JOIN whole ON marked.lesson = whole.lesson AND marked.time > whole.time
        WHERE marked.time <= whole.time + INTERVAL {BEFORE_MINUTES} MINUTE
            AND coalesce(marked.same < marked.time - INTERVAL {AFTER_MINUTES} MINUTE, true)),
    others AS (
        SELECT NULL AS kind, whole.* FROM whole ANTI JOIN marked
            ON marked.lesson = whole.lesson
            AND marked.time BETWEEN whole.first - INTERVAL {AFTER_MINUTES} MINUTE AND whole.time + INTERVAL 1 MINUTE)
    SELECT kind, lesson, minute, was, newest, change, synthetic
    FROM (FROM firsts UNION ALL BY NAME FROM others) JOIN (SELECT lesson, synthetic FROM mine) USING (lesson)
    ORDER BY lesson, time
"""
"""The moments of a class's past lessons that can be compared, each a minute with a figure. change: the mean of AFTER minutes,
from the next but one on, less that of BEFORE minutes, of which it is the last, all of one activity. was, newest: these minutes
and itself, less the mean of the lesson so far. kind: of the marker in the minute after, of a series of one kind the first; null
for moments without one, and with none shortly before."""
