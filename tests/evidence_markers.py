"""Responses to markers on simulated classes of known truth: `python -m tests.evidence_markers --n 200`.

Prints a row of the table in docs/method.md for each bar.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cssafe.presence.minutes import attention_by_look
from cssafe.queries.responsiveness import kinds_of_class
from cssafe.scoring.formula import ATTENTION_ONLY
from cssafe.stats.evidence import Verdict
from tests.support import marked_classes
from tests.support.bars import Bar, run
from tests.support.marked_classes import EFFECT, LESSONS, MarkedLesson
from tests.support.seen_class import ALL_SEEN, PLAUSIBLE, Row

START = pd.Timestamp(2026, 3, 2, 8)
NOBODY = np.zeros(0, "datetime64[us]")
"""No second without a face is simulated."""

UNSEEN = pd.Series([ATTENTION_ONLY.unseen_weight("front")], index=[START])


@dataclass(frozen=True)
class Case:
    """effect: on the logit scale. sunk: markers when attention has sunk. bars: least and most rate of findings, of six lessons
    and of one."""

    name: str
    effect: float
    sunk: bool
    bars: tuple[tuple[float, float], tuple[float, float]]


CASES = (
    Case("true change of +.10 found", EFFECT, False, ((0.80, 1.0), (0.40, 1.0))),
    Case("markers at random, no effect", 0.0, False, ((0.0, 0.08), (0.0, 0.08))),
    Case("markers when sunk, no effect", 0.0, True, ((0.0, 0.08), (0.0, 0.08))),
)


def measure(row: Row, case: Case, n: int) -> list[Bar]:
    """Rate of findings over n classes, of six lessons and of one."""
    found = []
    for number in range(n):
        random = np.random.default_rng([number, row is PLAUSIBLE, case.effect > 0, case.sunk])
        lessons = [marked_classes.marked_lesson(random, row, case.effect, sunk=case.sunk) for _lesson in range(LESSONS)]
        found.append([finds(lessons, case.effect > 0), finds(lessons[:1], case.effect > 0)])
    rates = np.mean(found, axis=0)
    return [
        Bar(f"{case.name}, {row.name}, {lessons}", float(rate), n, *bar)
        for lessons, rate, bar in zip(("six lessons", "one lesson"), rates, case.bars, strict=True)
    ]


def finds(lessons: list[MarkedLesson], rises: bool) -> bool:
    """Whether a class with these lessons has a finding. rises: only a rise counts."""
    parts = [
        attention_by_look(marked_classes.sights(one.seen, START), NOBODY, UNSEEN, ATTENTION_ONLY.bands).assign(
            lesson=number
        )
        for number, one in enumerate(lessons)
    ]
    marks = [(number, second) for number, one in enumerate(lessons) for second in one.marks]
    marked = pd.DataFrame(marks, columns=["lesson", "second"]).assign(kind="question")
    marked["time"] = START + pd.to_timedelta(marked["second"], unit="s")
    (found,) = kinds_of_class(pd.concat(parts, ignore_index=True).assign(activity="front"), marked).itertuples()
    return found.verdict == Verdict.DIFFERS and (found.low > 0 or not rises)


def bars(n: int) -> Iterator[Bar]:
    return (bar for row in (ALL_SEEN, PLAUSIBLE) for case in CASES for bar in measure(row, case, n))


if __name__ == "__main__":
    run(__doc__, bars, 200, "classes")
