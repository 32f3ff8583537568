"""Lessons and observations whose figures can be worked out by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cssafe.observations import COLUMNS, EXPRESSION
from cssafe.store import Lesson, Workspace

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LESSON = Lesson("Maths 7a", "7a", "Maths", "R1", "Europe/Berlin", "consent", "published 1", "camera", "class", START)


def rows(tracks: int = 6, seconds: int = 1, start: datetime = START, **values: float) -> pd.DataFrame:
    """Observations of `tracks` faces over `seconds`, all alike."""
    plain = start.astimezone(UTC).replace(tzinfo=None)
    fill = dict.fromkeys(COLUMNS, 0.5) | {"frames": 5, "level": 1.0} | dict.fromkeys(EXPRESSION, 0.05)
    fill |= {"p_happy": 0.65} | values
    times = [plain + timedelta(seconds=s) for s in range(seconds) for _ in range(tracks)]
    frame = pd.DataFrame(fill, index=range(len(times)))
    frame["time"] = pd.Series(times, dtype="datetime64[us]")
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
