"""What a score is made of, its sensitivity to the formula's numbers, and its agreement with ratings."""

from typing import Any

import altair as alt
import pandas as pd

from cssafe.charts.text import no_figure
from cssafe.colours import COLOURS, GREY, LOST
from cssafe.labels import LEVELS
from cssafe.language import N_, _, ngettext
from cssafe.scoring.explanation import KINDS, describe_parts, sum_by_kind
from cssafe.scoring.formula import NUMBER_NAMES
from cssafe.stats.evidence import Verdict, judge_extremes_by_intervals

KIND_NAMES = {
    "index": N_("Score"),
    "unseen": N_("Lost: people not visible"),
    "looking": N_("Lost: looking away"),
    "eyes": N_("Lost: eyes"),
    "emotion": N_("Lost: emotion"),
}
KIND_COLOURS = dict(zip(KINDS, (COLOURS[0], *LOST), strict=True))


def parts_now(parts: pd.DataFrame) -> alt.Chart:
    """One bar from 0 to 100: the score of this moment and its losses. parts: explanation.parts_table."""
    return (
        alt.Chart(_named(sum_by_kind(parts)))
        .mark_bar(height=22)
        .encode(
            x=alt.X("points:Q").title(None).scale(domain=[0, 100]).axis(tickCount=5),
            color=_colour(parts),
            order=alt.Order("order:O"),
            tooltip=[alt.Tooltip("name:N").title(_("Part")), alt.Tooltip("points:Q", format=".0f").title(_("Points"))],
        )
        .properties(height=130)
    )


def parts_now_caption(parts: pd.DataFrame) -> str:
    """The score of this moment and its losses. parts: explanation.parts_table."""
    return no_figure() if parts["points"].isna().all() else _("Why: {words}").format(words=describe_parts(parts))


def parts_minutes(parts: pd.DataFrame) -> alt.LayerChart:
    """One bar for each minute, from 0 to 100, a gap where there is no figure. Selection "minute": the one clicked on.

    parts: explanation.minute_parts.
    """
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
            y=alt.Y("bottom:Q").scale(domain=[0, 100]).title(_("Points (together 100)")),
            y2=alt.Y2("top:Q"),
            color=_colour(parts),
            opacity=alt.when(picked).then(alt.value(1)).otherwise(alt.value(0.8)),
            tooltip=[
                alt.Tooltip("minute:Q").title(_("Minute")),
                alt.Tooltip("name:N").title(_("Part")),
                alt.Tooltip("points:Q", format=".0f").title(_("Points")),
            ],
        )
        .add_params(picked)
    )
    return alt.LayerChart(layer=[bars]).properties(height=240)


def parts_minutes_caption(parts: pd.DataFrame) -> str:
    """The minute with the lowest score and its losses. parts: explanation.minute_parts."""
    scores = parts[parts["part"] == "index"]
    if scores.empty:
        return no_figure()
    points, low, high = scores[["points", "low", "high"]].to_numpy(float).T
    if len(scores) > 1 and judge_extremes_by_intervals(points, low, high).verdict != Verdict.DIFFERS:
        chance = _("Between {low} and {high}: they may differ by chance.")
        return chance.format(low=f"{100 * points.min():.0f}", high=f"{100 * points.max():.0f}")
    minute = scores["minute"][scores["points"].idxmin()]
    words = _("The weakest is minute {n}: {words}") if len(scores) > 1 else _("Minute {n}: {words}")
    return words.format(n=minute + 1, words=describe_parts(parts[parts["minute"] == minute]))


def sensitivity(table: pd.DataFrame, interval: tuple[float, float] | None, bands: dict[str, float]) -> alt.LayerChart:
    """The mean index of a lesson when each number is changed by a fifth: the numbers with the largest effect at the top, the
    lesson's mean as a line, its interval as a band, the limits between levels dashed.

    table: sensitivity.rescore_variants. interval: 95 % of the lesson's mean. bands: Formula.bands.
    """
    table = table.assign(concentration=100 * table["concentration"])
    base, moved = table.iloc[0], table.iloc[1:]
    moved = moved[~moved["number"].isin([_(NUMBER_NAMES[name]) for name in ("low_below", "high_above")])]
    order = moved.groupby("number")["concentration"].agg(lambda v: (v - base["concentration"]).abs().max())
    order = order.sort_values(ascending=False)
    bars = _variant_bars(moved, float(base["concentration"]), list(order.index))
    limits = _rules([100 * bands["low_below"], 100 * bands["high_above"]], strokeDash=[4, 4])
    layers = [limits, bars, _rules([base["concentration"]], strokeWidth=2)]
    if interval is not None:
        ends = pd.DataFrame({"low": [100 * interval[0]], "high": [100 * interval[1]]})
        band = alt.Chart(ends).mark_rect(color=GREY, opacity=0.25).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
        layers.insert(0, band)
    return alt.LayerChart(layer=layers).properties(height=60 + 26 * len(order))


