"""Sections of a lesson's story that read the database for themselves: responses, affect, coverage."""

import pandas as pd

from cssafe.charts import classes
from cssafe.language import _, ngettext
from cssafe.queries.responses import describe_response, responses
from cssafe.report import charts as drawn
from cssafe.report import figures as readings
from cssafe.report.document import Section, each, told
from cssafe.store import Workspace

POOR = 0.8
"""Share of the seconds, or of the faces, below which a lesson's figures are called patchy (assumption)."""


def markers_answered(workspace: Workspace, number: int, expressive: bool) -> Section:
    """How the class responded to each marker; the first sentence stands for all. expressive: also in its expression."""
    title = _("Responses to your markers")
    table = responses(workspace, number)
    table = table if expressive else table[table["measure"] != "expression"]
    if table.empty:
        return Section(title, (_("There is no marker in this lesson, so no response can be told."),))
    if table["low"].isna().all():
        why = _(
            "Responses to markers cannot be judged: too little was measured around them, or beside them in this lesson."
        )
        return Section(title, (why,))
    events = [rows for _event, rows in table.groupby(["minute", "kind"], sort=True)]
    clear = sum(bool(((rows["low"] > 0) | (rows["high"] < 0)).any()) for rows in events)
    shown = tuple(
        (
            classes.responses(table, measure),
            _("Change of {measure} after each marker, with its interval").format(measure=_(measure)),
        )
        for measure in table["measure"].unique()
    )
    figures = pd.DataFrame(
        {
            _("Marker"): table["local"].dt.strftime("%H:%M:%S ") + table["kind"].map(_),
            _("Measure"): table["measure"].map(_),
            _("Within (s)"): table["window"],
            _("Change"): each(table[["change", "low", "high"]], signed=True),
            _("Faces"): table["faces"],
        }
    )
    reading = _(
        "How to read it: each mark is the change within 5, 15 or 30 s after a marker against the minute before it, face by "
        "face, with its interval. Filled: a clear change, which need not be caused by what you did. Hollow: may be chance."
    )
    sentences = (
        ngettext(
            "After {n} of {of} marker something clearly changed within 30 s.",
            "After {n} of {of} markers something clearly changed within 30 s.",
            len(events),
        ).format(n=clear, of=len(events)),
        *(describe_response(rows).replace("**", "") for rows in events),
    )
    return Section(title, sentences, shown, reading, figures)


def affect(sums: pd.DataFrame, end: float) -> Section:
    """Valence, arousal and attitudes. sums: of readings.sums with expressions. end: of the minutes' axis."""
    title = _("Pleasant or not, calm or excited")
    lesson = readings.whole(sums, readings.AFFECT)
    if lesson["mean"].isna().all():
        return Section(title, (_("Valence and arousal are not told: no emotion was measured in this lesson."),))
    minutes = readings.minutes(sums, readings.AFFECT)
    unsure = readings.whole(sums, readings.UNSURE)["mean"]
    words = dict(zip(lesson.index, each(lesson, signed=True), strict=True))
    low, high = lesson.loc["valence", ["low", "high"]]
    looked = (
        _("The emotions shown were rather pleasant: valence {valence}, arousal {arousal}.")
        if low > 0
        else _("The emotions shown were rather unpleasant: valence {valence}, arousal {arousal}.")
        if high < 0
        else _("The emotions shown were neither clearly pleasant nor unpleasant: valence {valence}, arousal {arousal}.")
    )
    sentences = (
        looked.format(**words),
        _("Liking {liking}, disliking {disliking}, both at once (ambivalence) {ambivalence}.").format(**words),
        _(
            "For not knowing which emotion it is, a single reading is uncertain by {valence:.2f} of valence and {arousal:.2f} "
            "of arousal (standard deviation)."
        ).format(valence=unsure["valence_spread"], arousal=unsure["arousal_spread"]),
    )
    reading = _(
        "How to read it: valence goes from -1 (unpleasant) to 1 (pleasant), arousal from -1 (calm) to 1 (excited), the others "
        "from 0 to 1; bands and brackets are 95 % intervals over faces. They name what raters call the emotions shown, not "
        "what anybody felt, liked or thought."
    )
    figures = minutes.assign(told=each(minutes[["mean", "low", "high"]], signed=True))
    table = figures.pivot(index="minute", columns="measure", values="told")[list(words)].reset_index()
    chart = (drawn.affect(minutes, end), _("Valence and arousal of each minute, with their intervals"))
    return Section(title, sentences, (chart,), reading, readings.headed(table))


def coverage(workspace: Workspace, number: int, sums: pd.DataFrame) -> Section:
    """How much of the lesson stands behind its figures, and how well it was seen. sums: of readings.sums."""
    counts = readings.coverage(workspace, number)
    seconds, faces = counts["told"] / counts["seconds"], counts["measured"] / counts["faces"]
    first = (
        _("The measurement is good: {seconds:.0f} % of the seconds and {faces:.0f} % of the faces seen count.")
        if min(seconds, faces) >= POOR
        else _(
            "The measurement is patchy: only {seconds:.0f} % of the seconds and {faces:.0f} % of the faces seen count; be "
            "careful with every figure here."
        )
    ).format(seconds=100 * seconds, faces=100 * faces)
    quality = readings.whole(sums, readings.QUALITY)
    rows = {
        _("Seconds with a reading"): counts["seconds"],
        _("Of them with enough measured faces"): counts["told"],
        _("Faces seen in these seconds, in all"): counts["faces"],
        _("Of them measured"): counts["measured"],
        _("Quality of the readings (0 to 1)"): told(*quality.loc["quality"]),
        _("Share of a face that is hidden (0 to 1)"): told(*quality.loc["hidden"]),
    }
    reading = _(
        "How to read it: faces that are too small, blurred, turned away or hidden are seen but not measured, and in group work "
        "and breaks nothing is. Seconds with too few measured faces enter no figure. Faces never found are in no count."
    )
    table = pd.DataFrame({_("What"): list(rows), _("Value"): [str(value) for value in rows.values()]})
    return Section(_("Coverage and quality"), (first,), (), reading, table)
