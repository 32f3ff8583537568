"""Figures of a running lesson for display: of this moment and of the last minutes, where they may be shown."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from cssafe.live.alerts import Alert
from cssafe.live.transports.messages import Notice


@dataclass(frozen=True)
class ClassReading:
    """Figures of this moment over all faces in the picture.

    faces: in the newest frame. measured: faces with a concentration. concentration: mean over the faces of the last two
    seconds, weighted by their quality, in [0, 1]; NaN where withheld or not measurable, and then `notice` says why. low,
    high: its 95 % interval, NaN with one face. level: index into LEVELS or -1. expression: mean probability of each emotion;
    None where withheld or where the profile computes none. reason: why the one face of an “only me” lesson was not measured, a
    code of labels.REASONS, or empty."""

    faces: int = 0
    measured: int = 0
    concentration: float = np.nan
    low: float = np.nan
    high: float = np.nan
    level: int = -1
    expression: dict[str, float] | None = None
    notice: Notice | None = None
    reason: str = ""

    @property
    def note(self) -> str:
        """The notice in the language of the page that asks; empty without one."""
        return "" if self.notice is None else str(self.notice)


@dataclass(frozen=True)
class LessonState:
    """One moment of a lesson for the page. history: one row a second of the last minutes with `time` (naive UTC), `faces`,
    `concentration`, `low` and `high` (as in ClassReading). connected: whether a camera is. ended: aware, UTC. seconds: with a
    face in view; faces: most in one of them. problem: why the database cannot be written now, or empty. lost: seconds
    missing from the database for good. still: faces in view that are left out as pictures. alert: the hint of the last minutes or None. now: aware, UTC, by the lesson's
    clock."""

    reading: ClassReading
    history: pd.DataFrame
    connected: bool
    ended: datetime | None
    seconds: int
    faces: int
    problem: str
    lost: int
    still: int
    alert: Alert | None
    now: datetime
