"""Comparisons for action research: lessons with a tag against those without, and forms of teaching."""

from typing import Any

import numpy as np
import pandas as pd

from cssafe.charts import reports
from cssafe.language import N_, _
from cssafe.queries import Filter, notes
from cssafe.queries.teaching_methods import AFTER_MINUTES, forms_compared
from cssafe.report.document import Figure, Report, Section, format_change, format_changes, format_figure
from cssafe.report.findings import Abstention, compare_tag, lessons_with_figures, why_no_result
from cssafe.report.term_report import describe_filter
from cssafe.stats.comparison import MIN_LESSONS, MIN_WEEKS, Effect, difference_design
from cssafe.stats.evidence import Verdict, judge_interval
from cssafe.store import Workspace

AXIS_TITLES = {
    "during": N_("Difference from lecture in the same lessons"),
    "after": N_("In the {minutes} minutes after it, against the rest"),
}
CHART_CAPTIONS = {
    "during": N_("Difference from lecture in the same lessons, of each form, with its interval"),
    "after": N_("In the {minutes} minutes after it, against the rest, of each form, with its interval"),
}
VERDICTS = {
    ("during", 1): N_("{form}: concentration was higher than in the same lessons' lecture, {figures}, {n} lessons."),
    ("during", -1): N_("{form}: concentration was lower than in the same lessons' lecture, {figures}, {n} lessons."),
    ("during", 0): N_("{form}: no clear difference from the same lessons' lecture, {figures}, {n} lessons."),
    ("after", 1): N_(
        "After {form}: concentration was higher than in the rest of the same lessons, {figures}, {n} lessons."
    ),
    ("after", -1): N_(
        "After {form}: concentration was lower than in the rest of the same lessons, {figures}, {n} lessons."
    ),
    ("after", 0): N_("After {form}: no clear difference from the rest of the same lessons, {figures}, {n} lessons."),
}
"""Measure, and the sign of a clear difference or 0 -> sentence about a form."""

CAPITALIZED = {
    "screen": N_("Screen"),
    N_("desk work"): N_("Desk work"),
    N_("group work"): N_("Group work"),
    "break": N_("Break"),
    "instruction": N_("Instruction"),
    "demonstration": N_("Demonstration"),
    "quiz": N_("Quiz"),
}
"""Form -> its name at the beginning of a sentence."""

WHY_NOT_COMPARED = {
    Abstention.LESSONS: N_(
        "There is no result for “{tag}” yet: {with_it} lessons with it and {without} without it are of the same class, "
        "subject, formula, weekday and hour; {least} of each are needed."
    ),
    Abstention.TIMETABLE: N_(
        "There is no result for “{tag}”: lessons with it and lessons without it are at different weekdays or hours, so its "
        "effect cannot be told from that of the timetable. At the same weekday and hour, use it in some weeks and not in "
        "others; {least} lessons of each are needed."
    ),
    Abstention.WEEKS: N_(
        "There is no result for “{tag}” yet: its lessons are of too few weeks to tell its effect from a steady rise or fall. "
        "At least {weeks} weeks are needed, with lessons with it and without it early and late among them."
    ),
}


def comparison_report(workspace: Workspace, which: Filter, tag: str) -> Report:
    """The report of the comparisons. tag: to compare by, empty for none."""
    lessons = lessons_with_figures(workspace, which)
    tags = notes.tags(workspace)
    having = lessons["lesson"].isin(tags.loc[tags["tag"] == tag, "lesson"]).to_numpy()
    figures = (
        Figure(_("Lessons"), f"{len(lessons)}", _("with figures")),
        Figure(_("With the tag"), f"{int(having.sum())}", _("of these lessons")),
    )
    return Report(
        _("With and without “{tag}”").format(tag=tag) if tag else _("Forms of teaching"),
        "comparison",
        describe_filter(which),
        bool(lessons["synthetic"].any()),
        figures if tag else figures[:1],
        (*([tag_section(lessons, having, tag)] if tag else []), teaching_section(workspace, which)),
    )


