"""A better week: lessons of the subjects that need focus in the slots where concentration is higher, all hard constraints kept.

OR-Tools' CP-SAT chooses the slots. Lessons of one class, subject, teacher, room and length are alike, so what is chosen is in
which slots such a group has one. The gain is linear in the slots' effects, so its interval follows from their covariance; each
lesson that moves adds the chance that it, by itself, does better or worse in its new place than its slot tells.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cssafe.language import N_, _
from cssafe.school.week import LESSON_COLUMNS, RESOURCES, School, blocked_slots, lesson_title
from cssafe.settings import THREADS
from cssafe.timetable.slot_effects import SlotEffects

ALIKE = ("class_name", "subject", "teacher", "room", "length")

MAX_SEARCH_S = 45.0
"""How long is searched at most: a school of 40 classes is to be done in a minute on two cores."""

SOLVER_SCALE = 100_000
"""Weighted effects as whole numbers, which the solver counts in: its steps are a thousandth of what an interval tells."""

NO_FOCUS = N_("No subject needs focus yet, so no week is better than another. Say below which subjects matter most.")
NO_LESSONS = N_("The school's week has no lesson yet. Enter or import it first.")
NO_BETTER_WEEK = N_("No lesson of the subjects that need focus can move to a better slot with all constraints kept.")
NO_TIME = N_(
    "No better week was found within {seconds:.0f} seconds, but that there is none is not proven. Let fewer lessons move, or "
    "try again when this computer has less to do."
)
NOT_CLEAR = N_(
    "The best week that was found would change concentration by {gain:+z.3f} ({low:+z.3f} to {high:+z.3f}): that cannot be "
    "told from nothing, so nothing is proposed. More lessons recorded make the interval narrower."
)


@dataclass(frozen=True)
class Proposal:
    """What is proposed, or why nothing is.

    moves: one row for each lesson that moves: class_name, subject, teacher, room, length, from_day, from_period, to_day,
    to_period, change (of its slot's effect) with low and high, why (a sentence). gain, low, high: of the mean concentration
    over the lessons of the subjects in focus, by their weights; NaN where nothing was searched. most: what the solver could
    not rule out, equal to the gain if that is proven to be the best. week: with the moves made. reason: why nothing is
    proposed; then no moves and the week as it is.
    """

    moves: pd.DataFrame
    gain: float
    low: float
    high: float
    most: float
    week: School
    reason: str


COLUMNS = (*ALIKE, "from_day", "from_period", "to_day", "to_period", "change", "low", "high", "why")


def propose(school: School, known: SlotEffects, moves: int, seconds: float = MAX_SEARCH_S) -> Proposal:
    """The best week that at most so many moves lead to, or why there is none.

    known: effects of this school's days and periods.
    """
    nothing = Proposal(pd.DataFrame(columns=COLUMNS), np.nan, np.nan, np.nan, np.nan, school, "")
    weight = school.lessons["subject"].map(school.focus).fillna(0.0).to_numpy(float) * school.lessons["length"]
    if why := _(NO_LESSONS) if school.lessons.empty else known.reason or ("" if weight.any() else _(NO_FOCUS)):
        return replace(nothing, reason=why)
    chosen, bound = _solve(school, known, moves, seconds)
    table = _moved(school, chosen)
    if table.empty:
        proven = bound * SOLVER_SCALE < len(school.lessons)  # each may be rounded by half a step
        return replace(
            nothing,
            gain=0.0,
            low=0.0,
            high=0.0,
            reason=_(NO_BETTER_WEEK) if proven else _(NO_TIME).format(seconds=seconds),
        )
    share = table["subject"].map(school.focus).fillna(0.0).to_numpy(float) / weight.sum()
    steps = np.zeros(len(known.estimate))
    for part, one in zip(share, _contrasts(school, table), strict=True):
        steps += part * one
    # A placement that is left and one that is new, each with a deviation of its own.
    own = 2 * known.own * np.sum(share**2 * table["length"])
    gain, half = steps @ known.estimate, known.student * np.sqrt(steps @ known.covariance @ steps + own)
    most = max(gain, bound / weight.sum())
    if not gain - half > 0:
        told = _(NOT_CLEAR).format(gain=gain, low=gain - half, high=gain + half)
        return replace(nothing, gain=gain, low=gain - half, high=gain + half, most=most, reason=told)
    return Proposal(_explained(school, known, table), gain, gain - half, gain + half, most, _made(school, table), "")


def _solve(school: School, known: SlotEffects, moves: int, seconds: float) -> tuple[dict[tuple, set[int]], float]:
    """The starting slots of each group of lessons in the best week found, and a bound on its sum of weighted effects."""
    from ortools.sat.python import cp_model  # 20 MB, which only those pay who ask

    model, per_day = cp_model.CpModel(), len(school.periods)
    away, evidence = blocked_slots(school), known.slots["evidence"].to_numpy()
    busy: defaultdict[tuple[str, str, int], list] = defaultdict(list)
    daily: defaultdict[tuple[str, str, int], list] = defaultdict(list)
    terms: list[Any] = []
    stays: list[Any] = []
    choice: dict[tuple, dict[int, Any]] = {}
    groups = _groups(school)
    for group, now in groups.items():
        row = dict(zip(ALIKE, group, strict=True))
        length, weight = row["length"], school.focus.get(row["subject"], 0.0)
        choice[group] = {}
        for slot in range(len(school.days) * per_day):
            covered = range(slot, slot + length)
            if slot % per_day + length > per_day or any(
                (who, row[who], s) in away for who in RESOURCES for s in covered
            ):
                continue
            if weight and slot not in now and not evidence[list(covered)].all():
                continue  # nothing was seen there that could speak for it
            at = model.new_bool_var("")
            choice[group][slot] = at
            model.add_hint(at, slot in now)
            if slot in now:
                stays.append(at)
                if now[slot]:
                    model.add(at == 1)
            for who in RESOURCES:
                if row[who]:
                    for s in covered:
                        busy[who, row[who], s].append(at)
            daily[row["class_name"], row["subject"], slot // per_day].append(length * at)
            terms.append(round(SOLVER_SCALE * weight * known.estimate[list(covered)].sum()) * at)
        model.add(sum(choice[group].values()) == len(now))
    for together in busy.values():
        model.add_at_most_one(together)
    for periods in daily.values():
        model.add(sum(periods) <= school.most)
    model.add(sum(stays) >= len(school.lessons) - moves)
    # Of two equally good weeks the one with fewer moves.
    model.maximize(sum(terms) + sum(stays))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = THREADS
    solver.parameters.random_seed = 0
    if solver.solve(model) == cp_model.UNKNOWN:  # not even the week as it is, which keeps every constraint (parse_week)
        return {group: set(now) for group, now in groups.items()}, np.inf
    found = {group: {slot for slot, at in slots.items() if solver.value(at)} for group, slots in choice.items()}
    now_worth = sum(
        school.focus.get(group[1], 0.0) * known.estimate[slot : slot + group[4]].sum()
        for group, now in groups.items()
        for slot in now
    )
    return found, (solver.best_objective_bound - len(school.lessons)) / SOLVER_SCALE - now_worth


def _groups(school: School) -> dict[tuple, dict[int, bool]]:
    """Lessons that are alike -> the slots in which they start, and whether they are fixed there."""
    groups: defaultdict[tuple, dict[int, bool]] = defaultdict(dict)
    for row in school.lessons.to_dict("records"):
        groups[tuple(row[name] for name in ALIKE)][school.slot(row["day"], row["period"])] = row["fixed"]
    return dict(groups)


def _moved(school: School, chosen: Mapping[tuple, set[int]]) -> pd.DataFrame:
    """One row for each lesson that moves: ALIKE, old and new (slots)."""
    rows = [
        (*group, old, new)
        for group, now in _groups(school).items()
        for old, new in zip(sorted(set(now) - chosen[group]), sorted(chosen[group] - set(now)), strict=True)
    ]
    return pd.DataFrame(rows, columns=[*ALIKE, "old", "new"])


def _contrasts(school: School, table: pd.DataFrame) -> list[np.ndarray]:
    """float (slots,) for each move: +1 for each slot it goes to, -1 for each it leaves."""
    size, contrasts = len(school.days) * len(school.periods), []
    for row in table.itertuples():
        one = np.zeros(size)
        one[row.new : row.new + row.length] += 1
        one[row.old : row.old + row.length] -= 1
        contrasts.append(one)
    return contrasts


def _explained(school: School, known: SlotEffects, table: pd.DataFrame) -> pd.DataFrame:
    """The moves as Proposal has them, those that matter most first."""
    rows = []
    records = table.to_dict("records")
    for row, one in zip(records, _contrasts(school, table), strict=True):
        step = one / row["length"]
        change = step @ known.estimate
        half = known.student * np.sqrt(step @ known.covariance @ step)
        (from_day, from_period), (to_day, to_period) = school.place(row["old"]), school.place(row["new"])
        weight = school.focus.get(row["subject"], 0.0)
        lesson = lesson_title(row)
        moved = row | {"from_day": from_day, "from_period": from_period, "to_day": to_day, "to_period": to_period}
        moved |= {"change": change, "low": change - half, "high": change + half, "weight": weight}
        words = {"lesson": lesson, "subject": row["subject"], "other": _follower(row, records)} | moved
        words |= {"from_day": _(from_day), "to_day": _(to_day)}
        if weight and change - half > 0:
            why = _(
                "{lesson} goes from {from_day} {from_period} to {to_day} {to_period}, because {subject} needs focus and this "
                "school's lessons are followed better there by {change:.2f} ({low:+z.2f} to {high:+z.2f})."
            )
        elif weight and change > 0:
            why = _(
                "{lesson} goes from {from_day} {from_period} to {to_day} {to_period}, because {subject} needs focus and this "
                "school's lessons are probably, but not certainly, followed better there, by {change:.2f} ({low:+z.2f} to "
                "{high:+z.2f})."
            )
        elif words["other"]:
            why = _("{lesson} goes from {from_day} {from_period} to {to_day} {to_period} and makes room for {other}.")
        else:
            why = _(
                "{lesson} goes from {from_day} {from_period} to {to_day} {to_period}, so that all lessons of its class, "
                "teacher and room still fit."
            )
        rows.append(moved | {"why": why.format(**words)})
    moves = pd.DataFrame(rows).sort_values(["weight", "change"], ascending=False, kind="stable", ignore_index=True)
    return moves[list(COLUMNS)]


def _follower(row: Mapping[str, Any], moves: Sequence[Mapping[str, Any]]) -> str:
    """The lesson that takes this one's place with the same class, teacher or room; empty if there is none."""
    left = range(row["old"], row["old"] + row["length"])
    for other in moves:
        shared = any(row[who] and row[who] == other[who] for who in RESOURCES)
        if other is not row and shared and set(left) & set(range(other["new"], other["new"] + other["length"])):
            return lesson_title(other)
    return ""


def _made(school: School, table: pd.DataFrame) -> School:
    """The week with these moves made."""
    to = {(*(row[name] for name in ALIKE), row["old"]): row["new"] for row in table.to_dict("records")}
    lessons = school.lessons.to_dict("records")
    for row in lessons:
        slot = school.slot(row["day"], row["period"])
        row["day"], row["period"] = school.place(to.get((*(row[name] for name in ALIKE), slot), slot))
    return replace(school, lessons=pd.DataFrame(lessons, columns=LESSON_COLUMNS))
