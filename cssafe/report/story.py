"""The story of one lesson: what its figures say, in order, by rules. Where the data do not carry a sentence, it says so."""

import pandas as pd

from cssafe import charts, evidence, notes, queries
from cssafe.comparison import LEAST, usual
from cssafe.formula import find
from cssafe.labels import FERPLUS
from cssafe.report import charts as drawn
from cssafe.report import readings
from cssafe.report.document import Chart, Figure, Report, Section, each, told
from cssafe.report.readings import WINDOW
from cssafe.report.sections import affect, coverage, markers_answered
from cssafe.settings import PROFILES, Profile
from cssafe.store import Workspace


def story(workspace: Workspace, lesson: pd.Series, profile: Profile) -> Report:
    """lesson: a row of queries.lessons, over and with figures. profile: of whoever reads it. Nothing of expressions where the
    lesson's or the reader's profile has none."""
    number = int(lesson["lesson"])
    expressive = PROFILES[lesson["profile"]].expression and profile.expression
    course, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    sums = readings.sums(workspace, number, expressive)
    stretches, compared = _stretches(sums), _compared(workspace, lesson)
    answered, covered = markers_answered(workspace, number, expressive), coverage(workspace, number, sums)
    shown = [affect(sums, drawn.ending(course, markers))] if expressive else []
    short = (
        _level(lesson),
        _changed(*readings.change(sums)),
        *stretches.sentences,
        *compared.sentences,
        *(section.sentences[0] for section in (answered, *shown, covered)),
    )
    place = ", ".join(filter(None, [lesson["class_name"], lesson["subject"], lesson["room"]]))
    return Report(
        lesson["name"],
        f"lesson-{number}",
        f"{lesson['local']:%A %d %B %Y, %H:%M} to {lesson['ended']:%H:%M} ({lesson['time_zone']}), {place}",
        bool(lesson["synthetic"]),
        (
            Figure("Concentration", f"{lesson['concentration']:.2f}", interval(lesson["low"], lesson["high"])),
            Figure("Faces", f"{lesson['faces']:.0f}", "typically seen at once"),
            Figure("Minutes", f"{lesson['minutes']:.0f}", "with figures"),
        ),
        (
            Section("In short", short),
            *_own(workspace, number),
            _course(workspace, number, course, markers, sums if expressive else None),
            stretches,
            answered,
            *shown,
            compared,
            covered,
        ),
    )


def interval(low: float, high: float) -> str:
    return "no interval: too little to tell" if pd.isna(low) else f"95 % interval {low:.2f} to {high:.2f}"


def _level(lesson: pd.Series) -> str:
    mean, low, high = lesson[["concentration", "low", "high"]].astype(float)
    figures = told(mean, low, high)
    formula = find(lesson["formula"])
    if formula is None or pd.isna(low):
        return f"Mean concentration was {figures}, on a scale from 0 to 1."
    bands = formula.bands
    lowest, highest = (
        "low" if value < bands["low_below"] else "high" if value > bands["high_above"] else "medium"
        for value in (low, high)
    )
    if lowest == highest:
        return f"Mean concentration was {lowest}: {figures}, on a scale from 0 to 1."
    return f"Mean concentration was {figures}, on a scale from 0 to 1: between {lowest} and {highest}."


def _changed(mean: float, low: float, high: float) -> str:
    if pd.isna(low):
        return "Whether it rose or fell through the lesson cannot be told: too few minutes, or faces seen in all of it."
    figures = told(mean, low, high, signed=True)
    if low > 0:
        return f"It rose through the lesson: last third against first {figures}."
    if high < 0:
        return f"It fell through the lesson: last third against first {figures}."
    return f"It neither clearly rose nor fell through the lesson: last third against first {figures}."


def _own(workspace: Workspace, number: int) -> list[Section]:
    """What the teacher wrote, if she did."""
    note, tags = notes.note(workspace, number), notes.tags(workspace)
    tagged = ", ".join(tags.loc[tags["lesson"] == number, "tag"])
    sentences = (*([note] if note else []), *([f"Tags: {tagged}."] if tagged else []))
    return [Section("Your note", sentences)] if sentences else []


