"""By how much concentration differs between the slots of the week, once what is taught to whom, by whom and where is taken out.

An additive mixed model. Its unit is a *placement*: one class, subject, teacher and room in one slot, with the mean over its
lessons. That 7a likes its Monday physics is a matter of 7a and physics, however many Mondays were seen; so a placement
varies by itself (variance `own`) and with its lessons (their pooled variance over their number), and weighs accordingly.
Class, subject, teacher, room, formula and the shares of the activities are fixed effects; they are projected out by an
orthogonal basis of what they leave, as in restricted maximum likelihood (Patterson & Thompson 1971). Weekday, period and cell
are pulled towards zero as much as the data ask for (scikit-learn's BayesianRidge; MacKay 1992). Estimates that are
shrunk so may be picked from without correcting for the picking (Gelman, Hill & Yajima 2012), which the proposal relies on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from cssafe.labels import ACTIVITIES, WEEKDAYS
from cssafe.language import N_, _
from cssafe.queries import ALL, CHOSEN, Filter
from cssafe.stats.intervals import clustered
from cssafe.store import Workspace

FIXED = ("class_name", "subject", "teacher", "room", "formula")

LEAST_MINUTES = 10
"""Measured minutes with which a lesson counts in a slot; with fewer it only spills over from its own (assumption)."""

LEAST_LESSONS = 3
"""Lessons below which a slot has no evidence: one odd lesson would rule it (as in charts.py)."""

LEAST_WEEKS = 3
"""Weeks below which there is no advice: one odd week would rule it (assumption)."""

LEAST_FREE = 5
"""Placements beyond what the fixed effects use up, below which there is no advice: nothing else tells how far placements
differ by themselves (assumption)."""

USUAL, WORTH = 0.03, 2.0
"""How far slots are held to differ before anything is seen (standard deviation on the index), and how many of them that guess
is worth (assumptions; they matter where little was seen)."""

SIGNIFICANCE = 0.01
"""Chance that slots without any effect differ so much, from which on there is no advice. Stricter than usual, for it is
costly to turn a timetable over (assumption)."""

DRAWS = 4000
"""Simulated weeks without any effect, which that chance is counted in."""

PASSES = 2
"""Fits: the first finds the variance of placements by themselves, the second weighs by it."""

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
class Effects:
    """What is known of each slot.

    slots: one row for each weekday and period, in the order of the week: weekday (1 Monday), period, start, lessons, raw (mean
    over lessons) with raw_low and raw_high (95 %), effect (against the mean of the slots with evidence, on the index) with low
    and high (95 %), evidence (bool); effect, low and high are NaN without evidence, raw without lessons.
    estimate (s,), covariance (s, s): of all slots; one without evidence rests on its weekday and period. NaN if too little is
    known. own: variance of a placement by itself. student: factor of the intervals. chance: that slots without any effect
    differ so much. reason: why there is no advice; empty where there can be.
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
        """The slots that can be told from the mean slot, the lowest first; none where there is no advice."""
        clear = (self.slots["low"] > 0) | (self.slots["high"] < 0)
        return self.slots[clear & (not self.reason)].sort_values("effect")


def lessons_in_slots(workspace: Workspace, periods: Sequence[dict], which: Filter = ALL) -> pd.DataFrame:
    """One row for each lesson of a class and slot in which it was measured.

    periods: as periods.read gives them. Columns: lesson, class_name, subject, room, formula, synthetic, week (its Monday),
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
                FROM minutes JOIN chosen USING (lesson) WHERE seconds > 0 AND audience = 'class'),
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
            GROUP BY lesson, week, weekday, periods.name HAVING count(*) >= {LEAST_MINUTES}
            ORDER BY lesson, weekday, period""",
            which.parameters | {"periods": list(periods)},
        ).df()


def effects(lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict]) -> Effects:
    """What those lessons tell of the slots of a week with these days (names of WEEKDAYS) and periods.

    lessons: as lessons_in_slots gives them, and `teacher` (text).
    """
    slots = pd.DataFrame(
        [(WEEKDAYS.index(day) + 1, period["name"], period["start"]) for day in days for period in periods],
        columns=["weekday", "period", "start"],
    )
    place = pd.MultiIndex.from_frame(slots[["weekday", "period"]])
    lessons = lessons.assign(slot=place.get_indexer(pd.MultiIndex.from_frame(lessons[["weekday", "period"]])))
    lessons = lessons[lessons["slot"] >= 0]
    count = np.bincount(lessons["slot"], minlength=len(slots))
    evidence = count >= LEAST_LESSONS
    raw = np.full((3, len(slots)), np.nan)
    for number, rows in lessons.groupby("slot"):
        raw[:, number] = np.ravel(clustered(rows[["concentration"]].to_numpy(), np.ones(len(rows))))
    known, within = _placements(lessons)
    size, weeks = len(slots), int(lessons["week"].nunique())
    numbers = {"lessons": lessons["lesson"].nunique(), "weeks": weeks, "placements": len(known)}
    estimate, covariance = np.full(size, np.nan), np.full((size, size), np.nan)
    own = student = chance = np.nan
    reason = _(TOO_LITTLE).format(least=LEAST_WEEKS, **numbers)
    # Small matrices: a busy machine's threads would wait for each other, ten times as long as the work takes.
    with threadpool_limits(1):
        if weeks >= LEAST_WEEKS and evidence.any() and len(known) - _rank(known) >= LEAST_FREE:
            terms = _terms(len(days), len(periods))
            coefficients, spread, own, student, chance = _fit(known, within, terms)
            # Against the mean of the slots with evidence.
            contrast = terms - (evidence @ terms) / evidence.sum()
            estimate, covariance = contrast @ coefficients, contrast @ spread @ contrast.T
            told = _(NO_DIFFERENCE).format(chance=chance, significance=SIGNIFICANCE, **numbers)
            reason = "" if chance < SIGNIFICANCE else told
    half = student * np.sqrt(np.diag(covariance))
    table = slots.assign(
        lessons=count,
        raw=raw[0],
        raw_low=raw[1],
        raw_high=raw[2],
        effect=np.where(evidence, estimate, np.nan),
        low=np.where(evidence, estimate - half, np.nan),
        high=np.where(evidence, estimate + half, np.nan),
        evidence=evidence,
    )
    synthetic = bool(lessons["synthetic"].any())
    return Effects(table, estimate, covariance, own, student, chance, numbers["lessons"], weeks, synthetic, reason)


