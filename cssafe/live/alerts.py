"""Hints to the teacher while a class is filmed: few, quiet, each with its figure, its uncertainty and a suggestion.

A hint needs two whole minutes: in each sixth of them the class is beyond the limit, and so is the near end of the 95 %
interval of all of them (over faces; stats/intervals.py). Nothing is said of fewer than MINIMUM_GROUP faces, and nothing of one
person. Hints are not stored. What they rest on is an index of faces: a reason to look up, never a finding about anybody.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from cssafe.language import N_, _
from cssafe.settings import MINIMUM_GROUP
from cssafe.stats.intervals import mean_interval, quality_weights

SUSTAINED = timedelta(minutes=2)
"""How long a class must be beyond a limit: shorter dips are ordinary, and a hint that is often wrong is soon ignored."""

PARTS = 6
MEASURED = 6
"""Seconds with a figure that a sixth of two minutes needs: a slow host analyses one picture in two seconds."""

EARLIER = timedelta(minutes=10)
"""What the class is compared with: the minutes before the last two ..."""

KNOWN = 90
"""... of which so many seconds must have a figure."""

REST = timedelta(minutes=3)
"""A hint is shown for so long, and no other comes before (assumption)."""

REPEAT = timedelta(minutes=10)
"""The same hint does not come again before (assumption)."""

HIDDEN = 0.3
"""Share of a face from which on it counts as hidden: a hand before the mouth, a mask (assumption)."""

NEGATIVE = ("p_sad", "p_angry", "p_disgust", "p_fear", "p_contempt")


@dataclass(frozen=True)
class Alert:
    """One hint. time: naive UTC. kind: of WATCHES. words: why, with places for its figures. They are put in and translated
    where the hint is shown, not where it is found, and so is the suggestion."""

    time: datetime
    kind: str
    words: str
    suggestion: str
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return _(self.words).format(**self.figures)


@dataclass(frozen=True)
class Watch:
    """What leads to a hint. measure: of MEASURES. sign: 1 where more is worse, else -1. limit: to be passed in any case; NaN:
    there is none. change: to be passed against the minutes before; NaN: these do not matter. reason: with the places mean,
    low, high and before."""

    kind: str
    measure: str
    sign: int
    limit: float
    change: float
    reason: str
    suggestion: str


MEASURES = ("concentration", "perclos", "unreadable", "negative")
"""What is followed of each face and second; see `measures`."""

ACT = N_("Perhaps a question to all, another activity or a short pause.")
WATCHES = (
    Watch(
        "hidden", "unreadable", 1, 0.5, np.nan,
        N_(
            "Many faces cannot be read: {mean:.0%} ({low:.0%} to {high:.0%}) were hidden, turned away or blurred for two "
            "minutes."
        ),
        N_("Check light, camera and seats; until then the figures rest on the other faces."),
    ),
    Watch(
        "low", "concentration", -1, np.nan, np.nan,
        N_("Concentration has been low for two minutes: {mean:.2f} ({low:.2f} to {high:.2f})."), ACT,
    ),
    Watch(
        "falling", "concentration", -1, np.nan, 0.2,
        N_(
            "Concentration has been lower for two minutes: {mean:.2f} ({low:.2f} to {high:.2f}) instead of {before:.2f} "
            "before."
        ),
        ACT,
    ),
    Watch(
        "drowsiness", "perclos", 1, 0.1, 0.04,
        N_("Eyes are closed for longer: {mean:.0%} ({low:.0%} to {high:.0%}) of the time instead of {before:.0%} before."),
        N_(
            "The class may be tired: perhaps fresh air, some movement or a break. Glasses and looking down can cause this, "
            "too."
        ),
    ),
    Watch(
        "mood", "negative", 1, 0.3, 0.15,
        N_(
            "More sad, angry or fearful looks: probability {mean:.0%} ({low:.0%} to {high:.0%}) instead of {before:.0%} "
            "before."
        ),
        N_("Perhaps ask how it goes. A face is no feeling, and this is no diagnosis."),
    ),
)  # fmt: skip
"""In the order of their weight. The limit of "low" is the formula's. PERCLOS is about 6 % awake and above 10 % drowsy; the
other limits are assumptions."""


def measures(second: pd.DataFrame) -> np.ndarray:
    """MEASURES of each face, (n, 4), NaN where not measured. second: rows of observations.COLUMNS."""
    unreadable = (second["hidden"] > HIDDEN) | second["yaw"].isna()
    negative = second[list(NEGATIVE)].sum(axis=1, skipna=False)
    columns = (second["concentration"], second["perclos"], unreadable, negative)
    return np.stack([column.to_numpy(float) for column in columns], axis=1)


@dataclass(frozen=True)
class Second:
    """One second of n faces. tracks, weights: (n,). values: (n, 4), MEASURES. means: (4,), of the class."""

    time: datetime
    tracks: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    means: np.ndarray


class Watcher:
    """Looks at each second of one lesson and says when there is something to be said."""

    def __init__(self, low_below: float) -> None:
        """low_below: the formula's limit of the level low."""
        self._low_below = low_below
        self._recent: deque[Second] = deque()
        self._earlier: deque[Second] = deque()
        self._said: dict[str, datetime] = {}

    def add(self, second: pd.DataFrame) -> Alert | None:
        """The hint that is due after this second, if any. second: rows of observations.COLUMNS, at least one, of one second,
        later than the one before."""
        now = second["time"].iloc[0].to_pydatetime()
        values = measures(second)
        values[:, (~np.isnan(values)).sum(axis=0) < MINIMUM_GROUP] = np.nan
        weight = quality_weights(second["quality"].to_numpy(float))
        self._recent.append(Second(now, second["track"].to_numpy(), values, weight, _means(values, weight)))
        while self._recent[0].time <= now - SUSTAINED:
            self._earlier.append(self._recent.popleft())
        while self._earlier and self._earlier[0].time <= now - SUSTAINED - EARLIER:
            self._earlier.popleft()
        if any(now - said < REST for said in self._said.values()):
            return None
        for watch in WATCHES:
            if now - self._said.get(watch.kind, datetime.min) >= REPEAT and (figures := self._figures(watch, now)):
                self._said[watch.kind] = now
                return Alert(now, watch.kind, watch.reason, watch.suggestion, figures)
        return None

    def _figures(self, watch: Watch, now: datetime) -> dict[str, float]:
        """Those of the hint that is due now, mean, low, high and before; empty if it is not due."""
        column = MEASURES.index(watch.measure)
        before = np.array([second.means[column] for second in self._earlier])
        before = before[~np.isnan(before)]
        limit, own = (self._low_below if watch.kind == "low" else watch.limit), np.nan
        if not np.isnan(watch.change):
            if len(before) < KNOWN:
                return {}
            own = float(before.mean())
            limits = [own + watch.sign * watch.change, limit]
            limit = float(np.nanmax(limits) if watch.sign > 0 else np.nanmin(limits))
        part = np.array([int((now - second.time) / (SUSTAINED / PARTS)) for second in self._recent])
        course = np.array([second.means[column] for second in self._recent])
        for number in range(PARTS):
            seconds = course[(part == number) & ~np.isnan(course)]
            if len(seconds) < MEASURED or watch.sign * (seconds.mean() - limit) <= 0:
                return {}
        mean, low, high = mean_interval(
            np.concatenate([second.values[:, column] for second in self._recent]),
            np.concatenate([second.weights for second in self._recent]),
            np.concatenate([second.tracks for second in self._recent]),
        )
        if watch.sign * ((low if watch.sign > 0 else high) - limit) <= 0:
            return {}
        return {"mean": float(mean), "low": float(low), "high": float(high), "before": own}


def _means(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean of each measure, NaN where it has none."""
    there = ~np.isnan(values)
    total = (there * weight[:, None]).sum(axis=0)
    sums = (np.nan_to_num(values) * weight[:, None]).sum(axis=0)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), np.nan)
