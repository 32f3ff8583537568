"""Responses of a class to markers: attention and expression within 5, 15 and 30 s against the minute before.

The change is the weighted mean over faces measured before and after, each against itself; weights are seconds. Its
uncertainty is the spread of the same figure at all other moments of the lesson, from fluctuations of the class and errors of
measurement. All intervals of a lesson hold together in 19 of 20 lessons (Bonferroni).
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cssafe.language import N_, _
from cssafe.presence.people import ON_TASK
from cssafe.queries.lesson_rows import markers
from cssafe.settings import MINIMUM_GROUP
from cssafe.stats.evidence import Verdict, judge_interval
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED, VALENCE_SQL

WINDOWS_S = (5, 15, 30)
"""Windows after a marker."""

BASELINE_S = 60
"""Baseline before a marker."""

MIN_BASELINE_S = 10
"""Measured seconds of the baseline with which a face counts."""

SWING_STEP_S = 5
"""Seconds between two of the other moments."""

MIN_SWINGS = 4
"""Minimum of disjoint stretches of baseline and window without markers, for the lesson's own fluctuation (assumption)."""

MEDIAN_TO_DEVIATION = 1.4826
"""Factor from the median absolute value to the standard deviation of normal values (Rousseeuw & Croux 1993). The median,
because some of the other moments have effects of markers, too."""

MEASURES = ("attention", "expression")
"""Attention in [0, 1]; of expression the valence in [-1, 1], unpleasant to pleasant (scoring/affect.py)."""

CHANGED = {
    ("attention", True): N_("attention rose by {change:.2f} within {window} s ({low:+.2f} to {high:+.2f})"),
    ("attention", False): N_("attention fell by {change:.2f} within {window} s ({low:+.2f} to {high:+.2f})"),
    ("expression", True): N_("expression rose by {change:.2f} within {window} s ({low:+.2f} to {high:+.2f})"),
    ("expression", False): N_("expression fell by {change:.2f} within {window} s ({low:+.2f} to {high:+.2f})"),
}
"""Measure and whether it rose -> sentence."""

COLUMNS = (
    "minute",
    "local",
    "kind",
    "measure",
    "window",
    "change",
    "low",
    "high",
    "faces",
    "verdict",
    "delay",
    "soonest",
    "latest",
)


@dataclass(frozen=True)
class Course:
    """One measure through a lesson. values: (seconds, faces), 0 where not measured. measured: bool of the same shape."""

    values: np.ndarray
    measured: np.ndarray


def responses(workspace: Workspace, lesson: int) -> pd.DataFrame:
    """One row for each marker, measure and window; nothing of a measure that the lesson does not have.

    Columns: minute (from the lesson's start, with fraction), local, kind, measure (of MEASURES), window (seconds), change
    with low and high (NaN with too few faces or other moments), faces; delay: seconds until half of the faces that had to turn
    have turned, with soonest and latest (95 %; inf: more than the longest window), NaN where attention did not clearly change.
    """
    with workspace.cursor() as cursor:
        rows = cursor.execute(
            f"""WITH {COUNTED}
            SELECT date_diff('second', date_trunc('minute', started), time) AS second, track, attention,
                {VALENCE_SQL} AS expression, audience
            FROM counted JOIN lessons USING (lesson)""",
            {"lessons": [lesson]},
        ).df()
    marked = markers(workspace, lesson)
    if rows.empty or marked.empty:
        return pd.DataFrame(columns=COLUMNS)
    least = 1 if rows["audience"].iloc[0] == "self" else MINIMUM_GROUP
    first = rows["second"].min()
    second = (rows["second"] - first).to_numpy(int)
    face = np.unique(rows["track"], return_inverse=True)[1]
    at = (marked["minute"] * 60).round().to_numpy(int) - first
    measured = [name for name in MEASURES if rows[name].notna().any()]
    alpha = 0.05 / (len(marked) * len(WINDOWS_S) * len(measured))
    parts = []
    for name in measured:
        course = build_course(second, face, rows[name].to_numpy(float))
        table = pd.concat([changes_with_intervals(course, at, window, least, alpha) for window in WINDOWS_S])
        delays = np.full((len(at), 3), np.nan)
        if name == "attention":
            delays = _delays(course, at, table, least)
        table[["delay", "soonest", "latest"]] = delays[table.index]
        parts.append(table.join(marked.drop(columns="note")).assign(measure=name))
    table = pd.concat(parts).sort_values(["minute", "measure", "window"], kind="stable", ignore_index=True)
    return table[list(COLUMNS)]


def _delays(course: Course, at: np.ndarray, table: pd.DataFrame, least: int) -> np.ndarray:
    """turning_delay of each marker (m, 3); NaN where attention did not clearly change. table: changes, indexed by marker."""
    signs = [_direction(table.loc[i]) for i in range(len(at))]
    delays = [
        turning_delay(course, int(second), sign, least) if sign else (np.nan,) * 3
        for second, sign in zip(at, signs, strict=True)
    ]
    return np.array(delays, float)


def build_course(second: np.ndarray, face: np.ndarray, values: np.ndarray) -> Course:
    """Rows of observations as a course; all (n,), second and face count from 0, values NaN where not measured."""
    shape = (second.max() + 1 + WINDOWS_S[-1], face.max() + 1)
    there = ~np.isnan(values)
    course = Course(np.zeros(shape), np.zeros(shape, bool))
    course.values[second[there], face[there]] = values[there]
    course.measured[second[there], face[there]] = True
    return course


