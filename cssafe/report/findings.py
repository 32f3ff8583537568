"""Findings of the pages Timetable, Compare and Term as numbers with verdicts, for reports and `python -m cssafe figures`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from cssafe import queries
from cssafe.language import _
from cssafe.queries import Filter, notes
from cssafe.queries.teaching_methods import forms_compared
from cssafe.school.week import parse_week, with_teachers
from cssafe.stats.comparison import (
    MIN_LESSONS,
    Design,
    Effect,
    at_both_ends,
    compare_groups,
    difference_design,
    estimate_trend,
    trend_design,
)
from cssafe.stats.evidence import Finding, Verdict
from cssafe.stats.intervals import clustered_means
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import estimate_effects, lessons_in_slots


class Abstention(StrEnum):
    """Why lessons with a tag are not compared with those without."""

    LESSONS = "lessons"
    """Too few of them are of the same class and subject."""
    TIMETABLE = "timetable"
    """They are at different weekdays or hours."""
    WEEKS = "weeks"
    """They are of too few weeks to tell the tag from a steady rise or fall."""


DIFFERENCE_COLUMNS = ("what", "difference", "low", "high", "lessons", "verdict")


TERM_COLUMNS = ("kind", "name", "value", "low", "high", "lessons", "verdict")

COMPARISON_COLUMNS = (
    *("kind", "name", "difference", "low", "high", "size", "size_low", "size_high", "having", "others", "lessons"),
    *("verdict", "reason"),
)


def preceding_days(since: date, until: date) -> tuple[date, date]:
    """First and last of as many days just before a term: the default for the last term."""
    return since - (until - since) - timedelta(days=1), since - timedelta(days=1)


def lessons_with_figures(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """Rows of queries.lessons with figures that may be averaged for a class, by time."""
    lessons = queries.lessons(workspace, queries.class_figures(workspace, which))
    return lessons.dropna(subset="concentration").sort_values("local", ignore_index=True)


def lessons_mean(figures: pd.Series) -> tuple[float, float, float]:
    """Mean of lessons, each with weight 1, with the interval over lessons. A lesson without the figure does not count."""
    values = figures.dropna().to_numpy(float)
    if not len(values):
        return np.nan, np.nan, np.nan
    mean, low, high = clustered_means(values[:, None], np.ones(len(values)))
    return float(mean[0]), float(low[0]), float(high[0])


def weekly_means(lessons: pd.DataFrame) -> pd.DataFrame:
    """Mean concentration of each week's lessons. Columns: week (its Monday, "2026-03-02"), mean, low, high, lessons."""
    week = lessons["local"].dt.to_period("W-SUN").dt.start_time
    weeks = pd.DataFrame(
        [
            (f"{day:%Y-%m-%d}", *lessons_mean(rows["concentration"]), len(rows))
            for day, rows in lessons.groupby(week, sort=True)
        ],
        columns=["week", "mean", "low", "high", "lessons"],
    )
    weeks[["low", "high"]] = weeks[["low", "high"]].clip(0, 1)
    return weeks


def trend(lessons: pd.DataFrame) -> Effect:
    """Slope of concentration a week. lessons: of `lessons_with_figures`."""
    design = trend_design(lessons)
    return at_both_ends(lessons, lambda values: estimate_trend(values, design))


