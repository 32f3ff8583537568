"""Reports of lessons and terms. The charts of a lesson share the axis of timelines.timeline."""

import altair as alt
import pandas as pd

from cssafe.charts.text import format_intervals
from cssafe.colours import COLOURS, EMOTIONS, GREY
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.language import _
from cssafe.stats.evidence import excludes_zero

ACTIVITY_COLOURS = (COLOURS[4], COLOURS[5], COLOURS[2], COLOURS[1], "#BBBBBB")
"""In the order of ACTIVITIES; black writing is readable on each."""

LEFT_AXIS = alt.Axis(minExtent=44, maxExtent=44, titlePadding=2, tickCount=5)
"""Equal room at the left of every chart of a lesson, so that their minutes align."""


def axis_end(course: pd.DataFrame, markers: pd.DataFrame) -> float:
    """Last minute on the axis of timelines.timeline for the same tables."""
    return max([5.0, *course["minute"], *markers["minute"]])


def emotions_by_minute(table: pd.DataFrame, end: float) -> alt.Chart:
    """Mean probability of each emotion in each minute, stacked; a gap where there is none.

    table: figures.minutes of EMOTIONS."""
    order = [FERPLUS.index(name) for name in table["measure"]]
    table = table.assign(
        measure=[_(name) for name in table["measure"]],
        share=100 * table["mean"],
        interval=format_intervals(100 * table["low"], 100 * table["high"], 1),
        order=order,
        begin=table["minute"] - 0.5,
        end=table["minute"] + 0.5,
    )
    return (
        alt.Chart(table)
        .mark_bar(opacity=0.9, clip=True, binSpacing=0)
        .encode(
            x=_minutes(end, "begin").bin("binned"),
            x2=alt.X2("end:Q"),
            y=alt.Y("share:Q").stack("zero").scale(domain=[0, 100]).title(_("Emotions (%)")).axis(LEFT_AXIS),
            color=alt.Color("measure:N")
            .scale(domain=[_(name) for name in EMOTIONS], range=list(EMOTIONS.values()))
            .legend(orient="bottom", title=None, columns=4),
            order=alt.Order("order:O"),
            tooltip=[
                alt.Tooltip("minute:Q").title(_("Minute")),
                alt.Tooltip("measure:N").title(_("Emotion")),
                alt.Tooltip("share:Q", format=".1f").title(_("Mean probability (%)")),
                alt.Tooltip("interval:N").title(_("95 % interval (%)")),
            ],
        )
        .properties(height=300)
    )


