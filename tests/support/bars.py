"""Bars of evidence: measured rates against the least or most that they may be, as rows of a Markdown table."""

import argparse
from collections.abc import Callable, Iterable
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
        bars = {
            (True, True): f"{self.least:.0%} to {self.most:.0%}",
            (True, False): f"at least {self.least:.0%}",
            (False, True): f"at most {self.most:.1%}",
        }
        bar = bars.get((self.least > 0, self.most < 1), "–")
        return f"| {self.figure} | {self.rate:.1%} | {bar} | {self.n:,} |"


def run(description: str | None, bars: Callable[[int], Iterable[Bar]], n: int, unit: str) -> None:
    """The command that prints the table and fails where a bar is missed; below half of `n` replications (by default), bars are
    two standard errors wider."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=n, help=f"{unit} (default: {n})")
    chosen, missed = parser.parse_args().n, []
    print(HEADER)
    for bar in bars(chosen):
        print(bar, flush=True)
        missed += [] if bar.holds(2 * (2 * chosen < n)) else [bar.figure]
    if missed:
        raise SystemExit(f"Outside their bar: {'; '.join(missed)}")
