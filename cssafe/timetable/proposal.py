"""Proposal of a better week: subjects in focus move to slots with higher concentration, all hard constraints kept.

The gain is linear in the slots' effects, so its interval follows from their covariance; each move adds the variance of two
placements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cssafe.language import N_, _
from cssafe.school.week import LESSON_COLUMNS, RESOURCES, School, lesson_title
from cssafe.stats.evidence import Verdict, judge_interval
from cssafe.timetable.slot_effects import SlotEffects
from cssafe.timetable.week_search import (
    ALIKE,
    MAX_SEARCH_S,
    SOLVER_SCALE,
    Group,
    Search,
    Task,
    covered,
    group_lessons,
    possible_slots,
)

MIN_CHANGE = 0.02
"""Expected change of a slot's effect below which a lesson in focus is not moved: people have to rearrange their week for it,
and of many small changes most are chance (assumption)."""

NO_FOCUS = N_("No subject needs focus yet, so no week is better than another. Say below which subjects matter most.")
NO_LESSONS = N_("The school's week has no lesson yet. Enter or import it first.")
NO_BETTER_WEEK = N_("No lesson of the subjects that need focus can move to a better slot with all constraints kept.")
NO_TIME = N_(
    "No better week was found before the search ended, but that there is none is not proven. Let fewer lessons move, or search "
    "longer."
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
    over the lessons of the subjects in focus, by their weights; NaN without a search. most: the gain and the
    proven bound of what another week can have more, where each lesson in focus that moves counts as a loss of MIN_CHANGE.
    week: with the moves made. reason: why nothing is proposed; then there are no moves.
    """

    moves: pd.DataFrame
    gain: float
    low: float
    high: float
    most: float
    week: School
    reason: str


COLUMNS = (*ALIKE, "from_day", "from_period", "to_day", "to_period", "change", "low", "high", "why")


def propose(
    school: School,
    known: SlotEffects,
    moves: int,
    extra: Mapping[tuple[str, str], int] | None = None,
    seconds: float = MAX_SEARCH_S,
) -> Proposal:
    """The best week within so many moves, or the reason why there is none.

    known: effects of this school's days and periods. extra: as in Task. seconds: search time.
    """
    if why := why_no_search(school, known):
        return _nothing(school, why)
    search = Search(search_task(school, known, moves, extra or {}), seconds)
    search.run()
    return conclude(school, known, search)


def why_no_search(school: School, known: SlotEffects) -> str:
    """Why no better week can be searched; empty where it can."""
    if school.lessons.empty:
        return _(NO_LESSONS)
    return known.reason or ("" if _weights(school).any() else _(NO_FOCUS))


def search_task(school: School, known: SlotEffects, moves: int, extra: Mapping[tuple[str, str], int]) -> Task:
    """A lesson in focus may only move to slots with evidence."""
    evidence, groups = known.slots["evidence"].to_numpy(), group_lessons(school)
    worth, stay = {}, {}
    for group, now in groups.items():
        weight = _focus(school, group)
        worth[group] = {
            slot: weight * float(known.estimate[list(covered(group, slot))].sum())
            for slot in possible_slots(school, group)
            if not weight or slot in now or evidence[list(covered(group, slot))].all()
        }
        stay[group] = MIN_CHANGE * weight * group[ALIKE.index("length")]
    return Task(school, worth, stay, moves, extra)


