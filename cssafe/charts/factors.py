"""The factors of a class side by side: of one lesson, and over the weeks of a term. Stored figures times 100."""

import altair as alt
import pandas as pd

from cssafe.charts import reports
from cssafe.charts.text import format_interval, format_intervals, no_figure
from cssafe.colours import COLOURS, GREY
from cssafe.labels import MARKERS
from cssafe.language import N_, _
from cssafe.queries.responsiveness import AFTER_S, MIN_MARKERS, SMALLEST_CHANGE
from cssafe.stats.evidence import Verdict

FACTOR_TITLES = {
    "concentration": N_("Concentration"),
    "attentiveness": N_("Attentiveness"),
    "presence": N_("Presence"),
    "engaged_presence": N_("Engaged presence"),
    "expression": N_("Expression"),
}
"""Factor of queries/presence.py -> its title."""

FACTOR_MEANINGS = {
    "concentration": N_("Concentration: mean index of the people present, by the lesson's formula."),
    "attentiveness": N_("Attentiveness: where heads and eyes point, of the people present; no emotion counts."),
    "presence": N_(
        "Presence: share of the expected people who are there. Expected is the number that you entered, otherwise everyone "
        "who was seen long enough in the lesson."
    ),
    "engaged_presence": N_(
        "Engaged presence: presence weighted by concentration. The concentration of those who can be read is summed, and "
        "divided by the number expected: 10 of 20, each at 80, give 40."
    ),
    "expression": N_(
        "Expression: how pleasant the emotions are that visible faces show, from -100 to 100 (valence). It is not what anybody "
        "feels."
    ),
}
"""Factor -> what it is, for below a chart."""

RESPONSIVENESS_MEANING = N_(
    "Responsiveness: change of the attention of all people present in the {window} s after a marker, over the lessons of a "
    "class, beyond the change at other moments that began alike: attention that has sunk rises again by itself. The intervals "
    "of all kinds of markers of a class hold together in 19 of 20 classes. A change need not be caused by the marker."
)

RESPONSES = {
    1: N_("{kind}: attention rose by {points} points within {window} s (95 % interval {interval}; {n} markers)."),
    -1: N_("{kind}: attention fell by {points} points within {window} s (95 % interval {interval}; {n} markers)."),
    0: N_("{kind}: {points} points within {window} s may differ by chance (95 % interval {interval}; {n} markers)."),
}
"""Sign of a change that is more than chance, or 0 -> sentence about a kind of marker."""


def factor_scale(factor: str) -> str:
    """Title of an axis or legend of the factor."""
    words = _("{factor} (-100 to 100)") if factor == "expression" else _("{factor} (0 to 100)")
    return words.format(factor=_(FACTOR_TITLES[factor]))


def side_by_side(table: pd.DataFrame) -> alt.LayerChart:
    """A bar for each factor with its interval. table: presence.side_by_side."""
    table = _titled(table)
    base = alt.Chart(table).encode(y=alt.Y("title:N").sort(None).title(None).axis(ticks=False, labelLimit=160))
    x = alt.X("mean:Q").scale(domain=_domain(table)).title(_("0 to 100; expression -100 to 100"))
    bars = base.mark_bar(height=alt.RelativeBandSize(0.6), color=COLOURS[0], opacity=0.7).encode(
        x=x, tooltip=_tooltips()
    )
    ends = base.mark_rule(strokeWidth=2, color=GREY).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    return (bars + ends).properties(height=alt.Step(34))


def describe_factors(table: pd.DataFrame) -> list[str]:
    """Figure and interval of each row in words: "62 (95 % interval 55 to 69)". table: mean, low, high."""
    words = _("{mean} (95 % interval {interval})")
    intervals = format_intervals(100 * table["low"], 100 * table["high"], 0)
    return [
        words.format(mean=f"{100 * mean:.0f}", interval=interval)
        for mean, interval in zip(table["mean"], intervals, strict=True)
    ]


def factors_caption(table: pd.DataFrame) -> str:
    """Each factor with its interval. table: presence.side_by_side or over_lessons."""
    if table.empty:
        return no_figure()
    figures = zip(table["factor"], describe_factors(table), strict=True)
    return "; ".join(f"{_(FACTOR_TITLES[factor])} {figure}" for factor, figure in figures) + "."


