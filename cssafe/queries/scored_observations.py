"""What a lesson's figures are made of, read-only: observations to be scored anew, its activities, and moments to be rated.

Only what may enter a figure by itself (store/summaries.py) comes out of here.
"""

import numpy as np
import pandas as pd

from cssafe.frames import SIGNALS
from cssafe.observations import EXPRESSION
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED

MOMENTS_PER_LESSON = 12
"""Minutes of one lesson that a teacher is asked about: enough to span low and high, few enough for a break."""


def counted_observations(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """Observations of a lesson that may enter a figure: `minute` (whole, from the start), `time` (naive UTC), `track`, the
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
    """The minutes of a lesson that its teacher is asked about: one drawn from each twelfth of those with figures, always the
    same ones; by time, with what she has said so far.

    Columns: time (naive UTC), local, faces, answered (bool), rating (null where not answered, or where she could not say).
    The score is not among them. None of a lesson that still runs or is synthetic.
    """
    with workspace.cursor() as cursor:
        rows = cursor.execute(
            """SELECT time, time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, faces,
                ratings.lesson IS NOT NULL AS answered, rating
            FROM minutes JOIN lessons USING (lesson) LEFT JOIN ratings USING (lesson, time)
            WHERE lesson = $1 AND seconds > 0 AND ended IS NOT NULL AND source <> 'sample' ORDER BY time""",
            [lesson],
        ).df()
    draw = np.random.default_rng(lesson)
    chosen: list[int] = []
    for part in np.array_split(np.arange(len(rows)), min(MOMENTS_PER_LESSON, max(1, len(rows)))):
        drawn, answered = draw.choice(part, min(1, len(part))), part[rows["answered"].to_numpy(bool)[part]]
        chosen += (answered if len(answered) else drawn).tolist()
    return rows.iloc[chosen].reset_index(drop=True)


def rated_minutes(workspace: Workspace) -> pd.DataFrame:
    """Minutes that their teacher has rated, with the score beside them, of lessons all of whose moments were answered.

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
