"""DataFrame -> alt.Chart, one function for each query of the same name.

Concentration stands as the index from 0 to 1, shares in percent.
"""

from collections.abc import Iterable

import altair as alt
import pandas as pd

from cssafe.colours import COLOURS, EMOTIONS, GREY, HIGH, LOW, MIDDLE
from cssafe.labels import FERPLUS
from cssafe.language import N_, _

THIN_MINUTES = 60
THIN_LESSONS = 3
"""A cell with less than an hour or fewer than three lessons behind it is drawn hollow: one odd lesson would rule it."""

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))

SWATCH = 14
"""Pixels between an emotion's name and its bars, for its colour."""


def emotions(table: pd.DataFrame, measure: str = "share") -> alt.LayerChart:
    """Bars side by side, each emotion's colour beside its name. measure: share (mean probability, with intervals) or count
    (observations)."""
    names = [_(emotion) for emotion in FERPLUS]
    table = table.assign(emotion=[_(emotion) for emotion in table["emotion"]])
    y = alt.Y("emotion:N").sort(names).title(None)
    titles = {"share": _("Mean probability (%)"), "count": _("Observations in which it leads (face-seconds)")}
    chart = _bars(table, measure, y, _("Emotion"), titles[measure], len(FERPLUS), room=SWATCH)
    swatches = (
        alt.Chart(pd.DataFrame({"emotion": names, "colour": EMOTIONS.values()}))
        .mark_square(size=110, opacity=1, stroke=GREY, strokeWidth=0.5)
        .encode(y=alt.Y("emotion:N").sort(names), x=alt.value(-SWATCH / 2 - 1), color=alt.Color("colour:N").scale(None))
    )
    return alt.layer(chart, swatches).resolve_scale(color="independent").properties(height=chart.height)


def distribution(table: pd.DataFrame, measure: str = "share") -> alt.LayerChart:
    """Bars side by side, one for each tenth of the index, the highest at the top."""
    tenths = [between(start / 10, start / 10 + 0.1, 1) for start in range(9, -1, -1)]
    table = table.assign(tenth=[between(start, start + 0.1, 1) for start in table["start"]])
    y = alt.Y("tenth:N").sort(tenths).title(_("Concentration index"))
    titles = {"share": _("Share of observations (%)"), "count": _("Observations (face-seconds)")}
    return _bars(table, measure, y, _("Tenth"), titles[measure], len(tenths))


