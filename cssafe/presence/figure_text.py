"""The class figure in words: a headline from 0 to 100, its range, and how many people can be seen. Stored figures are 0 to 1.

The *range* is the band of class_figure.py; the 95 % interval belongs to tables and tooltips. A verdict (a level, a rise, a
highest minute) holds at both ends of both, see `verdict_ends`.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cssafe.labels import LEVELS
from cssafe.language import N_, _

TOO_SMALL = N_(
    "The faces are too small to follow: too many people cannot be seen for that reason, so there is no figure for the class, "
    "only its range. Move the camera nearer, zoom in, or choose a higher resolution."
)
"""Why a lesson has a range without a headline."""


def describe_figure(
    concentration: float, lowest: float, highest: float, present: float = np.nan, seen: float = np.nan
) -> str:
    """The class figure in a sentence without its full stop: "62 of 100 (58 to 74 whether those who cannot be seen attend or
    not); 15 of 25 can be seen".

    Args:
        concentration: the headline, NaN where it is withheld. lowest, highest: the band; NaN where it is not known.
        present, seen: mean numbers of people; not told of one person alone.
    """
    span = format_range(lowest, highest)
    if np.isnan(concentration):
        words = _("{range} of 100, depending on whether those who cannot be seen attend").format(range=span or "–")
    elif span:
        words = _("{headline} of 100 ({range} whether those who cannot be seen attend or not)").format(
            headline=format_headline(concentration), range=span
        )
    else:
        words = _("{headline} of 100").format(headline=format_headline(concentration))
    counts = format_seen(present, seen)
    return f"{words}; {counts}" if counts else words


def format_headline(concentration: float) -> str:
    """A figure of 0 to 1 as a whole number of 0 to 100; a dash for NaN."""
    return "–" if pd.isna(concentration) else f"{100 * concentration:.0f}"


def format_range(lowest: float, highest: float) -> str:
    """The range in words: "58 to 74"; empty where it is not known, or has no width."""
    low, high = format_headline(lowest), format_headline(highest)
    return "" if low == high else _("{low} to {high}").format(low=low, high=high)


def format_seen(present: float, seen: float) -> str:
    """How many people can be seen: "15 of 25 can be seen"; empty for one person alone, and where it is not known."""
    if not present >= 1.5:
        return ""
    return _("{seen:.0f} of {present:.0f} can be seen").format(seen=seen, present=present)


def format_with_range(concentration: float, lowest: float, highest: float) -> str:
    """`describe_figure` where there is little room: "62 of 100 (range 58 to 74)"."""
    span, headline = format_range(lowest, highest), format_headline(concentration)
    words = _("{headline} of 100 (range {range})") if span else _("{headline} of 100")
    return words.format(headline=headline, range=span)


def band_widths(
    concentration: float | np.ndarray, lowest: float | np.ndarray, highest: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Widths of the band below and above figures, numbers or (n,); 0 where the band is not known (of earlier versions)."""
    return np.nan_to_num(concentration - lowest), np.nan_to_num(highest - concentration)


def verdict_ends(
    concentration: float, lowest: float, highest: float, low: float, high: float, least: float = 0.0
) -> tuple[float, float]:
    """Ends between which the truth lies if nothing is known about those who cannot be seen: the 95 % interval, widened by the
    band on either side. NaN without an interval.

    Args:
        concentration, lowest, highest: headline and band; a band that is not known (of earlier versions) widens nothing.
        low, high: the interval. least: lower end of the scale, -1 for a change.
    """
    below, above = band_widths(concentration, lowest, highest)
    return tuple(np.clip([low - below, high + above], least, 1.0).tolist())


def name_level(ends: Iterable[float], bands: dict[str, float]) -> str:
    """The level at both ends: "low", or "between low and medium" where they differ; empty where they are not known.

    bands: Formula.bands."""
    ends = list(ends)
    if np.isnan(ends).any():
        return ""
    first, last = (_(LEVELS[int(end >= bands["low_below"]) + int(end > bands["high_above"])]) for end in ends)
    return first if first == last else _("between {lowest} and {highest}").format(lowest=first, highest=last)
