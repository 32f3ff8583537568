"""Synthetic term of lessons, marked as such (source "sample"), so that every chart can be tried at once.

Signals are drawn at random and scored by the formula, so that scores can be explained and rescored like any others. One
observation a face and minute instead of sixty keeps a term at about a quarter of a million rows. The effects (time of day,
weekday, subject, class) are invented to look plausible.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from cssafe.frames import MOVEMENTS, SIGNALS
from cssafe.labels import DEFAULT_ACTIVITY, FERPLUS
from cssafe.observations import COLUMNS, EXPRESSION, POSITION
from cssafe.scoring.formula import Formula, default_formula
from cssafe.scoring.rescoring import score_observations
from cssafe.settings import Profile
from cssafe.signals.pose import STRAIGHT_GAZE
from cssafe.store import Lesson, Workspace

TIME_ZONE = "Europe/Berlin"
MINUTES = 45

STARTS = (time(8, 0), time(8, 50), time(9, 55), time(10, 45), time(11, 50), time(13, 30))
OF_DAY = (-0.02, 0.03, 0.05, 0.02, -0.03, -0.09)
OF_WEEK = (-0.03, 0.02, 0.03, 0.01, -0.05)
CLASSES = {"7a": (26, 0.02), "8b": (23, -0.04), "9c": (20, 0.03)}
"""Class -> number of faces, effect on concentration."""
SUBJECTS = {
    "Mathematics": ("Room 12", -0.02),
    "English": ("Room 12", 0.01),
    "Biology": ("Lab", 0.05),
    "History": ("Room 7", -0.04),
}
"""Subject -> room, effect on concentration."""
MOOD = dict.fromkeys(FERPLUS, 0.0) | {"happy": 5.0, "sad": -5.0, "angry": -5.0}
"""Emotion -> logarithm of the factor of its probability, for each unit of the lesson's effect."""

OCCUPIED = 0.75
"""Share of the week's slots in which this teacher has a lesson."""

COLUMNS_OF_SEATS = 8
"""Faces beside each other in the picture."""

MARKERS = ((12, "question"), (22, "demonstration"), (38, "quiz"))

MIXTURE = dict(zip(FERPLUS, (9.0, 2.2, 0.7, 1.0, 0.6, 0.15, 0.2, 0.25), strict=True))
"""Parameters of the Dirichlet distribution of a face's usual probabilities: mostly neutral."""


def add_term(
    workspace: Workspace,
    profile: Profile,
    seed: int = 0,
    weeks: int = 12,
    progress: Callable[[float], object] | None = None,
) -> list[int]:
    """Replace the synthetic lessons by a term of the `weeks` school weeks before this one; numbers of the new lessons.

    profile: the workspace's; without expression the term has no emotions, and its scores are attention alone.
    progress: called with the share done, 0 to 1.
    """
    remove_term(workspace)
    monday = date.today() - timedelta(days=date.today().weekday())
    random = np.random.default_rng(seed)
    timetable = _timetable(random)
    numbers: list[int] = []
    lessons: list[Lesson] = []
    for week in range(weeks):
        lessons, parts = _week(random, timetable, monday - timedelta(weeks=weeks - week), profile)
        if lessons:
            ended = [lesson.started + timedelta(minutes=MINUTES) for lesson in lessons]
            numbers += workspace.add(lessons, ended, pd.concat(parts, ignore_index=True))
        if progress is not None:
            progress((week + 1) / weeks)
    for number, lesson in zip(numbers[-len(lessons) :], lessons, strict=True):  # of the last week, for the timelines
        for minute, kind in MARKERS:
            workspace.add_marker(number, kind, lesson.started + timedelta(minutes=minute))
    return numbers


def _week(
    random: np.random.Generator, timetable: dict[tuple[int, int], tuple[str, str]], monday: date, profile: Profile
) -> tuple[list[Lesson], list[pd.DataFrame]]:
    """Lessons of the week and the observations of each, with `lesson` as its index."""
    formula = default_formula(profile.expression)
    lessons: list[Lesson] = []
    parts: list[pd.DataFrame] = []
    for (day, slot), (class_name, subject) in timetable.items():
        if random.random() < 0.06:  # holidays, outings, an ill teacher
            continue
        started = datetime.combine(monday + timedelta(days=day), STARTS[slot], ZoneInfo(TIME_ZONE))
        name, room = f"{subject} {class_name}", SUBJECTS[subject][0]
        about = (name, class_name, subject, room, TIME_ZONE, profile.name, str(formula), "sample", "class", started)
        effect = OF_DAY[slot] + OF_WEEK[day] + CLASSES[class_name][1] + SUBJECTS[subject][1]
        rows = _observations(random, started, effect, CLASSES[class_name][0], formula)
        parts.append(rows.assign(lesson=len(lessons)))
        lessons.append(Lesson(*about))
    return lessons, parts


def has_term(workspace: Workspace) -> bool:
    """Whether some lessons are synthetic."""
    with workspace.cursor() as cursor:
        return cursor.execute("SELECT lesson FROM lessons WHERE source = 'sample' LIMIT 1").fetchone() is not None


