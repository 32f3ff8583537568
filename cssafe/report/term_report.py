"""A term's report for a class, a subject, or any lessons chosen: course, week, histograms, and against the last term."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from cssafe import charts, queries
from cssafe.charts import captions
from cssafe.charts import timetable as slot_charts
from cssafe.colours import COLOURS
from cssafe.language import _, ngettext
from cssafe.queries import Filter
from cssafe.report import charts as drawn
from cssafe.report.document import Figure, Report, Section, each, told
from cssafe.report.lesson_report import interval
from cssafe.school.week import parse_week, with_teachers
from cssafe.settings import Profile
from cssafe.stats.comparison import MIN_LESSONS, Effect, compare_groups, estimate_effect, strata
from cssafe.stats.intervals import clustered_means
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import (
    MIN_SLOT_LESSONS,
    SlotEffects,
    describe_effects,
    estimate_effects,
    lessons_in_slots,
)


def before(since: date, until: date) -> tuple[date, date]:
    """As many days just before a term, both ends included, as a first guess at the last one."""
    return since - (until - since) - timedelta(days=1), since - timedelta(days=1)


def term(
    workspace: Workspace,
    which: Filter,
    last: tuple[date, date] | None,
    profile: Profile,
    periods: Sequence[dict] = (),
    compare: Callable[..., SlotEffects] = estimate_effects,
) -> Report:
    """which: this term's lessons. last: first and last day of the term to compare with, None for none. profile: of whoever
    reads it. periods: as for queries.weekly. compare: effects, which may remember what it found."""
    lessons = known(workspace, which)
    values = lessons["concentration"].to_numpy(float)
    mean, low, high = _mean(values)
    course, changed = _course(lessons), _changed(workspace, which, lessons, last)
    slots = [_slots(workspace, which, periods, compare)] if periods else []
    week, histograms = _week(workspace, which, periods), _histograms(workspace, which, profile)
    sections = [course, changed, week, *slots, *histograms]
    short = (
        ngettext(
            "Mean concentration of {n} lesson was {figures}, on a scale from 0 to 1.",
            "Mean concentration of {n} lessons was {figures}, on a scale from 0 to 1.",
            len(lessons),
        ).format(n=len(lessons), figures=told(mean, low, high)),
        *(section.sentences[0] for section in (course, changed, *slots)),
    )
    form = _("%d %B %Y")
    days = [f"{day:{form}}" if len(lessons) else "–" for day in (lessons["local"].min(), lessons["local"].max())]
    return Report(
        _("Term report"),
        "term",
        _("{whose}; lessons from {first} to {last}").format(whose=whose(which), first=days[0], last=days[1]),
        bool(lessons["synthetic"].any()),
        (
            Figure(_("Concentration"), "–" if np.isnan(mean) else f"{mean:.2f}", interval(low, high)),
            Figure(_("Lessons"), f"{len(lessons)}", _("with figures")),
            Figure(_("Minutes"), f"{lessons['minutes'].sum():.0f}", _("with figures")),
        ),
        (Section(_("In short"), short), *sections),
    )


def whose(which: Filter) -> str:
    """Which classes and subjects the filter lets through, in words."""
    return ", ".join([*(which.classes or [_("all classes")]), *(which.subjects or [_("all subjects")])])


def known(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """Lessons with figures, as queries.lessons has them, by time."""
    return queries.lessons(workspace, which).dropna(subset="concentration").sort_values("local", ignore_index=True)


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """Of lessons, each counting once, with the interval over lessons."""
    if not len(values):
        return np.nan, np.nan, np.nan
    mean, low, high = clustered_means(values[:, None], np.ones(len(values)))
    return float(mean[0]), float(low[0]), float(high[0])


def _course(lessons: pd.DataFrame) -> Section:
    title = _("Through the term")
    if len(lessons) < 2:
        return Section(title, (_("How it went through the term cannot be told of fewer than two lessons."),))
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
    found = estimate_effect(lessons["concentration"].to_numpy(float), number, strata(lessons))
    table = pd.DataFrame(
        {
            _("Week from"): weeks["week"],
            _("Concentration"): each(weeks[["mean", "low", "high"]]),
            _("Lessons"): weeks["lessons"],
        }
    )
    reading = _(
        "How to read it: each point is the mean over a week's lessons, each counting once, its line the 95 % interval over "
        "lessons. The slope compares lessons of the same class and subject only, so that a changed mixture of lessons is no "
        "trend."
    )
    chart = (drawn.trend(weeks), _("Mean concentration of each week's lessons, with its interval"))
    return Section(title, (_slope(found),), (chart,), reading, table)


def _slope(found: Effect) -> str:
    if np.isnan(found.low) or found.lessons < 2 * MIN_LESSONS:
        return _(
            "Whether it rose or fell through the term cannot be told yet: {n} comparable lessons are needed."
        ).format(n=2 * MIN_LESSONS)
    if found.low > 0:
        words = _("It rose through the term: {slope:+.3f} a week ({low:+.3f} to {high:+.3f}; {n} lessons).")
    elif found.high < 0:
        words = _("It fell through the term: {slope:+.3f} a week ({low:+.3f} to {high:+.3f}; {n} lessons).")
    else:
        words = _(
            "It neither clearly rose nor fell through the term: {slope:+.3f} a week ({low:+.3f} to {high:+.3f}; {n} lessons)."
        )
    return words.format(slope=found.slope, low=found.low, high=found.high, n=found.lessons)


def _changed(workspace: Workspace, which: Filter, lessons: pd.DataFrame, last: tuple[date, date] | None) -> Section:
    title = _("Against the last term")
    if last is None:
        return Section(title, (_("No last term was chosen to compare with."),))
    earlier = known(workspace, replace(which, since=last[0], until=last[1]))
    both = pd.concat([lessons, earlier], ignore_index=True).drop_duplicates("lesson")
    now = both["lesson"].isin(lessons["lesson"]).to_numpy()
    alike, values = strata(both), both["concentration"].to_numpy(float)
    found, new, old = compare_groups(values, now, alike)
    rows = [(_("all"), found)]
    for column in ("class_name", "subject"):
        for name, part in both.groupby(column):
            one, _new, _old = compare_groups(values[part.index], now[part.index], alike[part.index])
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
                _(
                    "Nothing can be told against the last term: {new} of this term's lessons and {old} of the last one's are "
                    "of the same class, subject and formula; {least} of each are needed."
                ).format(new=new, old=old, least=MIN_LESSONS),
            ),
        )
    form = _("%d %b %Y")
    sentence = (
        _("Higher than in the last term: {figures}, {new} lessons against {old}.")
        if found.low > 0
        else _("Lower than in the last term: {figures}, {new} lessons against {old}.")
        if found.high < 0
        else _("Not clearly different from the last term: {figures}, {new} lessons against {old}.")
    ).format(figures=told(found.slope, found.low, found.high, signed=True), new=new, old=old)
    reading = _(
        "How to read it: to the right, this term was higher. Lines are 95 % intervals over lessons; filled: a clear "
        "difference, hollow: may be chance. Of many intervals one in twenty misses the truth. Lessons are compared with "
        "lessons of the same class, subject and formula only ({first} to {last}). "
        "Season, topic and room may have changed, too."
    ).format(first=last[0].strftime(form), last=last[1].strftime(form))
    shown = pd.DataFrame(
        {
            _("Lessons of"): table["what"],
            _("Difference"): each(table[["difference", "low", "high"]], signed=True),
            _("Lessons"): table["lessons"],
        }
    )
    chart = (
        drawn.differences(table, _("Difference from the last term")),
        _("Difference from the last term, with its interval"),
    )
    return Section(title, (sentence,), (chart,), reading, shown)


def _week(workspace: Workspace, which: Filter, periods: Sequence[dict]) -> Section:
    title = _("The week")
    cells = queries.weekly(workspace, periods, which)
    if cells.empty:
        return Section(title, (_("Nothing lies within the school's periods."),)) if periods else Section(title)
    table = pd.DataFrame(
        {
            _("Day"): [_(charts.WEEKDAYS[weekday - 1]) for weekday in cells["weekday"]],
            _("Period"): cells["period"],
            _("Concentration"): each(cells[["concentration", "low", "high"]]),
            _("Minutes"): cells["minutes"],
            _("Lessons"): cells["lessons"],
        }
    )
    reading = _(
        "How to read it: each cell has the mean over the minutes observed at that weekday and time, and their number; blue is "
        "higher, yellow lower within this table. Hollow cells rest on less than {minutes} minutes or fewer than {lessons} "
        "lessons. Class and subject differ from cell to cell, so this alone is no reason to move a lesson."
    ).format(minutes=charts.THIN_MINUTES, lessons=charts.THIN_LESSONS)
    chart = (charts.weekly(cells), _("Heatmap of mean concentration by weekday and period"))
    return Section(title, (captions.weekly(cells),), (chart,), reading, table)


def _slots(
    workspace: Workspace, which: Filter, periods: Sequence[dict], compare: Callable[..., SlotEffects]
) -> Section:
    """How the slots of the school's week differ with all else taken out, as the page Timetable has it."""
    title = _("How slots differ")
    try:
        school = parse_week(periods, **workspace.get("school", {}))
    except ValueError as error:
        return Section(title, (_("{error} The week is not used until then.").format(error=error),))
    lessons = lessons_in_slots(workspace, periods, which).dropna(subset="concentration")
    if lessons.empty:
        return Section(title, (_("No lesson of a class lies within the school's periods, so slots are not compared."),))
    found = compare(with_teachers(lessons, school), school.days, school.periods)
    said = tuple(sentence.replace("**", "") for sentence in describe_effects(found))
    if found.reason:
        return Section(title, said)
    reading = _(
        "How to read it: by how much each slot is better or worse than the mean slot, with class, subject, teacher, room and "
        "activity taken out; the less is known, the nearer to zero. Blue is higher, yellow lower. Hollow: the 95 % interval "
        "holds zero. Grey, with a dash: fewer than {lessons} lessons, so no evidence."
    ).format(lessons=MIN_SLOT_LESSONS)
    table = pd.DataFrame(
        {
            _("Day"): [_(charts.WEEKDAYS[weekday - 1]) for weekday in found.slots["weekday"]],
            _("Period"): found.slots["period"],
            _("As recorded"): each(found.slots[["raw", "raw_low", "raw_high"]]),
            _("All else taken out"): each(found.slots[["effect", "low", "high"]], signed=True),
            _("Lessons"): found.slots["lessons"],
        }
    )
    chart = (slot_charts.effects(found.slots), _("Heatmap of the slots' differences by weekday and period"))
    return Section(title, said, (chart,), reading, table)


