"""Responsiveness of a class: change of its attention within 30 s after each kind of marker, over its lessons.

The attention is that of all people present, second by second (presence/minutes.py). People who turn away are often not visible
then; among visible faces alone, two fifths of a change would be lost. A change is the attention after a marker beyond what the
ten seconds, the minute and the three minutes before, the mean so far and the time predict: teachers ask when attention has
sunk, and it rises again by itself. Whether it is more than chance follows from all other moments of the same lessons
(stats/permutation.py). A change need not be caused by the marker.

Seconds are compared within one activity, which defines attention. The figures enforce the minimum group (store/summaries.py),
and lessons whose faces are too small for a headline do not count.
"""

import numpy as np
import pandas as pd

from cssafe.queries.filters import ALL, CHOSEN, Filter, class_figures, read_frame
from cssafe.stats.evidence import judge_interval, units_needed
from cssafe.stats.permutation import mean_of_marks, permutation_interval, residuals
from cssafe.store import NO_CLASS, Workspace
from cssafe.store.summaries import class_attention

AFTER_S = 30
"""Seconds after a marker in which attention is compared: the longest window of queries/responses.py."""

BEFORE_S = (10, 60, 180)
"""Seconds before a moment whose mean attention predicts it: a face's state lasts about ten, a class's mood some minutes
(assumption)."""

MIN_HISTORY_S = 120
"""Seconds of a stretch before its first moment (assumption)."""

MIN_STRETCH_S = 480
"""Minimum seconds of a stretch of one activity: four disjoint moments with their minute before, after the first ones."""

MIN_KNOWN = 0.2
"""Minimum share of the seconds of a window with a figure: one look in five seconds (assumption)."""

MIN_MARKERS = 4
"""Minimum of markers for a verdict: those of the smallest class that was simulated (docs/method.md, Evidence)."""

SMALLEST_CHANGE = 0.05
"""Smallest change of attention that matters to a teacher (assumption): of 20 students one."""

COLUMNS = ("class_name", "kind", "lessons", "markers", "change", "low", "high", "verdict", "more")


def responsiveness(workspace: Workspace, which: Filter = ALL) -> pd.DataFrame:
    """One row for each class and kind of marker in its past lessons, of the formula in force.

    Columns: class_name, kind, lessons and markers (that count), change of attention in [-1, 1] with low and high (95 %, of all
    kinds of a class together; NaN of fewer than MIN_MARKERS), verdict (evidence.Verdict), more (markers that it takes beyond
    these to find a change of SMALLEST_CHANGE in four of five cases; NaN where not known).
    """
    marked = marked_moments(workspace, which)
    parts = [
        kinds_of_class(_attention(workspace, part["lesson"].unique()), part).assign(class_name=class_name)
        for class_name, part in marked.groupby("class_name")
    ]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)] if parts else pd.DataFrame(columns=list(COLUMNS))


def marked_moments(workspace: Workspace, which: Filter = ALL) -> pd.DataFrame:
    """Markers in past lessons of classes, of the formula in force. Columns: class_name, lesson, formula, kind, time (naive
    UTC); by these, without formula and kind."""
    return read_frame(
        workspace,
        f"""WITH {CHOSEN}
        SELECT class_name, lesson, formula, kind, time FROM markers JOIN chosen USING (lesson)
        WHERE ended IS NOT NULL AND class_name <> $nobody ORDER BY class_name, lesson, time, kind""",
        class_figures(workspace, which).parameters | {"nobody": NO_CLASS},
    )


def _attention(workspace: Workspace, lessons: np.ndarray) -> pd.DataFrame:
    """Columns: lesson, time, attention, activity; by lesson and time."""
    parts = []
    with workspace.cursor() as cursor:
        for lesson in lessons.tolist():
            looks = class_attention(cursor, lesson)
            switches = cursor.execute(
                "SELECT time, activity FROM activities WHERE lesson = $1 ORDER BY time", [lesson]
            ).df()
            parts.append(pd.merge_asof(looks, switches, on="time").assign(lesson=lesson))
    return pd.concat(parts, ignore_index=True)


