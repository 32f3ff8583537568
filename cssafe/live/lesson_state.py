"""Figures of a running lesson for display: of this moment and of the last minutes, where they may be shown."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from cssafe.live.alerts import Alert
from cssafe.live.transports.messages import Notice
from cssafe.presence.minutes import STATES

FIGURES = ("concentration", "low", "high", "lowest", "highest", "present", *STATES)
"""Figures of a reading; see ClassReading."""


@dataclass(frozen=True)
class ClassReading:
    """Figures of this moment over the people of a lesson.

    faces: in the newest frame. measured: faces with a concentration. concentration: over the frames of the last two seconds,
    of the people present, those not visible counted as the formula says, in [0, 1]; NaN where withheld or not measurable, and
    then `notice` says why. low, high: its 95 % interval over people, lowest, highest: its band (presence/class_figure.py);
    NaN for one person alone. present: number of people known to be there; on_task, off_task, unreadable and unseen are parts of
    it. level: index into LEVELS or -1. expression: mean probability of each emotion; None where withheld or where the profile
    computes none. reason: why the one face of an “only me” lesson was not measured, a code of labels.REASONS, or empty."""

    faces: int = 0
    measured: int = 0
    concentration: float = np.nan
    low: float = np.nan
    high: float = np.nan
    lowest: float = np.nan
    highest: float = np.nan
    present: float = np.nan
    on_task: float = np.nan
    off_task: float = np.nan
    unreadable: float = np.nan
    unseen: float = np.nan
    level: int = -1
    expression: dict[str, float] | None = None
    notice: Notice | None = None
    reason: str = ""

    @property
    def seen_share(self) -> float:
        """Share of the people present who can be seen; 1 for one person alone."""
        return 1.0 if np.isnan(self.unseen) else 1 - self.unseen / self.present

    @property
    def note(self) -> str:
        """The notice in the language of the page that asks; empty without one."""
        return "" if self.notice is None else str(self.notice)


@dataclass(frozen=True)
class LessonState:
    """One moment of a lesson for the page. history: one row a second of the last minutes with `time` (naive UTC), `faces` and
    FIGURES. connected: whether a camera is. ended: aware, UTC. seconds: with a face in view; faces: most in one of them.
    problem: why the database cannot be written now, or empty. lost: seconds missing from the database for good. still: faces
    in view that are left out as pictures. alert: the hint of the last minutes or None. now: aware, UTC, by the lesson's
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
