"""A simulated class: FrameResults as the pipeline gives them, of people about whom everything is known beforehand.

It proves what stands behind the networks: tracker, formula, observations, tables, intervals, responses, alerts, seats. What
the networks themselves see is proven elsewhere, on pictures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from cssafe.frames import SIGNALS, Faces, FrameResult, Signals
from cssafe.labels import DEFAULT_ACTIVITY, FERPLUS
from cssafe.scoring import concentration
from cssafe.scoring.formula import Formula
from cssafe.vision.tracker import Tracker

WIDTH, HEIGHT = 1280, 720
"""Pixels of the picture."""

AWAY = 45.0
"""Degrees by which a face that does not look to the front is turned."""

GLANCE = 5.0
"""Seconds for which a restless face does something else."""

SWELL = 20.0
"""Seconds after which the mood of the class has mostly changed."""

GONE = (5.0, 40.0)
"""Seconds for which a lost face stays away: longer than the tracker waits."""

PERCLOS = (20.0, 60.0)
"""Seconds a face must have been seen before its PERCLOS is told, and over which it is taken; see frames.Signals."""


@dataclass(frozen=True)
class Step:
    """What the class does from `at` (seconds from the start) until the next step.

    looking: share of the faces that look to the front, one for each of so many equal stripes of the picture, left to right.
    delay: seconds until half of those who turn have turned; all have after twice as long. emotions: mean probability of each
    that is named; neutral is what remains. perclos: share of the time with closed eyes. hidden: share of the faces that
    something hides.
    """

    at: float = 0.0
    looking: tuple[float, ...] = (0.9,)
    delay: float = 0.0
    emotions: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"happy": 0.1, "sad": 0.05}))
    perclos: float = 0.05
    hidden: float = 0.0

    @property
    def mixture(self) -> np.ndarray:
        """Mean probability of every emotion, (8,)."""
        shares = np.array([self.emotions.get(name, 0.005) for name in FERPLUS])
        shares[FERPLUS.index("neutral")] = 0
        shares[FERPLUS.index("neutral")] = 1 - shares.sum()
        return shares


@dataclass(frozen=True)
class Plan:
    """A class and its lesson. rate: frames a second. noise: degrees by which a reading of the head is off, one standard
    deviation, of the best face; others are further off as their quality is less. restless: share of the time for which each
    face does the contrary of what its step says. mood: standard deviation of the share that looks to the front, up and down
    by itself and together. missing: share of the single frames in which a face is not found. lost: how often a face is lost
    in a minute. steps: the first one at 0. activity: of labels.ACTIVITIES."""

    faces: int = 24
    seconds: float = 120.0
    steps: tuple[Step, ...] = (Step(),)
    rate: float = 2.0
    noise: float = 3.0
    restless: float = 0.0
    mood: float = 0.0
    missing: float = 0.0
    lost: float = 0.0
    activity: str = DEFAULT_ACTIVITY["class"]
    seed: int = 0


def frames(plan: Plan, start: datetime, formula: Formula) -> Iterator[FrameResult]:
    """The lesson's frames one after the other. start: aware. formula: one without emotions gives results without."""
    random = np.random.default_rng(plan.seed)
    n, count = plan.faces, round(plan.seconds * plan.rate)
    times = np.arange(count) / plan.rate
    seats, sizes = _seats(random, n)
    step = np.zeros((count, n), int)
    reaction = 2 * _ranks(random, n)
    for number, what in enumerate(plan.steps[1:], 1):
        step[times[:, None] >= what.at + what.delay * reaction] = number

    shares = np.stack([_by_stripe(what.looking, seats) for what in plan.steps])  # (steps, n)
    mood = np.zeros(count)
    for i in range(1, count):
        keep = np.exp(-1 / plan.rate / SWELL)
        mood[i] = keep * mood[i - 1] + np.sqrt(1 - keep**2) * random.normal(0, plan.mood)
    faces = np.arange(n)
    front = _ranks_by_stripe(random, seats, max(len(what.looking) for what in plan.steps)) < (
        shares[step, faces] + mood[:, None]
    )
    block = ((times[:, None] + random.uniform(0, GLANCE, n)) // GLANCE).astype(int)
    front ^= (random.random((block.max(initial=0) + 1, n)) < plan.restless)[block, faces]

    closed = random.random((count, n)) < np.array([what.perclos for what in plan.steps])[step]
    hidden = _ranks(random, n) < np.array([what.hidden for what in plan.steps])[step]
    quality = np.where(hidden, 0.3, 1) * random.uniform(0.4, 1, n)
    there = random.random((count, n)) >= plan.missing
    for face, began in zip(*_losses(random, plan), strict=True):
        there[(times >= began) & (times < began + random.uniform(*GONE)), face] = False
    perclos = _over_the_last(closed, plan.rate)
    bias, side = random.normal(0, 4, (2, n)), random.choice([-1.0, 1.0], n)
    habits = np.stack([random.dirichlet(30 * what.mixture, n) for what in plan.steps])  # (steps, n, 8)

    tracker, levels = Tracker(), dict[int, int]()
    for i, second in enumerate(times):
        rows = random.permutation(np.flatnonzero(there[i]))
        k, off = len(rows), plan.noise / quality[i, rows]
        values = {name: np.full(k, np.nan) for name in SIGNALS} | {
            "yaw": np.where(front[i, rows], 0, AWAY * side[rows]) + bias[0, rows] + random.normal(0, off),
            "pitch": 4 + bias[1, rows] + random.normal(0, off),
            "roll": random.normal(0, off),
            "gaze_x": random.normal(0, 0.03, k),
            "gaze_y": random.normal(0, 0.03, k),
            "openness": np.where(closed[i, rows], 0.05, 0.3),
            "eyes_open": np.where(closed[i, rows], 0.15, 0.95),
            "perclos": perclos[i, rows],
            "size": sizes[rows],
            "sharpness": np.full(k, 30.0),
            "hidden": np.where(hidden[i, rows], 0.6, 0.05),
            "quality": quality[i, rows],
        }
        signals = Signals(**{name: np.asarray(value, np.float32) for name, value in values.items()})
        middles = seats[rows] * (WIDTH, HEIGHT) + random.normal(0, 0.03, (k, 2)) * sizes[rows, None]
        half = np.stack([0.4 * sizes[rows], 0.5 * sizes[rows]], axis=1)
        boxes = np.concatenate([middles - half, middles + half], axis=1).astype(np.float32)
        time = start + timedelta(seconds=float(second))
        tracks = tracker.update(boxes, time.timestamp())
        expression = None
        if formula.emotion is not None:
            drawn = random.standard_gamma(50 * habits[step[i, rows], rows])
            expression = (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)
        attending = concentration.attention(signals, formula, plan.activity)
        index = concentration.concentration(attending, expression, formula)
        before = np.array([levels.get(track, -1) for track in tracks.tolist()], np.int8)
        level = concentration.levels(index, before, formula)
        levels |= zip(tracks.tolist(), level.tolist(), strict=True)
        scores = np.full(k, 0.9, np.float32)
        yield FrameResult(
            time, WIDTH, HEIGHT, Faces(boxes, scores), tracks, signals, expression, attending, index, level
        )


def _seats(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Middles (n, 2) as shares of the picture, in rows that fill it, and heights of the faces (n,) in pixels."""
    columns = max(1, int(np.ceil(np.sqrt(n * WIDTH / HEIGHT))))
    row, column = np.divmod(np.arange(n), columns)
    middles = np.stack([(column + 0.5) / columns, (row + 0.5) / max(1, np.ceil(n / columns))], axis=1)
    return middles, random.uniform(64, 80, n)


def _ranks(random: np.random.Generator, n: int) -> np.ndarray:
    """Evenly spread over (0, 1), in an order by chance, (n,)."""
    return (random.permutation(n) + 0.5) / max(n, 1)


def _by_stripe(values: tuple[float, ...], seats: np.ndarray) -> np.ndarray:
    """The value of the stripe that each face sits in, (n,)."""
    return np.array(values)[(seats[:, 0] * len(values)).astype(int)]


def _ranks_by_stripe(random: np.random.Generator, seats: np.ndarray, stripes: int) -> np.ndarray:
    """Ranks within each of so many stripes, (n,)."""
    ranks, stripe = np.zeros(len(seats)), (seats[:, 0] * stripes).astype(int)
    for number in range(stripes):
        inside = stripe == number
        ranks[inside] = _ranks(random, int(inside.sum()))
    return ranks


def _losses(random: np.random.Generator, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Which face is lost, and when (seconds)."""
    number = random.poisson(plan.lost * plan.seconds / 60 * plan.faces)
    return random.integers(0, max(plan.faces, 1), number), random.uniform(0, plan.seconds, number)


def _over_the_last(closed: np.ndarray, rate: float) -> np.ndarray:
    """PERCLOS of every frame and face out of whether the eyes were closed, (frames, faces)."""
    sums = np.concatenate([np.zeros((1, closed.shape[1])), np.cumsum(closed, axis=0)])
    end = np.arange(1, len(closed) + 1)
    begin = np.maximum(0, end - round(PERCLOS[1] * rate))
    shares = (sums[end] - sums[begin]) / (end - begin)[:, None]
    shares[end < PERCLOS[0] * rate] = np.nan
    return shares


ROUGH = Plan(rate=1, missing=0.1, lost=0.3, restless=0.05, noise=4)
"""Frames in which faces are not found, faces that are lost for up to 40 s, glances away, poor readings."""
