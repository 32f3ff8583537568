"""Action research: lessons with a tag against lessons without it, and forms of teaching against each other."""

import numpy as np
import pandas as pd

from cssafe.language import N_, _
from cssafe.queries import Filter, notes
from cssafe.queries.teaching_methods import AFTER_MINUTES, forms_compared
from cssafe.report import charts as drawn
from cssafe.report.document import Figure, Report, Section, each, told
from cssafe.report.term_report import known, whose
from cssafe.stats.comparison import MIN_LESSONS, compare_groups, strata
from cssafe.store import Workspace

PAIRED = {
    "during": N_("Difference from lecture in the same lessons"),
    "after": N_("In the {minutes} minutes after it, against the rest"),
}
SHOWN = {
    "during": N_("Difference from lecture in the same lessons, of each form, with its interval"),
    "after": N_("In the {minutes} minutes after it, against the rest, of each form, with its interval"),
}
CLEARLY = {
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
"""Measure, and whether the interval lies above or below zero or holds it -> the sentence of a form."""

FIRST = {
    "screen": N_("Screen"),
    N_("desk work"): N_("Desk work"),
    N_("group work"): N_("Group work"),
    "break": N_("Break"),
    "instruction": N_("Instruction"),
    "demonstration": N_("Demonstration"),
    "quiz": N_("Quiz"),
}
"""Form -> the same at the beginning of a sentence."""


def research(workspace: Workspace, which: Filter, tag: str) -> Report:
    """tag: the one to compare by, empty for none."""
    lessons = known(workspace, which)
    tags = notes.tags(workspace)
    having = lessons["lesson"].isin(tags.loc[tags["tag"] == tag, "lesson"]).to_numpy()
    figures = (
        Figure(_("Lessons"), f"{len(lessons)}", _("with figures")),
        Figure(_("With the tag"), f"{int(having.sum())}", _("of these lessons")),
    )
    return Report(
        _("With and without “{tag}”").format(tag=tag) if tag else _("Forms of teaching"),
        "comparison",
        whose(which),
        bool(lessons["synthetic"].any()),
        figures if tag else figures[:1],
        (*([tagged(lessons, having, tag)] if tag else []), teaching(workspace, which)),
    )


def tagged(lessons: pd.DataFrame, having: np.ndarray, tag: str) -> Section:
    """lessons: of `known`. having: bool (n,), which of them carry the tag."""
    title = _("With the tag against without")
    alike, values = strata(lessons), lessons["concentration"].to_numpy(float)
    found, with_it, without = compare_groups(values, having, alike)
    if np.isnan(found.slope):
        sentence = _(
            "Nothing can be told of “{tag}” yet: {with_it} lessons with it and {without} without it are of the same class, "
            "subject and formula; {least} of each are needed."
        ).format(tag=tag, with_it=with_it, without=without, least=MIN_LESSONS)
        return Section(title, (sentence,))
    difference = told(found.slope, found.low, found.high, signed=True)
    verdict = (
        _("Concentration was higher with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
        if found.low > 0
        else _("Concentration was lower with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
        if found.high < 0
        else _("No clear difference with “{tag}”: {figures} ({with_it} lessons with it, {without} without).")
    ).format(tag=tag, figures=difference, with_it=with_it, without=without)
    size = _("Effect size (Hedges' g): {figures}.").format(
        figures=told(found.size, found.size_low, found.size_high, signed=True)
    )
    reading = _(
        "How to read it: each point is a lesson, by how much it was above or below the mean of its class and subject; the tick "
        "is the mean of those with and those without the tag. Brackets are 95 % intervals over lessons. The effect size counts "
        "in standard deviations between lessons: about 0.2 is small, 0.8 large (Cohen 1988). You chose which lessons to tag: "
        "what else was different in them may be the cause. To know, decide by a coin beforehand which lessons get it."
    )
    own = pd.Series(values).groupby(alike)
    mixed = pd.Series(having).groupby(alike).transform("nunique").to_numpy() > 1
    apart = pd.DataFrame(
        {
            "tag": np.where(having, N_("with"), N_("without")),
            "apart": values - own.transform("mean").to_numpy(),
            "name": lessons["name"] + ", " + lessons["local"].dt.strftime(_("%d %b %Y")),
        }
    )[mixed]
    table = pd.DataFrame(
        {
            _("Lesson"): apart["name"],
            _("Tag"): [_(tag) for tag in apart["tag"]],
            _("Above its class and subject"): apart["apart"].round(2),
        }
    )
    chart = (drawn.lessons_apart(apart), _("Lessons with and without the tag, each against its class and subject"))
    return Section(title, (verdict, size), (chart,), reading, table)


def teaching(workspace: Workspace, which: Filter) -> Section:
    """Forms of teaching, each against the same lessons' lecture, and what follows them."""
    title = _("Lecture, demonstration, quiz, group work")
    table = forms_compared(workspace, which)
    if table.empty:
        return Section(
            title,
            (
                _(
                    "No lesson here has anything but a lecture. While a lesson runs, mark when a quiz, a demonstration or "
                    "group work begins, and switch the activity."
                ),
            ),
        )
    table = table.assign(what=[_(form) for form in table["form"]])
    shown, sentences = [], []
    axes = {measure: _(axis).format(minutes=AFTER_MINUTES) for measure, axis in PAIRED.items()}
    for measure, axis in axes.items():
        rows = table[(table["measure"] == measure) & table["difference"].notna()]
        if len(rows):
            shown.append((drawn.differences(rows, axis), _(SHOWN[measure]).format(minutes=AFTER_MINUTES)))
        for row in rows.itertuples():
            form = FIRST.get(str(row.form), str(row.form)) if measure == "during" else str(row.form)
            words = CLEARLY[measure, int(row.low > 0) - int(row.high < 0)]
            figures = told(row.difference, row.low, row.high, signed=True)
            sentences.append(_(words).format(form=_(form), figures=figures, n=row.lessons))
    few = sorted(set(table["what"]) - set(table.loc[table["difference"].notna(), "what"]))
    if few:
        sentences.append(
            _(
                "Not told yet of {forms}: fewer than {least} lessons can be compared, or it always comes at the same time."
            ).format(forms=", ".join(few), least=MIN_LESSONS)
        )
    reading = _(
        "How to read it: minutes are compared with other minutes of the same lessons, with the usual ups and downs of a lesson "
        "taken into account; lines are 95 % intervals over lessons, filled points clear differences, hollow ones may be "
        "chance; of many intervals one in twenty misses the truth. Group work and breaks are not scored, for no camera can "
        "tell talk about the task from other talk: of them, only the {minutes} minutes that follow are told. You chose when to "
        "do what: a difference need not be the form's doing."
    ).format(minutes=AFTER_MINUTES)
    figures = pd.DataFrame(
        {
            _("Form"): table["what"],
            _("Compared"): table["measure"].map(axes),
            _("Difference"): each(table[["difference", "low", "high"]], signed=True),
            _("Lessons"): table["lessons"],
        }
    )
    return Section(title, tuple(sentences), tuple(shown), reading, figures)
