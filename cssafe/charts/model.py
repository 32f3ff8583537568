"""What was measured of the expression network (cssafe.expression.model_metrics) -> alt.Chart, one function for each question.

Everything stands in percent. What rests on few faces is drawn hollow.
"""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cssafe.charts import between
from cssafe.colours import COLOURS, EMOTIONS, GREY, HIGH
from cssafe.labels import FERPLUS
from cssafe.language import N_, _
from cssafe.scoring.affect import AFFECT_NAMES as AFFECT

BLUE, ORANGE = COLOURS[:2]

NONE, ALL = "#DDE3E8", HIGH
"""Ends of the confusion's colours; black writing is readable on each, on light and dark pages."""

PEOPLE = (0.65, 0.60, 0.70)
"""How often people name FER2013's labels rightly, 65 ± 5 % (Goodfellow et al. 2013, arXiv 1307.0414)."""

NAMES = {"ferplus": "FERPlus", "fer2013": "FER2013"}
"""Sets of labels, as the charts call them."""

UNITS = {
    N_("degrees"): N_("Degrees"), N_("grey levels"): N_("Grey levels"), N_("of 100"): N_("Of 100"), N_("times"): N_("Times"),
    N_("of the height"): N_("Of the height"), N_("of the side"): N_("Of the side"), N_("pixels"): N_("Pixels"),
}  # fmt: skip
"""Units of changes, at the beginning of a line."""

FEW = 100
"""Faces below which a share is drawn hollow: its 95 % interval reaches up to 10 points to either side."""

FEW_IN_BIN = 20
"""The same for a bin of confidence, of which there are many: up to 22 points."""


def accuracy(figures: dict[str, Any]) -> alt.LayerChart:
    """How often the network is right, by each set of labels, with 95 % intervals, and how often people are."""
    rows = []
    for labels, name in NAMES.items():
        told = figures.get(labels, {})
        without = _("{labels}, no copies").format(labels=name)
        for key, words in (("accuracy", name), ("accuracy_without_duplicates", without)):
            if key in told:
                n = told["n"] if key == "accuracy" else told["n_without_duplicates"]
                rows.append((words, told[key], *told[f"{key}_interval"], n, _("this network")))
    rows.append((_("People, FER2013"), *PEOPLE, None, _("people")))
    return _intervals(rows, _("Right answers (%)"), [min(50, *(100 * row[2] for row in rows)), 100])


def recall(told: dict[str, Any]) -> alt.LayerChart:
    """How many of the faces that show an emotion are named so, with 95 % intervals. told: of one set of labels."""
    rows = [
        (f"{_(name)} · {one['support']:,}", one["recall"], *one["recall_interval"], one["support"], _("this network"))
        for name, one in told["per_class"].items()
    ]
    return _intervals(rows, _("Found of those that show it (%)"), [0, 100])


def groups(found: dict[str, Any]) -> alt.LayerChart:
    """How often the network is right for each group of people large enough to tell. found: of one column."""
    rows = [
        (f"{name} · {one['n']:,}", one["accuracy"], *one["accuracy_interval"], one["n"], _("this network"))
        for name, one in found["groups"].items()
        if one["accuracy"] is not None
    ]
    return _intervals(rows, _("Right answers (%)"), [0, 100])