def join_terms(lessons: pd.DataFrame, earlier: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Lessons of both terms, and whether each is of this term: bool (n,)."""
    both = pd.concat([lessons, earlier], ignore_index=True).drop_duplicates("lesson", ignore_index=True)
    return both, both["lesson"].isin(lessons["lesson"]).to_numpy()


def compare_terms(both: pd.DataFrame, now: np.ndarray) -> Effect:
    """Difference between the terms. both, now: of `join_terms`."""
    return _compare(both, now, difference_design(both))


def term_differences(both: pd.DataFrame, now: np.ndarray) -> pd.DataFrame:
    """Difference between the terms of all lessons, each class and each subject that can be compared.

    Columns: DIFFERENCE_COLUMNS. both, now: of `join_terms`.
    """
    rows = [(_("all"), compare_terms(both, now))]
    for column in ("class_name", "subject"):
        for name, part in both.groupby(column):
            effect = compare_terms(part, now[part.index])
            if len(part) < len(both) and not np.isnan(effect.finding.low):
                rows.append((str(name), effect))
    found = [(what, effect.finding) for what, effect in rows]
    return pd.DataFrame(
        [(what, one.value, one.low, one.high, one.units, one.verdict.value) for what, one in found],
        columns=list(DIFFERENCE_COLUMNS),
    )


def compare_tag(lessons: pd.DataFrame, having: np.ndarray) -> Effect:
    """Effect of a tag, within the same class, subject, weekday and hour. lessons: of `lessons_with_figures`. having: bool (n,),
    whether tagged."""
    return _compare(lessons, having, difference_design(lessons, slots=True))


def why_no_result(lessons: pd.DataFrame, having: np.ndarray, found: Effect) -> Abstention:
    """Why a tag has no result. found: of `compare_tag`, with too little data."""
    if min(found.having, found.others) >= MIN_LESSONS:
        return Abstention.WEEKS
    anywhere = _compare(lessons, having, difference_design(lessons))
    return Abstention.TIMETABLE if min(anywhere.having, anywhere.others) >= MIN_LESSONS else Abstention.LESSONS


def _compare(lessons: pd.DataFrame, having: np.ndarray, design: Design) -> Effect:
    return at_both_ends(lessons, lambda values: compare_groups(values, having, design))


def slot_findings(workspace: Workspace, periods: Sequence[dict], which: Filter) -> tuple[pd.DataFrame, str]:
    """SlotEffects.slots with `verdict`, as on the page Timetable, and the reason why there is no advice; no rows without
    lessons in the school's periods.

    Raises:
        DataError: the saved week does not fit the periods.
    """
    school = parse_week(periods, **workspace.get("school", {}))
    lessons = lessons_in_slots(workspace, periods, queries.class_figures(workspace, which))
    lessons = lessons.dropna(subset="concentration")
    if lessons.empty:
        return pd.DataFrame(), ""
    found = estimate_effects(with_teachers(lessons, school), school.days, school.periods)
    judged = found.slots["low"].notna()
    verdicts = np.select(
        [~judged, found.slots["differs"]], [Verdict.TOO_LITTLE.value, Verdict.DIFFERS.value], Verdict.CHANCE.value
    )
    return found.slots.drop(columns="differs").assign(verdict=verdicts), found.reason


def comparison_findings(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """The findings of the page Compare: each tag of these lessons, then each form of teaching. Columns: COMPARISON_COLUMNS."""
    lessons, tags = lessons_with_figures(workspace, which), notes.tags(workspace)
    tags = tags[tags["lesson"].isin(lessons["lesson"])]
    rows = [_tag_row(lessons, str(tag), part) for tag, part in tags.groupby("tag")]
    for form in forms_compared(workspace, which).itertuples():
        named = {"kind": form.measure, "name": form.form, "lessons": form.lessons, "verdict": form.verdict.value}
        rows.append(named | {name: getattr(form, name) for name in ("difference", "low", "high")})
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _tag_row(lessons: pd.DataFrame, tag: str, tagged: pd.DataFrame) -> dict[str, Any]:
    having = lessons["lesson"].isin(tagged["lesson"]).to_numpy()
    effect = compare_tag(lessons, having)
    unknown = effect.finding.verdict == Verdict.TOO_LITTLE
    counts = {"having": effect.having, "others": effect.others, "lessons": effect.finding.units}
    return {
        "kind": "tag",
        "name": tag,
        "reason": why_no_result(lessons, having, effect).value if unknown else None,
        **{name: getattr(effect, name) for name in ("size", "size_low", "size_high")},
        **(counts | _difference(effect.finding)),
    }


def _difference(found: Finding) -> dict[str, Any]:
    return {"difference": found.value, "low": found.low, "high": found.high, "verdict": found.verdict.value}


def term_findings(workspace: Workspace, which: Filter, last: tuple[date, date] | None) -> pd.DataFrame:
    """The findings of the page Term: the mean of each week, the trend, and the differences from the last term (first and last
    day). Columns: TERM_COLUMNS."""
    lessons = lessons_with_figures(workspace, which)
    if lessons.empty:
        return pd.DataFrame(columns=list(TERM_COLUMNS))
    weeks = weekly_means(lessons).rename(columns={"week": "name", "mean": "value"}).assign(kind="week")
    found = trend(lessons).finding
    slope = pd.DataFrame([_difference(found)]).assign(kind="trend", name="all", lessons=found.units)
    parts = [weeks, slope.rename(columns={"difference": "value"})]
    if last is not None:
        earlier = lessons_with_figures(workspace, replace(which, since=last[0], until=last[1]))
        terms = term_differences(*join_terms(lessons, earlier)).assign(kind="last_term")
        parts.append(terms.rename(columns={"what": "name", "difference": "value"}))
    return pd.concat(parts, ignore_index=True).reindex(columns=list(TERM_COLUMNS))
