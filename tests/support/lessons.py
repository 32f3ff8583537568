"""Lessons and observations whose figures can be worked out by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.observations import COLUMNS, EXPRESSION
from cssafe.store import Lesson, Workspace

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LESSON = Lesson(
    "Maths 7a", "7a", "Maths", "R1", "Europe/Berlin", "consent", "concentration 3", "camera", "class", START
)


def rows(tracks: int = 6, seconds: int = 1, start: datetime = START, **values: float) -> pd.DataFrame:
    """Observations of `tracks` faces over `seconds`, all alike, whose heads nod to the side from second to second."""
    plain = start.astimezone(UTC).replace(tzinfo=None)
    fill = dict.fromkeys(COLUMNS, 0.5) | {"frames": 5, "level": 1.0} | dict.fromkeys(EXPRESSION, 0.05)
    fill |= {"p_happy": 0.65, "size": 60.0} | values
    times = [plain + timedelta(seconds=s) for s in range(seconds) for _ in range(tracks)]
    frame = pd.DataFrame(fill, index=range(len(times)))
    frame["time"] = pd.Series(times, dtype="datetime64[us]")
    if "roll" not in values:
        frame["roll"] = 10.0 * ((frame["time"].dt.second + frame["time"].dt.minute) % 2)
    frame["track"] = np.tile(np.arange(tracks, dtype=np.int32), seconds)
    return frame[list(COLUMNS)]


def add(workspace: Workspace, *parts: pd.DataFrame, lesson: Lesson = LESSON) -> int:
    """One ended lesson with these observations."""
    number = workspace.start_lesson(lesson)
    for part in parts:
        workspace.record(number, part)
    workspace.end_lesson(number, lesson.started + timedelta(minutes=45))
    return number


def uneven(*values: float, **others: float) -> pd.DataFrame:
    """One second of faces with these concentrations."""
    return rows(tracks=len(values), **others).assign(concentration=np.array(values, float))


PERIODS = [{"name": "1", "start": "09:00", "end": "09:45"}, {"name": "2", "start": "09:45", "end": "10:30"}]
LOOKING = {"yaw": 0.0, "pitch": 0.0, "gaze_x": 0.0, "eyes_open": 1.0}
AWAY = LOOKING | {"yaw": 50.0}
FRONT = pd.DataFrame({"time": [pd.Timestamp(START.replace(tzinfo=None))], "activity": ["front"]})
NEUTRAL = {f"p_{name}": float(name == "neutral") for name in FERPLUS}


def mixed(seconds=6, tracks=6, seed=0):
    """Observations with everything in them: all directions and lids, all emotions, and some that cannot be measured."""
    table = rows(tracks, seconds)
    draw = np.random.default_rng(seed)
    table["yaw"], table["pitch"] = draw.normal(0, 25, len(table)), draw.normal(10, 20, len(table))
    table["gaze_x"], table["eyes_open"] = draw.uniform(-0.7, 0.7, len(table)), draw.uniform(0, 1, len(table))
    table[[f"p_{name}" for name in FERPLUS]] = draw.dirichlet(np.ones(8), len(table))
    table.loc[::7, ["yaw", "pitch", "gaze_x", "eyes_open"]] = np.nan
    return table
