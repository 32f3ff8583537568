"""Bars of evidence: measured rates against the least or most that they may be, as rows of a Markdown table."""

from dataclasses import dataclass

import numpy as np

HEADER = "| figure | measured | bar | n |\n| --- | --- | --- | --- |"


@dataclass(frozen=True)
class Bar:
    """A rate over n replications. least, most: in [0, 1]."""

    figure: str
    rate: float
    n: int
    least: float = 0.0
    most: float = 1.0

    def holds(self, errors: float = 0.0) -> bool:
        """Whether the rate lies within the bar, widened by so many standard errors of a rate at the bar."""
        below, above = (errors * np.sqrt(end * (1 - end) / self.n) for end in (self.least, self.most))
        return bool(self.least - below <= self.rate <= self.most + above)

    def __str__(self) -> str:
        ends = [f"at least {self.least:.0%}"] * (self.least > 0) + [f"at most {self.most:.0%}"] * (self.most < 1)
        return f"| {self.figure} | {self.rate:.1%} | {' and '.join(ends) or 'none'} | {self.n} |"
