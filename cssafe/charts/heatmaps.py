"""Factors by weekday and period: means of all lessons; concentration of the slots of the school's week with their effects."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cssafe.charts.factors import FACTOR_TITLES, factor_scale
from cssafe.charts.text import (
    figure_extremes_caption,
    format_intervals,
    name_extremes,
    no_figure,
)
from cssafe.colours import GREY, HIGH, LOW, MIDDLE
from cssafe.labels import WEEKDAYS
from cssafe.language import _, ngettext
from cssafe.presence.figure_text import band_widths
from cssafe.stats.comparison import cell_difference_error
from cssafe.stats.evidence import judge_extremes

MIN_CELL_MINUTES = 60
MIN_CELL_LESSONS = 3
"""A cell with less than an hour or fewer than three lessons is drawn hollow: one odd lesson would rule it."""

MIN_COLOUR_RANGE = 0.1
MIN_EFFECT_COLOUR_RANGE = 0.05
"""Index between the middle colour and each end, at least: a smaller range would blow noise up into a pattern."""

CELL: dict[str, Any] = {
    "cornerRadius": 4,
    "strokeWidth": 2,
    "width": alt.RelativeBandSize(0.92),
    "height": alt.RelativeBandSize(0.88),
}
INK = "#111111"


def weekly(table: pd.DataFrame, measure: str = "concentration") -> alt.LayerChart:
    """Weekdays by periods. Cells never observed are absent, those with few minutes or lessons hollow. Selection "cell": weekday
    and period. table: queries.weekly of the measure."""
    table = table.assign(
        headline=100 * table[measure],
        interval=_slot_intervals(table),
        range=format_intervals(100 * table["lowest"], 100 * table["highest"], 0),
        observed=[_("{n} min").format(n=minutes) for minutes in table["minutes"]],
        day=_day_names(table),
        thin=~_well_observed(table),
    )
    least, most = (table["headline"].min(), table["headline"].max()) if len(table) else (0, 100)
    middle, half = (least + most) / 2, max(100 * MIN_COLOUR_RANGE, (most - least) / 2)
    colour = (
        alt.Color("headline:Q")
        .scale(domain=[middle - half, middle, middle + half], range=[LOW, MIDDLE, HIGH], interpolate="rgb")
        .legend(orient="bottom", title=factor_scale(measure), format=".0f", tickCount=5, columns=5)
    )
    picked = alt.selection_point(name="cell", fields=["weekday", "period"], empty=False)
    days = [_(day) for day in WEEKDAYS[: max(5, 0, *table["weekday"])]]
    base = _grid(table, days, list(table.sort_values("start")["period"].unique()))
    cells = base.mark_rect(**CELL, cursor="pointer").encode(
        color=colour,
        stroke=alt.when(picked).then(alt.value(GREY)).otherwise(colour),
        fillOpacity=alt.when("datum.thin").then(alt.value(0.15)).otherwise(alt.value(1)),
        tooltip=[
            alt.Tooltip("day:O").title(_("Day")),
            alt.Tooltip("period:O").title(_("Period")),
            alt.Tooltip("headline:Q", format=".0f").title(_(FACTOR_TITLES[measure])),
            alt.Tooltip("range:N").title(_("Range, by those who cannot be seen")),
            alt.Tooltip("interval:N").title(_("95 % interval of the slot")),
            alt.Tooltip("minutes:Q").title(_("Observed minutes")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
            alt.Tooltip("faces:Q", format=".0f").title(_("Faces seen")),
        ],
    )
    ink = alt.when("datum.thin").then(alt.value(GREY)).otherwise(alt.value(INK))
    means = alt.Text("headline:Q", format=".0f")
    return _with_numbers(cells.add_params(picked), base, means, alt.Text("observed:N"), ink)


def weekly_caption(table: pd.DataFrame, lessons: pd.DataFrame, measure: str = "concentration") -> str:
    """The highest and the lowest of the cells observed often enough, where their lessons differ. table, lessons: queries.weekly
    and queries.weekly_lessons of the measure."""
    rows = table[_well_observed(table)]
    if len(rows) < 2:
        return _("There are not enough observations yet to compare two cells.")
    mean, lowest, highest = rows[[measure, "lowest", "highest"]].to_numpy(float).T
    error, freedom = _extremes_error(rows, lessons, mean)
    found = judge_extremes(mean, error, freedom, *band_widths(mean, lowest, highest))
    if measure == "concentration":
        return figure_extremes_caption(rows, _cell_names(rows), found)
    plain = [f"{100 * value:.0f}" for value in mean]
    chance = _("Between {low} and {high}: they may differ by chance.")
    return name_extremes(found, mean, _cell_names(rows), plain, plain, chance)


def _extremes_error(rows: pd.DataFrame, lessons: pd.DataFrame, mean: np.ndarray) -> tuple[float, float]:
    """Error of the difference between the cells with the highest and the lowest mean (n,), and its degrees of freedom; lessons
    of one class, subject and week share a level. rows: queries.weekly, (n,). lessons: queries.weekly_lessons."""
    cells = pd.MultiIndex.from_frame(rows[["weekday", "period"]])
    cell = cells.get_indexer(pd.MultiIndex.from_frame(lessons[["weekday", "period"]]))
    inside = lessons[cell >= 0]
    block = inside.groupby(["class_name", "subject", "week"]).ngroup().to_numpy()
    values, minutes = inside["value"].to_numpy(float), inside["minutes"].to_numpy(float)
    return cell_difference_error(values, minutes, cell[cell >= 0], block, int(mean.argmax()), int(mean.argmin()))


def recorded_slots(table: pd.DataFrame) -> alt.LayerChart:
    """Mean concentration of each slot as it was recorded, hollow where the slot may differ by chance. table:
    SlotEffects.slots."""
    usual = table.loc[table["evidence"], "raw"].mean()
    words = [
        f"{value:.2f}" if evidence else "–" for value, evidence in zip(table["raw"], table["evidence"], strict=True)
    ]
    return _slots(table.assign(shown=table["raw"] - usual, words=words), _("Difference, as recorded"))


def recorded_slots_caption(table: pd.DataFrame) -> str:
    """The range of the slots' means as recorded, which names no slot: they are not adjusted. table: SlotEffects.slots."""
    means = table.loc[table["evidence"], "raw"]
    if means.empty:
        return no_figure()
    sentence = _(
        "{n} slots with means from {low:.2f} to {high:.2f}, as recorded: class and subject differ from slot to slot."
    )
    return sentence.format(n=len(means), low=means.min(), high=means.max())


