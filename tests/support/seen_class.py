"""A class of known truth, second by second, and what a camera sees of it: the generator behind the bars of the class figure.

Written from the description of the model alone; it shares no code with the figures it tests. Each student turns on and off
task; each second a face is found with a probability that depends on where it looks, so that those off task are often unseen.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from cssafe.observations import COLUMNS

STUDENTS, SECONDS = 24, 2700
ON, ASIDE, DOWN, DESK = range(4)
YAW = np.array([0.0, 45.0, 10.0, 20.0])
PITCH = np.array([0.0, 5.0, 50.0, 75.0])
"""Degrees of the head in each of the four states."""

SD_STUDENT, SD_LESSON, SD_SLOW, SD_FAST = 0.8, 0.25, 0.25, 0.15
"""Standard deviations on the logit scale."""

SLOW_S, FAST_S = 300.0, 30.0
"""Seconds over which the two moods of the class are forgotten."""


@dataclass(frozen=True)
class Row:
    """One row of detection. found: probability of a face on task, aside, down, on the desk. spells: drawn once a dwell.
    lossless: nobody is hidden by others, late or early. height: of the boxes, pixels."""

    name: str
    found: tuple[float, float, float, float]
    spells: bool = False
    lossless: bool = False
    height: float = 60.0


ALL_SEEN = Row("all seen", (1, 1, 1, 1), lossless=True)
PLAUSIBLE = Row("plausible room", (0.97, 0.55, 0.30, 0.02))
DRAWN = Row("drawn heads", (0.98, 0.40, 0.06, 0.0), height=48)
SMALL = Row("small faces", (0.50, 0.50, 0.50, 0.50), height=26)
SPELLS = Row("spells", (0.97, 0.55, 0.30, 0.02), spells=True)
ROWS = (ALL_SEEN, PLAUSIBLE, DRAWN, SMALL, SPELLS)


@dataclass(frozen=True)
class SeenClass:
    """state: int8 (students, seconds). present, found: bool (students, seconds). factor: expression, (students,)."""

    row: Row
    state: np.ndarray
    present: np.ndarray
    found: np.ndarray
    factor: np.ndarray
    expected_on_task: np.ndarray
    """Probability of being on task of a student drawn by chance, given the class's course, (seconds,)."""

    @property
    def truth(self) -> float:
        """Mean concentration over the students present and the seconds."""
        return float((self.factor[:, None] * (self.state == ON))[self.present].mean())

    def truth_by_second(self) -> np.ndarray:
        value = np.where(self.present, self.factor[:, None] * (self.state == ON), 0).sum(axis=0)
        return value / self.present.sum(axis=0)


