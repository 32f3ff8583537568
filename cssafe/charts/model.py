"""Measurements of the expression network (expression/model_metrics.py), in percent. Shares of few faces are drawn hollow."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cssafe.charts.text import extremes_caption, format_intervals, no_figure
from cssafe.colours import COLOURS, EMOTIONS, GREY, HIGH
from cssafe.labels import FERPLUS
from cssafe.language import N_, _
from cssafe.scoring.affect import AFFECT_NAMES as AFFECT

BLUE, ORANGE = COLOURS[:2]

CONFUSION_RANGE = "#DDE3E8", HIGH
"""Ends of the confusion's colours; black writing is readable on each, on light and dark pages."""

HUMAN_ACCURACY = (0.65, 0.60, 0.70)
"""Human accuracy on FER2013's labels with its interval, 65 ± 5 % (Goodfellow et al. 2013, arXiv 1307.0414)."""

LABEL_SETS = {"ferplus": "FERPlus", "fer2013": "FER2013"}
"""Key in figures.json -> name of the set of labels."""

UNITS = {
    N_("degrees"): N_("Degrees"), N_("grey levels"): N_("Grey levels"), N_("of 100"): N_("Of 100"), N_("times"): N_("Times"),
    N_("of the height"): N_("Of the height"), N_("of the side"): N_("Of the side"), N_("pixels"): N_("Pixels"),
}  # fmt: skip
"""Units of changes, at the beginning of a line."""

MIN_FACES = 100
"""Faces below which a share is drawn hollow: its 95 % interval reaches up to 10 points to either side."""

MIN_FACES_IN_BIN = 20
"""The same for a bin of confidence: up to 22 points."""


def accuracy(figures: dict[str, Any]) -> alt.LayerChart:
    """Accuracy by each set of labels with 95 % intervals, and human accuracy. figures: all of figures.json."""
    rows = []
    for labels, name in LABEL_SETS.items():
        metrics = figures.get(labels, {})
        without = _("{labels}, no copies").format(labels=name)
        for key, words in (("accuracy", name), ("accuracy_without_duplicates", without)):
            if key in metrics:
                n = metrics["n"] if key == "accuracy" else metrics["n_without_duplicates"]
                rows.append((words, metrics[key], *metrics[f"{key}_interval"], n, _("this network")))
    rows.append((_("People, FER2013"), *HUMAN_ACCURACY, None, _("people")))
    return _intervals(rows, _("Right answers (%)"), [min(50, *(100 * row[2] for row in rows)), 100])


def accuracy_caption(figures: dict[str, Any]) -> str:
    """Accuracy by each set of labels. figures: all of figures.json."""
    sentences = [
        _(
            "By the labels of {labels}, {share:.1f} % are right (95 % interval {low:.1f} to {high:.1f}, {n} faces)."
        ).format(
            labels=name,
            share=100 * figures[labels]["accuracy"],
            low=100 * figures[labels]["accuracy_interval"][0],
            high=100 * figures[labels]["accuracy_interval"][1],
            n=f"{figures[labels]['n']:,}",
        )
        for labels, name in LABEL_SETS.items()
        if labels in figures
    ]
    return " ".join(sentences) or no_figure()


def recall(metrics: dict[str, Any]) -> alt.LayerChart:
    """Recall of each emotion with 95 % intervals. metrics: of one set of labels."""
    rows = [
        (f"{_(name)} · {one['support']:,}", one["recall"], *one["recall_interval"], one["support"], _("this network"))
        for name, one in metrics["per_class"].items()
    ]
    return _intervals(rows, _("Found of those that show it (%)"), [0, 100])


def recall_caption(metrics: dict[str, Any]) -> str:
    """The emotions with the highest and the lowest recall. metrics: of one set of labels."""
    rows = metrics["per_class"]
    return _extremes([(_(name), one["recall"], one["recall_interval"]) for name, one in rows.items() if one["support"]])


