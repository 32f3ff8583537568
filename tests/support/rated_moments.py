"""Moments rated by people, and scores of known agreement with them.

A moment's engagement is that of its lesson (SD .5) and its own (SD 1). The rating and the score both see it with an error of
their own and with a bias that a whole lesson shares. The truth is the measure over very many lessons.
"""

from dataclasses import dataclass

import numpy as np

LEVELS = 3
SD_LESSON, MOMENTS = 0.5, 12
RATED = (-0.6, 0.6)
"""Limits between the ratings, in engagement."""

SCORED = (0.35, 0.65)
"""Limits between the levels, in the score."""


@dataclass(frozen=True)
class Raters:
    """noise: SD of the error of a moment's rating and of its score. bias: SD of the error that a lesson shares."""

    name: str
    noise: float
    bias: float


@dataclass(frozen=True)
class Rated:
    """score: (n,) in [0, 1]. level, rating, lesson: int (n,)."""

    score: np.ndarray
    level: np.ndarray
    rating: np.ndarray
    lesson: np.ndarray


RATERS = (
    Raters("middling", 0.8, 0.3),
    Raters("good", 0.4, 0.3),
    Raters("by chance", 8.0, 0.3),
    Raters("biased", 0.8, 0.8),
)


def rated_moments(random: np.random.Generator, raters: Raters, lessons: int) -> Rated:
    shape = (lessons, MOMENTS)
    engagement = random.normal(0, SD_LESSON, (lessons, 1)) + random.normal(0, 1, shape)
    rated, scored = (
        engagement + random.normal(0, raters.noise, shape) + random.normal(0, raters.bias, (lessons, 1))
        for _who in range(2)
    )
    score = 1 / (1 + np.exp(-scored.ravel()))
    rating = np.digitize(rated.ravel(), RATED)
    return Rated(score, np.digitize(score, SCORED), rating, np.repeat(np.arange(lessons), MOMENTS))
