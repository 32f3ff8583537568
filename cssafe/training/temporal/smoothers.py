"""Ways to join a face's frames over time, run over whole sequences, and choosing among them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cssafe.expression import smooth
from cssafe.labels import FERPLUS
from cssafe.training.temporal.metrics import shown_labels, tally, tally_score
from cssafe.training.temporal.sequences import Sequences, seconds_since_measured

MIN_PROBABILITY = 1e-3
"""Probabilities below it count as it: their logarithms are noise, and louder than all others."""


class Smoothing(Protocol):
    """A way to join frames. start: float32, what is remembered of a face of which nothing was measured yet."""

    start: np.ndarray

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Join what was measured in this frame to what is remembered.

        Args:
            now: probabilities float32 (n, 8) of n different faces, rows sum to 1.
            states: float32 (n, *start.shape), what is remembered of them.
            passed: seconds since each was measured last, (n,), 0 and more.

        Returns:
            probabilities float32 (n, 8), rows sum to 1, and the new states.
        """


class Unsmoothed:
    """Nothing joined: each frame by itself."""

    start = np.zeros(0, np.float32)

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As Smoothing says; nothing is remembered."""
        return now, states


class Average:
    """The exponential average of the probabilities, as the pipeline takes it; half_life: seconds."""

    start = np.full(len(FERPLUS), np.nan, np.float32)

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As Smoothing says; the state is the average so far."""
        joined = smooth(now, states, passed, self._half_life)
        return joined, joined


class LogAverage:
    """The exponential average of the probabilities' logarithms: a weighted geometric mean, brought to sum 1."""

    start = Average.start

    def __init__(self, half_life: float) -> None:
        self._average = Average(half_life)

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As Smoothing says; the state is the average of the logarithms so far."""
        logs, states = self._average(np.log(np.maximum(now, MIN_PROBABILITY)), states, passed)
        powers = np.exp(logs)
        return powers / powers.sum(axis=1, keepdims=True), states


@dataclass(frozen=True)
class Smoother:
    """smoothing: joins frames. ratio: hysteresis of the label that is shown, 1 for none (following.labels). merit:
    following.worth on the sequences to choose on, NaN before they were asked."""

    name: str
    smoothing: Smoothing
    ratio: float = 1.0
    merit: float = float("nan")

    def __str__(self) -> str:
        return self.name if self.ratio == 1 else f"{self.name}, hysteresis {self.ratio:g}"


def run_smoother(smoothing: Smoothing, sequences: Sequences) -> np.ndarray:
    """Run through all sequences at once, frame by frame as live: probabilities (n, t, 8), NaN where nothing was measured."""
    states = np.repeat(smoothing.start[None], len(sequences), axis=0)
    joined, waited, measured = (
        np.full_like(sequences.probabilities, np.nan),
        seconds_since_measured(sequences),
        sequences.measured,
    )
    for i in range(sequences.truth.shape[1]):
        rows = measured[:, i]
        joined[rows, i], states[rows] = smoothing(sequences.probabilities[rows, i], states[rows], waited[rows, i])
    return joined


def choose_smoother(ways: Sequence[Smoother], choose: Sequences, ratios: Sequence[float]) -> Smoother:
    """The way of most merit, each with every ratio; of equals the first."""
    found = []
    for way in ways:
        joined = run_smoother(way.smoothing, choose)
        for ratio in ratios:
            merit = tally_score(tally(shown_labels(joined, ratio), choose.truth, choose.seconds))
            found.append(replace(way, ratio=ratio, merit=merit))
    return max(found, key=lambda way: way.merit)
