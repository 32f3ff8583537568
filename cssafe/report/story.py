"""The story of one lesson: what its figures say, in order, by rules. Where the data do not carry a sentence, it says so."""

import pandas as pd

from cssafe import charts, class_charts, evidence, notes, queries
from cssafe.comparison import LEAST, usual
from cssafe.formula import find
from cssafe.report import charts as drawn
from cssafe.report import readings
from cssafe.report.document import Figure, Report, Section, told
from cssafe.report.readings import WINDOW
from cssafe.responses import responses, sentence
from cssafe.settings import PROFILES
from cssafe.store import Workspace

POOR = 0.8
"""Share of the seconds, or of the faces, below which a lesson's figures are called patchy (assumption)."""


def story(workspace: Workspace, lesson: pd.Series) -> Report:
    """lesson: a row of queries.lessons, over and with figures. Nothing of expressions where its profile has none."""
    number, expressive = int(lesson["lesson"]), PROFILES[lesson["profile"]].expression
    course, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    clusters = readings.clusters(workspace, number)
    covered = _coverage(workspace, number)
    stretches, compared = _stretches(clusters), _compared(workspace, lesson)
    answered = _responses(workspace, number)
    shown = [_affect(workspace, number, drawn.ending(course, markers))] if expressive else []
    mean = told(lesson["concentration"], lesson["low"], lesson["high"])
    short = (
        _level(lesson, mean),
        _changed(*readings.change(clusters)),
        *(section.sentences[0] for section in (stretches, compared, answered, *shown, covered)),
    )
    written = notes.note(workspace, number)
    tags = notes.tags(workspace).query("lesson == @number")["tag"].tolist()
    own = [*([written] if written else []), *(["Tags: {tags}.".format(tags=", ".join(tags))] if tags else [])]
    place = ", ".join(filter(None, [lesson["class_name"], lesson["subject"], lesson["room"]]))
    return Report(
        lesson["name"],
        f"lesson-{number}",
        f"{lesson['local']:%A %d %B %Y, %H:%M} to {lesson['ended']:%H:%M} ({lesson['time_zone']}), {place}",
        bool(lesson["synthetic"]),
        (
            Figure("Concentration", f"{lesson['concentration']:.2f}", _interval(lesson["low"], lesson["high"])),
            Figure("Faces", f"{lesson['faces']:.0f}", "typically seen at once"),
            Figure("Minutes", f"{lesson['minutes']:.0f}", "with figures"),
        ),
        (
            Section("In short", short),
            *([Section("Your note", tuple(own))] if own else []),
            _course(workspace, lesson, course, markers, expressive),
            stretches,
            answered,
            *shown,
            compared,
            covered,
        ),
    )


def _interval(low: float, high: float) -> str:
    if pd.isna(low):
        return "no interval: too few faces or minutes"
    return "95 % interval {low:.2f} to {high:.2f}".format(low=low, high=high)


def _level(lesson: pd.Series, mean: str) -> str:
    formula = find(lesson["formula"])
    if formula is None or pd.isna(lesson["low"]):
        return "Mean concentration was {mean}, on a scale from 0 to 1.".format(mean=mean)
    limits = formula.bands["low_below"], formula.bands["high_above"]
    levels = [
        "low" if value < limits[0] else "high" if value > limits[1] else "medium" for value in lesson[["low", "high"]]
    ]
    if levels[0] == levels[1]:
        return "Mean concentration was {level}: {mean}, on a scale from 0 to 1.".format(level=levels[0], mean=mean)
    return "Mean concentration was {mean}, on a scale from 0 to 1: between {low} and {high}.".format(
        mean=mean, low=levels[0], high=levels[1]
    )


def _changed(mean: float, low: float, high: float) -> str:
    if pd.isna(low):
        return "Whether it rose or fell through the lesson cannot be told: too few minutes, or faces seen in all of it."
    figures = told(mean, low, high, signed=True)
    if low > 0:
        return "It rose: the last third was higher than the first by {figures}.".format(figures=figures)
    if high < 0:
        return "It fell: the last third differed from the first by {figures}.".format(figures=figures)
    return "It neither clearly rose nor fell: the last third differed from the first by {figures}.".format(figures=figures)


