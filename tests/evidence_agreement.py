"""Agreement of scores with simulated raters: `python -m tests.evidence_agreement --n 200`.

Prints a row of the table in docs/method.md for each bar: intervals that hold the true value, at the least of four measures.
"""

from collections.abc import Iterator

import numpy as np

from cssafe.stats.agreement import agreement
from tests.support.bars import Bar, run
from tests.support.rated_moments import LEVELS, RATERS, Rated, Raters, rated_moments

LESSONS = (6, 8, 12, 20)
LEAST = 0.90

TRUE_LESSONS = 20_000
"""Lessons over which a measure is the true one."""


def measured(rated: Rated) -> np.ndarray:
    """value, low and high of each measure, (4, 3)."""
    table = agreement(rated.score, rated.level, rated.rating, LEVELS, rated.lesson)
    return table[["value", "low", "high"]].to_numpy(float)


def truth(raters: Raters) -> np.ndarray:
    """Value of each measure, (4,): of one group, so that it has no interval to compute."""
    rated = rated_moments(np.random.default_rng(99), raters, TRUE_LESSONS)
    one = Rated(rated.score, rated.level, rated.rating, np.zeros_like(rated.lesson))
    return measured(one)[:, 0]


def measure(raters: Raters, lessons: int, n: int) -> Bar:
    """The least share of n samples in which the interval holds the true value, over the measures."""
    true = truth(raters)
    found = np.array(
        [measured(rated_moments(np.random.default_rng([number, lessons]), raters, lessons)) for number in range(n)]
    )
    held = ((found[..., 1] <= true) & (true <= found[..., 2])).mean(axis=0)
    return Bar(f"raters {raters.name}, {lessons} lessons", float(held.min()), n, LEAST)


def bars(n: int) -> Iterator[Bar]:
    return (measure(raters, lessons, n) for raters in RATERS for lessons in LESSONS)


if __name__ == "__main__":
    run(__doc__, bars, 200, "samples")