def remove_term(workspace: Workspace) -> None:
    """Delete the synthetic lessons, and no others."""
    with workspace.cursor() as cursor:
        rows = cursor.execute("SELECT lesson FROM lessons WHERE source = 'sample'").fetchall()
    if rows:
        workspace.delete(*(lesson for (lesson,) in rows))


def _timetable(random: np.random.Generator) -> dict[tuple[int, int], tuple[str, str]]:
    """(weekday, slot) -> (class, subject), the same every week."""
    slots = [(day, slot) for day in range(5) for slot in range(len(STARTS))]
    taken = sorted(random.permutation(len(slots))[: round(OCCUPIED * len(slots))])
    pairs = [(class_name, subject) for class_name in CLASSES for subject in SUBJECTS]
    order = random.permutation(np.resize(np.arange(len(pairs)), len(taken)))
    return {slots[i]: pairs[p] for i, p in zip(taken, order, strict=True)}


def _observations(
    random: np.random.Generator, started: datetime, effect: float, faces: int, formula: Formula
) -> pd.DataFrame:
    """COLUMNS of one lesson, with random effects of lesson, face and minute. Faces look aside as often as brings their mean
    score near the level of these effects."""
    present = int(random.integers(round(0.8 * faces), faces + 1))
    shape = (MINUTES, present)
    progress = np.linspace(0, 1, MINUTES)[:, None]
    drift = 0.05 * np.sin(np.pi * progress) - 0.06 * progress + random.normal(0, 0.025, (MINUTES, 1))
    level = 0.6 + effect + random.normal(0, 0.05) + random.normal(0, 0.08, (1, present)) + drift
    mood = np.exp([MOOD[name] * effect for name in FERPLUS])
    usual = random.dirichlet(np.array(list(MIXTURE.values())) * mood, present)
    p = usual[None] * random.gamma(4, 0.25, (*shape, len(FERPLUS))) + 1e-6
    p /= p.sum(axis=2, keepdims=True)
    looking = random.random(shape) < level / (p @ formula.factors)
    drowsy = random.random(shape) < 0.03
    values = _signals(random, looking, drowsy)
    minutes = np.repeat(np.arange(MINUTES), present)
    begin = np.datetime64(started.astimezone(UTC).replace(tzinfo=None), "us")
    values |= {name: p[..., i] for i, name in enumerate(EXPRESSION)}
    turned_away = random.random(shape) < 0.04
    rows: dict[str, np.ndarray] = {
        name: np.where(turned_away, np.nan, value).ravel().astype(np.float32) for name, value in values.items()
    }
    rows |= {"score": random.uniform(0.7, 1, shape).ravel().astype(np.float32), "frames": np.ones(minutes.size, int)}
    rows |= {"time": begin + minutes * np.timedelta64(60, "s"), "track": np.tile(np.arange(1, present + 1), MINUTES)}
    front = pd.DataFrame({"time": [begin], "activity": [DEFAULT_ACTIVITY["class"]]})
    return score_observations(pd.DataFrame(rows), front, formula)[list(COLUMNS)]


def _signals(random: np.random.Generator, looking: np.ndarray, drowsy: np.ndarray) -> dict[str, np.ndarray]:
    """PLACE and SIGNALS, each (minutes, faces). looking, drowsy: bool of that shape."""
    shape, present = looking.shape, looking.shape[1]
    yaw = np.where(
        looking, random.uniform(-18, 18, shape), random.choice([-1, 1], shape) * random.uniform(38, 60, shape)
    )
    opened = np.where(drowsy, random.uniform(0.35, 0.45, shape), random.uniform(0.7, 1, shape))
    normal = {
        "yaw": yaw, "pitch": random.uniform(-5, 15, shape), "roll": random.normal(0, 5, shape),
        "gaze_x": random.normal(0, 0.02, shape), "gaze_y": STRAIGHT_GAZE + random.normal(0, 0.02, shape),
        "openness": 0.3 * opened, "eyes_open": opened,
        "size": np.broadcast_to(random.uniform(30, 90, (1, present)), shape),
        "sharpness": random.normal(40, 8, shape).clip(2),
        "blinks": random.normal(15, 5, shape).clip(0), "perclos": np.where(drowsy, 0.2, random.beta(1.5, 28, shape)),
        "mouth": random.beta(1.2, 20, shape), "yawning": (random.random(shape) < 0.005).astype(float),
        "hidden": random.beta(1, 15, shape), "quality": random.beta(8, 3, shape),
    }  # fmt: skip
    normal |= {name: random.normal(0, 2, shape) for name in MOVEMENTS}
    row, column = np.divmod(np.arange(present), COLUMNS_OF_SEATS)
    place = (0.08 + 0.12 * column, 0.3 + 0.15 * row, np.full(present, 0.04), np.full(present, 0.08))
    normal |= {name: np.broadcast_to(value, shape) for name, value in zip(POSITION, place, strict=True)}
    return {name: normal[name] for name in (*POSITION, *SIGNALS)}
