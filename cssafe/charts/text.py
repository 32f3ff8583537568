"""Words that charts and captions share: intervals, the extremes of a series, and the empty case."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cssafe.language import _
from cssafe.presence.figure_text import band_widths, format_headline, format_with_range
from cssafe.stats.evidence import Finding, Verdict, judge_extremes_by_intervals


def format_interval(low: float, high: float, digits: int = 2) -> str:
    """An interval in words: "0.48 to 0.56", or "not known" for NaN."""
    return format_intervals([low], [high], digits)[0]


def format_intervals(lows: Iterable[float], highs: Iterable[float], digits: int = 2) -> list[str]:
    """`format_interval` of each row."""
    known, unknown = _("{low} to {high}"), _("not known")
    return [
        unknown if pd.isna(low) else known.format(low=f"{low:.{digits}f}", high=f"{high:.{digits}f}")
        for low, high in zip(lows, highs, strict=True)
    ]


def extremes_caption(
    means: Sequence[float] | pd.Series | np.ndarray,
    lows: Sequence[float] | pd.Series | np.ndarray,
    highs: Sequence[float] | pd.Series | np.ndarray,
    places: list[str],
    digits: int = 2,
    unit: str = "",
) -> str:
    """The highest and the lowest of the means (n,) with their intervals (NaN: not known), where they differ. places: a name for
    each mean."""
    mean, low, high = (np.asarray(column, float) for column in (means, lows, highs))
    words = _("{mean} (95 % interval {interval})")
    plain = [f"{value:.{digits}f}{unit}" for value in mean]
    figures = [
        words.format(mean=text, interval=interval)
        for text, interval in zip(plain, format_intervals(low, high, digits), strict=True)
    ]
    found = judge_extremes_by_intervals(mean, low, high)
    return name_extremes(found, mean, places, figures, plain, _("Between {low} and {high}: they may differ by chance."))


def figure_extremes_caption(table: pd.DataFrame, places: list[str], found: Finding | None = None) -> str:
    """The highest and the lowest class figure with their ranges, where they differ whether those who cannot be seen attend or
    not.

    table: concentration, lowest, highest, low, high. places: a name for each row. found: on these extremes, by default by the
    intervals.
    """
    mean, lowest, highest, low, high = table[["concentration", "lowest", "highest", "low", "high"]].to_numpy(float).T
    if found is None:
        found = judge_extremes_by_intervals(mean, low, high, *band_widths(mean, lowest, highest))
    figures = [format_with_range(*row) for row in zip(mean, lowest, highest, strict=True)]
    plain = [format_headline(value) for value in mean]
    chance = _("Between {low} and {high} of 100: they may differ by chance, or by those who cannot be seen.")
    return name_extremes(found, mean, places, figures, plain, chance)


def name_extremes(
    found: Finding, means: np.ndarray, places: list[str], figures: list[str], plain: list[str], chance: str
) -> str:
    """The highest and the lowest of the means (n,) if the finding says that they differ, else the sentence `chance`.

    found: of evidence.judge_extremes. figures, plain: each mean in words, with and without its uncertainty.
    """
    if not len(means):
        return no_figure()
    most, least = int(means.argmax()), int(means.argmin())
    if most == least:
        return _("{place}: {figure}.").format(place=places[most], figure=figures[most])
    if found.verdict != Verdict.DIFFERS:
        return chance.format(low=plain[least], high=plain[most])
    highest = _("Highest: {place}, {figure}.").format(place=places[most], figure=figures[most])
    return f"{highest} " + _("Lowest: {place}, {figure}.").format(place=places[least], figure=figures[least])


def no_figure() -> str:
    return _("There is no figure yet.")