def ratings(table: pd.DataFrame, names: tuple[str, ...]) -> alt.Chart:
    """The score of each rated moment, by the teacher's rating. table: scored_observations.rated. names: of the
    ratings, rising."""
    rows = table.assign(
        rating_name=[names[rating] for rating in table["rating"]],
        clock=table["local"].dt.strftime(_("%d %b, %H:%M")),
        concentration=100 * table["concentration"],
    )
    return (
        alt.Chart(rows.drop(columns=["local", "time"]))
        .mark_tick(thickness=3, color=COLOURS[0])
        .encode(
            x=alt.X("concentration:Q")
            .scale(domain=[0, 100])
            .title(_("Score of the minute (0 to 100)"))
            .axis(tickCount=5),
            y=alt.Y("rating_name:N")
            .sort(list(reversed(names)))
            .scale(domain=list(reversed(names)))
            .title(_("Your rating")),
            tooltip=[
                alt.Tooltip("name:N").title(_("Lesson")),
                alt.Tooltip("clock:N").title(_("Minute")),
                alt.Tooltip("rating_name:N").title(_("Your rating")),
                alt.Tooltip("concentration:Q", format=".0f").title(_("Score")),
            ],
        )
        .properties(height=150)
    )


def ratings_caption(table: pd.DataFrame) -> str:
    """The mean score of the moments with each rating. table: scored_observations.rated."""
    means = table.groupby("rating")["concentration"].agg(["mean", "size"])
    sentences = [
        ngettext(
            "{n} moment that you called {level} has a score of {mean:.0f}.",
            "{n} moments that you called {level} have a mean score of {mean:.0f}.",
            row.size_,
        ).format(n=row.size_, level=_(LEVELS[int(row.Index)]), mean=100 * row.mean)
        for row in means.rename(columns={"size": "size_"}).itertuples()
    ]
    return " ".join(sentences) or no_figure()


def _variant_bars(table: pd.DataFrame, mean: float, order: list[str]) -> alt.Chart:
    """Bars from the lesson's mean to the mean of each variant. order: of the numbers."""
    changes = [_("a fifth less"), _("a fifth more")]
    rows = table.assign(base=mean, change=[changes[factor > 1] for factor in table["factor"]])
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("concentration:Q")
            .scale(domain=[0, 100])
            .title(_("Mean concentration of the lesson (0 to 100)"))
            .axis(tickCount=5),
            x2=alt.X2("base:Q"),
            y=alt.Y("number:N").sort(order).title(None).axis(labelOverlap=False, labelLimit=0),
            yOffset=alt.YOffset("change:N"),
            color=alt.Color("change:N")
            .scale(domain=changes, range=[COLOURS[1], COLOURS[0]])
            .legend(orient="top", title=None),
            tooltip=[
                alt.Tooltip("number:N").title(_("Number")),
                alt.Tooltip("change:N").title(_("Change")),
                alt.Tooltip("concentration:Q", format=".1f").title(_("Mean")),
            ],
        )
    )


def _rules(values: list[float], **mark: Any) -> alt.Chart:
    """Vertical lines. mark: of mark_rule."""
    return alt.Chart(pd.DataFrame({"x": values})).mark_rule(color=GREY, **mark).encode(x=alt.X("x:Q"))


def _colour(parts: pd.DataFrame) -> alt.Color:
    shown = [kind for kind in KINDS if kind in set(sum_by_kind(parts)["kind"])]
    scale = alt.Scale(domain=[_(KIND_NAMES[kind]) for kind in shown], range=[KIND_COLOURS[kind] for kind in shown])
    return alt.Color("name:N", scale=scale).legend(orient="top", title=None, columns=2, labelLimit=0)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """With names, and points of 100."""
    return table.assign(
        name=[_(KIND_NAMES[kind]) for kind in table["kind"]],
        order=table["kind"].map(KINDS.index),
        points=100 * table["points"],
    )
