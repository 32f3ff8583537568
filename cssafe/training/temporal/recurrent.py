"""GRU smoother: its network and its training. It is compared, not served (docs/method.md).

One GRU handles each emotion by itself: its probability now, against the strongest other one, and the time since the last
measurement. So it learns how evidence adds up over time, not which emotions its few pictures show. (A GRU over all emotions at
once was worse than none on other pictures: models/LOG.md.)
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from cssafe.labels import FERPLUS
from cssafe.training.temporal.sequences import Sequences, seconds_since_measured
from cssafe.training.temporal.smoothers import MIN_PROBABILITY

UNITS = 16
"""Of the GRU: 8 did as well and 32 worse on the sequences to choose on (models/LOG.md)."""

WINDOW = 64
"""Frames of a training window: longer ones are mostly filling."""

MAX_GAP_S = 2.0
"""Limit of the time since the last measured frame: a track ends after 1.5 s without a face."""

EPOCHS, BATCH, RATE = 40, 32, 1e-2
"""Passes over the windows, windows a step, and Adam's highest learning rate."""

EMOTIONS = len(FERPLUS)


class Recurrent:
    """The layers, and the two networks that share them: over whole windows to train, one step at a time to run."""

    def __init__(self) -> None:
        self.memory = layers.GRU(UNITS, return_sequences=True, name="memory")
        # From zero: the untrained answer is the expression network's own.
        self.change = layers.Dense(1, kernel_initializer="zeros", name="change")
        self.windows, self.step = self._windows(), self._step()

    def _windows(self) -> keras.Model:
        """Probabilities (n, WINDOW, 8), seconds since the last measured frame (n, WINDOW), measured or not, bool (n, WINDOW)
        -> probabilities (n, WINDOW, 8)."""
        now = keras.Input((WINDOW, EMOTIONS), name="now")
        passed = keras.Input((WINDOW,), name="passed")
        measured = keras.Input((WINDOW,), dtype="bool", name="measured")
        logs, evidence = _evidence(now, passed)
        each = ops.reshape(ops.transpose(evidence, (0, 2, 1, 3)), (-1, WINDOW, evidence.shape[-1]))
        states = self.memory(each, mask=ops.repeat(measured, EMOTIONS, axis=0))
        change = ops.transpose(ops.reshape(self.change(states), (-1, EMOTIONS, WINDOW)), (0, 2, 1))
        return keras.Model([now, passed, measured], ops.softmax(logs + change))

    def _step(self) -> keras.Model:
        """Probabilities (n, 8), seconds since the last measured frame (n,), state (n, 8, UNITS) -> probabilities (n, 8) and
        the state after."""
        now = keras.Input((EMOTIONS,), name="now")
        passed = keras.Input((), name="passed")
        state = keras.Input((EMOTIONS, UNITS), name="state")
        logs, evidence = _evidence(now, passed)
        each = ops.reshape(evidence, (-1, evidence.shape[-1]))
        after, _ = self.memory.cell(each, [ops.reshape(state, (-1, UNITS))])
        change = ops.reshape(self.change(after), (-1, EMOTIONS))
        outputs = {"probabilities": ops.softmax(logs + change), "after": ops.reshape(after, (-1, EMOTIONS, UNITS))}
        return keras.Model([now, passed, state], outputs)

    # As smoothers.Smoothing; the state is the GRU's, of each emotion.

    start = np.zeros((EMOTIONS, UNITS), np.float32)

    def __call__(self, now: np.ndarray, states: np.ndarray, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if len(now) == 0:
            return now, states
        told = self.step([now, passed.astype(np.float32), states])
        return ops.convert_to_numpy(told["probabilities"]), ops.convert_to_numpy(told["after"])


def _evidence(now: Any, passed: Any) -> tuple[Any, Any]:
    """Logarithms of probabilities (..., 8), and of each emotion four numbers of about unit size, (..., 8, 4)."""
    logs = ops.log(ops.maximum(now, MIN_PROBABILITY))
    others = ops.max(ops.expand_dims(logs, -2) - 1e3 * np.eye(EMOTIONS, dtype=np.float32), axis=-1)
    waited = ops.expand_dims(ops.minimum(passed, MAX_GAP_S), -1) + 0 * logs
    return logs, ops.stack([logs / 3, (logs - others) / 5, waited, ops.log(waited + 0.05)], axis=-1)


def train_gru(made: Sequences, steadiness: float, seed: int = 0) -> Recurrent:
    """Train on sequences with known truth.

    Args:
        steadiness: cost of moving the whole probability to another emotion between two frames of one truth, in units of the
            cross-entropy of one frame. Without it a GRU flickers as much as a short average.
    """
    keras.utils.set_random_seed(seed)
    network = Recurrent()

    def loss(target: Any, answer: Any) -> Any:
        truth, counts, same = target[..., :EMOTIONS], target[..., EMOTIONS], target[:, 1:, EMOTIONS + 1]
        wrong = -ops.sum(truth * ops.log(answer + 1e-7), axis=-1) * counts
        moved = ops.sum(ops.abs(answer[:, 1:] - answer[:, :-1]), axis=-1) / 2 * same
        return (ops.sum(wrong) + steadiness * ops.sum(moved)) / ops.maximum(ops.sum(counts), 1.0)

    given, target = training_windows(made)
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(target) // BATCH))
    network.windows.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss=loss)
    network.windows.fit(given, target, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return network


def training_windows(made: Sequences) -> tuple[list[np.ndarray], np.ndarray]:
    """Sequences cut into windows of WINDOW frames: inputs of the network, and float32 (n, WINDOW, 10): the truth as eight
    shares, whether the frame counts, and whether the one before it counts and has the same truth."""
    counts = made.measured & (made.truth >= 0)
    same = np.zeros(counts.shape, bool)
    same[:, 1:] = counts[:, 1:] & counts[:, :-1] & (made.truth[:, 1:] == made.truth[:, :-1])
    now = np.nan_to_num(made.probabilities, nan=1 / EMOTIONS)
    truth = np.eye(EMOTIONS)[made.truth]
    target = np.concatenate([truth, counts[..., None], same[..., None]], axis=-1).astype(np.float32)
    kept = _cut(counts).any(axis=1)
    given = [_cut(values)[kept] for values in (now, seconds_since_measured(made).astype(np.float32), made.measured)]
    return given, _cut(target)[kept]


def _cut(values: np.ndarray) -> np.ndarray:
    """(n, t, ...) -> (n * windows, WINDOW, ...), filled up with zeros."""
    n, t = values.shape[:2]
    filled = np.pad(values, [(0, 0), (0, -t % WINDOW), *[(0, 0)] * (values.ndim - 2)])
    return filled.reshape(n * (filled.shape[1] // WINDOW), WINDOW, *values.shape[2:])