def weekly(table: pd.DataFrame) -> alt.LayerChart:
    """Weekdays by periods. Cells never observed are absent, thin ones hollow. Selection "cell": weekday and period."""
    table = table.assign(
        interval=intervals(table["low"], table["high"]),
        observed=[_("{n} min").format(n=minutes) for minutes in table["minutes"]],
        day=[_(WEEKDAYS[weekday - 1]) for weekday in table["weekday"]],
        thin=(table["minutes"] < THIN_MINUTES) | (table["lessons"] < THIN_LESSONS),
    )
    days = [_(day) for day in WEEKDAYS[: max(5, 0, *table["weekday"])]]
    periods = list(table.sort_values("start")["period"].unique())
    least, most = (table["concentration"].min(), table["concentration"].max()) if len(table) else (0, 1)
    # Below a range of 0.2 the colours would blow noise up into a pattern.
    middle, half = (least + most) / 2, max(0.1, (most - least) / 2)
    colour = (
        alt.Color("concentration:Q")
        .scale(domain=[middle - half, middle, middle + half], range=[LOW, MIDDLE, HIGH], interpolate="rgb")
        .legend(orient="bottom", title=_("Mean concentration (0 to 1)"), format=".2f", tickCount=5, columns=5)
    )
    picked = alt.selection_point(name="cell", fields=["weekday", "period"], empty=False)
    base = alt.Chart(table).encode(
        x=alt.X("day:O")
        .scale(domain=days)
        .axis(orient="top", labelAngle=0, ticks=False, domain=False, labelFlush=False)
        .title(None),
        y=alt.Y("period:O").scale(domain=periods).axis(ticks=False, domain=False, labelFlush=False).title(None),
    )
    cells = base.mark_rect(
        cornerRadius=4,
        strokeWidth=2,
        width=alt.RelativeBandSize(0.92),
        height=alt.RelativeBandSize(0.88),
        cursor="pointer",
    ).encode(
        color=colour,
        stroke=alt.when(picked).then(alt.value(GREY)).otherwise(colour),
        fillOpacity=alt.when("datum.thin").then(alt.value(0.15)).otherwise(alt.value(1)),
        tooltip=[
            alt.Tooltip("day:O").title(_("Day")),
            alt.Tooltip("period:O").title(_("Period")),
            alt.Tooltip("concentration:Q", format=".2f").title(_("Mean concentration")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
            alt.Tooltip("minutes:Q").title(_("Observed minutes")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
            alt.Tooltip("faces:Q", format=".0f").title(_("Faces seen")),
        ],
    )
    ink = alt.when("datum.thin").then(alt.value(GREY)).otherwise(alt.value("#111111"))
    means = base.mark_text(fontSize=14, dy=-6).encode(text=alt.Text("concentration:Q", format=".2f"), color=ink)
    minutes = base.mark_text(fontSize=10, dy=10).encode(text=alt.Text("observed:N"), color=ink)
    return (cells.add_params(picked) + means + minutes).properties(height=alt.Step(44))


def timeline(table: pd.DataFrame, markers: pd.DataFrame) -> alt.LayerChart:
    """Mean concentration of each minute with its interval, and the teacher's markers; a gap where nothing may be shown.

    The axis counts minutes, so that the clock of the device that shows it does not matter.
    """
    table = table.assign(
        interval=intervals(table["low"], table["high"]), clock=table["local"].dt.strftime("%H:%M")
    ).drop(columns="local")
    markers = markers.assign(clock=markers["local"].dt.strftime("%H:%M")).drop(columns="local")
    # At least five minutes wide: a lesson of one minute is a point at its left end, not a scale of fractions.
    end = max([5.0, *table["minute"], *markers["minute"]])
    minutes = (
        alt.X("minute:Q").scale(domain=[0, end]).title(_("Minutes from the start")).axis(tickMinStep=1, grid=False)
    )
    base = alt.Chart(table).encode(x=minutes)
    band = base.mark_area(opacity=0.25, color=COLOURS[0]).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    line = base.mark_line(color=COLOURS[0], point={"size": 20, "color": COLOURS[0]}).encode(
        y=alt.Y("concentration:Q").scale(domain=[0, 1]).title(_("Mean concentration (0 to 1)")),
        tooltip=[
            alt.Tooltip("clock:N").title(_("Time")),
            alt.Tooltip("concentration:Q", format=".2f").title(_("Mean concentration")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
            alt.Tooltip("faces:Q", format=".0f").title(_("Faces seen")),
        ],
    )
    told = {"clock": _("Time"), "kind": _("Marker"), "note": _("Note")}
    events = alt.Chart(markers).encode(
        x=alt.X("minute:Q"), tooltip=[alt.Tooltip(f"{name}:N").title(title) for name, title in told.items()]
    )
    rules = events.mark_rule(color=COLOURS[3], strokeDash=[4, 3], strokeWidth=2)
    names = events.mark_text(color=COLOURS[3], align="left", baseline="top", dx=4).encode(
        y=alt.value(2), text=alt.Text("kind:N")
    )
    return (band + line + rules + names).properties(height=280)


def concentration_seconds(table: pd.DataFrame, faces: pd.DataFrame, bands: dict[str, float]) -> alt.LayerChart:
    """A recording's concentration over its seconds, with its interval as a band, single faces as thin lines, the limits
    between levels dashed and a gap where there is no figure. Under the pointer every second is described. Selection
    "moment": the second clicked on.

    table: recording.timeline. faces: recording.courses. bands: Formula.bands.
    """
    table = table.assign(
        told=[
            "–" if pd.isna(mean) else f"{mean:.2f}" + ("" if pd.isna(low) else f" ({between(low, high)})")
            for mean, low, high in table[["concentration", "low", "high"]].itertuples(index=False)
        ],
    )
    title = _("Concentration (0 to 1)")
    y = alt.Y("concentration:Q").title(title).scale(domain=[0, 1])
    base = alt.Chart(table).encode(x=_seconds(table))
    limits = (
        alt.Chart(pd.DataFrame({"concentration": [bands["low_below"], bands["high_above"]]}))
        .mark_rule(strokeDash=[4, 4], opacity=0.5, color=GREY)
        .encode(y=y)
    )
    single = (
        alt.Chart(faces)
        .mark_line(color=GREY, strokeWidth=1, point={"size": 12, "color": GREY})
        .encode(x=_seconds(table), y=y, detail=alt.Detail("track:N"))
    )
    band = base.mark_area(opacity=0.25, color=COLOURS[0]).encode(y=alt.Y("low:Q").title(title), y2=alt.Y2("high:Q"))
    line = base.mark_line(color=COLOURS[0], strokeWidth=2.5, point={"size": 20, "color": COLOURS[0]}).encode(y=y)
    pointer = alt.selection_point(
        name="pointer", on="pointerover", clear="pointerout", nearest=True, fields=["second"], empty=False
    )
    moment = alt.selection_point(name="moment", on="click", nearest=True, fields=["second"], empty=False)
    rules = (
        base.mark_rule(color=GREY, strokeWidth=2, cursor="pointer")
        .encode(
            opacity=alt.when(pointer).then(alt.value(0.8)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("second:Q").title(_("Second")),
                alt.Tooltip("faces:Q").title(_("Faces")),
                alt.Tooltip("told:N").title(_("Concentration")),
                alt.Tooltip("emotion:N").title(_("Leading emotion")),
            ],
        )
        .add_params(pointer, moment)
    )
    return (limits + single + band + line + rules).properties(height=220)


def faces_seconds(table: pd.DataFrame) -> alt.Chart:
    """How many faces a recording shows over its seconds. table: recording.timeline."""
    return (
        alt.Chart(table)
        .mark_area(color=GREY, opacity=0.5, interpolate="step-after", line={"color": GREY})
        .encode(
            x=_seconds(table),
            y=alt.Y("faces:Q").title(_("Faces")).axis(tickMinStep=1).scale(domain=[0, max([1, *table["faces"]])]),
            tooltip=[alt.Tooltip("second:Q").title(_("Second")), alt.Tooltip("faces:Q").title(_("Faces"))],
        )
        .properties(height=140)
    )


def _seconds(table: pd.DataFrame) -> alt.X:
    """At least ten seconds wide: a recording of one second is a point at its left end."""
    end = max([10, *table["second"]])
    return alt.X("second:Q").scale(domain=[0, end]).title(_("Seconds from the start")).axis(tickMinStep=1, grid=False)


def _bars(
    table: pd.DataFrame, measure: str, y: alt.Y, name: str, title: str, rows: int, room: int = 0
) -> alt.LayerChart:
    """name: of what stands upwards, title: of what goes to the right, room: pixels beside the names."""
    groups = sorted(table["group"].unique())
    table = _percent(table)
    table = table.assign(interval=intervals(table["low"], table["high"], 1))
    base = alt.Chart(table).encode(
        y=y.axis(ticks=False, grid=True, tickBand="extent", labelOverlap=False, labelPadding=2 + room),
        yOffset=alt.YOffset("group:N").sort(groups).scale(paddingInner=0.15),
    )
    # The full band, because with Streamlit's default of 85 % the bars are not centred on it, and miss their intervals.
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


def between(low: float, high: float, digits: int = 2) -> str:
    """An interval in words."""
    return intervals([low], [high], digits)[0]


def intervals(lows: Iterable[float], highs: Iterable[float], digits: int = 2) -> list[str]:
    """The same of each row."""
    known, unknown = _("{low} to {high}"), _("not known")
    return [
        unknown if pd.isna(low) else known.format(low=f"{low:.{digits}f}", high=f"{high:.{digits}f}")
        for low, high in zip(lows, highs, strict=True)
    ]
