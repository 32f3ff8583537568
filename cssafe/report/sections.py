"""Sections of a lesson report: responses to markers, affect, coverage."""

import pandas as pd

from cssafe.charts import classes, reports
from cssafe.language import _, ngettext
from cssafe.queries.responses import describe_response, responses
from cssafe.report import figures as readings
from cssafe.report.document import Section, format_figure, format_figures
from cssafe.stats.evidence import excludes_zero, judge_interval
from cssafe.store import Workspace

MIN_COVERAGE = 0.8
"""Share of the seconds and of the faces below which the measurement is called patchy (assumption)."""


def responses_section(workspace: Workspace, number: int, expressive: bool) -> Section:
    """Responses to each marker; the first sentence summarizes all. expressive: with those of the expression."""
    title = _("Responses to your markers")
    table = responses(workspace, number)
    table = table if expressive else table[table["measure"] != "expression"]
    if table.empty:
        return Section(title, (_("There is no marker in this lesson, so there is no response to show."),))
    if table["low"].isna().all():
        why = _("Responses to markers cannot be judged: too little of this lesson was measured.")
        return Section(title, (why,))
    events = [rows for _event, rows in table.groupby(["minute", "kind"], sort=True)]
    clear = sum(bool(excludes_zero(rows["low"], rows["high"]).any()) for rows in events)
    shown = tuple(
        (
            classes.responses(table, measure),
            _("Change of {measure} after each marker, with its interval").format(measure=_(measure)),
        )
        for measure in table["measure"].unique()
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
    return Section(title, sentences, shown, reading, _responses_table(table))


def _responses_table(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            _("Marker"): table["local"].dt.strftime("%H:%M:%S ") + table["kind"].map(_),
            _("Measure"): table["measure"].map(_),
            _("Within (s)"): table["window"],
            _("Change"): format_figures(table[["change", "low", "high"]], signed=True),
            _("Faces"): table["faces"],
        }
    )


def affect_section(sums: pd.DataFrame, end: float) -> Section:
    """Valence, arousal and attitudes. sums: of figures.face_minutes with expressions. end: of the minutes' axis."""
    title = _("Pleasant or not, calm or excited")
    lesson = readings.lesson_means(sums, readings.AFFECT)
    if lesson["mean"].isna().all():
        return Section(title, (_("There is no valence or arousal: no emotion was measured in this lesson."),))
    minutes = readings.minute_means(sums, readings.AFFECT)
    unsure = readings.lesson_means(sums, readings.READING_SPREADS)["mean"]
    words = dict(zip(lesson.index, format_figures(lesson, signed=True), strict=True))
    valence, low, high = lesson.loc["valence", ["mean", "low", "high"]]
    found = judge_interval(valence, low, high, len(minutes), 0)
    looked = (
        _("The emotions shown were rather pleasant: valence {valence}, arousal {arousal}.")
        if found.rises
        else _("The emotions shown were rather unpleasant: valence {valence}, arousal {arousal}.")
        if found.falls
        else _("The emotions shown were neither clearly pleasant nor unpleasant: valence {valence}, arousal {arousal}.")
    )
    sentences = (
        looked.format(**words),
        _("Liking {liking}, disliking {disliking}, both at once (ambivalence) {ambivalence}.").format(**words),
        _(
            "As the emotion itself is uncertain, a single reading is uncertain by {valence:.2f} of valence and {arousal:.2f} "
            "of arousal (standard deviation)."
        ).format(valence=unsure["valence_spread"], arousal=unsure["arousal_spread"]),
    )
    reading = _(
        "How to read it: valence goes from -1 (unpleasant) to 1 (pleasant), arousal from -1 (calm) to 1 (excited), the others "
        "from 0 to 1; bands and brackets are 95 % intervals over faces. They describe the emotions shown as raters name them, "
        "not what anybody felt, liked or thought."
    )
    figures = minutes.assign(words=format_figures(minutes[["mean", "low", "high"]], signed=True))
    table = figures.pivot(index="minute", columns="measure", values="words")[list(words)].reset_index()
    chart = (reports.affect_by_minute(minutes, end), _("Valence and arousal of each minute, with their intervals"))
    return Section(title, sentences, (chart,), reading, readings.with_headings(table))


def coverage_section(workspace: Workspace, number: int, sums: pd.DataFrame) -> Section:
    """Share of the lesson that is measured, and the quality of the readings. sums: of figures.face_minutes."""
    counts = readings.count_coverage(workspace, number)
    seconds, faces = counts["shown"] / counts["seconds"], counts["measured"] / counts["faces"]
    first = (
        _("The measurement is good: {seconds:.0f} % of the seconds and {faces:.0f} % of the faces seen count.")
        if min(seconds, faces) >= MIN_COVERAGE
        else _(
            "The measurement is patchy: only {seconds:.0f} % of the seconds and {faces:.0f} % of the faces seen count; be "
            "careful with every figure here."
        )
    ).format(seconds=100 * seconds, faces=100 * faces)
    quality = readings.lesson_means(sums, readings.QUALITY)
    rows = {
        _("Seconds with a reading"): counts["seconds"],
        _("Of these, with enough measured faces"): counts["shown"],
        _("Faces seen in these seconds, in all"): counts["faces"],
        _("Of these, measured"): counts["measured"],
        _("Quality of the readings (0 to 1)"): format_figure(*quality.loc["quality"]),
        _("Share of a face that is hidden (0 to 1)"): format_figure(*quality.loc["hidden"]),
    }
    reading = _(
        "How to read it: faces that are too small, blurred, turned away or hidden are seen but not measured, and in group work "
        "and breaks nothing is. Seconds with too few measured faces enter no figure. Faces never found are in no count."
    )
    table = pd.DataFrame({_("What"): list(rows), _("Value"): [str(value) for value in rows.values()]})
    return Section(_("Coverage and quality"), (first,), (), reading, table)
