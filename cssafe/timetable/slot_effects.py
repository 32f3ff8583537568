"""Effects of the slots of the week on concentration, with class, subject, teacher, room, formula and activities held.

An additive mixed model. Its unit is a *placement*: one class, subject, teacher and room in one slot, with the mean over its
lessons. However many Mondays were seen, that 7a likes its Monday physics is one fact about 7a and physics; so a placement has
a variance of its own (`own`) and one of its lessons (pooled, over their number), and is weighted by both. Class, subject,
teacher, room, formula and the shares of the activities are fixed effects, projected out as in restricted maximum likelihood
(Patterson & Thompson 1971). Weekday, period and cell are shrunk towards zero as far as the data ask for (scikit-learn's
BayesianRidge; MacKay 1992). Shrunk estimates may be selected without correction (Gelman, Hill & Yajima 2012), on which the
proposal relies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit
from threadpoolctl import threadpool_limits

from cssafe.labels import ACTIVITIES, WEEKDAYS
from cssafe.language import N_, _
from cssafe.queries.filters import ALL, CHOSEN, Filter
from cssafe.stats.intervals import clustered_means
from cssafe.stats.regression import residual_basis
from cssafe.store import Workspace

FIXED = ("class_name", "subject", "teacher", "room", "formula")

MIN_SLOT_MINUTES = 10
"""Measured minutes from which on a lesson counts in a slot; with fewer it only overruns into it (assumption)."""

MIN_SLOT_LESSONS = 3
"""Lessons below which a slot has no evidence: one odd lesson would decide (as in charts)."""

MIN_WEEKS = 3
"""Weeks below which there is no advice: one odd week would decide (assumption)."""

MIN_FREE_PLACEMENTS = 5
"""Placements beyond the rank of the fixed effects, below which there is no advice: only they show the variance of placements
(assumption)."""

PRIOR_DEVIATION, PRIOR_SLOTS = 0.03, 2.0
"""Prior standard deviation of slots on the index, and its weight in slots (assumptions; they matter with little data)."""

MAX_P_VALUE = 0.01
"""P value of no effect at all, from which on there is no advice. Stricter than usual, because changing a timetable is costly
(assumption)."""

NULL_DRAWS = 4000
"""Simulated weeks without any effect, for the P value."""

FITS = 2
"""The first fit estimates the variance of placements, the second is weighted by it."""

SLOT_COLUMNS = (
    *("weekday", "period", "start", "lessons", "raw", "raw_low", "raw_high", "effect", "low", "high", "evidence"),
)

TOO_LITTLE = N_(
    "There is too little to tell slots apart yet: {lessons} lessons in {weeks} weeks, at {placements} places of the timetable. "
    "It takes {least} weeks at least, and more places than class, subject, teacher, room and activity can explain. Keep "
    "recording; in the first weeks this is the usual case."
)
NO_DIFFERENCE = N_(
    "The slots differ by no more than chance alone makes slots differ (p = {chance:.2f}; below {significance} would count). "
    "{lessons} lessons in {weeks} weeks support no advice."
)
UNCERTAIN = N_(
    "The slots differ by more than chance makes slots differ, but of no single one can it be told yet whether it is better or "
    "worse than the mean slot."
)
HIGHEST = N_(
    "Concentration is highest on **{day} {period}**: {effect:+z.2f} against the mean slot (95 % interval {low:+z.2f} to "
    "{high:+z.2f}, {lessons} lessons)."
)
LOWEST = N_(
    "Concentration is lowest on **{day} {period}**: {effect:+z.2f} against the mean slot (95 % interval {low:+z.2f} to "
    "{high:+z.2f}, {lessons} lessons)."
)


@dataclass(frozen=True)
class SlotEffects:
    """Estimated effects of all slots.

    slots: one row for each weekday and period, in the order of the week: weekday (1 Monday), period, start, lessons, raw (mean
    over lessons) with raw_low and raw_high (95 %), effect (against the mean of the slots with evidence, on the index) with low
    and high (95 %), evidence (bool); effect, low and high are NaN without evidence, raw without lessons.
    estimate (s,), covariance (s, s): of all slots; one without evidence rests on its weekday and period. NaN if too little is
    known. own: variance of a placement. student: factor of the intervals. chance: P value of no effect. reason: why there is no
    advice; empty where there is.
    """

    slots: pd.DataFrame
    estimate: np.ndarray
    covariance: np.ndarray
    own: float
    student: float
    chance: float
    lessons: int
    weeks: int
    synthetic: bool
    reason: str

    @property
    def clear(self) -> pd.DataFrame:
        """Slots whose interval excludes the mean slot, the lowest first; none where there is no advice."""
        clear = (self.slots["low"] > 0) | (self.slots["high"] < 0)
        return self.slots[clear & (not self.reason)].sort_values("effect")


def lessons_in_slots(workspace: Workspace, periods: Sequence[dict], which: Filter = ALL) -> pd.DataFrame:
    """One row for each lesson of a class and slot in which it was measured.

    periods: of parse_periods. Columns: lesson, class_name, subject, room, formula, synthetic, week (its Monday),
    weekday (1 Monday), period, minutes, concentration (null where the profile withholds it), and for each of ACTIVITIES its
    share of the minutes.
    """
    shares = ", ".join(f"avg((activity IS NOT DISTINCT FROM '{name}')::INTEGER) AS \"{name}\"" for name in ACTIVITIES)
    with workspace.cursor() as cursor:
        return cursor.execute(
            f"""WITH {CHOSEN},
            periods AS (SELECT unnest($periods, recursive := true)),
            placed AS (
                SELECT chosen.*, minutes.time, concentration,
                    minutes.time AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS clock
                FROM minutes JOIN chosen USING (lesson) WHERE coalesce(looks, seconds) > 0 AND audience = 'class'),
            done AS (
                SELECT placed.*, activity
                FROM placed ASOF LEFT JOIN activities
                    ON placed.lesson = activities.lesson AND placed.time >= date_trunc('minute', activities.time))
            SELECT lesson, any_value(class_name) AS class_name, any_value(subject) AS subject, any_value(room) AS room,
                any_value(formula) AS formula, any_value(synthetic) AS synthetic,
                CAST(date_trunc('week', clock) AS DATE) AS week, isodow(clock) AS weekday, periods.name AS period,
                count(*) AS minutes, avg(concentration) AS concentration, {shares}
            FROM done JOIN periods
                ON strftime(clock, '%H:%M') >= periods.start AND strftime(clock, '%H:%M') < periods."end"
            GROUP BY lesson, week, weekday, periods.name HAVING count(*) >= {MIN_SLOT_MINUTES}
            ORDER BY lesson, weekday, period""",
            which.parameters | {"periods": list(periods)},
        ).df()


def estimate_effects(lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict]) -> SlotEffects:
    """Effects of the slots of a week with these days (names of DAYS) and periods.

    lessons: rows of lessons_in_slots with `teacher` (text).
    """
    slots, lessons = _number_slots(lessons, days, periods)
    table = slots.assign(**_raw_means(lessons, len(slots)))
    evidence = table["evidence"].to_numpy()
    known, within = _placements(lessons)
    size, weeks = len(slots), int(lessons["week"].nunique())
    numbers = {"lessons": lessons["lesson"].nunique(), "weeks": weeks, "placements": len(known)}
    estimate, covariance = np.full(size, np.nan), np.full((size, size), np.nan)
    own = student = chance = np.nan
    reason = _(TOO_LITTLE).format(least=MIN_WEEKS, **numbers)
    # One thread for small matrices: threads of a busy machine would wait for each other ten times as long.
    with threadpool_limits(1):
        if weeks >= MIN_WEEKS and evidence.any() and len(known) - _rank(known) >= MIN_FREE_PLACEMENTS:
            terms = _terms(len(days), len(periods))
            coefficients, spread, own, student, chance = _fit(known, within, terms)
            contrast = terms - (evidence @ terms) / evidence.sum()  # against the mean of the slots with evidence
            estimate, covariance = contrast @ coefficients, contrast @ spread @ contrast.T
            if chance < MAX_P_VALUE:
                reason = ""
            else:
                reason = _(NO_DIFFERENCE).format(chance=chance, significance=MAX_P_VALUE, **numbers)
    half = student * np.sqrt(np.diag(covariance))
    effects = {"effect": estimate, "low": estimate - half, "high": estimate + half}
    table = table.assign(**{name: np.where(evidence, values, np.nan) for name, values in effects.items()})
    observed = (numbers["lessons"], weeks, bool(lessons["synthetic"].any()))
    return SlotEffects(table[list(SLOT_COLUMNS)], estimate, covariance, own, student, chance, *observed, reason)


def _number_slots(
    lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The week's slots, and the lessons in them with the column `slot`, a row number of the slots."""
    rows = [(WEEKDAYS.index(day) + 1, period["name"], period["start"]) for day in days for period in periods]
    slots = pd.DataFrame(rows, columns=["weekday", "period", "start"])
    index = pd.MultiIndex.from_frame(slots[["weekday", "period"]])
    lessons = lessons.assign(slot=index.get_indexer(pd.MultiIndex.from_frame(lessons[["weekday", "period"]])))
    return slots, lessons[lessons["slot"] >= 0]


