"""Proposal of a better week: subjects in focus move to slots with higher concentration, all hard constraints kept.

OR-Tools' CP-SAT chooses the slots of each group of equal lessons (class, subject, teacher, room and length). The gain is linear
in the slots' effects, so its interval follows from their covariance; each move adds the variance of two placements.
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
"""Search time: a school of 40 classes takes less than a minute on two cores."""

SOLVER_SCALE = 100_000
"""Factor of weighted effects, which the solver needs as whole numbers: one step is a thousandth of an interval."""

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
    """Proposed moves, or the reason why there are none.

    moves: one row for each lesson that moves: class_name, subject, teacher, room, length, from_day, from_period, to_day,
    to_period, change (of its slot's effect) with low and high, why (a sentence). gain, low, high: of the mean concentration
    over the lessons of the subjects in focus, by their weights; NaN without a search. most: upper bound of the gain, equal to
    it if proven optimal. week: with the moves made. reason: why nothing is proposed; then there are no moves.
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
    """The best week within so many moves, or the reason why there is none.

    known: effects of this school's days and periods. seconds: search time.
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
    # Two placements a move, the old and the new one.
    own = 2 * known.own * np.sum(share**2 * table["length"])
    gain, half = steps @ known.estimate, known.student * np.sqrt(steps @ known.covariance @ steps + own)
    most = max(gain, bound / weight.sum())
    if not gain - half > 0:
        not_clear = _(NOT_CLEAR).format(gain=gain, low=gain - half, high=gain + half)
        return replace(nothing, gain=gain, low=gain - half, high=gain + half, most=most, reason=not_clear)
    return Proposal(_explained(school, known, table), gain, gain - half, gain + half, most, _made(school, table), "")


def _solve(school: School, known: SlotEffects, moves: int, seconds: float) -> tuple[dict[tuple, set[int]], float]:
    """Starting slots of each group of lessons in the best week found, and an upper bound of the gain in weighted effects."""
    from ortools.sat.python import cp_model  # 20 MB, loaded by the first proposal

    model, groups = cp_model.CpModel(), _groups(school)
    choice = {group: _slot_variables(model, school, known, group, now) for group, now in groups.items()}
    _add_constraints(model, school, choice)
    stays = [choice[group][slot] for group, now in groups.items() for slot in now if slot in choice[group]]
    model.add(sum(stays) >= len(school.lessons) - moves)
    effects = [
        round(SOLVER_SCALE * _worth(school, known, group, slot)) * at
        for group, slots in choice.items()
        for slot, at in slots.items()
    ]
    model.maximize(sum(effects) + sum(stays))  # of two equally good weeks the one with fewer moves
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = THREADS
    solver.parameters.random_seed = 0
    if solver.solve(model) == cp_model.UNKNOWN:  # not even the present week, which keeps every constraint (parse_week)
        return {group: set(now) for group, now in groups.items()}, np.inf
    found = {group: {slot for slot, at in slots.items() if solver.value(at)} for group, slots in choice.items()}
    now_worth = sum(_worth(school, known, group, slot) for group, now in groups.items() for slot in now)
    return found, (solver.best_objective_bound - len(school.lessons)) / SOLVER_SCALE - now_worth


def _slot_variables(
    model: Any, school: School, known: SlotEffects, group: tuple, now: Mapping[int, bool]
) -> dict[int, Any]:
    """Slot -> variable that says whether the group has a lesson from there on, for the slots where it may have one."""
    row, per_day, away = dict(zip(ALIKE, group, strict=True)), len(school.periods), blocked_slots(school)
    evidence, variables = known.slots["evidence"].to_numpy(), {}
    for slot in range(len(school.days) * per_day):
        covered = _covered(group, slot)
        if slot % per_day + row["length"] > per_day or any(
            (who, row[who], s) in away for who in RESOURCES for s in covered
        ):
            continue
        if school.focus.get(row["subject"], 0.0) and slot not in now and not evidence[list(covered)].all():
            continue  # no evidence for it
        variables[slot] = at = model.new_bool_var("")
        model.add_hint(at, slot in now)
        if now.get(slot):
            model.add(at == 1)  # fixed
    model.add(sum(variables.values()) == len(now))
    return variables


def _add_constraints(model: Any, school: School, choice: Mapping[tuple, Mapping[int, Any]]) -> None:
    """One lesson at a time for each class, teacher and room, and the daily maximum of periods of a subject."""
    busy: defaultdict[tuple[str, str, int], list] = defaultdict(list)
    daily: defaultdict[tuple[str, str, int], list] = defaultdict(list)
    for group, slots in choice.items():
        row = dict(zip(ALIKE, group, strict=True))
        for slot, at in slots.items():
            for who in RESOURCES:
                if row[who]:
                    for covered in _covered(group, slot):
                        busy[who, row[who], covered].append(at)
            daily[row["class_name"], row["subject"], slot // len(school.periods)].append(row["length"] * at)
    for together in busy.values():
        model.add_at_most_one(together)
    for periods in daily.values():
        model.add(sum(periods) <= school.most)


def _covered(group: tuple, slot: int) -> range:
    """Slots of a lesson that starts in this one."""
    return range(slot, slot + group[ALIKE.index("length")])


def _worth(school: School, known: SlotEffects, group: tuple, slot: int) -> float:
    """Weighted effect of the slots of a lesson of the group that starts in this one."""
    weight = school.focus.get(group[ALIKE.index("subject")], 0.0)
    return weight * known.estimate[list(_covered(group, slot))].sum()


def _groups(school: School) -> dict[tuple, dict[int, bool]]:
    """Equal lessons -> slots in which they start -> whether fixed there."""
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
    """Moves of Proposal with their reasons, by weight and change."""
    rows = []
    records = table.to_dict("records")
    for row, one in zip(records, _contrasts(school, table), strict=True):
        step = one / row["length"]
        change = step @ known.estimate
        half = known.student * np.sqrt(step @ known.covariance @ step)
        from_day, from_period = school.day_and_period(row["old"])
        to_day, to_period = school.day_and_period(row["new"])
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
    """Title of the lesson that takes this one's slot with the same class, teacher or room; empty if there is none."""
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
        row["day"], row["period"] = school.day_and_period(to.get((*(row[name] for name in ALIKE), slot), slot))
    return replace(school, lessons=pd.DataFrame(lessons, columns=LESSON_COLUMNS))