def kinds_of_class(attention: pd.DataFrame, marked: pd.DataFrame) -> pd.DataFrame:
    """The rows of one class, without its name. attention: lesson, time (naive UTC), attention, activity, by lesson and time.
    marked: lesson, kind, time."""
    moments = stretch_moments(attention)
    residual = residuals(moments["after"].to_numpy(), moments[PREDICTORS].to_numpy(), moments["stretch"].to_numpy())
    at = marked.assign(time=marked["time"].dt.floor("s")).merge(
        moments[["lesson", "time"]].reset_index(names="moment"), on=["lesson", "time"], how="left"
    )
    counted = at.dropna(subset="moment").astype({"moment": int})
    candidates = int((counted["kind"].value_counts() >= MIN_MARKERS).sum())
    rows = []
    for kind in sorted(marked["kind"].unique()):
        own = counted[counted["kind"] == kind]
        marks = own["moment"].to_numpy()
        figures = _judge_kind(residual, moments["stretch"].to_numpy(), marks, max(1, candidates))
        rows.append((kind, own["lesson"].nunique(), len(own), *figures))
    return pd.DataFrame(rows, columns=list(COLUMNS[1:]))


def _judge_kind(residual: np.ndarray, stretch: np.ndarray, marks: np.ndarray, candidates: int) -> tuple:
    """change, low, high, verdict and more of one kind. marks: its moments, int (m,)."""
    value, low, high, more = np.nan, np.nan, np.nan, np.nan
    if len(marks):
        value, null = mean_of_marks(residual, stretch, marks)
        low, high = permutation_interval(value, null, candidates)
        deviation = float(null.std() * np.sqrt(len(marks)))
        more = max(0, units_needed(deviation, SMALLEST_CHANGE, candidates) - len(marks))
    found = judge_interval(value, low, high, len(marks), MIN_MARKERS)
    return found.value, found.low, found.high, found.verdict, more


PREDICTORS = [*(f"before_{seconds}" for seconds in BEFORE_S), "so_far", "second"]

MOMENT = {"lesson": int, "time": "datetime64[us]", **dict.fromkeys([*PREDICTORS, "after"], float), "stretch": int}
"""Column of a moment -> its type."""


def stretch_moments(attention: pd.DataFrame) -> pd.DataFrame:
    """Every second of the stretches of one activity that has enough before and after it. Columns: lesson, time, stretch (int
    from 0), after (mean attention of the AFTER_S from it on) and PREDICTORS, known before it."""
    changes = (attention["lesson"] != attention["lesson"].shift()) | (
        attention["activity"] != attention["activity"].shift()
    )
    parts = [_moments(part) for _number, part in attention.groupby(changes.cumsum())]
    long = [part.assign(stretch=number) for number, part in enumerate(part for part in parts if len(part))]
    return pd.concat(long, ignore_index=True) if long else pd.DataFrame(columns=list(MOMENT)).astype(MOMENT)


def _moments(looks: pd.DataFrame) -> pd.DataFrame:
    """The moments of one stretch. looks: rows of `attention`."""
    start = looks["time"].iloc[0].floor("s")
    second = ((looks["time"] - start) // pd.Timedelta(seconds=1)).to_numpy(int)
    values = np.full(second[-1] + 1, np.nan)
    values[second] = looks["attention"]
    if len(values) < MIN_STRETCH_S:
        return pd.DataFrame()
    at = np.arange(MIN_HISTORY_S, len(values) - AFTER_S + 1)
    columns = {f"before_{seconds}": _means(values, np.maximum(0, at - seconds), at) for seconds in BEFORE_S}
    columns |= {"after": _means(values, at, at + AFTER_S), "so_far": _means(values, 0 * at, at), "second": at / 3600}
    time = start + pd.to_timedelta(at, unit="s")
    return pd.DataFrame({"lesson": looks["lesson"].iloc[0], "time": time} | columns).dropna()


def _means(values: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Mean (m,) of the known values (s,) from begin to end, int (m,) each; NaN where fewer than MIN_KNOWN are."""
    known = ~np.isnan(values)
    sums, counts = (np.concatenate([[0], np.cumsum(part)]) for part in (np.where(known, values, 0), known))
    count = counts[end] - counts[begin]
    enough = count >= np.maximum(1, MIN_KNOWN * (end - begin))
    return np.where(enough, (sums[end] - sums[begin]) / np.maximum(count, 1), np.nan)