def confusion(told: dict[str, Any]) -> alt.LayerChart:
    """Of the faces that show an emotion (row), percent that are given each name (column). told: of one set of labels."""
    labels = [_(name) for name in told["labels"]]
    table = pd.DataFrame(
        [
            {
                "shown": shown,
                "named": named,
                "share": 100 * share,
                "faces": faces,
                "words": f"{100 * share:.0f}" * (share >= 0.005),
            }
            for shown, shares, counts in zip(labels, told["confusion_normalised"], told["confusion"], strict=True)
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
    colour = alt.Color("share:Q").scale(domain=[0, 100], range=[NONE, ALL], interpolate="rgb").legend(None)
    cells = base.mark_rect(cornerRadius=3, width=alt.RelativeBandSize(0.94), height=alt.RelativeBandSize(0.92)).encode(
        color=colour,
        opacity=alt.when("datum.words").then(alt.value(1)).otherwise(alt.value(0.3)),
    )
    words = base.mark_text(fontSize=12, color="#111111").encode(text=alt.Text("words:N"))
    return (cells + words).properties(height=alt.Step(34))


def reliability(told: dict[str, Any]) -> alt.LayerChart:
    """How sure the network is against how often it is right. told: of one set of labels."""
    table = pd.DataFrame(
        [
            {
                "sure": 100 * one["confidence"],
                "right": 100 * one["accuracy"],
                "faces": one["count"],
                "few": one["count"] < FEW_IN_BIN,
            }
            for one in told["reliability"]
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


def coverage(told: dict[str, Any]) -> alt.LayerChart:
    """How often the network is right if it answers only where it is surest. told: of one set of labels."""
    names = ("coverage", "confidence", "accuracy")
    table = pd.DataFrame([{name: 100 * one[name] for name in names} for one in told["coverage"]], columns=list(names))
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


def robustness(rows: list[dict[str, Any]]) -> dict[str, alt.LayerChart]:
    """How often the network is right on worse pictures: a small chart for each kind of change, all with the same axis.

    Args:
        rows: "robustness" of one set of labels. Where another network was measured, its line is orange and dashed.

    Returns:
        Name of the change -> its chart; where nothing was changed the accuracy is a grey line across.
    """
    table = pd.DataFrame(rows)
    shares = [share for name in ("accuracy", "beside") for share in table[name].dropna()]
    ends = [100 * min(shares) - 2, 100 * max(shares) + 2]
    unchanged = [100 * row["accuracy"] for row in rows if row["change"] == "none"]
    charts = {}
    for change, part in table[table["change"] != "none"].groupby("change", sort=False):
        unit = str(part["unit"].iloc[0])
        lines = part.assign(
            step=[f"{strength:g}" for strength in part["strength"]],
            **{_("this network"): 100 * part["accuracy"], _("beside it"): 100 * part["beside"].astype(float)},
        ).melt(["step"], [_("this network"), _("beside it")], "network", "right")
        steps = list(dict.fromkeys(lines["step"]))
        ours = [_("this network"), _("beside it")]
        y = alt.Y("right:Q").scale(domain=ends).title(None).axis(tickCount=4)
        base = alt.Chart(lines.dropna()).encode(
            x=alt.X("step:O").sort(steps).title(_(unit)).axis(labelAngle=0),
            y=y,
            color=alt.Color("network:N").scale(domain=ours, range=[BLUE, ORANGE]).legend(None),
            tooltip=[
                alt.Tooltip("step:N").title(_(UNITS.get(unit, unit))),
                alt.Tooltip("network:N").title(_("Network")),
                alt.Tooltip("right:Q", format=".1f").title(_("Right (%)")),
            ],
        )
        line = base.mark_line().encode(
            strokeDash=alt.StrokeDash("network:N").scale(domain=ours, range=[[1, 0], [4, 3]]).legend(None)
        )
        points = base.mark_point(filled=True, size=40, opacity=1).encode(
            shape=alt.Shape("network:N").scale(domain=ours, range=["circle", "diamond"]).legend(None)
        )
        rule = alt.Chart(pd.DataFrame({"right": unchanged})).mark_rule(color=GREY).encode(y=y)
        charts[str(change)] = (rule + line + points).properties(
            height=200, title=alt.Title(_(str(change)), fontSize=12, anchor="start", fontWeight="normal")
        )
    return charts


def probabilities(shares: dict[str, float], chosen: str) -> alt.LayerChart:
    """What the network says of one face: the probability of each emotion, in percent, a thick line around the chosen one.

    shares: emotion -> in [0, 1].
    """
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


def affect(values: np.ndarray, spreads: np.ndarray) -> alt.LayerChart:
    """How pleasant and excited one face looks, and what follows from it, each with its standard deviation to either side.

    values, spreads: (5,) as in cssafe.scoring.affect.
    """
    table = pd.DataFrame({"name": AFFECT, "value": values, "low": values - spreads, "high": values + spreads})
    table["words"] = [f"{value:+.2f} ± {spread:.2f}" for value, spread in zip(values, spreads, strict=True)]
    least = np.where(table["name"].isin(("valence", "arousal")), -1, 0)  # the others know no less than nothing
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


def _intervals(rows: list[tuple], title: str, ends: list[float]) -> alt.LayerChart:
    """A point and its 95 % interval for each row, in their order. rows: name, share, its interval's low and high, faces
    (None: not counted), whose. ends: of the axis, percent."""
    names = [row[0] for row in rows]
    table = pd.DataFrame(
        [
            {
                "name": name,
                "share": 100 * share,
                "low": 100 * low,
                "high": 100 * high,
                "interval": between(100 * low, 100 * high, 1),
                "words": f"{100 * share:.0f}",
                "faces": _("not counted") if faces is None else f"{faces:,}",
                "few": faces is not None and faces < FEW,
                "whose": whose,
            }
            for name, share, low, high, faces, whose in rows
        ],
        columns=["name", "share", "low", "high", "interval", "words", "faces", "few", "whose"],
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
