"""The report of a term: trend, week, histograms, and comparison with the last term."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from cssafe import queries
from cssafe.charts import factors, heatmaps, histograms, reports
from cssafe.charts.text import format_interval
from cssafe.colours import COLOURS
from cssafe.labels import WEEKDAYS
from cssafe.language import _, ngettext
from cssafe.presence.figure_text import describe_figure, format_headline, format_range
from cssafe.queries import Filter, presence
from cssafe.queries.responsiveness import responsiveness
from cssafe.report.document import (
    Figure,
    Report,
    Section,
    format_change,
    format_changes,
    format_figures,
    format_headlines,
    format_ranges,
)
from cssafe.report.findings import (
    compare_terms,
    join_terms,
    lessons_mean,
    lessons_with_figures,
    term_differences,
    trend,
    weekly_means,
)
from cssafe.report.sections import responsiveness_section
from cssafe.school.week import parse_week, with_teachers
from cssafe.settings import Profile
from cssafe.stats.comparison import MIN_LESSONS, MIN_WEEKS, TREND_BLOCK_WEEKS, Effect
from cssafe.stats.evidence import Verdict
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import (
    MIN_SLOT_LESSONS,
    SlotEffects,
    describe_effects,
    estimate_effects,
    lessons_in_slots,
)


def term_report(
    workspace: Workspace,
    which: Filter,
    last: tuple[date, date] | None,
    profile: Profile,
    periods: Sequence[dict] = (),
    compare: Callable[..., SlotEffects] = estimate_effects,
    respond: Callable[[Workspace, Filter], pd.DataFrame] = responsiveness,
) -> Report:
    """The report of the lessons of a term.

    Args:
        which: this term's lessons. last: first and last day of the term to compare with, None for none.
        profile: the reader's. periods: as for queries.weekly. compare, respond: `estimate_effects` and `responsiveness`, or
            cached versions of them.
    """
    lessons = lessons_with_figures(workspace, which)
    mean, lowest, highest = (lessons_mean(lessons[name])[0] for name in ("concentration", "lowest", "highest"))
    course, change = _course_section(lessons), _last_term_section(workspace, which, lessons, last)
    slots = [_slots_section(workspace, which, periods, compare)] if periods else []
    week, histograms = _week_section(workspace, which, periods), _histogram_sections(workspace, which, profile)
    summary = (
        ngettext(
            "Concentration in {n} lesson was {figures}.",
            "Mean concentration of {n} lessons was {figures}.",
            len(lessons),
        ).format(n=len(lessons), figures=describe_figure(mean, lowest, highest)),
        *(section.sentences[0] for section in (course, change, *slots)),
        *queries.describe_left_out(workspace, which),
    )
    about = _describe_days(which, lessons)
    key_figures = (
        Figure(_("Concentration"), format_headline(mean), format_range(lowest, highest) or _("from 0 to 100")),
        Figure(_("Lessons"), f"{len(lessons)}", _("with figures")),
        Figure(_("Minutes"), f"{lessons['minutes'].sum():.0f}", _("with figures")),
    )
    factors = [*_factors_section(workspace, which), *responsiveness_section(respond(workspace, which))]
    sections = (Section(_("In short"), summary), course, *factors, change, week, *slots, *histograms)
    return Report(_("Term report"), "term", about, bool(lessons["synthetic"].any()), key_figures, sections)


def _describe_days(which: Filter, lessons: pd.DataFrame) -> str:
    """The filter, and the first and last day of its lessons."""
    form = _("%d %B %Y")
    days = [f"{day:{form}}" if len(lessons) else "–" for day in (lessons["local"].min(), lessons["local"].max())]
    return _("{whose}; lessons from {first} to {last}").format(
        whose=describe_filter(which), first=days[0], last=days[1]
    )


def describe_filter(which: Filter) -> str:
    """Classes and subjects of the filter in words."""
    return ", ".join([*(which.classes or [_("all classes")]), *(which.subjects or [_("all subjects")])])


def _course_section(lessons: pd.DataFrame) -> Section:
    title = _("Through the term")
    if len(lessons) < 2:
        return Section(title, (_("A trend through the term needs at least two lessons."),))
    weeks = weekly_means(lessons)
    table = pd.DataFrame(
        {
            _("Week from"): weeks["week"],
            _("Concentration"): format_headlines(weeks[["mean", "low", "high"]]),
            _("Lessons"): weeks["lessons"],
        }
    )
    reading = _(
        "How to read it: each point is the mean over a week's lessons, its line the 95 % interval over lessons. The slope "
        "compares lessons of the same class and subject only, so a changed mixture of lessons is no trend; its interval rests "
        "on stretches of {weeks} weeks, because neighbouring weeks are alike."
    ).format(weeks=TREND_BLOCK_WEEKS)
    chart = (reports.weekly_trend(weeks), _("Mean concentration of each week's lessons, with its interval"))
    return Section(title, (_trend_sentence(trend(lessons)),), (chart,), reading, table)


def _factors_section(workspace: Workspace, which: Filter) -> list[Section]:
    """The factors of classes over the weeks; none for fewer than two lessons."""
    lessons = queries.factors(workspace, queries.class_figures(workspace, which))
    if len(lessons) < 2:
        return []
    weeks = presence.by_week(lessons)
    table = pd.DataFrame(
        {
            _("Week from"): weeks["week"],
            _("Factor"): [_(factors.FACTOR_TITLES[factor]) for factor in weeks["factor"]],
            _("Mean"): factors.describe_factors(weeks),
            _("Lessons"): weeks["lessons"],
        }
    )
    meanings = [
        _(factors.FACTOR_MEANINGS[factor]) for factor in factors.FACTOR_TITLES if factor in set(weeks["factor"])
    ]
    reading = " ".join([_("How to read it: each point is the mean over a week's lessons of classes."), *meanings])
    chart = (factors.weeks(weeks), _("A line for each factor over the weeks"))
    sentence = factors.factors_caption(presence.over_lessons(lessons))
    return [Section(_("The factors side by side"), (sentence,), (chart,), reading, table)]


def _trend_sentence(effect: Effect) -> str:
    found = effect.finding
    if found.verdict == Verdict.TOO_LITTLE:
        return _(
            "There is no trend through the term yet: {n} comparable lessons in at least {weeks} weeks are needed."
        ).format(n=2 * MIN_LESSONS, weeks=TREND_BLOCK_WEEKS + 1)
    if found.rises:
        words = _("It rose through the term: {points} points a week ({n} lessons).")
    elif found.falls:
        words = _("It fell through the term: {points} points a week ({n} lessons).")
    else:
        words = _("It neither clearly rose nor fell through the term: {points} points a week ({n} lessons).")
    return words.format(points=format_change(found.value, found.low, found.high), n=found.units)


def _last_term_section(
    workspace: Workspace, which: Filter, lessons: pd.DataFrame, last: tuple[date, date] | None
) -> Section:
    title = _("Against the last term")
    if last is None:
        return Section(title, (_("No last term was chosen for comparison."),))
    earlier = lessons_with_figures(workspace, replace(which, since=last[0], until=last[1]))
    both, now = join_terms(lessons, earlier)
    effect = compare_terms(both, now)
    found = effect.finding
    if found.verdict == Verdict.TOO_LITTLE:
        sentence = _(
            "The terms cannot be compared: {new} of this term's lessons and {old} of the last one's are of the same class, "
            "subject and formula; {least} of each are needed, in {weeks} weeks at least."
        ).format(new=effect.having, old=effect.others, least=MIN_LESSONS, weeks=MIN_WEEKS)
        return Section(title, (sentence,))
    sentence = (
        _("Higher than in the last term: {figures}, {new} lessons against {old}.")
        if found.rises
        else _("Lower than in the last term: {figures}, {new} lessons against {old}.")
        if found.falls
        else _("Not clearly different from the last term: {figures}, {new} lessons against {old}.")
    ).format(figures=format_change(found.value, found.low, found.high), new=effect.having, old=effect.others)
    form = _("%d %b %Y")
    reading = _(
        "How to read it: to the right, this term was higher, in points of 100, beyond a steady rise or fall over both terms. "
        "Lines are 95 % intervals over the weeks of a class, whether those who cannot be seen attend or not; filled: a clear "
        "difference, hollow: may be chance. Of many intervals one in twenty misses the truth. Lessons are compared with "
        "lessons of the same class, subject and formula only ({first} to {last}). Season, topic and room may have changed, too."
    ).format(first=last[0].strftime(form), last=last[1].strftime(form))
    table = term_differences(both, now)
    axis, caption = _("Difference from the last term"), _("Difference from the last term, with its interval")
    shown = pd.DataFrame(
        {
            _("Lessons of"): table["what"],
            _("Difference"): format_changes(table[["difference", "low", "high"]]),
            _("Lessons"): table["lessons"],
        }
    )
    return Section(title, (sentence,), ((reports.differences(table, axis), caption),), reading, shown)


def _week_section(workspace: Workspace, which: Filter, periods: Sequence[dict]) -> Section:
    title = _("The week")
    cells = queries.weekly(workspace, periods, which)
    if cells.empty:
        return Section(title, (_("Nothing lies within the school's periods."),)) if periods else Section(title)
    table = pd.DataFrame(
        {
            _("Day"): [_(WEEKDAYS[weekday - 1]) for weekday in cells["weekday"]],
            _("Period"): cells["period"],
            _("Concentration"): format_headlines(cells[["concentration", "low", "high"]]),
            _("Range"): format_ranges(cells),
            _("Minutes"): cells["minutes"],
            _("Lessons"): cells["lessons"],
        }
    )
    reading = _(
        "How to read it: each cell has the mean over the minutes observed at that weekday and time, and their number; blue is "
        "higher, yellow lower within this table. Hollow cells rest on less than {minutes} minutes or fewer than {lessons} "
        "lessons. Intervals count the classes, subjects and rooms in a slot, not their lessons; one alone has none. Class "
        "and subject differ from cell to cell, so this alone is no reason to move a lesson."
    ).format(minutes=heatmaps.MIN_CELL_MINUTES, lessons=heatmaps.MIN_CELL_LESSONS)
    chart = (heatmaps.weekly(cells), _("Heatmap of mean concentration by weekday and period"))
    return Section(
        title,
        (heatmaps.weekly_caption(cells, queries.weekly_lessons(workspace, periods, which)),),
        (chart,),
        reading,
        table,
    )


def _slots_section(
    workspace: Workspace, which: Filter, periods: Sequence[dict], compare: Callable[..., SlotEffects]
) -> Section:
    """Adjusted differences of the slots of the school's week, as on the page Timetable."""
    title = _("How slots differ")
    try:
        school = parse_week(periods, **workspace.get("school", {}))
    except ValueError as error:
        return Section(title, (_("{error} The week is not used until then.").format(error=error),))
    lessons = lessons_in_slots(workspace, periods, queries.class_figures(workspace, which)).dropna(
        subset="concentration"
    )
    if lessons.empty:
        return Section(title, (_("No lesson of a class lies within the school's periods, so slots are not compared."),))
    found = compare(with_teachers(lessons, school), school.days, school.periods)
    findings = tuple(sentence.replace("**", "") for sentence in describe_effects(found))
    if found.reason:
        return Section(title, findings)
    reading = _(
        "How to read it: by how much each slot is better or worse than the mean slot, adjusted for class, subject, teacher, "
        "room and activity; the fewer data, the nearer to zero. Blue is higher, yellow lower. Hollow: may differ from "
        "the mean slot by chance. Grey, with a dash: fewer than {lessons} lessons, so no evidence."
    ).format(lessons=MIN_SLOT_LESSONS)
    table = pd.DataFrame(
        {
            _("Day"): [_(WEEKDAYS[weekday - 1]) for weekday in found.slots["weekday"]],
            _("Period"): found.slots["period"],
            _("As recorded"): format_figures(found.slots[["raw", "raw_low", "raw_high"]]),
            _("Adjusted difference"): format_figures(found.slots[["effect", "low", "high"]], signed=True),
            _("Lessons"): found.slots["lessons"],
        }
    )
    chart = (heatmaps.slot_effects(found.slots), _("Heatmap of the slots' differences by weekday and period"))
    return Section(title, findings, (chart,), reading, table)


