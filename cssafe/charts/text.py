"""Words that charts and captions share: intervals, the extremes of a series, and the empty case."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cssafe.language import _
from cssafe.presence.figure_text import format_with_range, verdict_ends


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
    """The highest and the lowest of the means (n,) with their intervals (NaN: not known). places: a name for each mean."""
    mean, low, high = (np.asarray(column, float) for column in (means, lows, highs))
    if not len(mean):
        return no_figure()

    def fill(sentence: str, at: int) -> str:
        interval = format_interval(low[at], high[at], digits)
        return sentence.format(place=places[at], mean=f"{mean[at]:.{digits}f}{unit}", interval=interval)

    most, least = int(mean.argmax()), int(mean.argmin())
    if most == least:
        return fill(_("{place}: {mean} (95 % interval {interval})."), most)
    sentences = [
        fill(_("Highest: {place}, {mean} (95 % interval {interval})."), most),
        fill(_("Lowest: {place}, {mean} (95 % interval {interval})."), least),
    ]
    if not low[most] > high[least]:
        sentences.append(_("These two may differ by chance."))
    return " ".join(sentences)


def figure_extremes_caption(table: pd.DataFrame, places: list[str]) -> str:
    """The highest and the lowest class figure with their ranges; whether they differ is judged by `verdict_ends`.

    table: concentration, lowest, highest, low, high. places: a name for each row.
    """
    rows = table[["concentration", "lowest", "highest", "low", "high"]].to_numpy(float)
    if not len(rows):
        return no_figure()

    def fill(sentence: str, at: int) -> str:
        return sentence.format(place=places[at], figure=format_with_range(*rows[at, :3]))

    most, least = int(rows[:, 0].argmax()), int(rows[:, 0].argmin())
    if most == least:
        return fill(_("{place}: {figure}."), most)
    sentences = [fill(_("Highest: {place}, {figure}."), most), fill(_("Lowest: {place}, {figure}."), least)]
    if not verdict_ends(*rows[most])[0] > verdict_ends(*rows[least])[1]:
        sentences.append(_("These two may differ by chance, or by those who cannot be seen."))
    return " ".join(sentences)


def no_figure() -> str:
    return _("There is no figure yet.")
