"""Forms of teaching in simulated terms of known effect: `python -m tests.evidence_forms --n 300`.

Prints a row of the table in docs/method.md for each bar: intervals of a quiz that hold its effect, n terms of each effect.
"""

from collections.abc import Iterator

import numpy as np

from cssafe.queries.teaching_methods import compare_forms
from tests.support.bars import Bar, run
from tests.support.taught_terms import WHEN, taught_term

LESSONS, EFFECTS = (8, 12, 16), (0.0, 0.05, 0.10)
LEAST = 0.91


def measure(lessons: int, when: str, n: int) -> Bar:
    """Share of n terms of each of EFFECTS in which the interval of the quiz holds its effect."""
    rates = [_held(lessons, when, effect, n) for effect in EFFECTS]
    return Bar(f"quiz {when}, {lessons} lessons", float(np.mean(rates)), len(EFFECTS) * n, LEAST)


def _held(lessons: int, when: str, effect: float, n: int) -> float:
    held = []
    for number in range(n):
        random = np.random.default_rng([number, lessons, round(100 * effect), WHEN.index(when)])
        found = compare_forms(taught_term(random, lessons, effect, when)).set_index("measure").loc["during"]
        held.append(found["low"] <= effect <= found["high"])
    return float(np.mean(held))


def bars(n: int) -> Iterator[Bar]:
    return (measure(lessons, when, n) for when in WHEN for lessons in LESSONS)


if __name__ == "__main__":
    run(__doc__, bars, 300, "terms")