def affect_by_minute(table: pd.DataFrame, end: float) -> alt.LayerChart:
    """Valence and arousal of each minute with their intervals. table: figures.minutes of AFFECT."""
    every = pd.MultiIndex.from_product([range(int(end) + 1), ("valence", "arousal")], names=["minute", "measure"])
    table = table.set_index(["minute", "measure"]).reindex(every).reset_index()  # a gap where there is none
    names = [_("valence"), _("arousal")]
    table = table.assign(interval=format_intervals(table["low"], table["high"]), measure=table["measure"].map(_))
    half = max([0.3, *table[["mean", "low", "high"]].abs().max().dropna()])
    colour = (
        alt.Color("measure:N").scale(domain=names, range=[COLOURS[0], COLOURS[3]]).legend(orient="bottom", title=None)
    )
    base = alt.Chart(table).encode(x=_minutes(end), color=colour)
    title = _("Valence, arousal")
    zero = alt.Chart(pd.DataFrame({"mean": [0.0]})).mark_rule(color=GREY, strokeDash=[4, 4]).encode(y=alt.Y("mean:Q"))
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q").title(title).axis(LEFT_AXIS), y2=alt.Y2("high:Q"))
    line = base.mark_line(point={"size": 20}).encode(
        y=alt.Y("mean:Q").scale(domain=[-half, half]).title(title),
        strokeDash=alt.StrokeDash("measure:N").scale(domain=names, range=[[1, 0], [5, 3]]).legend(None),
        tooltip=[
            alt.Tooltip("minute:Q").title(_("Minute")),
            alt.Tooltip("measure:N").title(_("Measure")),
            alt.Tooltip("mean:Q", format="+.2f").title(_("Mean (-1 to 1)")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
        ],
    )
    return (zero + band + line).properties(height=280)


def activity_strip(table: pd.DataFrame, end: float) -> alt.LayerChart:
    """The activities of a lesson as a strip. table: scored_observations.activities."""
    activities = [_(activity) for activity in table["activity"]]
    table = pd.DataFrame({"activity": activities, "begin": table["minute"].clip(upper=end), "row": "activity"})
    table["end"] = table["begin"].shift(-1).fillna(end)
    empty = alt.Axis(labels=False, ticks=False, domain=False, grid=False, minExtent=44, maxExtent=44, titlePadding=2)
    base = alt.Chart(table).encode(x=_minutes(end, "begin").title(None), y=alt.Y("row:N").title(_("Doing")).axis(empty))
    strip = base.mark_rect().encode(
        x2=alt.X2("end:Q"),
        color=alt.Color("activity:N")
        .scale(domain=[_(activity) for activity in ACTIVITIES], range=list(ACTIVITY_COLOURS))
        .legend(None),
        tooltip=[
            alt.Tooltip("activity:N").title(_("Activity")),
            alt.Tooltip("begin:Q", format=".0f").title(_("From minute")),
            alt.Tooltip("end:Q", format=".0f").title(_("To minute")),
        ],
    )
    names = base.mark_text(align="left", dx=4, color="#111111").encode(text=alt.Text("activity:N"))
    return (strip + names).properties(height=90)


def weekly_trend(table: pd.DataFrame) -> alt.LayerChart:
    """The mean of each week's lessons with its interval over lessons.

    Columns: week (its Monday, "2026-03-02"), mean, low, high, lessons."""
    table = table.assign(**{name: 100 * table[name] for name in ("mean", "low", "high")})
    table = table.assign(interval=format_intervals(table["low"], table["high"], 0))
    base = alt.Chart(table).encode(
        x=alt.X("week:O").title(_("Week from")).axis(labelAngle=-45, labelOverlap=True), color=alt.value(COLOURS[0])
    )
    ends = base.mark_rule(strokeWidth=2).encode(
        y=alt.Y("low:Q").title(_("Concentration (0 to 100)")), y2=alt.Y2("high:Q")
    )
    points = base.mark_line(point={"size": 50}).encode(
        y=alt.Y("mean:Q").scale(domain=[0, 100]),
        tooltip=[
            alt.Tooltip("week:O").title(_("Week from")),
            alt.Tooltip("mean:Q", format=".0f").title(_("Mean concentration")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
        ],
    )
    return (ends + points).properties(height=300)


def differences(table: pd.DataFrame, title: str) -> alt.LayerChart:
    """A row for each difference with its interval, filled where the interval leaves out zero; in points of 100.

    Columns: what, difference, low, high, lessons. title: of the axis."""
    table = table.assign(**{name: 100 * table[name] for name in ("difference", "low", "high")})
    table = table.assign(
        interval=[
            _("not known") if pd.isna(low) else _("{low} to {high}").format(low=f"{low:+.1f}", high=f"{high:+.1f}")
            for low, high in zip(table["low"], table["high"], strict=True)
        ],
        clear=excludes_zero(table["low"], table["high"]),
    )
    half = max([10.0, *table[["difference", "low", "high"]].abs().max().dropna()])
    base = alt.Chart(table).encode(
        y=alt.Y("what:N").sort(None).title(None).axis(ticks=False, grid=True, labelLimit=160),
        color=alt.value(COLOURS[0]),
    )
    zero = (
        alt.Chart(pd.DataFrame({"difference": [0.0]}))
        .mark_rule(color=GREY, strokeDash=[4, 4])
        .encode(x=alt.X("difference:Q"))
    )
    ends = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q").title(title), x2=alt.X2("high:Q"))
    points = base.mark_point(size=80, opacity=1).encode(
        x=alt.X("difference:Q").title(title).scale(domain=[-half, half]).axis(format="+.0f", tickCount=5),
        fill=alt.value(COLOURS[0]),
        fillOpacity=alt.when("datum.clear").then(alt.value(1)).otherwise(alt.value(0)),
        tooltip=[
            alt.Tooltip("what:N").title(_("What")),
            alt.Tooltip("difference:Q", format="+.1f").title(_("Difference")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
        ],
    )
    return (zero + ends + points).properties(height=90 + 34 * len(table))


def lessons_apart(table: pd.DataFrame) -> alt.LayerChart:
    """A point for each lesson, those with the tag above those without, and a tick at each mean. Columns: tag ("with" or
    "without"), apart (concentration less that of its class and subject), name."""
    table = table.assign(tag=[_(tag) for tag in table["tag"]], apart=100 * table["apart"])  # in points of 100
    half, names = max([10.0, *table["apart"].abs()]), [_("with"), _("without")]
    base = alt.Chart(table).encode(
        y=alt.Y("tag:N").scale(domain=names).title(None).axis(ticks=False),
        color=alt.Color("tag:N").scale(domain=names, range=[COLOURS[0], COLOURS[1]]).legend(None),
    )
    x = alt.X("apart:Q").scale(domain=[-half, half]).title(_("Above or below its class and subject"))
    points = base.mark_circle(size=45, opacity=0.5).encode(
        x=x.axis(format="+.0f", tickCount=5),
        tooltip=[
            alt.Tooltip("name:N").title(_("Lesson")),
            alt.Tooltip("tag:N").title(_("Tag")),
            alt.Tooltip("apart:Q", format="+.1f").title(_("Above its class and subject")),
        ],
    )
    means = base.mark_tick(thickness=3, height=26, opacity=1).encode(x=alt.X("mean(apart):Q"))
    return (points + means).properties(height=170)


def _minutes(end: float, column: str = "minute") -> alt.X:
    return (
        alt.X(f"{column}:Q")
        .scale(domain=[0, end], nice=True)
        .title(_("Minutes from the start"))
        .axis(tickMinStep=1, grid=False)
    )