def _raw_means(lessons: pd.DataFrame, size: int) -> dict[str, np.ndarray]:
    """Columns lessons, raw, raw_low, raw_high and evidence of the slots, each (size,)."""
    count = np.bincount(lessons["slot"], minlength=size)
    raw = np.full((3, size), np.nan)
    for number, rows in lessons.groupby("slot"):
        raw[:, number] = np.ravel(clustered_means(rows[["concentration"]].to_numpy(), np.ones(len(rows))))
    evidence = count >= MIN_SLOT_LESSONS
    return {"lessons": count, "raw": raw[0], "raw_low": raw[1], "raw_high": raw[2], "evidence": evidence}


def describe_effects(found: SlotEffects) -> list[str]:
    """Sentences about the best and the worst slot, or the reason why none is named."""
    clear = found.clear
    if clear.empty:
        return [found.reason or _(UNCERTAIN)]
    rows = [(_(HIGHEST), row) for row in clear[clear["effect"] > 0].tail(1).to_dict("records")]
    rows += [(_(LOWEST), row) for row in clear[clear["effect"] < 0].head(1).to_dict("records")]
    days = [WEEKDAYS[row["weekday"] - 1] for _words, row in rows]
    return [words.format(day=_(day), **row) for day, (words, row) in zip(days, rows, strict=True)]


