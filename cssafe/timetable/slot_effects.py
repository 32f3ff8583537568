"""Effects of the slots of the week on concentration, with class, subject, teacher, room, formula and activities held.

An additive mixed model. Its unit is a *placement*: one class, subject, teacher and room in one slot, with the mean over its
lessons. However many Mondays were seen, that 7a likes its Monday physics is one fact about 7a and physics; so a placement has
a variance of its own, one of its lessons (pooled, over their number), and shares the shock of each date with all
lessons of that day. Class, subject, teacher, room, formula and the shares of the activities are fixed effects.
Weekday, period and cell are random coefficients, of which two things are known. `slots` has what each slot's own
lessons say, hardly shrunk, so that its interval holds also for the one extreme slot. `estimate` is for choosing among
slots: a sparse prior shrinks what may be chance, because chosen slots look better than they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit
from threadpoolctl import threadpool_limits

from cssafe.labels import ACTIVITIES, WEEKDAYS
from cssafe.language import N_, _
from cssafe.queries.filters import ALL, CHOSEN, Filter
from cssafe.stats.evidence import Verdict, judge, judge_test
from cssafe.stats.intervals import clustered_means
from cssafe.stats.regression import horseshoe_draws, mixed_model, null_p_value, ridge_posterior, within_groups
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

PRIOR_DEVIATION = 0.05
"""Prior standard deviation of weekdays, periods and cells on the index: wide, so that it matters with little data only
(assumption)."""

SPARSE_SCALE = 0.001
"""Median of the prior standard deviation of most weekdays, of most periods and of most cells on the index, for
choosing (measured: with it the gain of proposals is at least .85 of the expected one)."""

SPARSE_DRAWS = 1500
"""Draws from the posterior under the sparse prior."""

MAX_P_VALUE = 0.01
"""P value of no effect at all, from which on there is no advice. Stricter than usual, because changing a timetable is costly
(assumption)."""

NULL_DRAWS = 4000
"""Simulated weeks without any effect, for the P value."""

SLOT_COLUMNS = (
    *(
        "weekday",
        "period",
        "start",
        "lessons",
        "raw",
        "raw_low",
        "raw_high",
        "effect",
        "low",
        "high",
        "evidence",
        "differs",
    ),
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
HIGHER = N_("Concentration is higher than in the mean slot on {slots}.")
LOWER = N_("Concentration is lower than in the mean slot on {slots}.")
SLOT = N_("{day} {period} ({effect:+z.2f}, 95 % interval {low:+z.2f} to {high:+z.2f}, {lessons} lessons)")


@dataclass(frozen=True)
class SlotEffects:
    """Estimated effects of all slots.

    slots: one row for each weekday and period, in the order of the week: weekday (1 Monday), period, start, lessons,
    raw (mean over lessons) with raw_low and raw_high (95 %), effect (against the mean of the slots with evidence, on
    the index) with low and high (95 %), evidence (bool), differs (bool: there is advice, and the slot differs from
    the mean slot, where any of the slots could have done so); effect, low and high are NaN without evidence, raw
    without lessons. estimate (s,), covariance (s, s): of all slots under the sparse prior, for choosing; one without
    evidence rests on its weekday and period. NaN without advice. own: variance of a placement. student: factor of the
    intervals. chance: P value of no effect. reason: why there is no advice; empty where there is.
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
        """Slots that differ from the mean slot, the lowest first; none where there is no advice."""
        return self.slots[self.slots["differs"]].sort_values("effect")


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
    known, members = _placements(lessons)
    size, weeks = len(slots), int(lessons["week"].nunique())
    numbers = {"lessons": lessons["lesson"].nunique(), "weeks": weeks, "placements": len(known)}
    fit = _Fit.empty(size)
    # One thread for small matrices: threads of a busy machine would wait for each other ten times as long.
    with threadpool_limits(1):
        free = len(known) - _rank(known)
        if weeks >= MIN_WEEKS and evidence.any() and free >= MIN_FREE_PLACEMENTS:
            fit = _fit(known, members, len(days), len(periods), evidence, free)
    reasons = {
        Verdict.TOO_LITTLE: _(TOO_LITTLE).format(least=MIN_WEEKS, **numbers),
        Verdict.CHANCE: _(NO_DIFFERENCE).format(chance=fit.chance, significance=MAX_P_VALUE, **numbers),
    }
    reason = reasons.get(judge_test(fit.chance, MAX_P_VALUE), "")
    table = table.assign(**_intervals(fit, table, bool(reason)))
    observed = (numbers["lessons"], weeks, bool(lessons["synthetic"].any()))
    return SlotEffects(
        table[list(SLOT_COLUMNS)], fit.estimate, fit.covariance, fit.own, fit.student, fit.chance, *observed, reason
    )


