"""Sections of a lesson's story that read the database for themselves: responses, affect, coverage."""

import pandas as pd

from cssafe import class_charts
from cssafe.report import charts as drawn
from cssafe.report import readings
from cssafe.report.document import Section, each, told
from cssafe.responses import responses, sentence
from cssafe.store import Workspace

POOR = 0.8
"""Share of the seconds, or of the faces, below which a lesson's figures are called patchy (assumption)."""


def markers_answered(workspace: Workspace, number: int, expressive: bool) -> Section:
    """How the class responded to each marker; the first sentence stands for all. expressive: also in its expression."""
    title = "Responses to your markers"
    table = responses(workspace, number)
    table = table if expressive else table[table["measure"] != "expression"]
    if table.empty:
        return Section(title, ("There is no marker in this lesson, so no response can be told.",))
    if table["low"].isna().all():
        why = "too little was measured around them, or beside them in this lesson"
        return Section(title, (f"Responses to markers cannot be judged: {why}.",))
    events = [rows for _, rows in table.groupby(["minute", "kind"], sort=True)]
    clear = sum(bool(((rows["low"] > 0) | (rows["high"] < 0)).any()) for rows in events)
    shown = tuple(
        (class_charts.responses(table, measure), f"Change of {measure} after each marker, with its interval")
        for measure in table["measure"].unique()
    )
    figures = pd.DataFrame(
        {
            "Marker": table["local"].dt.strftime("%H:%M:%S ") + table["kind"],
            "Measure": table["measure"],
            "Within (s)": table["window"],
            "Change": each(table[["change", "low", "high"]], signed=True),
            "Faces": table["faces"],
        }
    )
    reading = (
        "How to read it: each mark is the change within 5, 15 or 30 s after a marker against the minute before it, face by "
        "face, with its interval. Filled: a clear change, which need not be caused by what you did. Hollow: may be chance."
    )
    sentences = (
        f"After {clear} of {len(events)} markers something clearly changed within 30 s.",
        *(sentence(rows).replace("**", "") for rows in events),
    )
    return Section(title, sentences, shown, reading, figures)


def affect(sums: pd.DataFrame, end: float) -> Section:
    """Valence, arousal and attitudes. sums: of readings.sums with expressions. end: of the minutes' axis."""
    title = "Pleasant or not, calm or excited"
    lesson = readings.whole(sums, readings.AFFECT)
    if lesson["mean"].isna().all():
        return Section(title, ("Valence and arousal are not told: no emotion was measured in this lesson.",))
    minutes = readings.minutes(sums, readings.AFFECT)
    unsure = readings.whole(sums, readings.UNSURE)["mean"]
    words = dict(zip(lesson.index, each(lesson, signed=True), strict=True))
    low, high = lesson.loc["valence", ["low", "high"]]
    looked = (
        "rather pleasant" if low > 0 else "rather unpleasant" if high < 0 else "neither clearly pleasant nor unpleasant"
    )
    sentences = (
        f"The emotions shown were {looked}: valence {words['valence']}, arousal {words['arousal']}.",
        f"Liking {words['liking']}, disliking {words['disliking']}, both at once (ambivalence) {words['ambivalence']}.",
        f"For not knowing which emotion it is, a single reading is uncertain by {unsure['valence_spread']:.2f} of valence and "
        f"{unsure['arousal_spread']:.2f} of arousal (standard deviation).",
    )
    reading = (
        "How to read it: valence goes from -1 (unpleasant) to 1 (pleasant), arousal from -1 (calm) to 1 (excited), the others "
        "from 0 to 1; bands and brackets are 95 % intervals over faces. They name what raters call the emotions shown, not "
        "what anybody felt, liked or thought."
    )
    figures = minutes.assign(told=each(minutes[["mean", "low", "high"]], signed=True))
    table = figures.pivot(index="minute", columns="measure", values="told")[list(words)].reset_index()
    chart = (drawn.affect(minutes, end), "Valence and arousal of each minute, with their intervals")
    return Section(title, sentences, (chart,), reading, table.rename(columns=str.capitalize))


def coverage(workspace: Workspace, number: int, sums: pd.DataFrame) -> Section:
    """How much of the lesson stands behind its figures, and how well it was seen. sums: of readings.sums."""
    counts = readings.coverage(workspace, number)
    seconds, faces = counts["told"] / counts["seconds"], counts["measured"] / counts["faces"]
    share = f"{100 * seconds:.0f} % of the seconds and {100 * faces:.0f} % of the faces seen count"
    first = (
        f"The measurement is good: {share}."
        if min(seconds, faces) >= POOR
        else f"The measurement is patchy: only {share}; be careful with every figure here."
    )
    quality = readings.whole(sums, readings.QUALITY)
    rows = {
        "Seconds with a reading": counts["seconds"],
        "Of them with enough measured faces": counts["told"],
        "Faces seen in these seconds, in all": counts["faces"],
        "Of them measured": counts["measured"],
        "Quality of the readings (0 to 1)": told(*quality.loc["quality"]),
        "Share of a face that is hidden (0 to 1)": told(*quality.loc["hidden"]),
    }
    reading = (
        "How to read it: faces that are too small, blurred, turned away or hidden are seen but not measured, and in group work "
        "and breaks nothing is. Seconds with too few measured faces enter no figure. Faces never found are in no count."
    )
    table = pd.DataFrame({"What": list(rows), "Value": [str(value) for value in rows.values()]})
    return Section("Coverage and quality", (first,), (), reading, table)
