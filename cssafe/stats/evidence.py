"""What may be said about an estimate: that it differs, that it may differ by chance, or that there is too little data.

The only place that decides this. Sentences about a winner, a rise or an effect follow its `Verdict`.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

NORMAL_QUANTILE = 1.959964
"""Half the width of a 95 % interval in standard errors, of a normal distribution."""

ALPHA = 0.05
"""Share of sentences without a true difference that may nevertheless claim one."""

POWER = 0.8
"""Share of true differences of the named size that so many units find (Cohen, Statistical Power Analysis, 1988)."""


class Verdict(StrEnum):
    DIFFERS = "differs"
    CHANCE = "chance"
    """May differ by chance."""
    TOO_LITTLE = "too_little"


@dataclass(frozen=True)
class Finding:
    """An estimate with its interval and verdict. low, high: NaN where the data allow no interval. units: how many independent
    units (lessons, weeks, placements) it rests on."""

    value: float
    low: float
    high: float
    units: int
    verdict: Verdict

    @property
    def rises(self) -> bool:
        return self.verdict == Verdict.DIFFERS and self.low > 0

    @property
    def falls(self) -> bool:
        return self.verdict == Verdict.DIFFERS and self.high < 0


def units_needed(deviation: float, difference: float, candidates: int = 1) -> int:
    """Number of independent units whose mean shows a true difference of that size with POWER. deviation: of one unit.
    candidates: see judge."""
    quantiles = ndtri(1 - ALPHA / (2 * candidates)) + ndtri(POWER)
    return int(np.ceil((quantiles * deviation / difference) ** 2))


def judge(
    value: float, error: float, freedom: float, units: int, min_units: int, candidates: int = 1, alpha: float = ALPHA
) -> Finding:
    """Finding of an estimate with its standard error by Student's t.

    freedom: degrees of freedom, of the units of replication. candidates: how many such estimates the sentence was chosen from;
    the interval holds for all of them together (Bonferroni).
    """
    half = float(stdtrit(freedom, 1 - alpha / (2 * candidates))) * error if freedom >= 1 else np.nan
    return judge_interval(value, value - half, value + half, units, min_units)


def judge_interval(value: float, low: float, high: float, units: int, min_units: int) -> Finding:
    """Finding of an estimate whose interval already holds for all candidates; NaN ends are too little data."""
    if units < min_units or np.isnan([value, low, high]).any():
        return Finding(value, np.nan, np.nan, units, Verdict.TOO_LITTLE)
    return Finding(value, low, high, units, Verdict.DIFFERS if low > 0 or high < 0 else Verdict.CHANCE)


def judge_extremes(
    means: np.ndarray,
    error: float,
    freedom: float,
    below: np.ndarray | float = 0.0,
    above: np.ndarray | float = 0.0,
) -> Finding:
    """Finding on the highest of the means (k,) less the lowest: the interval holds for all k (k - 1) / 2 differences together
    (Tukey-Kramer; Kramer, Biometrics 12, 1956), because the data decide which two are compared.

    error: standard error of this difference; NaN where it is not known. freedom: its degrees of freedom, inf where the error is
    known. below, above: what is not known of each mean beside its error, (k,); the difference holds at the near ends. The
    finding's units are the means.
    """
    if len(means) < 2:
        return judge_interval(np.nan, np.nan, np.nan, len(means), 2)
    most, least = int(np.argmax(means)), int(np.argmin(means))
    value, half = float(means[most] - means[least]), _studentized_range(len(means), freedom) / np.sqrt(2) * error
    down, up = (np.broadcast_to(part, means.shape) for part in (below, above))
    nearer, farther = float(down[most] + up[least]), float(up[most] + down[least])
    return judge_interval(value, value - nearer - half, value + farther + half, len(means), 2)


def judge_extremes_by_intervals(
    means: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    below: np.ndarray | float = 0.0,
    above: np.ndarray | float = 0.0,
) -> Finding:
    """`judge_extremes` of independent means (k,) of which only the 95 % intervals are known. Their near ends give the standard
    error: the far ones may be cut to the scale."""
    if not len(means):
        return judge_extremes(means, np.nan, np.inf)
    most, least = int(np.argmax(means)), int(np.argmin(means))
    error = float(np.hypot(means[most] - lows[most], highs[least] - means[least])) / NORMAL_QUANTILE
    return judge_extremes(means, error, np.inf, below, above)


def judge_lead(means: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> Finding:
    """Finding on the highest of the means (k,) less the next, of which the 95 % intervals are known; holds for all differences
    as in `judge_extremes`."""
    if len(means) < 2:
        return judge_interval(np.nan, np.nan, np.nan, len(means), 2)
    next_one, first = np.argsort(means)[-2:]
    error = float(np.hypot(means[first] - lows[first], highs[next_one] - means[next_one])) / NORMAL_QUANTILE
    value, half = float(means[first] - means[next_one]), _studentized_range(len(means), np.inf) / np.sqrt(2) * error
    return judge_interval(value, value - half, value + half, len(means), 2)


def excludes_zero(low: pd.Series, high: pd.Series) -> pd.Series:
    """Whether each interval excludes zero: bool (n,), False for NaN. For columns of findings that are drawn, not named."""
    return (low > 0) | (high < 0)


@lru_cache(maxsize=256)
def _quantile(means: int, freedom: float) -> float:
    from scipy.stats import studentized_range  # a second, loaded by the first comparison

    return float(studentized_range.ppf(1 - ALPHA, means, freedom))


def _studentized_range(means: int, freedom: float) -> float:
    """Studentized range, 95 %, of so many means; NaN below 1 degree of freedom. Whole degrees, rounded down: each quantile
    takes a third of a second."""
    return _quantile(means, np.floor(freedom)) if freedom >= 1 else np.nan


def judge_test(p_value: float, alpha: float = ALPHA) -> Verdict:
    """Verdict of a test of no difference at all; NaN, where it could not be made, is too little data."""
    if np.isnan(p_value):
        return Verdict.TOO_LITTLE
    return Verdict.DIFFERS if p_value < alpha else Verdict.CHANCE