def _histograms(workspace: Workspace, which: Filter, profile: Profile) -> list[Section]:
    """By subject of one class, else by class; as many groups as there are colours, those with most observations."""
    by = "subject" if len(which.classes) == 1 else "class"
    concentration = _largest(queries.distribution(workspace, by, which))
    if concentration.empty:
        return []
    reading = _(
        "How to read it: each bar is the share of observations (one face over one second), its line the 95 % interval over "
        "lessons, of a single lesson over faces. Where the lines of two groups overlap, a difference may be chance."
    )
    level = Section(
        _("How high"),
        (captions.distribution(concentration),),
        ((charts.distribution(concentration), _("Bars of the concentration index in tenths for each group")),),
        reading,
        _shares(concentration.assign(what=[charts.between(start, start + 0.1, 1) for start in concentration["start"]])),
    )
    emotions = _largest(queries.emotions(workspace, by, which)) if profile.expression else pd.DataFrame()
    if emotions.empty:
        return [level]
    chart = (charts.emotions(emotions), _("Bars of the mean probability of each emotion for each group"))
    table = _shares(emotions.assign(what=[_(emotion) for emotion in emotions["emotion"]]))
    return [level, Section(_("Emotions"), (captions.emotions(emotions),), (chart,), reading, table)]


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    most = table.groupby("group")["observations"].max().nlargest(len(COLOURS)).index
    return table[table["group"].isin(most)]


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            _("Group"): table["group"],
            _("What"): table["what"],
            _("Share (0 to 1)"): each(table[["share", "low", "high"]]),
            _("Observations"): table["observations"],
            _("Lessons"): table["lessons"],
        }
    )