def changes_with_intervals(course: Course, at: np.ndarray, window: int, least: int, alpha: float) -> pd.DataFrame:
    """Change at each moment with its interval: columns window, change, low, high, faces, verdict; one row
    a moment.

    at: seconds, int (m,). least: minimum of faces. alpha: share of intervals that may miss the truth.
    """
    change, faces = mean_changes(course, at, window)
    others = np.arange(BASELINE_S, len(course.values) - 2 * WINDOWS_S[-1], SWING_STEP_S)
    others = others[(np.abs(others[:, None] - at[None]) >= WINDOWS_S[-1]).all(axis=1)]
    swings, seen = mean_changes(course, others, window)
    swings = swings[seen >= least]
    stretches = len(swings) * SWING_STEP_S / (BASELINE_S + window)
    half = np.nan
    if stretches >= MIN_SWINGS:
        half = stdtrit(stretches, 1 - alpha / 2) * MEDIAN_TO_DEVIATION * float(np.median(np.abs(swings)))
    change = np.where(faces >= least, change, np.nan)
    low, high = change - half, change + half
    judged = [judge_interval(*row, least).verdict for row in zip(change, low, high, faces.tolist(), strict=True)]
    columns = {"window": window, "change": change, "low": low, "high": high, "faces": faces, "verdict": judged}
    return pd.DataFrame(columns, index=range(len(at)))


def mean_changes(course: Course, at: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean change of the faces at each moment (m,), NaN without faces, and the number of faces.

    at: seconds. A face counts if it was measured in MIN_BASELINE_S before and in a third of the window. Its weight is that of a
    difference of two means: the product of its seconds before and after over their sum.
    """
    before, was = _over(course, at - BASELINE_S, at)
    after, then = _over(course, at, at + window)
    counts = (before >= MIN_BASELINE_S) & (after >= window / 3)
    before, after = np.where(counts, before, 1), np.where(counts, after, 1)
    weight = counts * before * after / (before + after)
    total = weight.sum(axis=1)
    sums = (weight * (then / after - was / before)).sum(axis=1)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), np.nan), counts.sum(axis=1)


def turning_delay(course: Course, at: int, sign: int, least: int) -> tuple[float, float, float]:
    """Seconds until half of the faces that looked elsewhere (sign 1) or to the front (sign -1) just before have turned, and
    its 95 % interval by order statistics (Conover, Practical Nonparametric Statistics, 1999, section 3.2); NaN of fewer
    faces than `least`, inf for more than the longest window."""

    def looks(rows: slice) -> np.ndarray:
        return sign * (course.values[rows] - ON_TASK) >= 0

    there = course.measured
    just, after = slice(max(0, at - WINDOWS_S[0]), at), slice(at, at + WINDOWS_S[-1])
    elsewhere = (there[just] & ~looks(just)).sum(axis=0) > there[just].sum(axis=0) / 2
    counts = elsewhere & there[after].any(axis=0)
    if counts.sum() < least:
        return np.nan, np.nan, np.nan
    turned = (looks(after) & there[after])[:, counts]
    seconds = np.sort(np.where(turned.any(axis=0), turned.argmax(axis=0).astype(float), np.inf))
    n = len(seconds)
    low, high = n / 2 - 0.98 * np.sqrt(n), 1 + n / 2 + 0.98 * np.sqrt(n)
    bounded = np.concatenate([[0.0], seconds, [np.inf]])
    median, soonest, latest = (float(bounded[rank]) for rank in (int(np.ceil(n / 2)), round(low), round(high)))
    return median, soonest, latest


def describe_response(rows: pd.DataFrame) -> str:
    """Sentence about one marker's rows."""
    first = rows.iloc[0]
    kind = first["kind"]
    changes = []
    for measure, part in rows.groupby("measure", sort=False):
        clear = part[part["verdict"] == Verdict.DIFFERS]
        if len(clear):
            row = clear.iloc[0]
            changes.append(
                _(CHANGED[str(measure), bool(row["change"] > 0)]).format(
                    change=abs(row["change"]), window=row["window"], low=row["low"], high=row["high"]
                )
            )
    turned = rows["delay"].dropna()
    if len(turned):
        row = rows.loc[turned.index[0]]
        changes.append(_turned(row))
    marker = f"{first['local']:%H:%M:%S} {_(kind)}"
    return _("**{marker}**: {changes}.").format(marker=marker, changes="; ".join(changes) or _("no clear change"))


def _direction(rows: pd.DataFrame) -> int:
    """1 if attention clearly rose within a window, -1 if it fell, else 0."""
    changes = rows.loc[rows["verdict"] == Verdict.DIFFERS, "change"]
    if (changes > 0).any():
        return 1
    return -1 if len(changes) else 0


def _over(course: Course, begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measured seconds and sum of each face from begin to end, each (m, faces)."""
    begin, end = (np.clip(seconds, 0, len(course.values)) for seconds in (begin, end))
    parts = []
    for values in (course.measured, course.values):
        sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        parts.append(sums[end] - sums[begin])
    return parts[0], parts[1]


def _turned(row: pd.Series) -> str:
    if math.isinf(row["delay"]):
        sentence = _("half of those who had to turn had turned later than {longest} s")
    elif math.isinf(row["latest"]):
        sentence = _(
            "half of those who had to turn had turned after {delay:.0f} s ({soonest:.0f} s to later than {longest} s)"
        )
    else:
        sentence = _("half of those who had to turn had turned after {delay:.0f} s ({soonest:.0f} s to {latest:.0f} s)")
    return sentence.format(longest=WINDOWS_S[-1], **row[["delay", "soonest", "latest"]])