def _placements(lessons: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Placements with slot, FIXED, ACTIVITIES, lessons and mean concentration; and the variance of a lesson within its
    placement, 0 where none was seen twice."""
    keys = ["slot", *FIXED]
    groups = lessons.groupby(keys, sort=True)
    known = groups[["concentration", *ACTIVITIES]].mean().assign(lessons=groups.size()).reset_index()
    off = lessons["concentration"] - groups["concentration"].transform("mean")
    repeated = len(lessons) - len(known)
    return known, float((off**2).sum() / repeated) if repeated else 0.0


def _terms(days: int, periods: int) -> np.ndarray:
    """Indicators of weekday, period and cell of each slot: float (slots, days + periods + slots)."""
    slots = days * periods
    return np.hstack([np.repeat(np.eye(days), periods, 0), np.tile(np.eye(periods), (days, 1)), np.eye(slots)])


def _fixed(known: pd.DataFrame) -> np.ndarray:
    """Fixed effects, a column for each value of FIXED and each activity: float (placements, k), of less than full rank."""
    return np.hstack([pd.get_dummies(known[name], dtype=float).to_numpy() for name in FIXED] + [known[[*ACTIVITIES]]])


def _rank(known: pd.DataFrame) -> int:
    return int(np.linalg.matrix_rank(_fixed(known))) if len(known) else 0


def _fit(known: pd.DataFrame, within: float, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, float]:
    """Coefficients of the terms (t,), their covariance (t, t), and own, student and chance as Effects has them."""
    from sklearn.linear_model import BayesianRidge  # 70 MB, loaded by the first proposal

    y, x, z = known["concentration"].to_numpy(), _fixed(known), terms[known["slot"]]
    noise = within / known["lessons"].to_numpy()
    rank, own, weights = _rank(known), 0.0, np.ones(len(y))
    # The prior as pseudo-observations: the precision is (g + WORTH) / (sum of squares + WORTH USUAL^2).
    ridge = BayesianRidge(
        fit_intercept=False, lambda_1=PRIOR_SLOTS / 2, lambda_2=PRIOR_SLOTS / 2 * PRIOR_DEVIATION**2, max_iter=1000
    )
    for _pass in range(FITS):
        root = np.sqrt(weights)[:, None]
        left = residual_basis(x, rank, weights)
        free_y, free_z = left @ (root[:, 0] * y), left @ (root * z)
        ridge.fit(free_z, free_y)
        if not own:
            own = max(0.0, 1 / ridge.alpha_ - noise.mean())
            if own + noise.min() > 0:
                weights = (own + noise.mean()) / (own + noise)
    # The locally best invariant test of no effect (King & Hillier 1985), its null distribution simulated.
    seen = np.sum((free_z.T @ free_y) ** 2) / np.sum(free_y**2)
    drawn = np.random.default_rng(0).standard_normal((len(free_y), NULL_DRAWS))
    null = np.sum((free_z.T @ drawn) ** 2, axis=0) / np.sum(drawn**2, axis=0)
    used = len(ridge.coef_) - ridge.lambda_ * np.trace(ridge.sigma_)
    student = float(stdtrit(max(1.0, len(free_y) - used), 0.975))
    chance = float((1 + np.sum(null >= seen)) / (1 + NULL_DRAWS))
    return ridge.coef_, ridge.sigma_, own, student, chance
