"""What is told of a running lesson: figures of this moment and of the last minutes, as far as they may be shown."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from cssafe.live.alerts import Alert


@dataclass(frozen=True)
class Reading:
    """What may be said at this moment about everybody in the picture.

    faces: seen in the newest frame. measured: of them, whose concentration could be read. concentration: mean over the
    faces of the last two seconds, weighted by how well each could be read, in [0, 1]; NaN where nothing may or can be
    said, and then `note` says why. low, high: its 95 % interval, NaN where there is but one face. level: index into
    LEVELS or -1. expression: mean probability of each emotion; None where withheld or where the profile computes
    none. reason: of the one face of a lesson about one person, a code of labels.REASONS why it was not measured, or empty."""

    faces: int = 0
    measured: int = 0
    concentration: float = np.nan
    low: float = np.nan
    high: float = np.nan
    level: int = -1
    expression: dict[str, float] | None = None
    note: str = ""
    reason: str = ""


@dataclass(frozen=True)
class View:
    """What the page draws. history: one row a second of the last minutes with `time` (naive UTC), `faces`,
    `concentration`, `low` and `high` (as in Reading; NaN where withheld or not measurable). connected: a camera is.
    ended: aware, UTC. seconds: how many have had a face in them; faces: the most in one of them. problem: why the database
    cannot be written now, empty while it can be. lost: how many of the seconds are missing from the database for good.
    alert: the hint of the last minutes, None where there is none. now: aware, UTC, by the lesson's clock."""

    reading: Reading
    history: pd.DataFrame
    connected: bool
    ended: datetime | None
    seconds: int
    faces: int
    problem: str
    lost: int
    alert: Alert | None
    now: datetime
