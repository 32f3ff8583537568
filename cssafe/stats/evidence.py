"""What may be said about an estimate: that it differs, that it may differ by chance, or that there is too little data.

The only place that decides this. Sentences about a winner, a rise or an effect follow its `Verdict`.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import stdtrit

ALPHA = 0.05
"""Share of sentences without a true difference that may nevertheless claim one."""


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


def judge_test(p_value: float, alpha: float = ALPHA) -> Verdict:
    """Verdict of a test of no difference at all; NaN, where it could not be made, is too little data."""
    if np.isnan(p_value):
        return Verdict.TOO_LITTLE
    return Verdict.DIFFERS if p_value < alpha else Verdict.CHANCE
