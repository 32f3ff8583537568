"""The slots of the week as two heatmaps beside each other: raw, and with all else taken out."""

import altair as alt
import pandas as pd

from cssafe.charts import WEEKDAYS
from cssafe.colours import GREY, HIGH, LOW, MIDDLE
from cssafe.language import _, ngettext

NARROW = 0.05
"""Least reach of the colours to either side: below, they would blow noise up into a pattern (as in charts.weekly)."""


def raw(table: pd.DataFrame) -> alt.LayerChart:
    """Mean concentration of each slot as it was recorded. table: Effects.slots."""
    usual = table.loc[table["evidence"], "raw"].mean()
    told = [
        f"{value:.2f}" if evidence else "–" for value, evidence in zip(table["raw"], table["evidence"], strict=True)
    ]
    return _heatmap(table.assign(shown=table["raw"] - usual, told=told, clear=True), _("Difference, as recorded"))


def effects(table: pd.DataFrame) -> alt.LayerChart:
    """Each slot's effect, hollow where its interval holds zero. table: Effects.slots."""
    told = [
        f"{value:+z.2f}" if evidence else "–"
        for value, evidence in zip(table["effect"], table["evidence"], strict=True)
    ]
    clear = (table["low"] > 0) | (table["high"] < 0)
    return _heatmap(table.assign(shown=table["effect"], told=told, clear=clear), _("Difference, all else taken out"))


def _heatmap(table: pd.DataFrame, title: str) -> alt.LayerChart:
    table = table.assign(
        day=[_(WEEKDAYS[weekday - 1]) for weekday in table["weekday"]],
        shown=table["shown"].where(table["evidence"], 0.0),  # a cell without a number would not be drawn at all
        mean=[
            "–" if pd.isna(low) else _words(".2f", mean, low, high)
            for mean, low, high in zip(table["raw"], table["raw_low"], table["raw_high"], strict=True)
        ],
        difference=[
            _("no evidence") if pd.isna(low) else _words("+z.2f", effect, low, high)
            for effect, low, high in zip(table["effect"], table["low"], table["high"], strict=True)
        ],
        number=[ngettext("{n} lesson", "{n} lessons", n).format(n=n) for n in table["lessons"]],
    )
    half = max([NARROW, *table["shown"].abs().dropna()])
    colour = (
        alt.Color("shown:Q")
        .scale(domain=[-half, 0, half], range=[LOW, MIDDLE, HIGH], interpolate="rgb")
        .legend(orient="bottom", title=title, format="+.2f", values=[-half, -half / 2, 0, half / 2, half], columns=5)
    )
    base = alt.Chart(table).encode(
        x=alt.X("day:O")
        .scale(domain=list(table["day"].unique()))
        .axis(orient="top", labelAngle=0, ticks=False, domain=False, labelFlush=False)
        .title(None),
        y=alt.Y("period:O")
        .scale(domain=list(table["period"].unique()))
        .axis(ticks=False, domain=False, labelFlush=False)
        .title(None),
    )
    known = alt.datum.evidence
    cells = base.mark_rect(
        cornerRadius=4, strokeWidth=2, width=alt.RelativeBandSize(0.92), height=alt.RelativeBandSize(0.88)
    ).encode(
        color=alt.when(known).then(colour).otherwise(alt.value(GREY)),
        stroke=alt.when(known).then(colour).otherwise(alt.value(GREY)),
        fillOpacity=alt.when("datum.evidence && datum.clear").then(alt.value(1)).otherwise(alt.value(0.2)),
        tooltip=[
            alt.Tooltip("day:O").title(_("Day")),
            alt.Tooltip("period:O").title(_("Period")),
            alt.Tooltip("mean:N").title(_("Mean, as recorded (95 % interval)")),
            alt.Tooltip("difference:N").title(_("Effect (95 % interval)")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
        ],
    )
    ink = alt.when("datum.evidence && datum.clear").then(alt.value("#111111")).otherwise(alt.value(GREY))
    told = base.mark_text(fontSize=14, dy=-6).encode(text=alt.Text("told:N"), color=ink)
    number = base.mark_text(fontSize=10, dy=10).encode(text=alt.Text("number:N"), color=ink)
    return (cells + told + number).properties(height=alt.Step(44))


def _words(form: str, mean: float, low: float, high: float) -> str:
    """A figure with its interval for a tooltip."""
    return _("{mean} ({low} to {high})").format(mean=f"{mean:{form}}", low=f"{low:{form}}", high=f"{high:{form}}")
