"""Classes with markers, whose true attention is known: 25 students, 35 minutes, six lessons with four markers of a kind.

Lessons are drawn by tests/support/seen_class.py with its usual course. An effect raises the chance of being on task on the
logit scale for EFFECT_S. Markers come at random, or when attention has sunk.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.support import seen_class
from tests.support.seen_class import ON, Row, SeenClass

STUDENTS, SECONDS, LESSONS, MARKERS = 25, 2100, 6, 4

EFFECT = 0.7
"""On the logit scale: attention is then about .10 higher."""

EFFECT_S = 30

SUNK, SUNK_S = 0.04, 180
"""A teacher marks when the mean of the last SUNK_S seconds lies SUNK below that of the lesson so far."""

APART_S = 90
"""Least seconds between two random markers."""


@dataclass(frozen=True)
class MarkedLesson:
    """seen: the class. marks: seconds, int (m,)."""

    seen: SeenClass
    marks: np.ndarray


def marked_lesson(random: np.random.Generator, row: Row, effect: float = 0.0, *, sunk: bool = False) -> MarkedLesson:
    """Draw a lesson. effect: on the logit scale, of markers at random. sunk: markers when attention has sunk; no effect."""
    marks = _random_marks(random)
    logits = seen_class.course(0.80, 0.50, SECONDS)
    for mark in marks:
        logits[mark : mark + EFFECT_S] += effect
    seen = seen_class.seen_class(random, row, logits, students=STUDENTS)
    return MarkedLesson(seen, _sunk_marks(true_attention(seen)) if sunk else marks)


def true_attention(seen: SeenClass) -> np.ndarray:
    """Share of the students present who are on task, (seconds,)."""
    return ((seen.state == ON) & seen.present).sum(axis=0) / seen.present.sum(axis=0)


def sights(seen: SeenClass, start: pd.Timestamp) -> pd.DataFrame:
    """A row for each face found: time, person, attention, concentration. What tracks add is tested elsewhere."""
    when, who = np.nonzero(seen.found.T)
    on = (seen.state[who, when] == ON).astype(float)
    time = start.to_datetime64() + when.astype("timedelta64[s]")
    return pd.DataFrame({"time": time, "person": who, "attention": on, "concentration": on})


def _random_marks(random: np.random.Generator) -> np.ndarray:
    while True:
        marks = np.sort(random.integers(SUNK_S, SECONDS - 2 * EFFECT_S, MARKERS))
        if (np.diff(marks) >= APART_S).all():
            return marks


def _sunk_marks(attention: np.ndarray) -> np.ndarray:
    sums = np.concatenate([[0], np.cumsum(attention)])
    second = np.arange(2 * SUNK_S, SECONDS - 2 * EFFECT_S)
    last = (sums[second] - sums[second - SUNK_S]) / SUNK_S
    marks: list[int] = []
    for one in second[last < sums[second] / second - SUNK]:
        if len(marks) < MARKERS and (not marks or one - marks[-1] >= SUNK_S):
            marks.append(int(one))
    return np.array(marks, int)
