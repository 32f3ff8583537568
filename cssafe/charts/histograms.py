"""Emotions and concentration of groups side by side, as bars with intervals."""

from collections.abc import Callable

import altair as alt
import pandas as pd

from cssafe.charts.text import format_interval, format_intervals, no_figure
from cssafe.colours import COLOURS, EMOTIONS, GREY
from cssafe.labels import FERPLUS
from cssafe.language import _, ngettext
from cssafe.stats.evidence import Verdict, judge_lead

SWATCH_PX = 14
"""Room for an emotion's colour between its name and its bars."""


def emotions(table: pd.DataFrame, measure: str = "share") -> alt.LayerChart:
    """Bars side by side, each emotion's colour beside its name. table: queries.emotions. measure: share (mean probability, with
    intervals) or count (observations)."""
    names = [_(emotion) for emotion in FERPLUS]
    table = table.assign(emotion=[_(emotion) for emotion in table["emotion"]])
    y = alt.Y("emotion:N").sort(names).title(None)
    titles = {"share": _("Mean probability (%)"), "count": _("Observations in which it leads (face-seconds)")}
    chart = _bars(table, measure, y, _("Emotion"), titles[measure], len(FERPLUS), room=SWATCH_PX)
    swatches = (
        alt.Chart(pd.DataFrame({"emotion": names, "colour": EMOTIONS.values()}))
        .mark_square(size=110, opacity=1, stroke=GREY, strokeWidth=0.5)
        .encode(
            y=alt.Y("emotion:N").sort(names), x=alt.value(-SWATCH_PX / 2 - 1), color=alt.Color("colour:N").scale(None)
        )
    )
    return alt.layer(chart, swatches).resolve_scale(color="independent").properties(height=chart.height)


def emotions_caption(table: pd.DataFrame, measure: str = "share") -> str:
    """The leading emotion of each group, if its share differs from the next. table, measure: as in `emotions`."""

    def sentence(rows: pd.DataFrame) -> str:
        leads = judge_lead(*rows[["share", "low", "high"]].to_numpy(float).T).verdict == Verdict.DIFFERS
        if measure == "share" and leads:
            return _("{group}: {name} leads with {share} % (95 % interval {interval}), {over}.")
        if measure == "share":
            return _("{group}: no emotion clearly leads; {name} has {share} % (95 % interval {interval}), {over}.")
        if leads:
            return _("{group}: {name} leads most often, in {count} of {all} observations, {over}.")
        return _("{group}: no emotion clearly leads; {name} does in {count} of {all} observations, {over}.")

    return _largest_caption(table, measure, [_(emotion) for emotion in table["emotion"]], sentence)


def distribution(table: pd.DataFrame, measure: str = "share") -> alt.LayerChart:
    """Bars side by side, one for each tenth of the index, the highest at the top. table: queries.distribution. measure: as in
    `emotions`."""
    tenths = [format_interval(start / 10, start / 10 + 0.1, 1) for start in range(9, -1, -1)]
    table = table.assign(tenth=[format_interval(start, start + 0.1, 1) for start in table["start"]])
    y = alt.Y("tenth:N").sort(tenths).title(_("Concentration index"))
    titles = {"share": _("Share of observations (%)"), "count": _("Observations (face-seconds)")}
    return _bars(table, measure, y, _("Tenth"), titles[measure], len(tenths))


def distribution_caption(table: pd.DataFrame, measure: str = "share") -> str:
    """The fullest tenth of each group. table, measure: as in `distribution`."""
    counted = _("{group}: most observations, {count} of {all}, lie at {name}, {over}.")
    shared = _("{group}: most observations, {share} % (95 % interval {interval}), lie at {name}, {over}.")
    tenths = [format_interval(start, start + 0.1, 1) for start in table["start"]]
    return _largest_caption(table, measure, tenths, lambda _rows: shared if measure == "share" else counted)


def _bars(
    table: pd.DataFrame, measure: str, y: alt.Y, name: str, title: str, rows: int, room: int = 0
) -> alt.LayerChart:
    """Bars of each group. name: of the vertical axis. title: of the horizontal axis. room: pixels beside the names."""
    groups = sorted(table["group"].unique())
    table = _percent(table)
    table = table.assign(interval=format_intervals(table["low"], table["high"], 1))
    base = alt.Chart(table).encode(
        y=y.axis(ticks=False, grid=True, tickBand="extent", labelOverlap=False, labelPadding=2 + room),
        yOffset=alt.YOffset("group:N").sort(groups).scale(paddingInner=0.15),
    )
    # With Streamlit's default of 85 % of the band, bars are not centred and miss their intervals.
    bars = base.mark_bar(cornerRadiusEnd=2, height=alt.RelativeBandSize(1)).encode(
        x=alt.X(f"{measure}:Q").title(title).axis(format="~s", tickCount=5),
        color=alt.Color("group:N")
        .scale(domain=groups, range=COLOURS[: len(groups)])
        .legend(orient="top", title=None, columns=1 if any(len(group) > 15 for group in groups) else 3, labelLimit=0),
        tooltip=[
            alt.Tooltip("group:N").title(_("Group")),
            alt.Tooltip(y.shorthand).title(name),
            alt.Tooltip("share:Q", format=".1f").title(_("Share (%)")),
            alt.Tooltip("interval:N").title(_("95 % interval (%)")),
            alt.Tooltip("count:Q", format=",").title(_("Observations")),
            alt.Tooltip("observations:Q", format=",").title(_("of")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
        ],
    )
    ends = base.mark_rule(color=GREY, strokeWidth=2).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    layers = [bars, ends] if measure == "share" else [bars]
    return alt.LayerChart(layer=layers).properties(height=90 + rows * max(24, 8 + 10 * len(groups)))


def _percent(table: pd.DataFrame) -> pd.DataFrame:
    """share, low and high times 100."""
    return table.assign(**{name: table[name].astype(float) * 100 for name in ("share", "low", "high")})


def _largest_caption(
    table: pd.DataFrame, measure: str, names: list[str], sentence: Callable[[pd.DataFrame], str]
) -> str:
    """The sentence of each group about its largest row. sentence: of the rows of a group."""
    sentences = []
    for group, rows in table.assign(name=names).groupby("group"):
        row = rows.loc[rows[measure].idxmax()]
        over = ngettext("over {n} lesson", "over {n} lessons", row["lessons"]).format(n=row["lessons"])
        sentences.append(
            sentence(rows).format(
                group=group,
                name=row["name"],
                share=f"{100 * row['share']:.1f}",
                interval=format_interval(100 * row["low"], 100 * row["high"], 1),
                count=f"{row['count']:,}",
                all=f"{row['observations']:,}",
                over=over,
            )
        )
    return " ".join(sentences) or no_figure()