def slot_effects(table: pd.DataFrame) -> alt.LayerChart:
    """Each slot's effect, hollow where it may differ by chance. table: SlotEffects.slots."""
    words = [
        f"{value:+z.2f}" if evidence else "–"
        for value, evidence in zip(table["effect"], table["evidence"], strict=True)
    ]
    return _slots(table.assign(shown=table["effect"], words=words), _("Adjusted difference"))


def slot_effects_caption(table: pd.DataFrame) -> str:
    """The slots that differ from the mean slot. table: SlotEffects.slots."""
    rows = table[table["differs"]].sort_values("effect")
    if table["effect"].isna().all():
        return no_figure()
    if rows.empty:
        return _("Each slot may differ from the mean slot by chance.")
    figures = _figures(rows[["effect", "low", "high"]], "+z.2f", "–")
    places = [f"{place}, {figure}" for place, figure in zip(_cell_names(rows), figures, strict=True)]
    return _("Different from the mean slot (95 % interval): {slots}.").format(slots="; ".join(places))


def _slots(table: pd.DataFrame, title: str) -> alt.LayerChart:
    """table: SlotEffects.slots with `shown` (the colour) and `words` (in the cell); filled where it differs."""
    table = table.assign(
        day=_day_names(table),
        shown=table["shown"].where(table["evidence"], 0.0),  # a cell without a number would not be drawn at all
        mean=_figures(table[["raw", "raw_low", "raw_high"]], ".2f", "–"),
        difference=_figures(table[["effect", "low", "high"]], "+z.2f", _("no evidence")),
        number=[ngettext("{n} lesson", "{n} lessons", n).format(n=n) for n in table["lessons"]],
    )
    half = max([MIN_EFFECT_COLOUR_RANGE, *table["shown"].abs().dropna()])
    colour = (
        alt.Color("shown:Q")
        .scale(domain=[-half, 0, half], range=[LOW, MIDDLE, HIGH], interpolate="rgb")
        .legend(orient="bottom", title=title, format="+.2f", values=[-half, -half / 2, 0, half / 2, half], columns=5)
    )
    base = _grid(table, list(table["day"].unique()), list(table["period"].unique()))
    known = alt.datum.evidence
    cells = base.mark_rect(**CELL).encode(
        color=alt.when(known).then(colour).otherwise(alt.value(GREY)),
        stroke=alt.when(known).then(colour).otherwise(alt.value(GREY)),
        fillOpacity=alt.when("datum.differs").then(alt.value(1)).otherwise(alt.value(0.2)),
        tooltip=[
            alt.Tooltip("day:O").title(_("Day")),
            alt.Tooltip("period:O").title(_("Period")),
            alt.Tooltip("mean:N").title(_("Mean, as recorded (95 % interval)")),
            alt.Tooltip("difference:N").title(_("Effect (95 % interval)")),
            alt.Tooltip("lessons:Q").title(_("Lessons")),
        ],
    )
    ink = alt.when("datum.differs").then(alt.value(INK)).otherwise(alt.value(GREY))
    return _with_numbers(cells, base, alt.Text("words:N"), alt.Text("number:N"), ink)