def conclude(school: School, known: SlotEffects, search: Search) -> Proposal:
    """Proposal of the best week that a search found, or the reason why it is none."""
    table, whole = _moved(school, search.chosen), _weights(school).sum()
    if table.empty:
        proven = search.bound * SOLVER_SCALE < 2 * len(school.lessons)  # each worth may be rounded by half a step
        figures = {"gain": 0.0, "low": 0.0, "high": 0.0, "most": max(0.0, search.bound / whole)}
        return replace(_nothing(school, _(NO_BETTER_WEEK) if proven else _(NO_TIME)), **figures)
    share = np.array([_focus(school, group) for group in table[[*ALIKE]].itertuples(index=False, name=None)]) / whole
    contrasts = np.array(_contrasts(school, table))
    steps = share @ contrasts
    # Two placements a move, the old and the new one.
    own = 2 * known.own * np.sum(share**2 * table["length"])
    gain, half = float(steps @ known.estimate), known.student * np.sqrt(steps @ known.covariance @ steps + own)
    found = judge_interval(gain, gain - half, gain + half, len(table), 1)
    cost = MIN_CHANGE * float(share @ table["length"])
    figures = {"gain": gain, "low": found.low, "high": found.high, "most": max(gain, search.bound / whole + cost)}
    if not found.rises:
        return replace(_nothing(school, _(NOT_CLEAR).format(**figures)), **figures)
    return Proposal(_explained(school, known, table), **figures, week=_made(school, table), reason="")


def _nothing(school: School, reason: str) -> Proposal:
    return Proposal(pd.DataFrame(columns=COLUMNS), np.nan, np.nan, np.nan, np.nan, school, reason)


def _focus(school: School, group: Group) -> float:
    return school.focus.get(group[ALIKE.index("subject")], 0.0)


def _weights(school: School) -> np.ndarray:
    """Weight of each lesson, float (lessons,)."""
    return school.lessons["subject"].map(school.focus).fillna(0.0).to_numpy(float) * school.lessons["length"]


def _moved(school: School, chosen: Mapping[tuple, set[int]]) -> pd.DataFrame:
    """One row for each lesson that moves: ALIKE, old and new (slots)."""
    rows = [
        (*group, old, new)
        for group, now in group_lessons(school).items()
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
        change = float(step @ known.estimate)
        half = known.student * np.sqrt(step @ known.covariance @ step)
        from_day, from_period = school.day_and_period(row["old"])
        to_day, to_period = school.day_and_period(row["new"])
        moved = row | {"from_day": from_day, "from_period": from_period, "to_day": to_day, "to_period": to_period}
        moved |= {"change": change, "low": change - half, "high": change + half}
        moved |= {"weight": school.focus.get(row["subject"], 0.0)}
        rows.append(moved | {"why": _reason(moved, _follower(row, records))})
    moves = pd.DataFrame(rows).sort_values(["weight", "change"], ascending=False, kind="stable", ignore_index=True)
    return moves[list(COLUMNS)]


def _reason(moved: Mapping[str, Any], follower: str) -> str:
    """Sentence that explains a move. moved: columns of Proposal.moves and `weight`. follower: of _follower."""
    found = judge_interval(moved["change"], moved["low"], moved["high"], 1, 1)
    if moved["weight"] and found.rises:
        why = _(
            "{lesson} goes from {from_day} {from_period} to {to_day} {to_period}, because {subject} needs focus and this "
            "school's lessons are followed better there by {change:.2f} ({low:+z.2f} to {high:+z.2f})."
        )
    elif moved["weight"] and found.verdict == Verdict.CHANCE and found.value > 0:
        why = _(
            "{lesson} goes from {from_day} {from_period} to {to_day} {to_period}, because {subject} needs focus and this "
            "school's lessons are probably, but not certainly, followed better there, by {change:.2f} ({low:+z.2f} to "
            "{high:+z.2f})."
        )
    elif follower:
        why = _("{lesson} goes from {from_day} {from_period} to {to_day} {to_period} and makes room for {other}.")
    else:
        why = _(
            "{lesson} goes from {from_day} {from_period} to {to_day} {to_period}, so that all lessons of its class, "
            "teacher and room still fit."
        )
    days = {"from_day": _(moved["from_day"]), "to_day": _(moved["to_day"])}
    return why.format(**{**moved, **days}, lesson=lesson_title(moved), other=follower)


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