def _course(
    workspace: Workspace, number: int, course: pd.DataFrame, markers: pd.DataFrame, sums: pd.DataFrame | None
) -> Section:
    """sums: of readings.sums with expressions, None without."""
    end = drawn.ending(course, markers)
    shown: list[tuple[Chart, str]] = [
        (charts.timeline(course, markers), "Mean concentration of each minute, with its interval and the markers")
    ]
    table = pd.DataFrame(
        {
            "Minute": course["minute"],
            "Clock": course["local"].dt.strftime("%H:%M"),
            "Concentration": each(course[["concentration", "low", "high"]]),
            "Faces": course["faces"].round(1),
        }
    )
    reading = (
        "How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, dashed lines "
        "are your markers; below stands what the class did. Gaps: too few faces, or nothing scored, as in group work."
    )
    if sums is not None:
        emotions = readings.minutes(sums, readings.EMOTIONS)
        shown.append((drawn.emotions(emotions, end), "Mean probability of each emotion in each minute"))
        words = emotions.assign(words=each(emotions[["mean", "low", "high"]]))
        wide = words.pivot(index="minute", columns="measure", values="words").reindex(columns=FERPLUS)
        table = table.merge(wide.rename(columns=str.capitalize), left_on="Minute", right_index=True, how="left").fillna(
            "–"
        )
        reading += " Emotions are mean probabilities, one upon the other; their intervals stand in the table."
    shown.append((drawn.activities(evidence.activities(workspace, number), end), "The activity in each minute"))
    return Section("The course of the lesson", (), tuple(shown), reading, table)


def _stretches(sums: pd.DataFrame) -> Section:
    title = "Best and weakest five minutes"
    found = readings.windows(sums)
    if not found or found[-1].last - found[0].first + 1 < 2 * WINDOW:
        return Section(title, ("Best and weakest five minutes are not told: fewer than ten minutes have figures.",))
    best, worst = max(found, key=lambda window: window.mean), min(found, key=lambda window: window.mean)
    table = pd.DataFrame(
        [
            {"What": name, "Minutes": f"{w.first} to {w.last + 1}", "Concentration": told(w.mean, w.low, w.high)}
            for name, w in (("Highest", best), ("Lowest", worst))
        ]
    )
    (high_when, low_when), (high, low) = table["Minutes"], table["Concentration"]
    sentence = (
        f"Concentration was highest from minute {high_when}, {high}, and lowest from minute {low_when}, {low}."
        if best.low > worst.high
        else f"The highest five minutes ({high_when}: {high}) and the lowest ({low_when}: {low}) do not clearly differ."
    )
    reading = (
        "How to read it: of all stretches of five minutes on end the highest and the lowest, each with its 95 % interval over "
        "faces. As they were picked for being extreme, they look somewhat more so than they are."
    )
    return Section(title, (sentence,), (), reading, table)


def _compared(workspace: Workspace, lesson: pd.Series) -> Section:
    others = queries.lessons(workspace)
    same = ["synthetic", "formula", "audience"]
    others = others[(others[same] == lesson[same]).all(axis=1) & (others["lesson"] != lesson["lesson"])]
    sentences, rows = [], []
    for column, what in {"class_name": "class", "subject": "subject"}.items():
        values = others[others[column] == lesson[column]]["concentration"].dropna().to_numpy(float)
        mean, low, high = usual(values)
        rows.append({"Same": what, "Other lessons": len(values), "Mean and usual range": told(mean, low, high)})
        sentences.append(_usual(what, lesson["concentration"], low, high, len(values)))
    reading = (
        "How to read it: the usual range is where, by the other lessons, 95 of 100 further ones would lie. Compared are "
        "lessons of the same formula only. To lie within it is the normal case, whatever was done."
    )
    return Section("Compared with the usual lesson", tuple(sentences), (), reading, pd.DataFrame(rows))


def _usual(what: str, value: float, low: float, high: float, n: int) -> str:
    if n < LEAST:
        return f"What is usual for this {what} is not known yet: {n} other lessons have figures, {LEAST} are needed."
    verdict = "Higher than usual" if value > high else "Lower than usual" if value < low else "As usual"
    return f"{verdict} for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons)."
