"""Lessons with markers: with a planted effect, and restless ones without."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from cssafe.queries.suggestions import AFTER_MINUTES
from cssafe.store import Workspace
from tests.support.lessons import LESSON, START, rows

MINUTES = 45

MARKS = (200, 420, 640, 860)
"""Seconds of four markers in a restless lesson of SECONDS."""

SECONDS = 1000


def term(
    workspace: Workspace,
    number: int,
    effect: float,
    seed: int = 0,
    when: str = "any",
    kind: str = "quiz",
    faces: int = 6,
    **lesson: str,
) -> list[int]:
    """That many lessons of a class that goes up and down by itself and tires, each with one marker, after which concentration
    is higher by about `effect` for the minutes that are looked at. when: at "any" minute, or once it has "sunk"; never."""
    random = np.random.default_rng(seed)
    lessons, parts, marks = [], [], []
    for i in range(number):
        started = START + timedelta(days=i)
        swing = np.zeros(MINUTES)
        for minute in range(1, MINUTES):
            swing[minute] = 0.8 * swing[minute - 1] + 0.6 * random.normal(0, 0.05)
        late = np.arange(MINUTES) / MINUTES
        tired = 0.05 * np.sin(np.pi * late) - 0.06 * late
        course = 0.6 + random.normal(0, 0.05) + swing + tired + random.normal(0, 0.03, MINUTES)
        sunk = [m for m in range(8, 35) if course[m - 2 : m].mean() < course[:m].mean() - 0.04]
        at = sunk[0] if when == "sunk" and sunk else int(random.integers(8, 35))
        course[at + 1 : at + AFTER_MINUTES + 2] += effect * random.normal(1, 0.5)
        minutes = rows(faces, MINUTES, started)
        minutes["time"] = started.replace(tzinfo=None) + pd.to_timedelta(np.repeat(np.arange(MINUTES), faces), "min")
        parts.append(minutes.assign(concentration=np.repeat(course, faces), lesson=i))
        lessons.append(replace(LESSON, started=started, **lesson))
        marks.append(started + timedelta(minutes=at, seconds=20))
    ended = [lesson.started + timedelta(minutes=MINUTES) for lesson in lessons]
    numbers = workspace.add(lessons, ended, pd.concat(parts, ignore_index=True))
    if when != "never":
        for lesson, mark in zip(numbers, marks, strict=True):
            workspace.add_marker(lesson, kind, mark)
    return numbers


def restless(tracks: int = 10, **values: float) -> pd.DataFrame:
    """A class whose students are on task half of the time, each for some seconds."""
    random = np.random.default_rng(0)
    table = rows(tracks, SECONDS, **values)
    on = np.repeat(random.random((SECONDS // 10, tracks)) < 0.5, 10, axis=0)
    return table.assign(attention=on.ravel().astype(float))