def _course(
    workspace: Workspace, lesson: pd.Series, course: pd.DataFrame, markers: pd.DataFrame, expressive: bool
) -> Section:
    number, end = int(lesson["lesson"]), drawn.ending(course, markers)
    shown = [(charts.timeline(course, markers), "Mean concentration of each minute, with its interval and the markers")]
    table = pd.DataFrame(
        {
            "Minute": course["minute"],
            "Clock": course["local"].dt.strftime("%H:%M"),
            "Concentration": [told(*ends) for ends in course[["concentration", "low", "high"]].itertuples(index=False)],
            "Faces": course["faces"].round(1),
        }
    )
    if expressive:
        emotions = readings.minutes(workspace, number, readings.EMOTIONS)
        shown.append((drawn.emotions(emotions, end), "Mean probability of each emotion in each minute"))
        words = emotions.assign(
            words=[
                "–" if pd.isna(mean) else f"{100 * mean:.0f}" + ("" if pd.isna(low) else f" ({100 * low:.0f} to {100 * high:.0f})")
                for mean, low, high in emotions[["mean", "low", "high"]].itertuples(index=False)
            ]
        )
        wide = words.pivot(index="minute", columns="measure", values="words")
        wide.columns = [f"{name} (%)" for name in wide.columns]
        table = table.merge(wide, left_on="Minute", right_index=True, how="left").fillna("–")
    shown.append((drawn.activities(evidence.activities(workspace, number), end), "The activity in each minute"))
    return Section(
        "The course of the lesson",
        (),
        tuple(shown),
        "How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, dashed lines are "
        "your markers; below stands what the class did. Gaps: too few faces, or nothing scored, as in group work and breaks."
        + (" Emotions are mean probabilities, one upon the other; their intervals stand in the table." if expressive else ""),
        table,
    )


def _stretches(clusters: pd.DataFrame) -> Section:
    title = "Best and weakest five minutes"
    found = readings.windows(clusters)
    if not found or found[-1].last - found[0].first + 1 < 2 * WINDOW:
        return Section(title, ("Best and weakest five minutes are not told: fewer than ten minutes have figures.",))
    best, worst = max(found, key=lambda window: window.mean), min(found, key=lambda window: window.mean)
    words = (
        "Concentration was highest from minute {best} to {best_end}, {high}, and lowest from minute {worst} to {worst_end}, {low}."
        if best.low > worst.high
        else "The highest five minutes ({best} to {best_end}: {high}) and the lowest ({worst} to {worst_end}: {low}) do not "
        "clearly differ."
    ).format(
        best=best.first,
        best_end=best.last + 1,
        worst=worst.first,
        worst_end=worst.last + 1,
        high=told(best.mean, best.low, best.high),
        low=told(worst.mean, worst.low, worst.high),
    )
    table = pd.DataFrame(
        [
            {"What": name, "Minutes": f"{w.first} to {w.last + 1}", "Concentration": told(w.mean, w.low, w.high)}
            for name, w in (("Highest", best), ("Lowest", worst))
        ]
    )
    reading = (
        "How to read it: of all stretches of five minutes on end the highest and the lowest, each with its 95 % interval over "
        "faces. As they were picked for being extreme, they look somewhat more so than they are."
    )
    return Section(title, (words,), (), reading, table)


def _responses(workspace: Workspace, number: int) -> Section:
    title = "Responses to your markers"
    table = responses(workspace, number)
    if table.empty:
        return Section(title, ("There is no marker in this lesson, so no response can be told.",))
    if table["low"].isna().all():
        return Section(
            title,
            ("Responses to markers cannot be judged: too little was measured around them, or beside them in this lesson.",),
        )
    events = [rows for _, rows in table.groupby(["minute", "kind"], sort=True)]
    clear = sum(bool(((rows["low"] > 0) | (rows["high"] < 0)).any()) for rows in events)
    first = "After {clear} of {n} markers something clearly changed within 30 s.".format(clear=clear, n=len(events))
    shown = tuple(
        (class_charts.responses(table, measure), f"Change of {measure} after each marker, with its interval")
        for measure in table["measure"].unique()
    )
    figures = pd.DataFrame(
        {
            "Marker": table["local"].dt.strftime("%H:%M:%S ") + table["kind"],
            "Measure": table["measure"],
            "Within (s)": table["window"],
            "Change": [told(*ends, signed=True) for ends in table[["change", "low", "high"]].itertuples(index=False)],
            "Faces": table["faces"],
        }
    )
    return Section(title, (first, *(sentence(rows).replace("**", "") for rows in events)), shown, READ_RESPONSES, figures)


READ_RESPONSES = (
    "How to read it: each mark is the change within 5, 15 or 30 s after a marker against the minute before it, face by face, with "
    "its interval. Filled: a clear change, which need not be caused by what you did. Hollow: may be chance."
)

READ_AFFECT = (
    "How to read it: valence goes from -1 (unpleasant) to 1 (pleasant), arousal from -1 (calm) to 1 (excited), the others from 0 to "
    "1; bands and brackets are 95 % intervals over faces. They name what the shown emotions are called by raters, not what anybody "
    "felt, liked or thought; of a single reading they are far less certain than of the class."
)


