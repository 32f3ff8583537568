"""A running lesson: concentration of the last minutes and emotions of this moment. The axes stay still while figures move."""

from datetime import datetime

import altair as alt
import pandas as pd

from cssafe.charts.text import no_figure
from cssafe.colours import COLOURS, EMOTIONS, GREY
from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.settings import LIVE_HISTORY_MINUTES


def last_minutes(history: pd.DataFrame, bands: dict[str, float], now: datetime) -> alt.LayerChart:
    """Concentration over the last minutes, 0 to 100, with its range as a band and a gap where there is no figure.

    history: View.history. bands: Formula.bands, whose limits between levels are drawn. now: View.now.
    """
    now = now.replace(microsecond=0, tzinfo=None)
    seconds = pd.date_range(end=now, periods=LIVE_HISTORY_MINUTES * 60, freq="s", unit="us", name="time")
    rows = history.drop_duplicates("time", keep="last").set_index("time").reindex(seconds).reset_index()
    rows["ago"] = (rows["time"] - now).dt.total_seconds() / 60
    x = (
        alt.X("ago:Q")
        .title(_("Minutes ago"))
        .scale(domain=[-LIVE_HISTORY_MINUTES, 0])
        .axis(values=list(range(-LIVE_HISTORY_MINUTES, 1)), labelExpr="-datum.value", grid=False)
    )
    title = _("Concentration (0 to 100)")
    y = alt.Y("concentration:Q").title(title).scale(domain=[0, 100])
    figures = 100 * rows[["concentration", "lowest", "highest"]].astype(float)
    base = alt.Chart(figures.assign(ago=rows["ago"]))
    limits = (
        alt.Chart(pd.DataFrame({"concentration": [100 * bands["low_below"], 100 * bands["high_above"]]}))
        .mark_rule(strokeDash=[4, 4], opacity=0.5, color=GREY)
        .encode(y=y)
    )
    band = base.mark_area(opacity=0.25, color=COLOURS[0]).encode(
        x=x, y=alt.Y("lowest:Q").title(title), y2=alt.Y2("highest:Q")
    )
    line = base.mark_line(color=COLOURS[0], strokeWidth=2.5).encode(x=x, y=y)
    return (limits + band + line).properties(height=190)


def last_minutes_caption(history: pd.DataFrame) -> str:
    """The range of the line and its last value. history: LessonState.history."""
    values = history["concentration"].dropna()
    if values.empty:
        return no_figure()
    return _("In the last minutes between {least:.0f} and {most:.0f}, at last {now:.0f}.").format(
        least=100 * values.min(), most=100 * values.max(), now=100 * values.iloc[-1]
    )


def emotions_now(expression: dict[str, float]) -> alt.Chart:
    """The mean probability of each emotion at this moment, always in the same order."""
    names = [_(emotion) for emotion in FERPLUS]
    rows = pd.DataFrame({"emotion": names, "share": [100 * expression[name] for name in FERPLUS]})
    return (
        alt.Chart(rows)
        .mark_bar(stroke=GREY, strokeWidth=0.5)
        .encode(
            x=alt.X("share:Q")
            .title(_("Mean probability (%)"))
            .scale(domain=[0, 100])
            .axis(values=[0, 25, 50, 75, 100]),
            y=alt.Y("emotion:N").title(None).sort(names).axis(labelOverlap=False),
            color=alt.Color("emotion:N")
            .scale(domain=[_(emotion) for emotion in EMOTIONS], range=list(EMOTIONS.values()))
            .legend(None),
        )
        .properties(height=250)
    )


def emotions_now_caption(expression: dict[str, float] | None) -> str:
    """The leading emotion of this moment. expression: as in lesson_state.Reading."""
    if expression is None:
        return no_figure()
    name = max(expression, key=expression.__getitem__)
    return _("{emotion} leads with {share:.0f} %.").format(emotion=_(name), share=100 * expression[name])
