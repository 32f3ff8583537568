"""Comparison of teaching methods (forms): lecture, demonstration, quiz, group work and others, within the same lessons.

A form lasts from a marker or a switch of the activity until the next one. Group work and breaks are not scored, because a
camera cannot distinguish talk about the task from other talk; of them only the minutes afterwards are compared. Least squares
within lessons: concentration = lesson + time from its start + form + form before. A form that always comes at the same time
has no figure. The teacher's reason for a form remains a confounder.

Intervals are cluster-robust over lessons (stats/regression.py), with as many degrees of freedom as lessons have the form.
"""

import numpy as np
import pandas as pd

from cssafe.labels import ACTIVITIES
from cssafe.language import N_
from cssafe.queries.filters import CHOSEN, Filter, class_figures
from cssafe.stats.comparison import MIN_LESSONS
from cssafe.stats.regression import center_within, partial_slope
from cssafe.store import Workspace

LECTURE = N_("lecture")
"""The reference form: eyes to the front, and no marker."""

FORMS = dict(zip(ACTIVITIES, (LECTURE, N_("screen"), N_("desk work"), N_("group work"), N_("break")), strict=True))
"""Activity -> form."""

MARKED = (N_("instruction"), N_("demonstration"), N_("quiz"), N_("group work"), N_("break"))
"""Markers that begin a form; questions and jokes are moments."""

NOT_SCORED = (N_("group work"), N_("break"))

MAX_SWITCH_DELAY = pd.Timedelta(minutes=1)
"""A switch of the activity within this time after a marker belongs to it: a quiz at the desk is a quiz (assumption)."""

AFTER_MINUTES = 10
"""Minutes after a form that count as following it (assumption)."""

TIME_BIN_MINUTES = 5
"""Minutes from the start of a lesson that count as the same time (assumption)."""

MIN_UNEXPLAINED = 0.1
"""Minimum share of a form's variance that lesson and time leave unexplained (a variance inflation of 10; Hair et al.,
Multivariate Data Analysis, 1998)."""

COLUMNS = ("form", "measure", "difference", "low", "high", "lessons")


def forms_compared(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """One row for each form and measure.

    Columns: form; measure: "during" (concentration in it against lecture) or "after" (in the AFTER_MINUTES that follow it);
    both against other minutes of the same lesson; difference with low and high (95 %, at both ends of the band as in
    comparison.at_both_ends; NaN where fewer than MIN_LESSONS have both, or the form always comes at the same time); lessons.
    """
    which = class_figures(workspace, which)
    with workspace.cursor() as cursor:
        minutes = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT lesson, time, date_diff('minute', started, time) // {TIME_BIN_MINUTES} AS part, concentration,
                coalesce(lowest, concentration) AS lowest, coalesce(highest, concentration) AS highest
            FROM minutes JOIN chosen USING (lesson) WHERE concentration IS NOT NULL ORDER BY time, lesson""",
            which.parameters,
        ).df()
        events = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT lesson, time, activity AS kind, false AS marked FROM activities JOIN chosen USING (lesson)
            UNION ALL SELECT lesson, time, kind, true FROM markers JOIN chosen USING (lesson)
            WHERE list_contains($marked::VARCHAR[], kind) ORDER BY time, lesson, marked""",
            which.parameters | {"marked": list(MARKED)},
        ).df()
    if minutes.empty or events.empty:
        return pd.DataFrame(columns=COLUMNS)
    stretches = form_stretches(events)
    headline, *ends = (
        compare_forms(assign_forms(minutes.assign(concentration=minutes[name]), stretches))
        for name in ("concentration", "lowest", "highest")
    )
    low, high = (pd.concat([headline[end], *(table[end] for table in ends)], axis=1) for end in ("low", "high"))
    return headline.assign(low=low.min(axis=1), high=high.max(axis=1))


def form_stretches(events: pd.DataFrame) -> pd.DataFrame:
    """Forms from events: columns lesson, form, begin, by begin, and `last`, the form before it.

    events: lesson, time, kind, marked (bool), by time.
    """
    marked = events["marked"].astype(bool)
    mark = events["time"].where(marked).groupby(events["lesson"]).ffill()
    events = events[marked | ~(events["time"] - mark <= MAX_SWITCH_DELAY)]
    form = events["kind"].where(events["marked"].astype(bool), events["kind"].map(FORMS))
    last = form.groupby(events["lesson"]).shift()
    return pd.DataFrame({"lesson": events["lesson"], "form": form, "begin": events["time"], "last": last})


def assign_forms(minutes: pd.DataFrame, stretched: pd.DataFrame) -> pd.DataFrame:
    """Scored minutes with their form: columns lesson, part, concentration, form, after (the form before, in the first
    AFTER_MINUTES; else null)."""
    middle = minutes.assign(at=minutes["time"] + pd.Timedelta(seconds=30))
    found = pd.merge_asof(middle, stretched, left_on="at", right_on="begin", by="lesson").dropna(subset="form")
    fresh = found["at"] - found["begin"] < pd.Timedelta(minutes=AFTER_MINUTES)
    found["after"] = found["last"].where(fresh & (found["last"] != LECTURE))
    return found[~found["form"].isin(NOT_SCORED)][["lesson", "part", "concentration", "form", "after"]]


def compare_forms(table: pd.DataFrame) -> pd.DataFrame:
    """The table of forms_compared. table: of assign_forms."""
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    names, columns = [], []
    for measure, column in (("during", "form"), ("after", "after")):
        codes, there = pd.factorize(table[column], sort=True)
        for code, form in enumerate(there):
            if form != LECTURE:  # with which all others are compared
                names.append((measure, form))
                columns.append(codes == code)
    what = np.column_stack(columns).astype(float) if columns else np.zeros((len(table), 0))
    lesson = pd.factorize(table["lesson"])[0]
    time = pd.get_dummies(table["part"], dtype=float).to_numpy()
    varies = np.array([_lessons_with(column, lesson) for column in what.T], int)
    keep = varies >= MIN_LESSONS
    y, x, time = (center_within(values, lesson) for values in (table["concentration"].to_numpy(float), what, time))
    rows = []
    for i, (measure, form) in enumerate(names):
        figures = (np.nan, np.nan, np.nan)
        if keep[i]:
            others = np.hstack([x[:, keep & (np.arange(len(names)) != i)], time])
            figures = partial_slope(y, x[:, i], others, lesson, varies[i], MIN_UNEXPLAINED)
        rows.append((form, measure, *figures, varies[i]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _lessons_with(x: np.ndarray, lesson: np.ndarray) -> int:
    """Lessons in which x is both 0 and 1."""
    share = np.bincount(lesson, x) / np.bincount(lesson)
    return int(((share > 0) & (share < 1)).sum())