def groups(found: dict[str, Any]) -> alt.LayerChart:
    """Accuracy for each group of people with enough faces. found: of one column."""
    rows = [
        (f"{name} · {one['n']:,}", one["accuracy"], *one["accuracy_interval"], one["n"], _("this network"))
        for name, one in found["groups"].items()
        if one["accuracy"] is not None
    ]
    return _intervals(rows, _("Right answers (%)"), [0, 100])


def groups_caption(found: dict[str, Any]) -> str:
    """The groups with the highest and the lowest accuracy. found: of one column."""
    rows = found["groups"]
    return _extremes(
        [(n, one["accuracy"], one["accuracy_interval"]) for n, one in rows.items() if one["accuracy"] is not None]
    )


def confusion(metrics: dict[str, Any]) -> alt.LayerChart:
    """Percent of the faces showing an emotion (row) that get each name (column). metrics: of one set of labels."""
    labels = [_(name) for name in metrics["labels"]]
    table = pd.DataFrame(
        [
            {
                "shown": shown,
                "named": named,
                "share": 100 * share,
                "faces": faces,
                "words": f"{100 * share:.0f}" * (share >= 0.005),
            }
            for shown, shares, counts in zip(labels, metrics["confusion_normalised"], metrics["confusion"], strict=True)
            for named, share, faces in zip(labels, shares, counts, strict=True)
        ]
    )
    axis: dict[str, Any] = {"ticks": False, "domain": False, "labelFlush": False, "labelOverlap": False}
    base = alt.Chart(table).encode(
        x=alt.X("named:N").sort(labels).title(_("Named by the network")).axis(orient="top", labelAngle=-90, **axis),
        y=alt.Y("shown:N").sort(labels).title(_("Shown")).axis(**axis),
        tooltip=[
            alt.Tooltip("shown:N").title(_("Shown")),
            alt.Tooltip("named:N").title(_("Named")),
            alt.Tooltip("share:Q", format=".1f").title(_("Percent of those shown")),
            alt.Tooltip("faces:Q").title(_("Faces")),
        ],
    )
    colour = alt.Color("share:Q").scale(domain=[0, 100], range=CONFUSION_RANGE, interpolate="rgb").legend(None)
    cells = base.mark_rect(cornerRadius=3, width=alt.RelativeBandSize(0.94), height=alt.RelativeBandSize(0.92)).encode(
        color=colour,
        opacity=alt.when("datum.words").then(alt.value(1)).otherwise(alt.value(0.3)),
    )
    words = base.mark_text(fontSize=12, color="#111111").encode(text=alt.Text("words:N"))
    return (cells + words).properties(height=alt.Step(34))


def confusion_caption(metrics: dict[str, Any]) -> str:
    """The most frequent mistake. metrics: of one set of labels."""
    shares, labels = np.array(metrics["confusion_normalised"], float), metrics["labels"]
    np.fill_diagonal(shares, 0)
    shown, named = np.unravel_index(np.nan_to_num(shares).argmax(), shares.shape)
    return _("The most frequent mistake: of {n} faces that show {shown}, {share:.0f} % are named {named}.").format(
        n=sum(metrics["confusion"][shown]),
        shown=_(labels[shown]),
        named=_(labels[named]),
        share=100 * shares[shown, named],
    )


def reliability(metrics: dict[str, Any]) -> alt.LayerChart:
    """Accuracy against confidence, in bins. metrics: of one set of labels."""
    table = pd.DataFrame(
        [
            {
                "sure": 100 * one["confidence"],
                "right": 100 * one["accuracy"],
                "faces": one["count"],
                "few": one["count"] < MIN_FACES_IN_BIN,
            }
            for one in metrics["reliability"]
            if one["count"]
        ],
        columns=["sure", "right", "faces", "few"],
    )
    x = alt.X("sure:Q").scale(domain=[0, 100]).title(_("How sure it is (%)"))
    y = alt.Y("right:Q").scale(domain=[0, 100]).title(_("How often it is right (%)"))
    perfect = (
        alt.Chart(pd.DataFrame({"sure": [0, 100], "right": [0, 100]}))
        .mark_line(color=GREY, strokeDash=[4, 4])
        .encode(x=x, y=y)
    )
    base = alt.Chart(table).encode(x=x, y=y)
    line = base.mark_line(color=BLUE, strokeWidth=1)
    points = base.mark_point(color=BLUE, filled=True, stroke=BLUE, opacity=1).encode(
        size=alt.Size("faces:Q").scale(range=[30, 250]).legend(None),
        fillOpacity=_hollow(),
        tooltip=[
            alt.Tooltip("sure:Q", format=".0f").title(_("Sure (%)")),
            alt.Tooltip("right:Q", format=".0f").title(_("Right (%)")),
            alt.Tooltip("faces:Q").title(_("Faces")),
        ],
    )
    return (perfect + line + points).properties(height=300)