def sentences(found: Effects) -> list[str]:
    """What may be concluded, in words: the best and the worst slot, or why none is named."""
    clear = found.clear
    if clear.empty:
        return [found.reason or _(UNCERTAIN)]
    rows = [(_(HIGHEST), row) for row in clear[clear["effect"] > 0].tail(1).to_dict("records")]
    rows += [(_(LOWEST), row) for row in clear[clear["effect"] < 0].head(1).to_dict("records")]
    days = [WEEKDAYS[row["weekday"] - 1] for _words, row in rows]
    return [words.format(day=_(day), **row) for day, (words, row) in zip(days, rows, strict=True)]


def _placements(lessons: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Each placement with its slot, FIXED, ACTIVITIES, lessons and mean concentration; and the variance of one lesson within
    its placement, 0 where none was seen twice."""
    keys = ["slot", *FIXED]
    groups = lessons.groupby(keys, sort=True)
    known = groups[["concentration", *ACTIVITIES]].mean().assign(lessons=groups.size()).reset_index()
    off = lessons["concentration"] - groups["concentration"].transform("mean")
    again = len(lessons) - len(known)
    return known, float((off**2).sum() / again) if again else 0.0


def _terms(days: int, periods: int) -> np.ndarray:
    """float (slots, days + periods + slots): which weekday, period and cell each slot is."""
    slots = days * periods
    return np.hstack([np.repeat(np.eye(days), periods, 0), np.tile(np.eye(periods), (days, 1)), np.eye(slots)])


def _fixed(known: pd.DataFrame) -> np.ndarray:
    """float (placements, k): the fixed effects, a column for each value of FIXED and each activity; of less than full rank."""
    return np.hstack([pd.get_dummies(known[name], dtype=float).to_numpy() for name in FIXED] + [known[[*ACTIVITIES]]])


def _rank(known: pd.DataFrame) -> int:
    return int(np.linalg.matrix_rank(_fixed(known))) if len(known) else 0


def _fit(known: pd.DataFrame, within: float, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, float]:
    """Coefficients of the terms (t,), their covariance (t, t), and own, student and chance as Effects has them."""
    from scipy import stats  # with scikit-learn 70 MB, which only those pay who ask
    from sklearn.linear_model import BayesianRidge

    y, x, z = known["concentration"].to_numpy(), _fixed(known), terms[known["slot"]]
    noise = within / known["lessons"].to_numpy()
    rank, own, weights = _rank(known), 0.0, np.ones(len(y))
    # The prior as pseudo-observations: the precision is (g + WORTH) / (sum of squares + WORTH USUAL^2).
    ridge = BayesianRidge(fit_intercept=False, lambda_1=WORTH / 2, lambda_2=WORTH / 2 * USUAL**2, max_iter=1000)
    for _pass in range(PASSES):
        root = np.sqrt(weights)[:, None]
        left = np.linalg.svd(root * x)[0][:, rank:].T  # what no fixed effect can explain
        free_y, free_z = left @ (root[:, 0] * y), left @ (root * z)
        ridge.fit(free_z, free_y)
        if not own:
            own = max(0.0, 1 / ridge.alpha_ - noise.mean())
            if own + noise.min() > 0:
                weights = (own + noise.mean()) / (own + noise)
    # The locally best invariant test of no effect (King & Hillier 1985), its null distribution simulated.
    seen = np.sum((free_z.T @ free_y) ** 2) / np.sum(free_y**2)
    drawn = np.random.default_rng(0).standard_normal((len(free_y), DRAWS))
    null = np.sum((free_z.T @ drawn) ** 2, axis=0) / np.sum(drawn**2, axis=0)
    used = len(ridge.coef_) - ridge.lambda_ * np.trace(ridge.sigma_)
    student = float(stats.t.ppf(0.975, max(1.0, len(free_y) - used)))
    chance = float((1 + np.sum(null >= seen)) / (1 + DRAWS))
    return ridge.coef_, ridge.sigma_, own, student, chance
