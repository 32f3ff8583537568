"""Measured rates of simulations against their bars, as rows of a Markdown table."""

from dataclasses import dataclass

import numpy as np

TABLE_HEAD = "| figure | measured | bar | n |\n| --- | --- | --- | --- |"


@dataclass(frozen=True)
class Rate:
    """A share of n replications. least, most: its bar, met at `full` replications; none if all shares lie between."""

    name: str
    share: float
    n: int
    least: float = 0.0
    most: float = 1.0
    full: int = 1000

    @property
    def met(self) -> bool:
        """Whether the share lies within the bar; with fewer than `full` replications, two standard errors wider."""
        return self._edge(self.least, -1) <= self.share <= self._edge(self.most, 1)

    def _edge(self, bar: float, sign: int) -> float:
        return bar + sign * 2 * float(np.sqrt(bar * (1 - bar) / self.n)) * (self.n < self.full)

    @property
    def row(self) -> str:
        bars = {
            (True, True): f"{self.least:.0%} to {self.most:.0%}",
            (True, False): f"at least {self.least:.0%}",
            (False, True): f"at most {self.most:.1%}",
        }
        bar = bars.get((self.least > 0, self.most < 1), "–")
        return f"| {self.name} | {self.share:.1%} | {bar} | {self.n:,} |"