def course(start: float, end: float, seconds: int = SECONDS) -> np.ndarray:
    """Logits at which a class is on task by those shares at its start and end, on average over students and moods."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    spread = np.sqrt(SD_STUDENT**2 + SD_LESSON**2 + SD_SLOW**2 + SD_FAST**2)
    grid = np.linspace(-6, 6, 601)
    share = (_logistic(grid[:, None] + spread * nodes) * weights).sum(axis=1) / weights.sum()
    return np.interp(np.linspace(start, end, seconds), share, grid)


def seen_class(
    random: np.random.Generator,
    row: Row,
    logits: np.ndarray | None = None,
    *,
    heads_down_from: int | None = None,
    students: int = STUDENTS,
) -> SeenClass:
    """Draw a class. logits: (seconds,), of being on task; None for the usual course. heads_down_from: second from which 60 % of
    the class lay their heads on the desk."""
    logits = course(0.80, 0.50) if logits is None else logits
    seconds = len(logits)
    common = logits + random.normal(0, SD_LESSON)
    common = common + _mood(random, seconds, SD_SLOW, SLOW_S) + _mood(random, seconds, SD_FAST, FAST_S)
    own = random.normal(0, SD_STUDENT, students)
    dwell = random.uniform(6, 25, students)
    redraw = random.random((students, seconds)) < 1 / dwell[:, None]
    redraw[:, 0] = True
    spell = np.cumsum(redraw, axis=1) - 1
    on = random.random((students, seconds)) < _logistic(common + own[:, None])
    state = np.where(on, ON, random.choice([ASIDE, DOWN, DESK], (students, seconds), p=[0.4, 0.4, 0.2])).astype(np.int8)
    begun = np.maximum.accumulate(np.where(redraw, np.arange(seconds), 0), axis=1)
    state = np.take_along_axis(state, begun, axis=1)
    if heads_down_from is not None:
        state[random.permutation(students)[: round(0.6 * students)], heads_down_from:] = DESK
    draws = random.random((students, seconds))
    if row.spells:
        # a stretch of one state is found or lost as a whole
        draws = np.take_along_axis(draws, np.where(spell >= 0, begun, 0), axis=1)
    found = draws < np.array(row.found)[state]
    present = np.ones((students, seconds), bool)
    if not row.lossless:
        _hide(random, found)
        _come_and_go(random, present)
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    expected = (_logistic(common[:, None] + SD_STUDENT * nodes) * weights).sum(axis=1) / weights.sum()
    return SeenClass(row, state, present, found & present, random.beta(12, 2.5, students), expected)


def observations(random: np.random.Generator, seen: SeenClass, start: datetime) -> pd.DataFrame:
    """Rows of observations.COLUMNS, as a room camera gives them: places with noise, tracks that break after two missed seconds.
    start: naive UTC, a whole second."""
    students = len(seen.found)
    columns = int(np.ceil(np.sqrt(students * 1.8)))
    line, place = np.divmod(np.arange(students), columns)
    height = seen.row.height / 720
    middle = np.stack([(place + 0.5) / columns, 0.15 + 2.2 * height * line], axis=1)
    who, when = np.nonzero(seen.found)
    first = np.r_[True, (np.diff(who) != 0) | (np.diff(when) > 2)]
    track = np.cumsum(first)
    on = seen.state[who, when] == ON
    data = {name: np.full(len(who), np.nan, np.float32) for name in COLUMNS}
    jitter = random.normal(0, 0.04, (len(who), 2)) * height
    data |= {
        "time": pd.to_datetime(start) + pd.to_timedelta(when, unit="s"),
        "track": track.astype(np.int32),
        "frames": np.full(len(who), 3),
        "score": np.full(len(who), 0.9, np.float32),
        "x": middle[who, 0] + jitter[:, 0] * 720 / 1280,
        "y": middle[who, 1] + jitter[:, 1],
        "w": np.full(len(who), 0.8 * height * 720 / 1280),
        "h": height * random.lognormal(0, 0.03, len(who)),
        "yaw": YAW[seen.state[who, when]] + random.normal(0, 3, len(who)),
        "pitch": PITCH[seen.state[who, when]] + random.normal(0, 3, len(who)),
        "size": np.full(len(who), seen.row.height, np.float32),
        "hidden": np.full(len(who), 0.05, np.float32),
        "quality": np.where(on, 0.84, 0.32),
        "attention": on.astype(np.float32),
        "concentration": (on * seen.factor[who]).astype(np.float32),
    }
    data["level"] = np.select([data["concentration"] < 0.25, data["concentration"] > 0.65], [0.0, 2.0], 1.0)
    rows = pd.DataFrame(data)[list(COLUMNS)].sort_values(["time", "track"], ignore_index=True)
    rows["time"] = rows["time"].astype("datetime64[us]")
    return rows


def _hide(random: np.random.Generator, found: np.ndarray) -> None:
    """Somebody in front: 0.12 times a minute for 4 to 40 s."""
    students, seconds = found.shape
    for student in range(students):
        for begun in random.uniform(0, seconds, random.poisson(0.12 * seconds / 60)):
            found[student, int(begun) : int(begun + random.uniform(4, 40))] = False


def _come_and_go(random: np.random.Generator, present: np.ndarray) -> None:
    """6 % come 1 to 15 minutes late, 4 % leave as much earlier."""
    seconds = present.shape[1]
    for student in np.flatnonzero(random.random(len(present)) < 0.06):
        present[student, : int(random.uniform(60, 900))] = False
    for student in np.flatnonzero(random.random(len(present)) < 0.04):
        present[student, seconds - int(random.uniform(60, 900)) :] = False


def _mood(random: np.random.Generator, seconds: int, sd: float, memory_s: float) -> np.ndarray:
    """An Ornstein-Uhlenbeck process of that standard deviation."""
    keep = np.exp(-1 / memory_s)
    noise = random.normal(0, sd * np.sqrt(1 - keep**2), seconds)
    noise[0] = random.normal(0, sd)
    mood = np.zeros(seconds)
    mood[0] = noise[0]
    for second in range(1, seconds):
        mood[second] = keep * mood[second - 1] + noise[second]
    return mood


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
