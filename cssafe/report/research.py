"""Action research: lessons with a tag against lessons without it, and forms of teaching against each other."""

import numpy as np
import pandas as pd

from cssafe import notes
from cssafe.comparison import LEAST, against, strata
from cssafe.queries import Filter
from cssafe.report import charts as drawn
from cssafe.report.document import Figure, Report, Section, each, told
from cssafe.report.term import known
from cssafe.store import Workspace
from cssafe.teaching import AFTER, forms

PAIRED = {
    "during": "Difference from lecture in the same lessons",
    "after": f"In the {AFTER} minutes after it, against the rest",
}


def research(workspace: Workspace, which: Filter, tag: str) -> Report:
    """tag: the one to compare by, empty for none."""
    lessons = known(workspace, which)
    tags = notes.tags(workspace)
    having = lessons["lesson"].isin(tags.loc[tags["tag"] == tag, "lesson"]).to_numpy()
    figures = (
        Figure("Lessons", f"{len(lessons)}", "with figures"),
        Figure("With the tag", f"{int(having.sum())}", "of these lessons"),
    )
    return Report(
        f"With and without “{tag}”" if tag else "Forms of teaching",
        "comparison",
        ", ".join([*(which.classes or ["all classes"]), *(which.subjects or ["all subjects"])]),
        bool(lessons["synthetic"].any()),
        figures if tag else figures[:1],
        (*([tagged(lessons, having, tag)] if tag else []), teaching(workspace, which)),
    )


def tagged(lessons: pd.DataFrame, having: np.ndarray, tag: str) -> Section:
    """lessons: of `known`. having: bool (n,), which of them carry the tag."""
    title = "With the tag against without"
    alike, values = strata(lessons), lessons["concentration"].to_numpy(float)
    found, with_it, without = against(values, having, alike)
    if np.isnan(found.slope):
        sentence = (
            f"Nothing can be told of “{tag}” yet: {with_it} lessons with it and {without} without it are of the same class, "
            f"subject and formula; {LEAST} of each are needed."
        )
        return Section(title, (sentence,))
    difference = told(found.slope, found.low, found.high, signed=True)
    counted = f"{with_it} lessons with it, {without} without"
    verdict = (
        f"Concentration was higher with “{tag}”: {difference} ({counted})."
        if found.low > 0
        else f"Concentration was lower with “{tag}”: {difference} ({counted})."
        if found.high < 0
        else f"No clear difference with “{tag}”: {difference} ({counted})."
    )
    size = f"Effect size (Hedges' g): {told(found.size, found.size_low, found.size_high, signed=True)}."
    reading = (
        "How to read it: each point is a lesson, by how much it was above or below the mean of its class and subject; the tick "
        "is the mean of those with and those without the tag. Brackets are 95 % intervals over lessons. The effect size counts "
        "in standard deviations between lessons: about 0.2 is small, 0.8 large (Cohen 1988). You chose which lessons to tag: "
        "what else was different in them may be the cause. To know, decide by a coin beforehand which lessons get it."
    )
    own = pd.Series(values).groupby(alike)
    mixed = pd.Series(having).groupby(alike).transform("nunique").to_numpy() > 1
    apart = pd.DataFrame(
        {
            "tag": np.where(having, "with", "without"),
            "apart": values - own.transform("mean").to_numpy(),
            "name": lessons["name"] + lessons["local"].dt.strftime(", %d %b %Y"),
        }
    )[mixed]
    table = pd.DataFrame(
        {"Lesson": apart["name"], "Tag": apart["tag"], "Above its class and subject": apart["apart"].round(2)}
    )
    chart = (drawn.lessons_apart(apart), "Lessons with and without the tag, each against its class and subject")
    return Section(title, (verdict, size), (chart,), reading, table)


def teaching(workspace: Workspace, which: Filter) -> Section:
    """Forms of teaching, each against the same lessons' lecture, and what follows them."""
    title = "Lecture, demonstration, quiz, group work"
    table = forms(workspace, which)
    if table.empty:
        return Section(
            title,
            (
                "No lesson here has anything but a lecture. While a lesson runs, mark when a quiz, a demonstration or group "
                "work begins, and switch the activity.",
            ),
        )
    table = table.assign(what=table["form"])
    shown, sentences = [], []
    for measure, axis in PAIRED.items():
        rows = table[(table["measure"] == measure) & table["difference"].notna()]
        if len(rows):
            shown.append((drawn.differences(rows, axis), f"{axis}, of each form, with its interval"))
        for row in rows.itertuples():
            figures = f"{told(row.difference, row.low, row.high, signed=True)}, {row.lessons} lessons"
            sentences.append(_form(str(row.form), measure, row.low > 0, row.high < 0, figures))
    few = sorted(set(table["form"]) - set(table.loc[table["difference"].notna(), "form"]))
    if few:
        sentences.append(
            f"Not told yet of {', '.join(few)}: fewer than {LEAST} lessons can be compared, or it always comes at the same "
            "time."
        )
    reading = (
        "How to read it: minutes are compared with other minutes of the same lessons, with the usual ups and downs of a lesson "
        "taken into account; lines are 95 % intervals over lessons, filled points clear differences, hollow ones may be "
        "chance; of many intervals one in twenty misses the truth. Group work and breaks are not scored, for no camera can "
        f"tell talk about the task from other talk: of them, only the {AFTER} minutes that follow are told. You chose when to "
        "do what: a difference need not be the form's doing."
    )
    figures = pd.DataFrame(
        {
            "Form": table["form"],
            "Compared": table["measure"].map(PAIRED),
            "Difference": each(table[["difference", "low", "high"]], signed=True),
            "Lessons": table["lessons"],
        }
    )
    return Section(title, tuple(sentences), tuple(shown), reading, figures)


def _form(form: str, measure: str, higher: bool, lower: bool, figures: str) -> str:
    name = form.capitalize()
    if measure == "during":
        if higher:
            return f"{name}: concentration was higher than in the same lessons' lecture, {figures}."
        if lower:
            return f"{name}: concentration was lower than in the same lessons' lecture, {figures}."
        return f"{name}: no clear difference from the same lessons' lecture, {figures}."
    if higher:
        return f"After {form}: concentration was higher than in the rest of the same lessons, {figures}."
    if lower:
        return f"After {form}: concentration was lower than in the rest of the same lessons, {figures}."
    return f"After {form}: no clear difference from the rest of the same lessons, {figures}."
