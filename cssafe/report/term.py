"""A term's report for a class, a subject, or any lessons chosen: course, week, histograms, and against the last term."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from cssafe import charts, queries
from cssafe.colours import COLOURS
from cssafe.comparison import LEAST, Effect, against, effect, strata
from cssafe.intervals import clustered
from cssafe.queries import Filter
from cssafe.report import charts as drawn
from cssafe.report.document import Figure, Report, Section, each, told
from cssafe.report.story import interval
from cssafe.settings import Profile
from cssafe.store import Workspace


def before(since: date, until: date) -> tuple[date, date]:
    """As many days just before a term, both ends included, as a first guess at the last one."""
    return since - (until - since) - timedelta(days=1), since - timedelta(days=1)


def term(
    workspace: Workspace, which: Filter, last: tuple[date, date] | None, profile: Profile, periods: Sequence[dict] = ()
) -> Report:
    """which: this term's lessons. last: first and last day of the term to compare with, None for none. profile: of whoever
    reads it. periods: as for queries.weekly."""
    lessons = known(workspace, which)
    values = lessons["concentration"].to_numpy(float)
    mean, low, high = _mean(values)
    course, changed = _course(lessons), _changed(workspace, which, lessons, last)
    sections = [course, changed, _week(workspace, which, periods), *_histograms(workspace, which, profile)]
    short = (
        f"Mean concentration of {len(lessons)} lessons was {told(mean, low, high)}, on a scale from 0 to 1.",
        *(section.sentences[0] for section in sections if section.sentences),
    )
    days = (
        [f"{day:%d %B %Y}" for day in (lessons["local"].min(), lessons["local"].max())] if len(lessons) else ["–", "–"]
    )
    whose = ", ".join([*(which.classes or ["all classes"]), *(which.subjects or ["all subjects"])])
    return Report(
        "Term report",
        "term",
        f"{whose}; lessons from {days[0]} to {days[1]}",
        bool(lessons["synthetic"].any()),
        (
            Figure("Concentration", "–" if np.isnan(mean) else f"{mean:.2f}", interval(low, high)),
            Figure("Lessons", f"{len(lessons)}", "with figures"),
            Figure("Minutes", f"{lessons['minutes'].sum():.0f}", "with figures"),
        ),
        (Section("In short", short), *sections),
    )


def known(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """Lessons with figures, as queries.lessons has them, by time."""
    return queries.lessons(workspace, which).dropna(subset="concentration").sort_values("local", ignore_index=True)


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """Of lessons, each counting once, with the interval over lessons."""
    if not len(values):
        return np.nan, np.nan, np.nan
    mean, low, high = clustered(values[:, None], np.ones(len(values)))
    return float(mean[0]), float(low[0]), float(high[0])


def _course(lessons: pd.DataFrame) -> Section:
    title = "Through the term"
    if len(lessons) < 2:
        return Section(title, ("How it went through the term cannot be told of fewer than two lessons.",))
    week = lessons["local"].dt.to_period("W-SUN").dt.start_time
    weeks = pd.DataFrame(
        [
            (f"{day:%Y-%m-%d}", *_mean(rows["concentration"].to_numpy(float)), len(rows))
            for day, rows in lessons.groupby(week, sort=True)
        ],
        columns=["week", "mean", "low", "high", "lessons"],
    )
    weeks[["low", "high"]] = weeks[["low", "high"]].clip(0, 1)
    number = (lessons["local"] - lessons["local"].min()).dt.total_seconds().to_numpy() / (7 * 24 * 3600)
    found = effect(lessons["concentration"].to_numpy(float), number, strata(lessons))
    table = pd.DataFrame(
        {"Week from": weeks["week"], "Concentration": each(weeks[["mean", "low", "high"]]), "Lessons": weeks["lessons"]}
    )
    reading = (
        "How to read it: each point is the mean over a week's lessons, each counting once, its line the 95 % interval over "
        "lessons. The slope compares lessons of the same class and subject only, so that a changed mixture of lessons is no "
        "trend."
    )
    chart = (drawn.trend(weeks), "Mean concentration of each week's lessons, with its interval")
    return Section(title, (_slope(found),), (chart,), reading, table)


def _slope(found: Effect) -> str:
    if np.isnan(found.low) or found.lessons < 2 * LEAST:
        return (
            f"Whether it rose or fell through the term cannot be told yet: {2 * LEAST} comparable lessons are needed."
        )
    figures = f"{found.slope:+.3f} a week ({found.low:+.3f} to {found.high:+.3f}; {found.lessons} lessons)"
    if found.low > 0:
        return f"It rose through the term: {figures}."
    if found.high < 0:
        return f"It fell through the term: {figures}."
    return f"It neither clearly rose nor fell through the term: {figures}."


def _changed(workspace: Workspace, which: Filter, lessons: pd.DataFrame, last: tuple[date, date] | None) -> Section:
    title = "Against the last term"
    if last is None:
        return Section(title, ("No last term was chosen to compare with.",))
    earlier = known(workspace, replace(which, since=last[0], until=last[1]))
    both = pd.concat([lessons, earlier], ignore_index=True).drop_duplicates("lesson")
    now = both["lesson"].isin(lessons["lesson"]).to_numpy()
    alike, values = strata(both), both["concentration"].to_numpy(float)
    found, new, old = against(values, now, alike)
    rows = [("all", found)]
    for column in ("class_name", "subject"):
        for name, part in both.groupby(column):
            one, _, _ = against(values[part.index], now[part.index], alike[part.index])
            if len(part) < len(both) and not np.isnan(one.slope):
                rows.append((str(name), one))
    table = pd.DataFrame(
        [(what, one.slope, one.low, one.high, one.lessons) for what, one in rows],
        columns=["what", "difference", "low", "high", "lessons"],
    )
    if np.isnan(found.slope):
        return Section(
            title,
            (
                f"Nothing can be told against the last term: {new} of this term's lessons and {old} of the last one's are of "
                f"the same class, subject and formula; {LEAST} of each are needed.",
            ),
        )
    figures = f"{told(found.slope, found.low, found.high, signed=True)}, {new} lessons against {old}"
    sentence = (
        f"Higher than in the last term: {figures}."
        if found.low > 0
        else f"Lower than in the last term: {figures}."
        if found.high < 0
        else f"Not clearly different from the last term: {figures}."
    )
    reading = (
        "How to read it: to the right, this term was higher. Lines are 95 % intervals over lessons; filled: a clear "
        "difference, hollow: may be chance. Of many intervals one in twenty misses the truth. Lessons are compared with "
        f"lessons of the same class, subject and formula only ({last[0]:%d %b %Y} to {last[1]:%d %b %Y}). "
        "Season, topic and room may have changed, too."
    )
    shown = pd.DataFrame(
        {
            "Lessons of": table["what"],
            "Difference": each(table[["difference", "low", "high"]], signed=True),
            "Lessons": table["lessons"],
        }
    )
    chart = (
        drawn.differences(table, "Difference from the last term"),
        "Difference from the last term, with its interval",
    )
    return Section(title, (sentence,), (chart,), reading, shown)


def _week(workspace: Workspace, which: Filter, periods: Sequence[dict]) -> Section:
    title = "The week"
    cells = queries.weekly(workspace, periods, which)
    if cells.empty:
        return Section(title, ("Nothing lies within the school's periods.",)) if periods else Section(title)
    table = pd.DataFrame(
        {
            "Day": [charts.WEEKDAYS[weekday - 1] for weekday in cells["weekday"]],
            "Period": cells["period"],
            "Concentration": each(cells[["concentration", "low", "high"]]),
            "Minutes": cells["minutes"],
            "Lessons": cells["lessons"],
        }
    )
    reading = (
        "How to read it: each cell has the mean over the minutes observed at that weekday and time, and their number; blue is "
        f"higher, orange lower within this table. Hollow cells rest on less than {charts.THIN_MINUTES} minutes or fewer than "
        f"{charts.THIN_LESSONS} lessons. Class and subject differ from cell to cell, so this "
        "alone is no reason to move a lesson."
    )
    chart = (charts.weekly(cells), "Heatmap of mean concentration by weekday and period")
    return Section(title, (), (chart,), reading, table)


def _histograms(workspace: Workspace, which: Filter, profile: Profile) -> list[Section]:
    """By subject of one class, else by class; as many groups as there are colours, those with most observations."""
    by = "subject" if len(which.classes) == 1 else "class"
    concentration = _largest(queries.distribution(workspace, by, which))
    if concentration.empty:
        return []
    reading = (
        "How to read it: each bar is the share of observations (one face over one second), its line the 95 % interval over "
        "lessons, of a single lesson over faces. Where the lines of two groups overlap, a difference may be chance."
    )
    level = Section(
        "How high",
        (),
        ((charts.distribution(concentration), "Bars of the concentration index in tenths for each group"),),
        reading,
        _shares(concentration.assign(what=[f"{start:.1f} to {start + 0.1:.1f}" for start in concentration["start"]])),
    )
    emotions = _largest(queries.emotions(workspace, by, which)) if profile.expression else pd.DataFrame()
    if emotions.empty:
        return [level]
    chart = (charts.emotions(emotions), "Bars of the mean probability of each emotion for each group")
    return [level, Section("Emotions", (), (chart,), reading, _shares(emotions.assign(what=emotions["emotion"])))]


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    most = table.groupby("group")["observations"].max().nlargest(len(COLOURS)).index
    return table[table["group"].isin(most)]


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Group": table["group"],
            "What": table["what"],
            "Share (0 to 1)": each(table[["share", "low", "high"]]),
            "Observations": table["observations"],
            "Lessons": table["lessons"],
        }
    )
