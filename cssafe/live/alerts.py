"""Hints to the teacher while a class is filmed: few, quiet, each with its figure, its interval and a suggestion.

A hint is given when for two minutes, in each eighth of them, the class is beyond the limit, and so is the near end of the 95 %
interval of all of them (over people; stats/intervals.py). It needs MINIMUM_GROUP people and is never about one person. Hints
are not stored. They rest on an index of faces: a reason to look up, never a finding.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from cssafe.frames import FrameResult
from cssafe.labels import FERPLUS
from cssafe.language import N_, _
from cssafe.presence.class_figure import ClassSums
from cssafe.presence.people import ON_TASK, People
from cssafe.settings import MINIMUM_GROUP
from cssafe.stats.intervals import mean_interval

ALERT_WINDOW = timedelta(minutes=2)
"""Time for which a class must be beyond a limit: shorter dips are ordinary, and a hint that is often wrong is soon ignored."""

WINDOW_PARTS = 8
"""Equal parts of the window; the class must be beyond the limit in each."""

MIN_MEASURED_S = 6
"""Seconds with a figure that each part needs: a slow host analyses one picture in two seconds."""

ALERT_BASELINE = timedelta(minutes=10)
"""Time before the window with which the class is compared."""

MIN_BASELINE_S = 90
"""Seconds of the baseline that must have a figure."""

ALERT_COOLDOWN = timedelta(minutes=3)
"""Time for which a hint is shown and no other follows (assumption)."""

ALERT_REPEAT = timedelta(minutes=10)
"""Time before the same hint may come again (assumption)."""

MIN_HIDDEN_SHARE = 0.3
"""Share of a face above which it counts as hidden: a hand before the mouth, a mask (assumption)."""

NEGATIVE_EMOTIONS = ("sad", "angry", "disgust", "fear", "contempt")


@dataclass(frozen=True)
class Alert:
    """One hint. time: naive UTC. kind: of ALERT_RULES. words: the reason, with names of its figures in braces; it is translated
    where it is shown, and so is the suggestion."""

    time: datetime
    kind: str
    words: str
    suggestion: str
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        points = {f"{name}_points": 100 * value for name, value in self.figures.items()}
        return _(self.words).format(**self.figures, **points)


@dataclass(frozen=True)
class AlertRule:
    """Condition of a hint. measure: of MEASURES. sign: 1 where more is worse, else -1. limit: to be passed in any case, or NaN.
    change: to be passed against the baseline, or NaN. reason: with the fields mean, low, high and before, and these in
    points of 100, such as mean_points."""

    kind: str
    measure: str
    sign: int
    limit: float
    change: float
    reason: str
    suggestion: str


MEASURES = ("concentration", "readable", "off_task", "unseen", "perclos", "unreadable", "negative")
"""Measures of each person and second; see `person_measures`."""

ACTIVITY_ADVICE = N_("Perhaps a question to all, another activity or a short pause.")
ALERT_RULES = (
    AlertRule(
        "hidden", "unreadable", 1, 0.5, np.nan,
        N_(
            "Many faces cannot be read: {mean:.0%} ({low:.0%} to {high:.0%}) were hidden, turned away or blurred for two "
            "minutes."
        ),
        N_("Check light, camera and seats; until then the figures rest on the other faces."),
    ),
    AlertRule(
        "unseen", "unseen", 1, np.nan, 0.25,
        N_(
            "Fewer people can be seen than before: {mean:.0%} ({low:.0%} to {high:.0%}) are not visible for two minutes, "
            "instead of {before:.0%} before."
        ),
        N_("Look whether heads are down, or something is in front of the camera."),
    ),
    AlertRule(
        "low", "readable", -1, np.nan, np.nan,
        N_("Concentration has been low for two minutes: {mean_points:.0f} of 100 ({low_points:.0f} to {high_points:.0f})."),
        ACTIVITY_ADVICE,
    ),
    AlertRule(
        "off_task", "off_task", 1, 0.75, np.nan,
        N_("Few look at the task for two minutes: {mean:.0%} ({low:.0%} to {high:.0%}) look away."), ACTIVITY_ADVICE,
    ),
    AlertRule(
        "falling", "concentration", -1, np.nan, 0.2,
        N_(
            "Concentration has been lower for two minutes: {mean_points:.0f} of 100 ({low_points:.0f} to {high_points:.0f}) "
            "instead of {before_points:.0f} before."
        ),
        ACTIVITY_ADVICE,
    ),
    AlertRule(
        "drowsiness", "perclos", 1, 0.1, 0.04,
        N_("Eyes are closed for longer: {mean:.0%} ({low:.0%} to {high:.0%}) of the time instead of {before:.0%} before."),
        N_(
            "The class may be tired: perhaps fresh air, some movement or a break. Glasses and looking down can cause this, "
            "too."
        ),
    ),
    AlertRule(
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


def person_measures(result: FrameResult, found: np.ndarray, people: People, sums: ClassSums) -> np.ndarray:
    """MEASURES of each person at the newest frame, (n, 7), NaN where not measured. found: person of each face of the frame."""
    measures = np.full((len(people), len(MEASURES)), np.nan)
    readable = ~np.isnan(people.concentration[:, -1])
    measures[:, 0] = sums.shares[:, -1]
    measures[:, 1] = people.concentration[:, -1]  # without those not visible: low even if they attend like the rest
    measures[:, 2] = np.where(readable, people.attention[:, -1] < ON_TASK, np.nan)
    measures[:, 3] = np.where(np.isnan(sums.concentration[-1]), np.nan, ~people.found[:, -1])
    signals = result.signals
    negative = np.full(len(result), np.nan)
    if result.expression is not None:
        negative = result.expression[:, [FERPLUS.index(name) for name in NEGATIVE_EMOTIONS]].sum(axis=1)
    unreadable = (signals.hidden > MIN_HIDDEN_SHARE) | np.isnan(signals.yaw)
    known = np.isin(found, people.persons)
    rows = np.searchsorted(people.persons, found[known])
    measures[rows, 4:] = np.stack([signals.perclos, unreadable, negative], axis=1)[known]
    return measures


@dataclass(frozen=True)
class Second:
    """One second of n people. persons: (n,). values: (n, 7), MEASURES. means: (7,), of the class."""

    time: datetime
    persons: np.ndarray
    values: np.ndarray
    means: np.ndarray


class AlertDetector:
    """Finds the hints of one lesson, second by second."""

    def __init__(self, low_below: float) -> None:
        """low_below: the formula's limit of the level low."""
        self._low_below = low_below
        self._recent: deque[Second] = deque()
        self._earlier: deque[Second] = deque()
        self._given: dict[str, datetime] = {}

    def add(self, now: datetime, persons: np.ndarray, values: np.ndarray) -> Alert | None:
        """The hint that is due after this second, if any. now: naive UTC, later than the second before. persons: int (n,).
        values: float (n, 7), MEASURES of each."""
        values = np.where((~np.isnan(values)).sum(axis=0) < MINIMUM_GROUP, np.nan, values)
        self._recent.append(Second(now, persons, values, _means(values)))
        while self._recent[0].time <= now - ALERT_WINDOW:
            self._earlier.append(self._recent.popleft())
        while self._earlier and self._earlier[0].time <= now - ALERT_WINDOW - ALERT_BASELINE:
            self._earlier.popleft()
        if any(now - given < ALERT_COOLDOWN for given in self._given.values()):
            return None
        for rule in ALERT_RULES:
            if now - self._given.get(rule.kind, datetime.min) >= ALERT_REPEAT and (figures := self._figures(rule, now)):
                self._given[rule.kind] = now
                return Alert(now, rule.kind, rule.reason, rule.suggestion, figures)
        return None

    def _figures(self, rule: AlertRule, now: datetime) -> dict[str, float]:
        """Figures mean, low, high and before of a hint that is due now; empty if it is not."""
        column = MEASURES.index(rule.measure)
        before = np.array([second.means[column] for second in self._earlier])
        before = before[~np.isnan(before)]
        limit, own = (self._low_below if rule.kind == "low" else rule.limit), np.nan
        if not np.isnan(rule.change):
            if len(before) < MIN_BASELINE_S:
                return {}
            own = float(before.mean())
            limits = [own + rule.sign * rule.change, limit]
            limit = float(np.nanmax(limits) if rule.sign > 0 else np.nanmin(limits))
        part = np.array([int((now - second.time) / (ALERT_WINDOW / WINDOW_PARTS)) for second in self._recent])
        course = np.array([second.means[column] for second in self._recent])
        for number in range(WINDOW_PARTS):
            seconds = course[(part == number) & ~np.isnan(course)]
            if len(seconds) < MIN_MEASURED_S or rule.sign * (seconds.mean() - limit) <= 0:
                return {}
        values = np.concatenate([second.values[:, column] for second in self._recent])
        persons = np.concatenate([second.persons for second in self._recent])
        mean, low, high = mean_interval(values, persons)
        if rule.sign * ((low if rule.sign > 0 else high) - limit) <= 0:
            return {}
        return {"mean": float(mean), "low": float(low), "high": float(high), "before": own}


def _means(values: np.ndarray) -> np.ndarray:
    """Mean of each measure, NaN where it has none."""
    count = (~np.isnan(values)).sum(axis=0)
    return np.where(count, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)