def _histogram_sections(workspace: Workspace, which: Filter, profile: Profile) -> list[Section]:
    """Histograms by subject of one class, else by class; of the groups with most observations, one for each colour."""
    by = "subject" if len(which.classes) == 1 else "class"
    concentration = _largest_groups(queries.distribution(workspace, by, which))
    if concentration.empty:
        return []
    reading = _(
        "How to read it: each bar is the share of observations (one face over one second), its line the 95 % interval over "
        "lessons, of a single lesson over faces. Where the lines of two groups overlap, a difference may be chance."
    )
    level = Section(
        _("How high"),
        (histograms.distribution_caption(concentration),),
        ((histograms.distribution(concentration), _("Bars of the concentration index in tenths for each group")),),
        reading,
        _shares_table(
            concentration.assign(what=[format_interval(start, start + 0.1, 1) for start in concentration["start"]])
        ),
    )
    emotions = _largest_groups(queries.emotions(workspace, by, which)) if profile.expression else pd.DataFrame()
    if emotions.empty:
        return [level]
    chart = (histograms.emotions(emotions), _("Bars of the mean probability of each emotion for each group"))
    table = _shares_table(emotions.assign(what=[_(emotion) for emotion in emotions["emotion"]]))
    return [level, Section(_("Emotions"), (histograms.emotions_caption(emotions),), (chart,), reading, table)]


def _largest_groups(table: pd.DataFrame) -> pd.DataFrame:
    most = table.groupby("group")["observations"].max().nlargest(len(COLOURS)).index
    return table[table["group"].isin(most)]


def _shares_table(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            _("Group"): table["group"],
            _("What"): table["what"],
            _("Share (0 to 1)"): format_figures(table[["share", "low", "high"]]),
            _("Observations"): table["observations"],
            _("Lessons"): table["lessons"],
        }
    )
