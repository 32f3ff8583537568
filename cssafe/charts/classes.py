"""A class in one lesson: its responses to markers, and attention in the regions of its room."""

import altair as alt
import pandas as pd

from cssafe.charts.text import extremes_caption
from cssafe.colours import COLOURS, GREY, HIGH, LOW, MIDDLE
from cssafe.language import N_, _, ngettext
from cssafe.queries.responses import WINDOWS_S
from cssafe.stats.evidence import Verdict

CHANGE_TITLES = {"attention": N_("Change of attention"), "expression": N_("Change of expression")}
"""In [-1, 1] and, from unpleasant to pleasant, in [-2, 2]."""


def responses(table: pd.DataFrame, measure: str) -> alt.LayerChart:
    """A row for each marker, with the change in each window and its interval; filled where the interval leaves out zero.

    table: responses.responses. measure: of responses.MEASURES.
    """
    table = table[table["measure"] == measure]
    table = table.assign(
        marker=table["local"].dt.strftime("%H:%M:%S ") + [_(kind) for kind in table["kind"]],
        within=[_("{n} s").format(n=window) for window in table["window"]],
        clear=table["verdict"] == Verdict.DIFFERS,
        interval=_signed_intervals(table),
    ).drop(columns="local")
    names = [_("{n} s").format(n=window) for window in WINDOWS_S]
    half = max([0.2, *table[["change", "low", "high"]].abs().max().dropna()])
    colour = (
        alt.Color("within:N").scale(domain=names, range=COLOURS[: len(names)]).legend(orient="top", title=_("Within"))
    )
    base = alt.Chart(table).encode(
        y=alt.Y("marker:N").sort(None).title(None).axis(ticks=False, grid=True, tickBand="extent", labelLimit=140),
        yOffset=alt.YOffset("within:N").sort(names),
        color=colour,
    )
    no_change = alt.Chart(pd.DataFrame({"change": [0.0]}))
    zero = no_change.mark_rule(color=GREY, strokeDash=[4, 4]).encode(x=alt.X("change:Q"))
    title = _(CHANGE_TITLES[measure])
    x = alt.X("change:Q").title(title).scale(domain=[-half, half]).axis(format="+.1f", tickCount=5)
    ends = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q").title(title), x2=alt.X2("high:Q"))
    points = base.mark_point(size=60, opacity=1).encode(
        x=x,
        fill=colour,
        fillOpacity=alt.when("datum.clear").then(alt.value(1)).otherwise(alt.value(0)),
        tooltip=[
            alt.Tooltip("marker:N").title(_("Marker")),
            alt.Tooltip("within:N").title(_("Within")),
            alt.Tooltip("change:Q", format="+.2f").title(_("Change")),
            alt.Tooltip("interval:N").title(_("Interval")),
            alt.Tooltip("faces:Q").title(_("Faces")),
        ],
    )
    return (zero + ends + points).properties(height=70 + 54 * table["marker"].nunique())


def responses_caption(table: pd.DataFrame) -> str:
    """Number of markers after which one measure clearly changed. table: responses.responses, of one measure."""
    clear = table[table["verdict"] == Verdict.DIFFERS]
    clear_markers, markers = len(clear.groupby(["minute", "kind"])), len(table.groupby(["minute", "kind"]))
    return ngettext(
        "{n} of {of} marker was followed by a clear change within 30 s.",
        "{n} of {of} markers were followed by a clear change within 30 s.",
        markers,
    ).format(n=clear_markers, of=markers)


def _signed_intervals(table: pd.DataFrame) -> list[str]:
    return [
        _("not known") if pd.isna(low) else _("{low:+.2f} to {high:+.2f}").format(low=low, high=high)
        for low, high in zip(table["low"], table["high"], strict=True)
    ]


def regions(table: pd.DataFrame, withheld: str) -> alt.LayerChart:
    """The picture with its regions, coloured by attention. Selection "drawn": a rectangle drawn with the pointer, in percent.

    table: seats.seat_attention. withheld: what stands in a region without a figure.
    """
    table = table.assign(
        **{edge: 100 * table[edge].astype(float) for edge in ("left", "top", "right", "bottom")},
        words=[
            withheld if pd.isna(mean) else f"{mean:.2f} ({low:.2f}–{high:.2f})"
            for mean, low, high in table[["attention", "low", "high"]].itertuples(index=False)
        ],
    )
    drawn = alt.selection_interval(name="drawn", mark=alt.BrushConfig(stroke=GREY, strokeWidth=2))
    across, down = alt.Scale(domain=[0, 100], nice=False), alt.Scale(domain=[0, 100], nice=False, reverse=True)
    axis = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    x = alt.X("left:Q").scale(across).axis(axis).title(_("Left to right in the picture"))
    y = alt.Y("top:Q").scale(down).axis(axis).title(_("Far to near"))
    cells = (
        alt.Chart(table)
        .mark_rect(cornerRadius=4, stroke=GREY, strokeWidth=1.5)
        .encode(
            x=x,
            x2=alt.X2("right:Q"),
            y=y,
            y2=alt.Y2("bottom:Q"),
            color=alt.Color("attention:Q")
            .scale(domain=[0, 0.5, 1], range=[LOW, MIDDLE, HIGH], interpolate="rgb")
            .legend(orient="bottom", title=_("Attention (0 to 1)"), format=".1f", tickCount=5),
            fillOpacity=alt.when("isValid(datum.attention)").then(alt.value(1)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("name:N").title(_("Region")),
                alt.Tooltip("words:N").title(_("Attention")),
                alt.Tooltip("faces:Q", format=".1f").title(_("Faces")),
                alt.Tooltip("seconds:Q").title(_("Seconds")),
            ],
        )
    )
    return (cells.add_params(drawn) + _region_texts(table, across, down)).properties(height=360)


def regions_caption(table: pd.DataFrame) -> str:
    """The regions with the highest and the lowest attention. table: seats.seat_attention."""
    rows = table.dropna(subset="attention")
    return extremes_caption(rows["attention"], rows["low"], rows["high"], list(rows["name"]))


def _region_texts(table: pd.DataFrame, across: alt.Scale, down: alt.Scale) -> alt.LayerChart:
    """Name and figure in the middle of each region."""
    table = table.assign(across=(table["left"] + table["right"]) / 2, down=(table["top"] + table["bottom"]) / 2)
    middles = alt.Chart(table).encode(x=alt.X("across:Q").scale(across), y=alt.Y("down:Q").scale(down))
    ink = alt.when("isValid(datum.attention)").then(alt.value("#111111")).otherwise(alt.value(GREY))
    names = middles.mark_text(fontSize=13, fontWeight="bold", dy=-8).encode(text=alt.Text("name:N"), color=ink)
    figures = middles.mark_text(fontSize=11, dy=8).encode(text=alt.Text("words:N"), color=ink)
    return names + figures
