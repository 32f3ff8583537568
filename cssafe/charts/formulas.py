"""Charts of what a score is made of, how far it hangs on single numbers, and how far people agree with it."""

import altair as alt
import pandas as pd

from cssafe.colours import COLOURS, GREY, LOST
from cssafe.language import N_, _
from cssafe.scoring.explanation import KINDS, sum_by_kind
from cssafe.scoring.formula import NUMBER_NAMES

NAMES = {
    "index": N_("Score"),
    "looking": N_("Lost: looking away"),
    "eyes": N_("Lost: eyes"),
    "emotion": N_("Lost: emotion"),
}
PAINT = dict(zip(KINDS, (COLOURS[0], *LOST), strict=True))


def parts_now(parts: pd.DataFrame) -> alt.Chart:
    """One bar from 0 to 1: the score of this moment and what is lost. parts: explanation.parts_table."""
    return (
        alt.Chart(_named(sum_by_kind(parts)))
        .mark_bar(height=22)
        .encode(
            x=alt.X("points:Q").title(None).scale(domain=[0, 1]).axis(tickCount=5),
            color=_colour(parts),
            order=alt.Order("order:O"),
            tooltip=[alt.Tooltip("name:N").title(_("Part")), alt.Tooltip("points:Q", format=".2f").title(_("Points"))],
        )
        .properties(height=130)
    )


def parts_minutes(parts: pd.DataFrame) -> alt.LayerChart:
    """One bar for each minute, from 0 to 1, a gap where there is no figure. Selection "minute": the one clicked on. parts:
    explanation.minute_parts."""
    end = max([5, *(parts["minute"] + 1)])
    table = _named(sum_by_kind(parts)).sort_values(["minute", "order"])
    top = table.groupby("minute")["points"].cumsum()  # a bar between two places is not stacked by the chart itself
    table = table.assign(until=table["minute"] + 0.9, bottom=top - table["points"], top=top)
    picked = alt.selection_point(name="minute", fields=["minute"], empty=False)
    bars = (
        alt.Chart(table)
        .mark_bar(cursor="pointer")
        .encode(
            x=alt.X("minute:Q")
            .scale(domain=[0, end])
            .title(_("Minutes from the start"))
            .axis(tickMinStep=1, grid=False),
            x2=alt.X2("until:Q"),
            y=alt.Y("bottom:Q").scale(domain=[0, 1]).title(_("Points (together 1)")),
            y2=alt.Y2("top:Q"),
            color=_colour(parts),
            opacity=alt.when(picked).then(alt.value(1)).otherwise(alt.value(0.8)),
            tooltip=[
                alt.Tooltip("minute:Q").title(_("Minute")),
                alt.Tooltip("name:N").title(_("Part")),
                alt.Tooltip("points:Q", format=".2f").title(_("Points")),
            ],
        )
        .add_params(picked)
    )
    return alt.LayerChart(layer=[bars]).properties(height=240)


def sensitivity(table: pd.DataFrame, interval: tuple[float, float] | None, bands: dict[str, float]) -> alt.LayerChart:
    """How far the mean index goes when each number is moved down and up by a fifth: the numbers that move it furthest at the
    top, the lesson's mean as a line, its interval as a band, the limits between levels dashed.

    table: sensitivity.rescore_variants. interval: 95 % of the lesson's mean. bands: Formula.bands.
    """
    base, moved = table.iloc[0], table.iloc[1:]
    moved = moved[~moved["number"].isin([_(NUMBER_NAMES[name]) for name in ("low_below", "high_above")])]
    order = moved.groupby("number")["concentration"].agg(lambda v: (v - base["concentration"]).abs().max())
    order = order.sort_values(ascending=False)
    rows = moved.assign(
        base=base["concentration"],
        change=[_("a fifth less") if factor < 1 else _("a fifth more") for factor in moved["factor"]],
    )
    y = alt.Y("number:N").sort(list(order.index)).title(None).axis(labelOverlap=False, labelLimit=0)
    x = alt.X("concentration:Q").scale(domain=[0, 1]).title(_("Mean concentration of the lesson (0 to 1)"))
    x = x.axis(tickCount=5)
    bars = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=x,
            x2=alt.X2("base:Q"),
            y=y,
            yOffset=alt.YOffset("change:N"),
            color=alt.Color("change:N")
            .scale(domain=[_("a fifth less"), _("a fifth more")], range=[COLOURS[1], COLOURS[0]])
            .legend(orient="top", title=None),
            tooltip=[
                alt.Tooltip("number:N").title(_("Number")),
                alt.Tooltip("change:N").title(_("Moved")),
                alt.Tooltip("concentration:Q", format=".3f").title(_("Mean")),
            ],
        )
    )
    limits = pd.DataFrame({"x": [bands["low_below"], bands["high_above"]]})
    layers = [
        alt.Chart(limits).mark_rule(strokeDash=[4, 4], color=GREY).encode(x=alt.X("x:Q")),
        bars,
        alt.Chart(pd.DataFrame({"x": [base["concentration"]]}))
        .mark_rule(color=GREY, strokeWidth=2)
        .encode(x=alt.X("x:Q")),
    ]
    if interval is not None:
        band = pd.DataFrame({"low": [interval[0]], "high": [interval[1]]})
        layers.insert(
            0, alt.Chart(band).mark_rect(color=GREY, opacity=0.25).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
        )
    return alt.LayerChart(layer=layers).properties(height=60 + 26 * len(order))


def ratings(table: pd.DataFrame, names: tuple[str, ...]) -> alt.Chart:
    """Each rated moment: what the teacher said beside the score. table: scored_observations.rated. names: of the
    ratings, rising."""
    rows = table.assign(
        said=[names[rating] for rating in table["rating"]], clock=table["local"].dt.strftime(_("%d %b, %H:%M"))
    )
    return (
        alt.Chart(rows.drop(columns=["local", "time"]))
        .mark_tick(thickness=3, color=COLOURS[0])
        .encode(
            x=alt.X("concentration:Q").scale(domain=[0, 1]).title(_("Score of the minute (0 to 1)")).axis(tickCount=5),
            y=alt.Y("said:N").sort(list(reversed(names))).scale(domain=list(reversed(names))).title(_("You said")),
            tooltip=[
                alt.Tooltip("name:N").title(_("Lesson")),
                alt.Tooltip("clock:N").title(_("Minute")),
                alt.Tooltip("said:N").title(_("You said")),
                alt.Tooltip("concentration:Q", format=".2f").title(_("Score")),
            ],
        )
        .properties(height=150)
    )


def _colour(parts: pd.DataFrame) -> alt.Color:
    shown = [kind for kind in KINDS if kind in set(sum_by_kind(parts)["kind"])]
    scale = alt.Scale(domain=[_(NAMES[kind]) for kind in shown], range=[PAINT[kind] for kind in shown])
    return alt.Color("name:N", scale=scale).legend(orient="top", title=None, columns=2, labelLimit=0)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(name=[_(NAMES[kind]) for kind in table["kind"]], order=table["kind"].map(KINDS.index))
