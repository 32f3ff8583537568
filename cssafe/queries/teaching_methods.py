"""Comparison of teaching methods (forms): lecture, demonstration, quiz, group work and others, within the same lessons.

A form lasts from a marker or a switch of the activity until the next one. Group work and breaks are not scored, because a
camera cannot distinguish talk about the task from other talk; of them only the minutes afterwards are compared. Least squares
within lessons: concentration = lesson + time from its start + form + form before, with errors that last from minute to minute
(quasi-differences: Cochrane & Orcutt 1949; with fixed effects, Hansen, Journal of Econometrics 140, 2007). So a form that
begins when attention has sunk is compared with what attention does by itself then. A form that always comes at the same time
has no figure. The teacher's other reasons for a form remain confounders.

Intervals are by the jackknife over lessons (stats/regression.py), with as many degrees of freedom as lessons have the form.
"""

import numpy as np
import pandas as pd

from cssafe.labels import ACTIVITIES
from cssafe.language import N_
from cssafe.queries.filters import CHOSEN, Filter, class_figures
from cssafe.stats.evidence import judge, judge_interval
from cssafe.stats.regression import center_within, jackknife_slope, solve_normal_equations
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

MIN_FORM_LESSONS = 8
"""Minimum of lessons with a form and without it at other minutes: intervals of fewer missed the truth too often
(docs/method.md, Evidence)."""

MIN_UNEXPLAINED = 0.1
"""Minimum share of a form's variance that lesson and time leave unexplained (a variance inflation of 10; Hair et al.,
Multivariate Data Analysis, 1998)."""

FITS = 2
"""Fits to find what remains of a residual: the first one knows nothing of it (Cochrane & Orcutt; a third changes nothing)."""

MAX_REST = 0.95
"""Maximum share of a minute's residual that lasts to the next one; at 1 no level of a lesson would count (assumption)."""

TINY = 1e-12
"""Sum of squares below which all minutes are alike but for rounding."""

COLUMNS = ("form", "measure", "difference", "low", "high", "lessons", "verdict")


def forms_compared(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """One row for each form and measure.

    Columns: form; measure: "during" (concentration in it against lecture) or "after" (in the AFTER_MINUTES that follow it);
    both against other minutes of the same lesson; difference with low and high (95 %, at both ends of the band as in
    comparison.at_both_ends; NaN where fewer than MIN_FORM_LESSONS have both, or the form always comes at the same time);
    lessons; verdict (evidence.Verdict).
    """
    which = class_figures(workspace, which)
    with workspace.cursor() as cursor:
        minutes = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT lesson, time, date_diff('minute', started, time) AS minute, concentration,
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
    found = headline.assign(low=low.min(axis=1), high=high.max(axis=1))
    judged = [
        judge_interval(row.difference, row.low, row.high, row.lessons, MIN_FORM_LESSONS).verdict
        for row in found.itertuples()
    ]
    return found.assign(verdict=judged)[list(COLUMNS)]


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
    """Scored minutes with their form, by lesson and minute: columns lesson, minute, concentration, form, after (the form
    before, in the first AFTER_MINUTES; else null)."""
    middle = minutes.assign(at=minutes["time"] + pd.Timedelta(seconds=30))
    found = pd.merge_asof(middle, stretched, left_on="at", right_on="begin", by="lesson").dropna(subset="form")
    fresh = found["at"] - found["begin"] < pd.Timedelta(minutes=AFTER_MINUTES)
    found["after"] = found["last"].where(fresh & (found["last"] != LECTURE))
    scored = found[~found["form"].isin(NOT_SCORED)].sort_values(["lesson", "minute"], ignore_index=True)
    return scored[["lesson", "minute", "concentration", "form", "after"]]


def compare_forms(table: pd.DataFrame) -> pd.DataFrame:
    """The table of forms_compared without its verdict. table: of assign_forms."""
    names, what = _indicators(table)
    lesson = pd.factorize(table["lesson"])[0]
    varies = np.array([_lessons_with(column, lesson) for column in what.T], int)
    keep = varies >= MIN_FORM_LESSONS
    kept = np.flatnonzero(keep)
    time = pd.get_dummies(table["minute"] // TIME_BIN_MINUTES, dtype=float).to_numpy()
    y, x = table["concentration"].to_numpy(float), np.hstack([what[:, keep], time])
    y, x, lesson = quasi_differences(y, x, lesson, table["minute"].to_numpy(int))
    rows = []
    for i, (measure, form) in enumerate(names):
        figures = (np.nan, np.nan, np.nan)
        if keep[i]:
            own = int(np.searchsorted(kept, i))
            others = np.delete(x, own, axis=1)
            if _unexplained(x[:, own], others, lesson) >= MIN_UNEXPLAINED:
                slopes, error, _lessons = jackknife_slope(y, np.column_stack([x[:, own], others]), lesson, lesson)
                found = judge(float(slopes[0]), error, varies[i] - 1, varies[i], MIN_FORM_LESSONS)
                figures = (found.value, found.low, found.high)
        rows.append((form, measure, *figures, varies[i]))
    return pd.DataFrame(rows, columns=list(COLUMNS[:-1]))


def _indicators(table: pd.DataFrame) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Measure and form of each comparison (k), and whether each minute has it, float (n, k)."""
    names, columns = [], []
    for measure, column in (("during", "form"), ("after", "after")):
        codes, there = pd.factorize(table[column], sort=True)
        for code, form in enumerate(there):
            if form != LECTURE:  # with which all others are compared
                names.append((measure, form))
                columns.append(codes == code)
    return names, np.column_stack(columns).astype(float) if columns else np.zeros((len(table), 0))


def quasi_differences(
    y: np.ndarray, x: np.ndarray, lesson: np.ndarray, minute: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y (n,), x (n, k) and lesson, from 0, of each minute that follows another one of its lesson, less what remains of that
    one's: the share of a residual of the least-squares fit within lessons that the next minute still has.

    lesson, minute: int (n,), ascending.
    """
    before = np.flatnonzero((np.diff(lesson) == 0) & (np.diff(minute) == 1))
    after, rest = before + 1, 0.0
    kept = np.unique(lesson[after], return_inverse=True)[1]
    for _fit in range(FITS):
        own_y, own_x = (center_within(values[after] - rest * values[before], kept) for values in (y, x))
        residual = center_within(y - x @ solve_normal_equations(own_x, own_y), lesson)
        square = float(residual[before] @ residual[before])
        rest = float(np.clip(residual[before] @ residual[after] / square, 0, MAX_REST)) if square > TINY else 0.0
    return y[after] - rest * y[before], x[after] - rest * x[before], kept


def _unexplained(x: np.ndarray, others: np.ndarray, lesson: np.ndarray) -> float:
    """Share of the variance of x (n,) within lessons that the others (n, k) leave; 0 where x does not vary."""
    x, others = center_within(x, lesson), center_within(others, lesson)
    rest, square = x - others @ solve_normal_equations(others, x), float(x @ x)
    return float(rest @ rest) / square if square > TINY else 0.0


def _lessons_with(x: np.ndarray, lesson: np.ndarray) -> int:
    """Lessons in which x is both 0 and 1."""
    share = np.bincount(lesson, x) / np.bincount(lesson)
    return int(((share > 0) & (share < 1)).sum())