def weeks(table: pd.DataFrame) -> alt.LayerChart:
    """A line for each factor over the weeks, with its interval over lessons. table: presence.by_week."""
    table = _titled(table)
    titles = [_(title) for title in FACTOR_TITLES.values()]
    base = alt.Chart(table).encode(
        x=alt.X("week:O").title(_("Week from")).axis(labelAngle=-45, labelOverlap=True),
        color=alt.Color("title:N").scale(domain=titles, range=COLOURS[: len(titles)]).legend(orient="top", title=None),
    )
    title = _("0 to 100; expression -100 to 100")
    ends = base.mark_rule(strokeWidth=2, opacity=0.35).encode(y=alt.Y("low:Q").title(title), y2=alt.Y2("high:Q"))
    lines = base.mark_line(point={"size": 40}).encode(
        y=alt.Y("mean:Q").scale(domain=_domain(table)).title(title),
        strokeDash=alt.StrokeDash("title:N")
        .scale(domain=titles, range=[[1, 0], [6, 2], [2, 2], [8, 3, 2, 3], [1, 3]])
        .legend(None),
        tooltip=[
            alt.Tooltip("week:O").title(_("Week from")),
            *_tooltips(),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
        ],
    )
    return (ends + lines).properties(height=300)


def _titled(table: pd.DataFrame) -> pd.DataFrame:
    """The table times 100, with words for tooltips."""
    table = table.assign(**{name: 100 * table[name] for name in ("mean", "low", "high")})
    return table.assign(
        title=[_(FACTOR_TITLES[factor]) for factor in table["factor"]],
        interval=format_intervals(table["low"], table["high"], 0),
    )


def _tooltips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("title:N").title(_("Factor")),
        alt.Tooltip("mean:Q", format=".0f").title(_("Mean")),
        alt.Tooltip("interval:N").title(_("95 % interval")),
    ]


def _domain(table: pd.DataFrame) -> list[float]:
    """From 0, or the lowest value of expression, to 100."""
    return [min([0.0, *table["mean"], *table["low"].dropna()]), 100.0]


def responsiveness(table: pd.DataFrame) -> alt.LayerChart:
    """A row for each kind of marker with the change of attention after it. table: responsiveness.responsiveness."""
    known = table.assign(what=name_kinds(table), difference=table["change"]).dropna(subset="low")
    axis = _("Change of attention within {window} s, in points of 100").format(window=AFTER_S)
    return reports.differences(known[["what", "difference", "low", "high", "lessons"]], axis)


def describe_responsiveness(table: pd.DataFrame) -> list[str]:
    """A sentence for each kind of marker: its change and verdict, and what it takes to know more. table: as above."""
    rows = table.assign(kind=name_kinds(table)).to_dict("records")
    return [_few_markers(row) if row["verdict"] == Verdict.TOO_LITTLE else _response(row) for row in rows]


def _response(row: dict) -> str:
    sign = (1 if row["change"] > 0 else -1) if row["verdict"] == Verdict.DIFFERS else 0
    points = 100 * row["change"]
    sentence = _(RESPONSES[sign]).format(
        kind=row["kind"],
        points=f"{abs(points):.0f}" if sign else f"{points:+.0f}",
        window=AFTER_S,
        interval=format_interval(100 * row["low"], 100 * row["high"], 0),
        n=row["markers"],
    )
    if sign:
        return sentence
    more = (
        _("About {more:.0f} more of them would show a change of {smallest:.0f} points.")
        if row["more"] > 0
        else _("A change of {smallest:.0f} points would probably have been found.")
    )
    return f"{sentence} {more.format(more=row['more'], smallest=100 * SMALLEST_CHANGE)}"


def _few_markers(row: dict) -> str:
    words = _("{kind}: too little data, {n} markers can be compared; {least} are needed.")
    return words.format(kind=row["kind"], n=row["markers"], least=MIN_MARKERS)


def name_kinds(table: pd.DataFrame) -> list[str]:
    """Kind of marker of each row, after its class where there are several."""
    kinds = [_(MARKERS.get(kind, kind)) for kind in table["kind"]]
    if table["class_name"].nunique() < 2:
        return kinds
    return [f"{name}, {kind}" for name, kind in zip(table["class_name"], kinds, strict=True)]