def _affect(workspace: Workspace, number: int, end: float) -> Section:
    title = "Pleasant or not, calm or excited"
    lesson = readings.affect(readings.whole(workspace, number, readings.AFFECT))
    if lesson["mean"].isna().all():
        return Section(title, ("Valence and arousal are not told: no emotion was measured in this lesson.",))
    words = {name: told(*row, signed=name in ("valence", "arousal")) for name, row in lesson[["mean", "low", "high"]].iterrows()}
    low, high = lesson.loc["valence", ["low", "high"]]
    first = (
        "Faces looked rather pleasant: valence {valence}, arousal {arousal}."
        if low > 0
        else "Faces looked rather unpleasant: valence {valence}, arousal {arousal}."
        if high < 0
        else "Faces looked neither clearly pleasant nor unpleasant: valence {valence}, arousal {arousal}."
    ).format(valence=words["valence"], arousal=words["arousal"])
    unsure = readings.whole(workspace, number, readings.UNSURE)["mean"]
    attitudes = "Liking {liking}, disliking {disliking}, both at once (ambivalence) {ambivalence}.".format(
        liking=words["liking"], disliking=words["disliking"], ambivalence=words["ambivalence"]
    )
    single = (
        "For not knowing which emotion it is, a single reading is uncertain by {valence:.2f} of valence and {arousal:.2f} of arousal "
        "(standard deviation)."
    ).format(valence=unsure["valence"], arousal=unsure["arousal"])
    minutes = readings.affect(readings.minutes(workspace, number, readings.AFFECT))
    figures = minutes.assign(
        told=[
            told(mean, a, b, signed=name in ("valence", "arousal"))
            for name, mean, a, b in minutes[["measure", "mean", "low", "high"]].itertuples(index=False)
        ]
    )
    table = figures.pivot(index="minute", columns="measure", values="told")[list(words)].reset_index()
    return Section(
        title,
        (first, attitudes, single),
        ((drawn.affect(minutes, end), "Valence and arousal of each minute, with their intervals"),),
        READ_AFFECT,
        table.rename(columns=str.capitalize),
    )


def _compared(workspace: Workspace, lesson: pd.Series) -> Section:
    others = queries.lessons(workspace)
    same = ["synthetic", "formula", "audience"]
    others = others[(others[same] == lesson[same]).all(axis=1) & (others["lesson"] != lesson["lesson"])]
    sentences, rows = [], []
    for column, what in {"class_name": "class", "subject": "subject"}.items():
        values = others[others[column] == lesson[column]]["concentration"].dropna().to_numpy(float)
        mean, low, high = usual(values)
        rows.append({"Lessons of the same": what, "Lessons": len(values), "Mean and usual range": told(mean, low, high)})
        sentences.append(_usual(what, lesson["concentration"], mean, low, high, len(values)))
    return Section(
        "Compared with the usual lesson",
        tuple(sentences),
        (),
        "How to read it: the usual range is where, by the other lessons, 95 of 100 further ones would lie. Compared are lessons of "
        "the same formula only. Being within it is the normal case, whatever was done.",
        pd.DataFrame(rows),
    )


def _usual(what: str, value: float, mean: float, low: float, high: float, n: int) -> str:
    named = {"what": what, "value": value, "mean": mean, "low": low, "high": high, "n": n, "least": LEAST}
    if n < LEAST:
        return "This {what}'s usual lesson is not known yet: {n} others have figures, {least} are needed.".format(**named)
    if value > high:
        return "Higher than usual for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons).".format(**named)
    if value < low:
        return "Lower than usual for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons).".format(**named)
    return "As usual for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons).".format(**named)


def _coverage(workspace: Workspace, number: int) -> Section:
    counts = readings.coverage(workspace, number)
    seconds, faces = counts["told"] / counts["seconds"], counts["measured"] / counts["faces"]
    quality = readings.whole(workspace, number, readings.QUALITY)
    named = {"seconds": 100 * seconds, "faces": 100 * faces}
    first = (
        "The measurement is good: {seconds:.0f} % of the seconds and {faces:.0f} % of the faces seen count."
        if min(seconds, faces) >= POOR
        else "The measurement is patchy: only {seconds:.0f} % of the seconds and {faces:.0f} % of the faces seen count; be careful "
        "with every figure here."
    ).format(**named)
    rows = [
        {"What": "Seconds with a face in view (or readings, if fewer than one a second)", "Value": f"{counts['seconds']}"},
        {"What": "Of them with enough measured faces", "Value": f"{counts['told']}"},
        {"What": "Faces seen in these seconds, in all", "Value": f"{counts['faces']}"},
        {"What": "Of them measured", "Value": f"{counts['measured']}"},
    ]
    words = {"quality": "Quality of the readings (0 to 1)", "hidden": "Share of a face that is hidden (0 to 1)"}
    rows += [
        {"What": words[name], "Value": told(*row)} for name, row in quality[["mean", "low", "high"]].iterrows() if pd.notna(row["mean"])
    ]
    return Section(
        "Coverage and quality",
        (first,),
        (),
        "How to read it: faces that are too small, blurred, turned away or hidden are seen but not measured, and in group work and "
        "breaks nothing is. Seconds with too few measured faces enter no figure. Faces that were never found are in no count.",
        pd.DataFrame(rows),
    )