def _grid(table: pd.DataFrame, days: list[str], periods: list[str]) -> alt.Chart:
    return alt.Chart(table).encode(
        x=alt.X("day:O")
        .scale(domain=days)
        .axis(orient="top", labelAngle=0, ticks=False, domain=False, labelFlush=False)
        .title(None),
        y=alt.Y("period:O").scale(domain=periods).axis(ticks=False, domain=False, labelFlush=False).title(None),
    )


def _with_numbers(cells: alt.Chart, base: alt.Chart, upper: alt.Text, lower: alt.Text, ink: Any) -> alt.LayerChart:
    """The cells with two lines of text in each."""
    large = base.mark_text(fontSize=14, dy=-6).encode(text=upper, color=ink)
    small = base.mark_text(fontSize=10, dy=10).encode(text=lower, color=ink)
    return (cells + large + small).properties(height=alt.Step(44))


def _well_observed(table: pd.DataFrame) -> pd.Series:
    return (table["minutes"] >= MIN_CELL_MINUTES) & (table["lessons"] >= MIN_CELL_LESSONS)


def _slot_intervals(table: pd.DataFrame) -> list[str]:
    """The interval of each cell, or why it has none. table: queries.weekly."""
    words = format_intervals(100 * table["low"], 100 * table["high"], 0)
    alone = _("none: one class, subject and room only")
    return [alone if count == 1 else text for text, count in zip(words, table["placements"], strict=True)]


def _day_names(table: pd.DataFrame) -> list[str]:
    return [_(WEEKDAYS[weekday - 1]) for weekday in table["weekday"]]


def _cell_names(table: pd.DataFrame) -> list[str]:
    return [f"{day}, {period}" for day, period in zip(_day_names(table), table["period"], strict=True)]


def _figures(table: pd.DataFrame, form: str, unknown: str) -> list[str]:
    """Figures with their intervals for tooltips. table: mean, low, high."""
    words = _("{mean} ({low} to {high})")
    return [
        unknown if pd.isna(low) else words.format(mean=f"{mean:{form}}", low=f"{low:{form}}", high=f"{high:{form}}")
        for mean, low, high in table.itertuples(index=False)
    ]
