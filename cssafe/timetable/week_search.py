"""Search for a better week with OR-Tools' CP-SAT: hard constraints, and limits on what a week asks of classes and teachers.

CP-SAT chooses the slots of each group of equal lessons (class, subject, teacher, room and length). It starts from the
present week, which keeps all constraints.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import numpy as np

from cssafe.language import N_
from cssafe.school.week import RESOURCES, School, blocked_slots
from cssafe.settings import THREADS

ALIKE = ("class_name", "subject", "teacher", "room", "length")

PEOPLE = ("class_name", "teacher")
"""Of RESOURCES, those whose weeks have limits."""

LOADS = {"gaps": N_("Gaps in the week"), "daily": N_("Lessons a day"), "in_row": N_("Lessons in a row")}
"""Of a week of a class or teacher, in periods: those free between two lessons of a day, in all; the longest day; the
longest run without a break."""

MAX_WORK, TYPICAL_LESSONS = 1.0, 640
"""CP-SAT's deterministic time of each thread for a school with so many lessons: the same search on a fast, a slow and a
busy machine, 4 to 8 s of processor time of all threads together (measured). It grows with the square of the lessons."""

MAX_SEARCH_S = 120.0
"""Time by the clock after which a search ends even on a machine too busy for MAX_WORK."""

SOLVER_SCALE = 100_000
"""Factor of weighted effects, which the solver needs as whole numbers: a step is a thousandth of an interval."""

Group = tuple[Any, ...]
"""Values of ALIKE."""


@dataclass(frozen=True)
class Task:
    """What is searched in the weeks of a school.

    worth: of a lesson of the group that starts in the slot, for the slots where it may. stay: worth of each lesson of the
    group that keeps its slot. moves: so many lessons may move. extra: (of PEOPLE, of LOADS) -> periods by which the load of
    each class or teacher may exceed that of the present week; 0 where missing.
    """

    school: School
    worth: Mapping[Group, Mapping[int, float]]
    stay: Mapping[Group, float]
    moves: int
    extra: Mapping[tuple[str, str], int] = field(default_factory=dict)


def group_lessons(school: School) -> dict[Group, dict[int, bool]]:
    """Equal lessons -> slots in which they start -> whether fixed there."""
    groups: defaultdict[Group, dict[int, bool]] = defaultdict(dict)
    for row in school.lessons.to_dict("records"):
        groups[tuple(row[name] for name in ALIKE)][school.slot(row["day"], row["period"])] = row["fixed"]
    return dict(groups)


def possible_slots(school: School, group: Group) -> Iterator[int]:
    """Slots in which a lesson of the group fits into the day while its class, teacher and room are present."""
    row, per_day, away = dict(zip(ALIKE, group, strict=True)), len(school.periods), blocked_slots(school)
    for slot in range(len(school.days) * per_day):
        ends = slot % per_day + row["length"]
        if ends <= per_day and not any((who, row[who], s) in away for who in RESOURCES for s in covered(group, slot)):
            yield slot


def covered(group: Group, slot: int) -> range:
    """Slots of a lesson of the group that starts in this one."""
    return range(slot, slot + group[ALIKE.index("length")])


def week_loads(school: School) -> dict[tuple[str, str], dict[str, int]]:
    """(of PEOPLE, name) -> load of the week, by LOADS."""
    return {person: _loads(week) for person, week in busy_weeks(school).items()}


def busy_weeks(school: School) -> dict[tuple[str, str], np.ndarray]:
    """(of PEOPLE, name) -> periods with a lesson, bool (days, periods)."""
    size = len(school.days), len(school.periods)
    busy: defaultdict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(size, bool))
    for group, slots in group_lessons(school).items():
        for person in _people(group):
            busy[person].flat[[one for slot in slots for one in covered(group, slot)]] = True
    return dict(busy)


def _loads(busy: np.ndarray) -> dict[str, int]:
    """busy: bool (days, periods)."""
    runs = [len(run) for day in busy for run in "".join(".x"[int(one)] for one in day).split(".")]
    return {"gaps": int(_gaps(busy).sum()), "daily": int(busy.sum(axis=1).max()), "in_row": max(runs)}


def _gaps(busy: np.ndarray) -> np.ndarray:
    """Free periods between two lessons of a day, bool (days, periods)."""
    return _since_first(busy) & _until_last(busy) & ~busy


def _since_first(busy: np.ndarray) -> np.ndarray:
    return np.logical_or.accumulate(busy, axis=1)


def _until_last(busy: np.ndarray) -> np.ndarray:
    return _since_first(busy[:, ::-1])[:, ::-1]


def _people(group: Group) -> list[tuple[str, str]]:
    row = dict(zip(ALIKE, group, strict=True))
    return [(who, row[who]) for who in PEOPLE if row[who]]


class Search:
    """One search, by `run`, or by `start` in a thread of its own, which may be watched and stopped.

    gain, bound: of the total worth over that of the present week, of the best week so far and at most of any week. chosen:
    starting slots of each group of lessons in the best week found, the present week if there is none.
    """

    def __init__(self, task: Task, seconds: float = MAX_SEARCH_S) -> None:
        from ortools.sat.python import cp_model  # 20 MB, loaded by the first proposal

        self.gain, self.bound, self._task = 0.0, np.inf, task
        self._groups = group_lessons(task.school)
        self.chosen = {group: set(now) for group, now in self._groups.items()}
        self._model = cp_model.CpModel()
        self._solver = cp_model.CpSolver()
        self._solver.parameters.max_time_in_seconds = seconds
        size = max(1.0, len(task.school.lessons) / TYPICAL_LESSONS)
        self._solver.parameters.max_deterministic_time = MAX_WORK * size**2
        self._solver.parameters.num_workers = THREADS
        self._solver.parameters.random_seed = 0
        self._solver.best_bound_callback = self._set_bound
        self._thread = Thread(target=self.run, daemon=True)
        self._stopped, self._now = False, 0

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether the search has ended within these seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End the search soon, with the best week so far."""
        self._stopped = True
        self._solver.stop_search()

    def run(self) -> None:
        groups = self._groups
        choice = {group: self._slot_variables(group, now) for group, now in groups.items()}
        self._keep_apart(choice)
        self._limit_loads(choice)
        stays = {group: [choice[group][slot] for slot in now if slot in choice[group]] for group, now in groups.items()}
        self._model.add(sum(map(sum, stays.values())) >= len(self._task.school.lessons) - self._task.moves)
        terms = [
            (self._scaled(self._task.worth[group][slot]), at, slot in groups[group])
            for group, slots in choice.items()
            for slot, at in slots.items()
        ]
        # Of two equally good weeks the one with fewer moves.
        terms += [(self._scaled(self._task.stay[group]) + 1, at, True) for group, kept in stays.items() for at in kept]
        self._now = sum(worth for worth, _at, now in terms if now)
        self._model.maximize(sum(worth * at for worth, at, _now in terms))
        self._solve(choice)

    def _solve(self, choice: Mapping[Group, Mapping[int, Any]]) -> None:
        from ortools.sat.python import cp_model

        search = self

        class Progress(cp_model.CpSolverSolutionCallback):
            def on_solution_callback(self) -> None:
                search.gain = search._over_present(self.objective_value)
                if search._stopped:  # before the solver could be stopped
                    self.stop_search()

        if self._stopped or self._solver.solve(self._model, Progress()) == cp_model.UNKNOWN:
            return  # no time even for the present week, which keeps every constraint (parse_week)
        self._set_bound(self._solver.best_objective_bound)
        self.chosen = {
            group: {slot for slot, at in slots.items() if self._solver.value(at)} for group, slots in choice.items()
        }

    def _scaled(self, worth: float) -> int:
        return round(SOLVER_SCALE * worth)

    def _over_present(self, objective: float) -> float:
        return (objective - self._now) / SOLVER_SCALE

    def _set_bound(self, objective: float) -> None:
        self.bound = self._over_present(objective)

    def _slot_variables(self, group: Group, now: Mapping[int, bool]) -> dict[int, Any]:
        """Slot -> variable that says whether the group has a lesson from there on, for the slots where it may."""
        variables = {}
        for slot in self._task.worth[group]:
            variables[slot] = self._hinted(slot in now)
            if now.get(slot):
                self._model.add(variables[slot] == 1)  # fixed
        self._model.add(sum(variables.values()) == len(now))
        return variables

    def _hinted(self, now: bool) -> Any:
        """A variable whose value in the present week is `now`."""
        variable = self._model.new_bool_var("")
        self._model.add_hint(variable, now)
        return variable

    def _keep_apart(self, choice: Mapping[Group, Mapping[int, Any]]) -> None:
        """One lesson at a time for each class, teacher and room, and the daily maximum of periods of a subject."""
        busy: defaultdict[tuple[str, str, int], list] = defaultdict(list)
        daily: defaultdict[tuple[str, str, int], list] = defaultdict(list)
        for group, slots in choice.items():
            row = dict(zip(ALIKE, group, strict=True))
            for slot, at in slots.items():
                for who in filter(row.get, RESOURCES):
                    for one in covered(group, slot):
                        busy[who, row[who], one].append(at)
                day = slot // len(self._task.school.periods)
                daily[row["class_name"], row["subject"], day].append(row["length"] * at)
        for together in busy.values():
            self._model.add_at_most_one(together)
        for periods in daily.values():
            self._model.add(sum(periods) <= self._task.school.most)

    def _limit_loads(self, choice: Mapping[Group, Mapping[int, Any]]) -> None:
        """Loads of each class and teacher at most those of the present week and what is allowed beyond."""
        school = self._task.school
        weeks: defaultdict[tuple[str, str], dict] = defaultdict(lambda: defaultdict(list))
        for group, slots in choice.items():
            for person in _people(group):
                for slot, at in slots.items():
                    for one in covered(group, slot):
                        weeks[person][one].append(at)
        for person, now in busy_weeks(school).items():
            most = {load: value + self._task.extra.get((person[0], load), 0) for load, value in _loads(now).items()}
            gaps = []
            for number, day_now in enumerate(now):
                day = [sum(weeks[person][number * len(day_now) + i]) for i in range(len(day_now))]
                self._model.add(sum(day) <= most["daily"])
                for start in range(len(day) - most["in_row"]):
                    self._model.add(sum(day[start : start + most["in_row"] + 1]) <= most["in_row"])
                gaps += self._gap_variables(day, day_now)
            self._model.add(sum(gaps) <= most["gaps"])

    def _gap_variables(self, day: list, now: np.ndarray) -> list:
        """A variable for each period of a day, at least 1 where it is free between two lessons. now: bool (periods,)."""
        hints = _since_first(now[None])[0], _until_last(now[None])[0], _gaps(now[None])[0]
        since, until, gaps = ([self._hinted(bool(value)) for value in hint] for hint in hints)
        for i, busy in enumerate(day):
            self._model.add(since[i] >= busy)
            self._model.add(until[i] >= busy)
            self._model.add(gaps[i] >= since[i] + until[i] - 1 - busy)
            if i:
                self._model.add_implication(since[i - 1], since[i])
                self._model.add_implication(until[i], until[i - 1])
        return gaps
