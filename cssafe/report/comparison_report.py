"""Comparisons for action research: lessons with a tag against those without, and forms of teaching."""

from typing import Any

import numpy as np
import pandas as pd

from cssafe.charts import reports
from cssafe.language import N_, _
from cssafe.queries import Filter, notes
from cssafe.queries.teaching_methods import AFTER_MINUTES, MIN_FORM_LESSONS, forms_compared
from cssafe.report.document import Figure, Report, Section, format_change, format_changes, format_figure
from cssafe.report.term_report import describe_filter, lessons_with_figures
from cssafe.stats.comparison import MIN_LESSONS, at_both_ends, compare_groups, strata
from cssafe.stats.evidence import Verdict
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
    alike, values = strata(lessons), lessons["concentration"].to_numpy(float)
    found, with_it, without = compare_groups(values, having, alike)
    if np.isnan(found.slope):
        sentence = _(
            "There is no result for “{tag}” yet: {with_it} lessons with it and {without} without it are of the same class, "
            "subject and formula; {least} of each are needed."
        ).format(tag=tag, with_it=with_it, without=without, least=MIN_LESSONS)
        return Section(title, (sentence,))
    found = at_both_ends(lessons, lambda values: compare_groups(values, having, alike)[0])
    difference = format_change(found.slope, found.low, found.high)
    verdict = (
        _("Concentration was higher with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
        if found.low > 0
        else _("Concentration was lower with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
        if found.high < 0
        else _("No clear difference with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
    ).format(tag=tag, figures=difference, with_it=with_it, without=without)
    size = _("Effect size (Hedges' g): {figures}.").format(
        figures=format_figure(found.size, found.size_low, found.size_high, signed=True)
    )
    reading = _(
        "How to read it: each point is a lesson, by how much it was above or below the mean of its class and subject; the "
        "tick is the mean of those with and those without the tag, in points of 100. Brackets are 95 % intervals over lessons, "
        "of the difference whether those who cannot be seen attend or not. The effect size "
        "is in standard deviations between lessons: about 0.2 is small, 0.8 large (Cohen 1988). You chose which lessons to "
        "tag, so another difference may be the cause. To be sure, toss a coin before each lesson."
    )
    apart = _apart_from_own(lessons, values, having, alike)
    table = pd.DataFrame(
        {
            _("Lesson"): apart["name"],
            _("Tag"): [_(tag) for tag in apart["tag"]],
            _("Above its class and subject"): (100 * apart["apart"]).round(1),
        }
    )
    chart = (reports.lessons_apart(apart), _("Lessons with and without the tag, each against its class and subject"))
    return Section(title, (verdict, size), (chart,), reading, table)


def _apart_from_own(lessons: pd.DataFrame, values: np.ndarray, having: np.ndarray, alike: np.ndarray) -> pd.DataFrame:
    """Each lesson less the mean of its stratum, in strata with and without the tag. Columns: as reports.lessons_apart."""
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
        sentences.append(sentence.format(forms=", ".join(few), least=MIN_FORM_LESSONS))
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
    sign = np.sign(row["difference"]) if row["verdict"] == Verdict.DIFFERS else 0
    words = VERDICTS[measure, int(sign)]
    figure = format_change(row["difference"], row["low"], row["high"])
    return _(words).format(form=_(form), figures=figure, n=row["lessons"])
