"""An attack on the file about a class of attention-only: who knows when a face came and went subtracts neighbouring rows.

The classroom is invented here, by nothing of the program: each face looks to the front or away for a while, at a rate of its
own, and is lost now and then.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from tests.support.lessons import LESSON, add, rows

SECONDS = 2700
STAY_S = 20.0
"""Mean seconds for which a face goes on with what it does."""


def classroom(rng: np.random.Generator, faces: int) -> np.ndarray:
    """Attention of each second and face, (SECONDS, faces); NaN where it is lost."""
    share = rng.beta(4, 4, faces)
    front = np.empty((SECONDS, faces), bool)
    front[0] = rng.random(faces) < share
    for t in range(1, SECONDS):
        front[t] = np.where(rng.random(faces) < 1 / STAY_S, rng.random(faces) < share, front[t - 1])
    attention = np.where(front, 0.95, 0.4) + rng.normal(0, 0.03, front.shape)
    for face in range(faces):
        t = int(rng.exponential(240))
        while t < SECONDS:
            away = int(rng.integers(3, 40) if rng.random() < 0.8 else rng.integers(60, 300))
            attention[t : t + away, face] = np.nan
            t += away + int(rng.exponential(240))
    return attention


def observed(attention: np.ndarray) -> pd.DataFrame:
    """The classroom as observations of the program."""
    there = ~np.isnan(attention).ravel()
    table = rows(tracks=attention.shape[1], seconds=SECONDS)[there].reset_index(drop=True)
    return table.assign(attention=attention.ravel()[there], quality=1.0)


def attack(told: pd.DataFrame, attention: np.ndarray, length: int) -> list[tuple[bool, bool]]:
    """Answers to "more attentive than the others?": whether each is right, and what the truth is.

    told: rows of `start` (seconds from the lesson's start), `faces` and `attention`, each of `length` seconds. The attacker
    knows for which of them each face was there, and asks where one was there for half a row longer than in the next to it.
    """
    answers = []
    known = told.set_index("start")
    for start in known.index:
        for other in (start - length, start + length):
            if other not in known.index:
                continue
            block = attention[start : start + length]
            there = (~np.isnan(block)).mean(axis=0) - (~np.isnan(attention[other : other + length])).mean(axis=0)
            n, mean = known.loc[start, ["faces", "attention"]]
            n_other, mean_other = known.loc[other, ["faces", "attention"]]
            for face in np.flatnonzero(there >= 0.5):
                rest = (n - n_other - there[face]) * (mean + mean_other) / 2
                guess = (n * mean - n_other * mean_other - rest) / there[face]
                truth = np.nanmean(block[:, face]) > np.nanmean(np.delete(block, face, axis=1))
                answers.append(((guess > mean) == truth, truth))
    return answers


def judged(answers: list[tuple[bool, bool]]) -> tuple[float, float, float]:
    """Share of right answers, that of the better of two constant answers, and the standard error of either."""
    right, more = np.mean(answers, axis=0)
    return float(right), float(max(more, 1 - more)), 0.5 / np.sqrt(len(answers))


@pytest.fixture(scope="module")
def lessons() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [classroom(rng, faces) for faces in (12, 18, 25)]


def test_the_attack_works_on_seconds(lessons):
    """It is what the file held before: so the test below is none of a feeble attacker."""
    answers = []
    for attention in lessons:
        n = (~np.isnan(attention)).sum(axis=1)
        mean = np.nansum(attention, axis=1) / n
        answers += attack(
            pd.DataFrame({"start": np.arange(SECONDS), "faces": n, "attention": mean})[:500], attention, 1
        )
    rate, guessing, error = judged(answers)
    assert rate > 0.75 and guessing < 0.6 and error < 0.05


def test_what_is_given_away_of_a_class_tells_hardly_more_of_a_face_than_guessing(workspace, lessons):
    lesson = replace(LESSON, profile="attention-only")
    answers = []
    for attention in lessons:
        told = queries.shareable_rows(workspace, add(workspace, observed(attention), lesson=lesson))
        start = (told["time"] - lesson.started.replace(tzinfo=None)).dt.total_seconds().astype(int)
        answers += attack(told.assign(start=start), attention, 60)
        assert len(told) > 40
    rate, guessing, error = judged(answers)
    assert error < 0.03 and rate < guessing + 2 * error