def reliability_caption(metrics: dict[str, Any]) -> str:
    """The expected calibration error. metrics: of one set of labels."""
    return _("On average, how sure it is and how often it is right lie {points:.1f} percentage points apart.").format(
        points=100 * metrics["expected_calibration_error"]
    )


def coverage(metrics: dict[str, Any]) -> alt.LayerChart:
    """Accuracy against the share of faces answered, the surest first. metrics: of one set of labels."""
    names = ("coverage", "confidence", "accuracy")
    table = pd.DataFrame(
        [{name: 100 * one[name] for name in names} for one in metrics["coverage"]], columns=list(names)
    )
    least = min([50.0, *table["accuracy"]])
    base = alt.Chart(table).encode(
        x=alt.X("coverage:Q").scale(domain=[0, 100]).title(_("Faces that it answers for (%)")),
        y=alt.Y("accuracy:Q").scale(domain=[least, 100]).title(_("How often it is right (%)")),
    )
    points = base.mark_point(color=BLUE, filled=True, size=30, opacity=1).encode(
        tooltip=[
            alt.Tooltip("coverage:Q", format=".0f").title(_("Answered (%)")),
            alt.Tooltip("confidence:Q", format=".0f").title(_("At least so sure (%)")),
            alt.Tooltip("accuracy:Q", format=".1f").title(_("Right (%)")),
        ]
    )
    return (base.mark_line(color=BLUE, strokeWidth=2) + points).properties(height=300)


def coverage_caption(metrics: dict[str, Any]) -> str:
    """The accuracy of all faces and of the surest half. metrics: of one set of labels."""
    if not metrics["coverage"]:
        return no_figure()
    half = min(metrics["coverage"], key=lambda one: abs(one["coverage"] - 0.5))
    return _("Of all faces {all:.1f} % are named rightly, of the surest {share:.0f} % of them {right:.1f} %.").format(
        all=100 * metrics["accuracy"], share=100 * half["coverage"], right=100 * half["accuracy"]
    )


def robustness(rows: list[dict[str, Any]]) -> dict[str, alt.LayerChart]:
    """Accuracy on degraded pictures: a small chart for each kind of change, all with the same axis.

    Args:
        rows: "robustness" of one set of labels. Where another network was measured, its line is orange and dashed.

    Returns:
        Name of the change -> its chart; where nothing was changed the accuracy is a grey line across.
    """
    table = pd.DataFrame(rows)
    shares = [share for name in ("accuracy", "beside") for share in table[name].dropna()]
    ends = [100 * min(shares) - 2, 100 * max(shares) + 2]
    unchanged = [100 * row["accuracy"] for row in rows if row["change"] == "none"]
    y = alt.Y("right:Q").scale(domain=ends).title(None).axis(tickCount=4)
    rule = alt.Chart(pd.DataFrame({"right": unchanged})).mark_rule(color=GREY).encode(y=y)
    return {
        str(change): (rule + _change_lines(part, y)).properties(
            height=200, title=alt.Title(_(str(change)), fontSize=12, anchor="start", fontWeight="normal")
        )
        for change, part in table[table["change"] != "none"].groupby("change", sort=False)
    }