def tag_section(lessons: pd.DataFrame, having: np.ndarray, tag: str) -> Section:
    """Lessons with and without the tag. lessons: of `lessons_with_figures`. having: bool (n,), whether tagged."""
    title = _("With the tag against without")
    effect = compare_tag(lessons, having)
    found = effect.finding
    if found.verdict == Verdict.TOO_LITTLE:
        return Section(title, (_why_not_compared(lessons, having, effect, tag),))
    verdict = (
        _("Concentration was higher with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
        if found.rises
        else _("Concentration was lower with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
        if found.falls
        else _("No clear difference with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
    ).format(
        tag=tag,
        figures=format_change(found.value, found.low, found.high),
        with_it=effect.having,
        without=effect.others,
    )
    size = _("Effect size (Hedges' g): {figures}.").format(
        figures=format_figure(effect.size, effect.size_low, effect.size_high, signed=True)
    )
    reading = _(
        "How to read it: each point is a lesson, by how much it was above or below the mean of its class and subject at the "
        "same weekday and hour; the tick is the mean of those with and those without the tag, in points of 100. Brackets are "
        "95 % intervals over the weeks of a class, with a steady rise or fall over time held, of the difference whether those "
        "who cannot be seen attend or not. The effect size "
        "is in standard deviations between lessons: about 0.2 is small, 0.8 large (Cohen 1988). You chose which lessons to "
        "tag, so another difference may be the cause. To be sure, toss a coin before each lesson."
    )
    apart = _apart_from_own(lessons, having)
    table = pd.DataFrame(
        {
            _("Lesson"): apart["name"],
            _("Tag"): [_(tag) for tag in apart["tag"]],
            _("Above its class and subject"): (100 * apart["apart"]).round(1),
        }
    )
    chart = (reports.lessons_apart(apart), _("Lessons with and without the tag, each against its class and subject"))
    return Section(title, (verdict, size), (chart,), reading, table)


def _why_not_compared(lessons: pd.DataFrame, having: np.ndarray, found: Effect, tag: str) -> str:
    """found: of `compare_tag`, without a result."""
    return _(WHY_NOT_COMPARED[why_no_result(lessons, having, found)]).format(
        tag=tag, with_it=found.having, without=found.others, least=MIN_LESSONS, weeks=MIN_WEEKS
    )


def _apart_from_own(lessons: pd.DataFrame, having: np.ndarray) -> pd.DataFrame:
    """Each lesson less the mean of its class and subject at its weekday and hour, where there are lessons with and without the
    tag. Columns: as reports.lessons_apart."""
    alike, values = difference_design(lessons, slots=True).strata, lessons["concentration"].to_numpy(float)
    own = pd.Series(values).groupby(alike)
    mixed = pd.Series(having).groupby(alike).transform("nunique").to_numpy() > 1
    return pd.DataFrame(
        {
            "tag": np.where(having, N_("with"), N_("without")),
            "apart": values - own.transform("mean").to_numpy(),
            "name": lessons["name"] + ", " + lessons["local"].dt.strftime(_("%d %b %Y")),
        }
    )[mixed]


def teaching_section(workspace: Workspace, which: Filter) -> Section:
    """Forms of teaching, during and after, each against the same lessons' lecture."""
    title = _("Lecture, demonstration, quiz, group work")
    table = forms_compared(workspace, which)
    if table.empty:
        return Section(
            title,
            (
                _(
                    "These lessons hold lecture only. While a lesson runs, mark when a quiz, a demonstration or "
                    "group work begins, and switch the activity."
                ),
            ),
        )
    table = table.assign(what=[_(form) for form in table["form"]])
    axes = {measure: _(axis).format(minutes=AFTER_MINUTES) for measure, axis in AXIS_TITLES.items()}
    charts, sentences = [], []
    for measure, axis in axes.items():
        rows = table[(table["measure"] == measure) & table["difference"].notna()]
        if len(rows):
            caption = _(CHART_CAPTIONS[measure]).format(minutes=AFTER_MINUTES)
            charts.append((reports.differences(rows, axis), caption))
        sentences += [_form_sentence(measure, row) for row in rows.to_dict("records")]
    few = sorted(set(table["what"]) - set(table.loc[table["difference"].notna(), "what"]))
    if few:
        sentence = _(
            "No result yet for {forms}: fewer than {least} lessons can be compared, or it always comes at the same time."
        )
        sentences.append(sentence.format(forms=", ".join(few), least=MIN_LESSONS))
    reading = _(
        "How to read it: minutes are compared with other minutes of the same lessons, adjusted for the usual course of a "
        "lesson; lines are 95 % intervals over lessons, filled points clear differences, hollow ones may be chance; of many "
        "intervals one in twenty misses the truth. Group work and breaks are not scored, as no camera can separate talk about "
        "the task from other talk: only the {minutes} minutes after them are compared. You chose the forms and their times: a "
        "difference need not be caused by the form."
    ).format(minutes=AFTER_MINUTES)
    return Section(title, tuple(sentences), tuple(charts), reading, _forms_table(table, axes))


def _forms_table(table: pd.DataFrame, axes: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            _("Form"): table["what"],
            _("Compared"): table["measure"].map(axes),
            _("Difference"): format_changes(table[["difference", "low", "high"]]),
            _("Lessons"): table["lessons"],
        }
    )


def _form_sentence(measure: str, row: dict[str, Any]) -> str:
    """row: of teaching_methods.forms."""
    form = CAPITALIZED.get(row["form"], row["form"]) if measure == "during" else row["form"]
    found = judge_interval(row["difference"], row["low"], row["high"], row["lessons"], 0)
    words = VERDICTS[measure, int(found.rises) - int(found.falls)]
    figure = format_change(row["difference"], row["low"], row["high"])
    return _(words).format(form=_(form), figures=figure, n=row["lessons"])