def _intervals(fit: "_Fit", table: pd.DataFrame, no_advice: bool) -> dict[str, np.ndarray]:
    """Columns effect, low, high and differs of the slots, each (s,)."""
    evidence, half = table["evidence"].to_numpy(), fit.student * fit.error
    effects = {"effect": fit.effect, "low": fit.effect - half, "high": fit.effect + half}
    columns = {name: np.where(evidence, values, np.nan) for name, values in effects.items()}
    found = [
        judge(effect, error, fit.freedom, lessons, MIN_SLOT_LESSONS, candidates=int(evidence.sum()))
        for effect, error, lessons in zip(fit.effect, fit.error, table["lessons"], strict=True)
    ]
    differs = np.array([one.verdict == Verdict.DIFFERS for one in found], bool)
    return columns | {"differs": differs & (not no_advice)}


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
    """Sentences about the slots that differ from the mean slot, or the reason why none is named."""
    clear = found.clear
    if clear.empty:
        return [found.reason or _(UNCERTAIN)]
    sides = [(_(HIGHER), clear[clear["effect"] > 0].iloc[::-1]), (_(LOWER), clear[clear["effect"] < 0])]
    return [
        words.format(slots="; ".join(map(_slot_text, rows.to_dict("records")))) for words, rows in sides if len(rows)
    ]


def _slot_text(row: dict[str, Any]) -> str:
    return _(SLOT).format(day=_(WEEKDAYS[row["weekday"] - 1]), **row)


def _placements(lessons: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Placements with slot, FIXED, ACTIVITIES, lessons and mean concentration; and the lessons with `placement` and
    `date`, numbers from 0, and concentration."""
    groups = lessons.groupby(["slot", *FIXED], sort=True)
    known = groups[["concentration", *ACTIVITIES]].mean().assign(lessons=groups.size()).reset_index()
    date = lessons.groupby(["week", "weekday"]).ngroup()
    return known, lessons[["concentration"]].assign(placement=groups.ngroup(), date=date)


def _terms(days: int, periods: int) -> np.ndarray:
    """Indicators of weekday, period and cell of each slot: float (slots, days + periods + slots)."""
    slots = days * periods
    return np.hstack([np.repeat(np.eye(days), periods, 0), np.tile(np.eye(periods), (days, 1)), np.eye(slots)])


def _fixed(known: pd.DataFrame) -> np.ndarray:
    """Fixed effects, a column for each value of FIXED and each activity: float (placements, k), of less than full rank."""
    return np.hstack([pd.get_dummies(known[name], dtype=float).to_numpy() for name in FIXED] + [known[[*ACTIVITIES]]])


def _rank(known: pd.DataFrame) -> int:
    return int(np.linalg.matrix_rank(_fixed(known))) if len(known) else 0


@dataclass(frozen=True)
class _Fit:
    """effect, error (s,): of each slot against the mean of those with evidence. The others as in SlotEffects.
    freedom: degrees of freedom of the errors."""

    effect: np.ndarray
    error: np.ndarray
    estimate: np.ndarray
    covariance: np.ndarray
    own: float
    freedom: float
    chance: float

    @property
    def student(self) -> float:
        return float(stdtrit(self.freedom, 0.975))

    @classmethod
    def empty(cls, size: int) -> "_Fit":
        nothing = np.full(size, np.nan)
        return cls(nothing, nothing, nothing, np.full((size, size), np.nan), np.nan, np.nan, np.nan)


def _fit(known: pd.DataFrame, members: pd.DataFrame, days: int, periods: int, evidence: np.ndarray, free: int) -> _Fit:
    """known, members: of _placements. evidence: bool (s,). free: placements beyond the rank of the fixed effects."""
    placement, date = members["placement"].to_numpy(), members["date"].to_numpy()
    within = within_groups(members["concentration"].to_numpy(), placement, date)
    count, shares = known["lessons"].to_numpy(), np.zeros((len(known), date.max() + 1))
    np.add.at(shares, (placement, date), 1 / count[placement])
    terms, group = _terms(days, periods), np.repeat([0, 1, 2], [days, periods, days * periods])
    y, x = known["concentration"].to_numpy(), _fixed(known)
    model = mixed_model(y, x, terms[known["slot"]], shares, within.noise / count, within)
    contrast = terms - (evidence @ terms) / evidence.sum()  # against the mean of the slots with evidence
    mean, spread, used, weight = ridge_posterior(model, np.full(len(group), PRIOR_DEVIATION))
    fit = replace(
        _Fit.empty(len(terms)),
        effect=contrast @ mean,
        error=np.sqrt(np.einsum("st,tu,su->s", contrast, spread, contrast)),
        own=float(weight @ model.own**2),
        freedom=max(1.0, free - used),
        chance=null_p_value(model, NULL_DRAWS),
    )
    if judge_test(fit.chance, MAX_P_VALUE) != Verdict.DIFFERS:
        return fit
    sparse = horseshoe_draws(model, weight, group, SPARSE_SCALE, SPARSE_DRAWS) @ contrast.T
    estimate = np.median(sparse, axis=0)
    off = sparse - estimate
    return replace(fit, estimate=estimate, covariance=off.T @ off / len(off))