def _change_lines(part: pd.DataFrame, y: alt.Y) -> alt.LayerChart:
    """Accuracy over the strength of one kind of change. part: its rows of "robustness"."""
    unit, networks = str(part["unit"].iloc[0]), [_("this network"), _("beside it")]
    lines = part.assign(
        step=[f"{strength:g}" for strength in part["strength"]],
        **{networks[0]: 100 * part["accuracy"], networks[1]: 100 * part["beside"].astype(float)},
    ).melt(["step"], networks, "network", "right")
    base = alt.Chart(lines.dropna()).encode(
        x=alt.X("step:O").sort(list(dict.fromkeys(lines["step"]))).title(_(unit)).axis(labelAngle=0),
        y=y,
        color=alt.Color("network:N").scale(domain=networks, range=[BLUE, ORANGE]).legend(None),
        tooltip=[
            alt.Tooltip("step:N").title(_(UNITS.get(unit, unit))),
            alt.Tooltip("network:N").title(_("Network")),
            alt.Tooltip("right:Q", format=".1f").title(_("Right (%)")),
        ],
    )
    line = base.mark_line().encode(
        strokeDash=alt.StrokeDash("network:N").scale(domain=networks, range=[[1, 0], [4, 3]]).legend(None)
    )
    points = base.mark_point(filled=True, size=40, opacity=1).encode(
        shape=alt.Shape("network:N").scale(domain=networks, range=["circle", "diamond"]).legend(None)
    )
    return line + points


def robustness_caption(rows: list[dict[str, Any]]) -> str:
    """The strength with the lowest accuracy. rows: of one change."""
    if not rows:
        return no_figure()
    worst = min(rows, key=lambda one: one["accuracy"])
    unit = worst["unit"]
    return _("At worst {right:.0f} % right, at {strength:g} {unit}.").format(
        right=100 * worst["accuracy"], strength=worst["strength"], unit=_(unit)
    )


def probabilities(shares: dict[str, float], chosen: str) -> alt.LayerChart:
    """The probability of each emotion of one face, a thick line around the chosen one. shares: emotion -> in [0, 1]."""
    names = [_(name) for name in FERPLUS]
    table = pd.DataFrame(
        [{"emotion": _(name), "share": 100 * shares[name], "words": f"{100 * shares[name]:.0f}"} for name in FERPLUS]
    )
    base = alt.Chart(table).encode(
        x=alt.X("share:Q").scale(domain=[0, 108]).title(_("Probability (%)")).axis(values=[0, 25, 50, 75, 100]),
        y=alt.Y("emotion:N").sort(names).title(None).axis(labelOverlap=False, ticks=False, labelFlush=False),
    )
    colour = alt.Color("emotion:N").scale(domain=names, range=list(EMOTIONS.values())).legend(None)
    edge = alt.when(alt.datum.emotion == _(chosen)).then(alt.value(2.5)).otherwise(alt.value(0.5))
    bars = base.mark_bar(cornerRadiusEnd=2, stroke=GREY).encode(color=colour, strokeWidth=edge)
    words = base.mark_text(align="left", dx=4, color=GREY).encode(text=alt.Text("words:N"))
    return (bars + words).properties(height=alt.Step(20))


def probabilities_caption(shares: dict[str, float]) -> str:
    """The two most probable emotions. shares: emotion -> in [0, 1]."""
    first, second, *_others = sorted(shares, key=shares.__getitem__, reverse=True)
    return _("{first} {one:.0f} %, then {second} {two:.0f} %.").format(
        first=_(first), one=100 * shares[first], second=_(second), two=100 * shares[second]
    )


