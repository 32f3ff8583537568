"""Forms of teaching compared: lecture, demonstration, quiz, group work and others, within the same lessons.

A form lasts from a marker or a switch of the activity until the next one. Group work and breaks are not scored, for no camera
can tell talk about the task from other talk, so of them only what comes afterwards is told. Each lesson is compared with
itself, and counts once: the class, the subject, the room and the hour are then the same on both sides. What is not: when in
a lesson a form comes, and why the teacher chose it.
"""

import numpy as np
import pandas as pd

from cssafe.comparison import LEAST
from cssafe.intervals import clustered
from cssafe.labels import ACTIVITIES
from cssafe.queries import CHOSEN, Filter
from cssafe.store import Workspace

LECTURE = "lecture"
"""The form that all others are compared with: the eyes to the front, and nothing else marked."""

FORMS = dict(zip(ACTIVITIES, (LECTURE, "screen", "desk work", "group work", "break"), strict=True))
"""Activity -> form."""

MARKED = ("instruction", "demonstration", "quiz", "group work", "break")
"""Markers that begin a form; questions and jokes are moments."""

NOT_SCORED = ("group work", "break")

SETTLING = pd.Timedelta(minutes=1)
"""A switch of the activity so soon after a marker belongs to it: a quiz at the desk is a quiz (assumption)."""

AFTER = 10
"""Minutes after a form that count as following it, and before it as what was there (assumption)."""

COLUMNS = ("form", "measure", "difference", "low", "high", "lessons")


def forms(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """One row for each form and measure.

    Columns: form; measure: "during" (mean concentration in it less that of the same lesson's lecture) or "after" (mean of the
    minutes after it less that of those before it, both as far as they are scored); difference with low and high (95 %, over
    lessons; NaN of fewer than LEAST); lessons.
    """
    with workspace.cursor() as cursor:
        minutes = cursor.execute(
            f"WITH {CHOSEN} SELECT lesson, time, concentration FROM minutes JOIN chosen USING (lesson)"
            " WHERE seconds > 0 ORDER BY time, lesson",
            which.parameters,
        ).df()
        events = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT lesson, time, activity AS kind, false AS marked FROM activities JOIN chosen USING (lesson)
            UNION ALL SELECT lesson, time, kind, true FROM markers JOIN chosen USING (lesson)
            WHERE list_contains($marked::VARCHAR[], kind) ORDER BY time, lesson, marked""",
            which.parameters | {"marked": list(MARKED)},
        ).df()
    stretched = stretches(events)
    if minutes.empty or stretched.empty:
        return pd.DataFrame(columns=COLUMNS)
    middle = minutes.assign(at=minutes["time"] + pd.Timedelta(seconds=30))
    placed = pd.merge_asof(middle, stretched, left_on="at", right_on="begin", by="lesson").dropna(subset="form")
    scored = placed[~placed["form"].isin(NOT_SCORED)]
    means = scored.groupby(["lesson", "form"])["concentration"].mean().unstack()
    others = stretched[stretched["form"] != LECTURE]
    after = others.assign(change=_changes(scored, others)).groupby(["form", "lesson"])["change"].mean()
    told = [_told(form, "after", after[form]) for form in after.index.levels[0]]
    if LECTURE in means:
        told += [_told(form, "during", means[form] - means[LECTURE]) for form in means if form != LECTURE]
    return pd.DataFrame(told, columns=COLUMNS)


def stretches(events: pd.DataFrame) -> pd.DataFrame:
    """Events as forms from `begin` to `end`: columns lesson, form, begin, end (NaT where the lesson ends), by begin.

    events: lesson, time, kind, marked (bool), by time.
    """
    marked = events["marked"].astype(bool)
    last = events["time"].where(marked).groupby(events["lesson"]).ffill()
    begins = events[marked | ~(events["time"] - last <= SETTLING)]
    form = begins["kind"].where(begins["marked"].astype(bool), begins["kind"].map(FORMS))
    end = begins.groupby("lesson")["time"].shift(-1)
    return pd.DataFrame({"lesson": begins["lesson"], "form": form, "begin": begins["time"], "end": end})


def _changes(minutes: pd.DataFrame, stretched: pd.DataFrame) -> np.ndarray:
    """Of each stretch (n,) the mean of the minutes after it less that of those before it; NaN where one is missing."""
    minutes = minutes.sort_values(["lesson", "at"])
    keys = _keys(minutes["lesson"], minutes["at"])
    sums = np.concatenate([[0.0], np.cumsum(minutes["concentration"].to_numpy(float))])
    long = pd.Timedelta(minutes=AFTER)

    def mean(begin: pd.Series, end: pd.Series) -> np.ndarray:
        first, last = (np.searchsorted(keys, _keys(stretched["lesson"], time)) for time in (begin, end))
        return (sums[last] - sums[first]) / np.where(last > first, last - first, np.nan)

    ends = stretched["end"].fillna(stretched["begin"] + pd.Timedelta(days=1))  # nothing comes after the last one
    return mean(ends, ends + long) - mean(stretched["begin"] - long, stretched["begin"])


def _keys(lessons: pd.Series, times: pd.Series) -> np.ndarray:
    """Numbers that order by lesson, then by time: int64 (n,)."""
    return lessons.to_numpy(np.int64) * 10**10 + times.to_numpy("datetime64[s]").astype(np.int64)


def _told(form: str, measure: str, values: pd.Series) -> tuple:
    known = values.dropna().to_numpy(float)
    mean = low = high = np.nan
    if len(known) >= LEAST:
        mean, low, high = (float(end[0]) for end in clustered(known[:, None], np.ones(len(known))))
    return form, measure, mean, low, high, len(known)
