"""Temporal smoothers of a face's probabilities, run over whole sequences, and the choice among them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cssafe.expression import smooth
from cssafe.labels import FERPLUS
from cssafe.training.temporal.metrics import shown_labels, tally, tally_score
from cssafe.training.temporal.sequences import Sequences, seconds_since_measured

MIN_PROBABILITY = 1e-3
"""Lower limit of probabilities before the logarithm."""


class Smoothing(Protocol):
    """A recursive smoother. start: float32, the state of a face before its first measurement."""

    start: np.ndarray

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Update with the measurements of one frame.

        Args:
            now: probabilities float32 (n, 8) of n different faces, rows sum to 1.
            states: float32 (n, *start.shape).
            passed: seconds since each was measured last, (n,), 0 and more.

        Returns:
            probabilities float32 (n, 8), rows sum to 1, and the new states.
        """


class Unsmoothed:
    """Each frame by itself."""

    start = np.zeros(0, np.float32)

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As Smoothing; no state."""
        return now, states


class Average:
    """The pipeline's exponential average of the probabilities; half_life: seconds."""

    start = np.full(len(FERPLUS), np.nan, np.float32)

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As Smoothing; the state is the average."""
        joined = smooth(now, states, passed, self._half_life)
        return joined, joined


class LogAverage:
    """Exponential average of the logarithms of the probabilities: a weighted geometric mean, normalised."""

    start = Average.start

    def __init__(self, half_life: float) -> None:
        self._average = Average(half_life)

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As Smoothing; the state is the average of the logarithms."""
        logs, states = self._average(np.log(np.maximum(now, MIN_PROBABILITY)), states, passed)
        powers = np.exp(logs)
        return powers / powers.sum(axis=1, keepdims=True), states


@dataclass(frozen=True)
class Smoother:
    """smoothing: of the probabilities. ratio: hysteresis of the shown label, 1 for none (metrics.shown_labels). merit:
    metrics.tally_score on the sequences to choose on, NaN before."""

    name: str
    smoothing: Smoothing
    ratio: float = 1.0
    merit: float = float("nan")

    def __str__(self) -> str:
        return self.name if self.ratio == 1 else f"{self.name}, hysteresis {self.ratio:g}"


def run_smoother(smoothing: Smoothing, sequences: Sequences) -> np.ndarray:
    """Run over all sequences at once, frame by frame: probabilities (n, t, 8), NaN where nothing was measured."""
    states = np.repeat(smoothing.start[None], len(sequences), axis=0)
    joined = np.full_like(sequences.probabilities, np.nan)
    waited, measured = seconds_since_measured(sequences), sequences.measured
    for i in range(sequences.truth.shape[1]):
        rows = measured[:, i]
        joined[rows, i], states[rows] = smoothing(sequences.probabilities[rows, i], states[rows], waited[rows, i])
    return joined


def choose_smoother(ways: Sequence[Smoother], choose: Sequences, ratios: Sequence[float]) -> Smoother:
    """The smoother of highest merit, each with every ratio; of equals the first."""
    found = []
    for way in ways:
        joined = run_smoother(way.smoothing, choose)
        for ratio in ratios:
            merit = tally_score(tally(shown_labels(joined, ratio), choose.truth, choose.seconds))
            found.append(replace(way, ratio=ratio, merit=merit))
    return max(found, key=lambda way: way.merit)