def affect(values: np.ndarray, spreads: np.ndarray) -> alt.LayerChart:
    """Affect of one face with standard deviations. values, spreads: (5,) as in scoring/affect.py."""
    table = pd.DataFrame({"name": AFFECT, "value": values, "low": values - spreads, "high": values + spreads})
    table["words"] = [f"{value:+.2f} ± {spread:.2f}" for value, spread in zip(values, spreads, strict=True)]
    least = np.where(table["name"].isin(("valence", "arousal")), -1, 0)  # the others go from 0 to 1
    table["low"], table["high"] = np.maximum(table["low"], least), np.minimum(table["high"], 1)
    table["name"] = names = [_(name) for name in AFFECT]
    base = alt.Chart(table).encode(
        y=alt.Y("name:N").sort(names).title(None).axis(labelOverlap=False, ticks=False, labelFlush=False),
        tooltip=[alt.Tooltip("name:N").title(_("What")), alt.Tooltip("words:N").title(_("Value"))],
    )
    reach = base.mark_rule(strokeWidth=3, opacity=0.7, color=BLUE).encode(
        x=alt.X("low:Q").scale(domain=[-1, 1]).title(_("Value ± uncertainty")).axis(values=[-1, -0.5, 0, 0.5, 1]),
        x2=alt.X2("high:Q"),
    )
    points = base.mark_point(filled=True, size=80, opacity=1, color=BLUE).encode(x=alt.X("value:Q"))
    return (reach + points).properties(height=alt.Step(20))


def affect_caption(values: np.ndarray, spreads: np.ndarray) -> str:
    """Valence and arousal. values, spreads: (5,) as in scoring/affect.py."""
    return _("Valence {valence:+.2f} ± {one:.2f}, arousal {arousal:+.2f} ± {two:.2f}.").format(
        valence=values[0], one=spreads[0], arousal=values[1], two=spreads[1]
    )


def _intervals(rows: list[tuple], title: str, ends: list[float]) -> alt.LayerChart:
    """A point and its 95 % interval for each row, in their order. rows: name, share, low, high, faces
    (None: not counted), whose. ends: of the axis, percent."""
    names = [row[0] for row in rows]
    columns = ["name", "share", "low", "high", "faces", "whose"]
    table = pd.DataFrame(
        [(name, 100 * share, 100 * low, 100 * high, *rest) for name, share, low, high, *rest in rows], columns=columns
    )
    table = table.assign(
        interval=format_intervals(table["low"], table["high"], 1),
        words=[f"{share:.0f}" for share in table["share"]],
        few=[faces is not None and faces < MIN_FACES for _name, *_figures, faces, _whose in rows],
        faces=[_("not counted") if faces is None else f"{faces:,}" for _name, *_figures, faces, _whose in rows],
    )
    whose = [_("this network"), _("people")]
    colour = alt.Color("whose:N").scale(domain=whose, range=[BLUE, ORANGE]).legend(None)
    base = alt.Chart(table).encode(
        y=alt.Y("name:N").sort(names).title(None).axis(labelOverlap=False, ticks=False, grid=True, labelFlush=False),
        color=colour,
        tooltip=[
            alt.Tooltip("name:N").title(_("What")),
            alt.Tooltip("share:Q", format=".1f").title(_("Percent")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
            alt.Tooltip("faces:N").title(_("Faces")),
        ],
    )
    reach = base.mark_rule(strokeWidth=3, opacity=0.7).encode(
        x=alt.X("low:Q").scale(domain=ends).title(title).axis(tickCount=5), x2=alt.X2("high:Q")
    )
    shape = alt.Shape("whose:N").scale(domain=whose, range=["circle", "diamond"]).legend(None)
    points = base.mark_point(filled=True, size=90, opacity=1, strokeWidth=2).encode(
        x=alt.X("share:Q"), shape=shape, fillOpacity=_hollow(), stroke=colour
    )
    words = base.mark_text(dy=-13, fontSize=11).encode(
        x=alt.X("share:Q"), text=alt.Text("words:N"), color=alt.value(GREY)
    )
    return (reach + points + words).properties(height=alt.Step(36))


def _hollow() -> Any:
    return alt.when("datum.few").then(alt.value(0)).otherwise(alt.value(1))


def _extremes(rows: list[tuple[str, float, list[float]]]) -> str:
    """rows: name, share and its interval, in [0, 1]; said in percent."""
    means, lows, highs = 100 * np.array([(mean, *ends) for _name, mean, ends in rows], float).reshape(-1, 3).T
    return extremes_caption(means, lows, highs, [name for name, *_rest in rows], 1, " %")
