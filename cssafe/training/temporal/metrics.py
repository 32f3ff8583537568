"""Accuracy, flicker and delay of labels over time: pure functions of arrays.

Labels int (n, t) of n sequences are indices into FERPLUS, -1 where none is shown; truth int (n, t) likewise, -1 where unknown;
seconds (n, t) rise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cssafe.training.expression.metrics import RESAMPLES, safe_ratio

MIN_HOLD_S = 0.5
"""Time that a label must stay to count as reached: the shortest expression (Ekman 2003)."""

MEASURES = ("accuracy", "flicker", "median delay", "mean delay")
"""Share of frames; changes a second; seconds; seconds."""

CHANGE_COST_S = 0.1
"""Seconds of a wrong label equal to one needless change in `tally_score`: about the time to notice one (assumption)."""


@dataclass(frozen=True)
class Tally:
    """Counts of n sequences, to be resampled.

    right, frames: int (n,), frames with the right label, and with any where the truth is known. changes: int (n,), needless
    changes of the label under constant truth; constant: (n,), its seconds. delays: n arrays, seconds from each true change to
    the new label.
    """

    right: np.ndarray
    frames: np.ndarray
    changes: np.ndarray
    constant: np.ndarray
    delays: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.right)


def shown_labels(probabilities: np.ndarray, ratio: float = 1.0) -> np.ndarray:
    """The label shown in each frame, int (n, t), -1 where nothing was measured, from probabilities (n, t, 8) with NaN there.

    ratio: hysteresis; a label replaces the one shown when its probability is `ratio` times as high. 1: the most probable.
    """
    measured = ~np.isnan(probabilities[..., 0])
    strongest = np.where(measured, np.nan_to_num(probabilities, nan=-1).argmax(axis=-1), -1)
    rows, shown = np.arange(len(strongest)), np.full(len(strongest), -1)
    said = np.empty_like(strongest)
    for i in range(strongest.shape[1]):
        new = strongest[:, i]
        clearly = probabilities[rows, i, new] >= ratio * probabilities[rows, i, shown]
        shown = np.where(measured[:, i] & (clearly | (shown < 0)), new, shown)
        said[:, i] = np.where(measured[:, i], shown, -1)
    return said


def tally(labels: np.ndarray, truth: np.ndarray, seconds: np.ndarray) -> Tally:
    """Counts of each sequence."""
    counted = (labels >= 0) & (truth >= 0)
    changes, constant = flicker(labels, truth, seconds)
    right = (counted & (labels == truth)).sum(axis=1)
    return Tally(right, counted.sum(axis=1), changes, constant, tuple(delays(labels, truth, seconds)))


def flicker(labels: np.ndarray, truth: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Needless changes of the label under constant truth, and seconds of constant truth, of each sequence, (n,) each.

    Changes between shown labels are counted in each stretch of constant truth, from the label shown last before it. One is
    needed where the last label of the stretch differs from that one, and not counted; its lateness is delay, not flicker.
    """
    changes, constant = np.zeros(len(labels), int), np.zeros(len(labels))
    for i in range(len(labels)):
        for begin, end in stretches(truth[i]):
            constant[i] += seconds[i, end - 1] - seconds[i, begin]
            before, shown = _shown(labels[i, :begin])[-1:], _shown(labels[i, begin:end])
            needed = len(before) > 0 and len(shown) > 0 and before[0] != shown[-1]
            changes[i] += np.count_nonzero(np.diff(np.concatenate([before, shown]))) - needed
    return changes, constant


def delays(labels: np.ndarray, truth: np.ndarray, seconds: np.ndarray) -> list[np.ndarray]:
    """Seconds from each true change to the frame from which the new label is shown for MIN_HOLD_S, or until the truth changes
    again or is unknown; of each sequence. The whole time until then where that never happens."""
    found = []
    for i in range(len(labels)):
        parts, waits = stretches(truth[i]), []
        for (before, _), (begin, end) in pairwise(parts):
            if truth[i, before] != truth[i, begin]:
                frames = np.flatnonzero(labels[i, begin:end] >= 0) + begin
                reached = _reached(labels[i, frames] == truth[i, begin], seconds[i, frames], seconds[i, end - 1])
                waits.append(reached - seconds[i, begin])
        found.append(np.array(waits))
    return found


def stretches(truth: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of each run of one known label in truth (t,)."""
    edges = np.flatnonzero(np.diff(truth, prepend=-2, append=-2))
    return [(int(a), int(b)) for a, b in pairwise(edges) if truth[a] >= 0]


def measure_values(counted: Tally, rows: np.ndarray | None = None) -> np.ndarray:
    """MEASURES over all sequences, or over the given rows, (4,); 0 where a denominator is 0."""
    rows = np.arange(len(counted)) if rows is None else rows
    waits = np.concatenate([np.zeros(0), *(counted.delays[i] for i in rows)])
    return np.array(
        [
            safe_ratio(counted.right[rows].sum(), counted.frames[rows].sum()),
            safe_ratio(counted.changes[rows].sum(), counted.constant[rows].sum()),
            np.median(waits) if len(waits) else 0.0,
            waits.mean() if len(waits) else 0.0,
        ]
    )


def tally_score(counted: Tally) -> float:
    """Score by which a smoother is chosen: share of right frames (a delay is wrong frames too), less CHANGE_COST_S for each
    needless change a second."""
    accuracy, changes = measure_values(counted)[:2]
    return float(accuracy - CHANGE_COST_S * changes)


def resample_measures(several: Sequence[Tally], seed: int = 0) -> np.ndarray:
    """MEASURES of several smoothers over the same sequences, resampled RESAMPLES times, the same draws for all:
    (several, RESAMPLES, 4). For the percentile bootstrap (Efron 1979) of figures and differences."""
    n = len(several[0])
    draws = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n)) if n else np.zeros((RESAMPLES, 0), int)
    return np.array([[measure_values(counted, rows) for rows in draws] for counted in several])


def percentile_interval(drawn: np.ndarray) -> np.ndarray:
    """95 % interval of resampled figures (RESAMPLES, k): lower and upper ends (2, k)."""
    return np.quantile(drawn, (0.025, 0.975), axis=0)


@dataclass(frozen=True)
class Difference:
    """Advantage of one smoother over another on the same sequences, in MEASURES, (4,) each: above 0 it is better.
    middle: over all. low, high: 95 % interval."""

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def better(self) -> np.ndarray:
        """Clearly better: the interval lies above 0; bool (4,)."""
        return self.low > 0

    @property
    def worse(self) -> np.ndarray:
        """Clearly worse: the interval lies below 0; bool (4,)."""
        return self.high < 0


def compare_tallies(one: Tally, other: Tally) -> Difference:
    """Advantage of one smoother over another."""
    sign = np.array([1, -1, -1, -1])  # of accuracy more is better, of the others less
    first, second = resample_measures([one, other])
    low, high = percentile_interval(sign * (first - second))
    return Difference(sign * (measure_values(one) - measure_values(other)), low, high)


def _shown(labels: np.ndarray) -> np.ndarray:
    return labels[labels >= 0]


def _reached(right: np.ndarray, seconds: np.ndarray, end: float) -> float:
    """First of the times (t,) from which `right` (t,) holds for MIN_HOLD_S, or to the last; `end` if none."""
    for first in np.flatnonzero(right):
        wrong = np.flatnonzero(~right[first:])
        if not len(wrong) or seconds[first + wrong[0]] - seconds[first] >= MIN_HOLD_S:
            return float(seconds[first])
    return end
