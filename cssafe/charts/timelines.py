"""Concentration over the minutes of a lesson and over the seconds of a recording."""

import altair as alt
import pandas as pd

from cssafe.charts.text import (
    extremes_caption,
    figure_extremes_caption,
    format_interval,
    format_intervals,
    no_figure,
)
from cssafe.colours import COLOURS, GREY
from cssafe.language import _


def timeline(table: pd.DataFrame, markers: pd.DataFrame) -> alt.LayerChart:
    """The class figure of each minute with its range, and the teacher's markers; a gap where nothing may be shown.

    The axis counts minutes, so it does not depend on the device's clock. table: queries.timeline.
    """
    table = table.assign(
        interval=format_intervals(100 * table["low"], 100 * table["high"], 0),
        range=format_intervals(100 * table["lowest"], 100 * table["highest"], 0),
        clock=table["local"].dt.strftime("%H:%M"),
        **{name: 100 * table[name] for name in ("concentration", "lowest", "highest")},
    ).drop(columns="local")
    markers = markers.assign(clock=markers["local"].dt.strftime("%H:%M")).drop(columns="local")
    # At least five minutes wide: a lesson of one minute is a point at its left end, not a scale of fractions.
    end = max([5.0, *table["minute"], *markers["minute"]])
    minutes = (
        alt.X("minute:Q").scale(domain=[0, end]).title(_("Minutes from the start")).axis(tickMinStep=1, grid=False)
    )
    base = alt.Chart(table).encode(x=minutes)
    band = base.mark_area(opacity=0.25, color=COLOURS[0]).encode(y=alt.Y("lowest:Q"), y2=alt.Y2("highest:Q"))
    line = base.mark_line(color=COLOURS[0], point={"size": 20, "color": COLOURS[0]}).encode(
        y=alt.Y("concentration:Q").scale(domain=[0, 100]).title(_("Concentration (0 to 100)")),
        tooltip=[
            alt.Tooltip("clock:N").title(_("Time")),
            alt.Tooltip("concentration:Q", format=".0f").title(_("Concentration")),
            alt.Tooltip("range:N").title(_("Range, by those who cannot be seen")),
            alt.Tooltip("interval:N").title(_("95 % interval")),
            alt.Tooltip("faces:Q", format=".0f").title(_("Faces seen")),
        ],
    )
    titles = {"clock": _("Time"), "kind": _("Marker"), "note": _("Note")}
    events = alt.Chart(markers).encode(
        x=alt.X("minute:Q"), tooltip=[alt.Tooltip(f"{name}:N").title(title) for name, title in titles.items()]
    )
    rules = events.mark_rule(color=COLOURS[3], strokeDash=[4, 3], strokeWidth=2)
    names = events.mark_text(color=COLOURS[3], align="left", baseline="top", dx=4).encode(
        y=alt.value(2), text=alt.Text("kind:N")
    )
    return (band + line + rules + names).properties(height=280)


def timeline_caption(table: pd.DataFrame) -> str:
    """The minutes with the highest and the lowest figure. table: queries.timeline."""
    rows = table.dropna(subset="concentration")
    places = [_("minute {n}").format(n=minute + 1) for minute in rows["minute"]]
    return figure_extremes_caption(rows, places)


def activities_caption(table: pd.DataFrame) -> str:
    """The activities in their order. table: scored_observations.activities."""
    (_start, first), *others = table[["minute", "activity"]].itertuples(index=False)
    later = _("{activity} from minute {minute:.0f}")
    return ", ".join([_(first), *(later.format(activity=_(one), minute=minute) for minute, one in others)])


def concentration_seconds(table: pd.DataFrame, faces: pd.DataFrame, bands: dict[str, float]) -> alt.LayerChart:
    """A recording's concentration over its seconds: its interval as a band, single faces as thin lines, the limits between
    levels dashed, a gap where there is no figure. Selection "moment": the second clicked on.

    table: recording.timeline. faces: recording.courses. bands: Formula.bands.
    """
    title = _("Concentration (0 to 100)")
    y = alt.Y("concentration:Q").title(title).scale(domain=[0, 100])
    table = _percent(table)
    faces = faces.assign(concentration=100 * faces["concentration"])
    base = alt.Chart(table).encode(x=_seconds(table))
    limits = (
        alt.Chart(pd.DataFrame({"concentration": [100 * bands["low_below"], 100 * bands["high_above"]]}))
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
    return (limits + single + band + line + _second_rules(table)).properties(height=220)


def concentration_seconds_caption(table: pd.DataFrame) -> str:
    """The seconds with the highest and the lowest mean. table: recording.timeline."""
    rows = _percent(table).dropna(subset="concentration")
    places = [_("second {n}").format(n=second) for second in rows["second"]]
    return extremes_caption(rows["concentration"], rows["low"], rows["high"], places, 0)


def _percent(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its figures in points of 100."""
    return table.assign(**{name: 100 * table[name].astype(float) for name in ("concentration", "low", "high")})


def _second_rules(table: pd.DataFrame) -> alt.Chart:
    """A rule under the pointer that describes its second, and the selection of the second clicked on. table: of _percent."""
    table = table.assign(
        words=[
            "–" if pd.isna(mean) else f"{mean:.0f}" + ("" if pd.isna(low) else f" ({format_interval(low, high, 0)})")
            for mean, low, high in table[["concentration", "low", "high"]].itertuples(index=False)
        ],
    )
    pointer = alt.selection_point(
        name="pointer", on="pointerover", clear="pointerout", nearest=True, fields=["second"], empty=False
    )
    moment = alt.selection_point(name="moment", on="click", nearest=True, fields=["second"], empty=False)
    return (
        alt.Chart(table)
        .mark_rule(color=GREY, strokeWidth=2, cursor="pointer")
        .encode(
            x=_seconds(table),
            opacity=alt.when(pointer).then(alt.value(0.8)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("second:Q").title(_("Second")),
                alt.Tooltip("faces:Q").title(_("Faces")),
                alt.Tooltip("words:N").title(_("Concentration")),
                alt.Tooltip("emotion:N").title(_("Leading emotion")),
            ],
        )
        .add_params(pointer, moment)
    )


def faces_seconds(table: pd.DataFrame) -> alt.Chart:
    """Number of faces over the seconds of a recording. table: recording.timeline."""
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


def faces_seconds_caption(table: pd.DataFrame) -> str:
    """The smallest and the largest number of faces. table: recording.timeline."""
    if table.empty:
        return no_figure()
    least, most, at = table["faces"].min(), table["faces"].max(), table["second"][table["faces"].idxmax()]
    return _("Between {least} and {most} faces at once; {most} are first reached in second {at}.").format(
        least=least, most=most, at=at
    )


def _seconds(table: pd.DataFrame) -> alt.X:
    """The axis, at least ten seconds wide, so that a recording of one second is a point at its left end."""
    end = max([10, *table["second"]])
    return alt.X("second:Q").scale(domain=[0, end]).title(_("Seconds from the start")).axis(tickMinStep=1, grid=False)
