"""Terms of lessons with a quiz, whose effect is known: minutes with their form, and the form before in the minutes after it.

A lesson tires by a course of its own. Its mood changes within minutes like that of tests/support/seen_class.py: an
Ornstein-Uhlenbeck process (.25 on the logit scale, about .05 of attention, over five minutes), and what is left of 25 students'
own seconds in a minute's mean.
"""

import numpy as np
import pandas as pd

MINUTES = 45
SD_LESSON, TIRED, SD_TIRED = 0.06, -0.10, 0.08
SD_MOOD, MOOD_MINUTES, SD_MINUTE = 0.05, 5.0, 0.03
SUNK = 0.04
"""A teacher begins the quiz when the last three minutes lie this far below the lesson so far."""

WHEN = ("random", "late", "sunk")
AFTER_MINUTES = 10


def taught_term(random: np.random.Generator, lessons: int, effect: float, when: str) -> pd.DataFrame:
    """Columns lesson, minute, concentration, form and after. when: of WHEN."""
    minute, parts = np.arange(MINUTES), []
    for lesson in range(lessons):
        values = random.normal(0.65, SD_LESSON) + random.normal(TIRED, SD_TIRED) * minute / MINUTES
        values = values + _mood(random) + random.normal(0, SD_MINUTE, MINUTES)
        length = int(random.integers(6, 13))
        begin = _begin(random, values, MINUTES - length - 3, when)
        quiz, after = (minute >= begin) & (minute < begin + length), minute >= begin + length
        after &= minute < begin + length + AFTER_MINUTES
        columns = {"lesson": lesson, "minute": minute, "concentration": values + effect * quiz}
        columns |= {"form": np.where(quiz, "quiz", "lecture"), "after": np.where(after, "quiz", None)}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _begin(random: np.random.Generator, values: np.ndarray, latest: int, when: str) -> int:
    """Minute in which the quiz begins; at random where attention never sinks."""
    if when == "late":
        return int(random.integers(22, latest + 1))
    sums = np.concatenate([[0], np.cumsum(values)])
    minute = np.arange(6, latest + 1)
    sunk = minute[(sums[minute] - sums[minute - 3]) / 3 < sums[minute] / minute - SUNK]
    return int(sunk[0]) if when == "sunk" and len(sunk) else int(random.integers(5, latest + 1))


def _mood(random: np.random.Generator) -> np.ndarray:
    keep = np.exp(-1 / MOOD_MINUTES)
    mood = np.zeros(MINUTES)
    mood[0] = random.normal(0, SD_MOOD)
    for minute in range(1, MINUTES):
        mood[minute] = keep * mood[minute - 1] + random.normal(0, SD_MOOD * np.sqrt(1 - keep**2))
    return mood
