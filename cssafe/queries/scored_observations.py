"""Counted observations of a lesson, its activities, and minutes for rating, read-only.

Only observations that may enter a figure (store/summaries.py) are returned.
"""

import numpy as np
import pandas as pd

from cssafe.frames import SIGNALS
from cssafe.observations import EXPRESSION
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED

MOMENTS_PER_LESSON = 12
"""Minutes of a lesson that its teacher rates: enough to span low and high, few enough for a break."""


def counted_observations(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Counted observations of a lesson: `minute` (whole, from the start), `time` (naive UTC), `track`, the
    signals, the probabilities and `concentration`, by time and track."""
    columns = ", ".join(("time", "track", *SIGNALS, *EXPRESSION, "concentration"))
    minute = "date_diff('minute', date_trunc('minute', started), time)::INTEGER AS minute"
    with workspace.cursor() as cursor:
        return cursor.execute(
            f"WITH {COUNTED} SELECT {minute}, {columns} FROM counted JOIN lessons USING (lesson) ORDER BY time, track",
            {"lessons": [lesson]},
        ).df()


def activities(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Columns: time (naive UTC), minute (from the lesson's start, with fraction), activity; by time, the first at the
    start."""
    with workspace.cursor() as cursor:
        return cursor.execute(
            """SELECT time, date_diff('second', date_trunc('minute', started), time) / 60 AS minute, activity
            FROM activities JOIN lessons USING (lesson) WHERE lesson = $1 ORDER BY time""",
            [lesson],
        ).df()


def rating_moments(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Minutes of a lesson for rating by its teacher: one drawn from each twelfth of those with figures, always the same; by
    time, with the ratings so far.

    Columns: time (naive UTC), local, faces, answered (bool), rating (null for no answer), without the score. No rows for a
    lesson that still runs or is synthetic.
    """
    with workspace.cursor() as cursor:
        rows = cursor.execute(
            """SELECT time, time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, faces,
                ratings.lesson IS NOT NULL AS answered, rating
            FROM minutes JOIN lessons USING (lesson) LEFT JOIN ratings USING (lesson, time)
            WHERE lesson = $1 AND coalesce(looks, seconds) > 0 AND ended IS NOT NULL AND source <> 'sample' ORDER BY time""",
            [lesson],
        ).df()
    draw = np.random.default_rng(lesson)
    chosen: list[int] = []
    for part in np.array_split(np.arange(len(rows)), min(MOMENTS_PER_LESSON, max(1, len(rows)))):
        drawn, answered = draw.choice(part, min(1, len(part))), part[rows["answered"].to_numpy(bool)[part]]
        chosen += (answered if len(answered) else drawn).tolist()
    return rows.iloc[chosen].reset_index(drop=True)


def rated_minutes(workspace: Workspace) -> pd.DataFrame:
    """Rated minutes with their score, of lessons with all ratings answered.

    Columns: lesson, name, formula, time (naive UTC), local, rating (0, 1, 2), concentration.
    """
    with workspace.cursor() as cursor:
        lessons = [n for (n,) in cursor.execute("SELECT DISTINCT lesson FROM ratings ORDER BY lesson").fetchall()]
    done = [lesson for lesson in lessons if rating_moments(workspace, lesson)["answered"].all()]
    with workspace.cursor() as cursor:
        return cursor.execute(
            """SELECT lesson, name, formula, time, time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, rating,
                concentration
            FROM ratings JOIN lessons USING (lesson) JOIN minutes USING (lesson, time)
            WHERE list_contains($1::INTEGER[], lesson) AND rating IS NOT NULL AND concentration IS NOT NULL
            ORDER BY lesson, time""",
            [done],
        ).df()
