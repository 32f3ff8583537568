"""The proposed week: every hard constraint holds, planted effects are used, and without effects nothing is proposed."""

import time
from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from cssafe.school.week import School, parse_week
from cssafe.timetable.proposal import MIN_CHANGE, propose, search_task
from cssafe.timetable.slot_effects import SlotEffects, estimate_effects
from cssafe.timetable.week_csv import to_csv
from cssafe.timetable.week_ics import to_ics
from cssafe.timetable.week_search import LOADS, PEOPLE, Search
from tests.support.schools import periods, planted, recorded, school
from tests.support.slot_schools import large_school, planted_effects, simulate

SEEDS = range(30)
ANY_LOAD = {(who, load): 9 for who in PEOPLE for load in LOADS}


def sure(of: School, estimate, spread: float = 1e-9) -> SlotEffects:
    """Effects known that well, with evidence for each slot."""
    size = len(of.days) * len(of.periods)
    slots = pd.DataFrame({"evidence": np.ones(size, bool)})
    return SlotEffects(slots, np.asarray(estimate, float), spread**2 * np.eye(size), 0.0, 2.0, 0.001, 500, 10, True, "")


def lesson(day: str, period: int, subject: str, **others) -> dict:
    return {"day": day, "period": str(period), "class_name": "7a", "subject": subject} | others


def keeps_every_constraint(before: School, after: School) -> bool:
    """parse_week raises where one does not hold; the lessons are the same as before."""
    what = ["class_name", "subject", "teacher", "room", "length"]
    again = parse_week(after.periods, **after.to_dict())
    return sorted(map(tuple, again.lessons[what].to_numpy())) == sorted(map(tuple, before.lessons[what].to_numpy()))


def loads(of: School) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(class or teacher, name) -> gaps in the week, periods of the longest day, periods of the longest run; counted here."""
    found = {}
    for who in PEOPLE:
        for name, rows in of.lessons[of.lessons[who] != ""].groupby(who):
            gaps, days, runs = 0, [0], [0]
            for _day, lessons in rows.groupby("day"):
                starts = lessons["period"].map(of.names.index)
                taken = sorted(
                    at + i for at, length in zip(starts, lessons["length"], strict=True) for i in range(length)
                )
                gaps += taken[-1] - taken[0] + 1 - len(taken)
                days.append(len(taken))
                for first in taken:
                    runs.append(next(n for n in range(1, 99) if first + n not in taken))
            found[who, str(name)] = gaps, max(days), max(runs)
    return found


def is_no_harder(before: School, after: School) -> bool:
    now, then = loads(before), loads(after)
    return all(new <= old for person in now for new, old in zip(then[person], now[person], strict=True))


def moved(before: School, after: School) -> int:
    rows = [set(map(tuple, of.lessons.drop(columns="fixed").to_numpy())) for of in (before, after)]
    return len(rows[0] - rows[1])


DAY = parse_week(
    periods(4),
    [lesson("Mon", 1, "Art"), lesson("Mon", 2, "Maths"), lesson("Mon", 3, "Music")],
    days=["Mon"],
    focus={"Maths": 1},
)


@pytest.mark.parametrize(
    ("of", "known", "says"),
    [
        (parse_week(periods(4), days=["Mon"], focus={"Maths": 1}), [0, 0, 0, 0], "no lesson yet"),
        (replace(DAY, focus={}), [0, 0, 0, 1], "No subject needs focus"),
        (replace(DAY, focus={"Latin": 1}), [0, 0, 0, 1], "No subject needs focus"),
        (DAY, [0, 0.1, 0, 0], "No lesson of the subjects that need focus can move"),
    ],
)
def test_what_cannot_be_better_is_said_in_words(of, known, says):
    made = propose(of, sure(of, known), 5)
    assert says in made.reason and made.moves.empty and made.week is of


def test_what_the_effects_do_not_support_is_not_proposed():
    refused = propose(DAY, replace(sure(DAY, [0, 0, 0, 1]), reason="Too little."), 5)
    assert refused.reason == "Too little." and refused.moves.empty
    unclear = propose(DAY, sure(DAY, [0, 0, 0, 0.1], spread=0.05), 5)
    assert "cannot be told from nothing" in unclear.reason and unclear.moves.empty and unclear.week is DAY
    assert unclear.low < 0 < unclear.gain == pytest.approx(0.1)


def test_a_free_better_slot_is_taken_and_nothing_else_moves():
    made = propose(DAY, sure(DAY, [0, 0, 0, 0.1], spread=0.01), 5, ANY_LOAD)
    [row] = made.moves.to_dict("records")
    assert (row["subject"], row["to_period"], moved(DAY, made.week)) == ("Maths", "4", 1)
    assert made.gain == pytest.approx(0.1) and made.low == pytest.approx(0.1 - 2 * np.sqrt(2) * 0.01)
    assert made.most == pytest.approx(made.gain, abs=1e-4)
    assert "Maths 7a goes from Mon 2 to Mon 4, because Maths needs focus" in row["why"]


def test_who_is_in_the_way_makes_room_and_it_is_said():
    made = propose(DAY, sure(DAY, [0.1, 0, 0, -0.1]), 5)
    why = list(made.moves["why"])
    assert len(why) == 2 and "Art 7a goes from Mon 1" in why[1] and "makes room for Maths 7a" in why[1]
    assert propose(DAY, sure(DAY, [0.1, 0, 0, -0.1]), 1).reason  # it takes two moves


def test_the_best_week_is_found():
    """Against every week of three lessons that there is."""
    random = np.random.default_rng(0)
    for _ in range(20):
        estimate, weight = random.normal(0, 0.1, 4), {"Maths": 2.0, "Art": 1.0}
        of = replace(DAY, focus=weight)
        worth = {
            2 * (estimate[maths] - MIN_CHANGE * (maths != 1)) + estimate[art] - MIN_CHANGE * (art != 0): (maths, art)
            for maths, art, _ in permutations(range(4), 3)
        }
        maths, art = worth[max(worth)]
        gain = (2 * estimate[maths] + estimate[art] - 2 * estimate[1] - estimate[0]) / 3
        made = propose(of, sure(of, estimate), 3, ANY_LOAD)
        assert made.gain == pytest.approx(gain, abs=1e-4) and made.most == pytest.approx(made.gain, abs=1e-4)


def test_fixed_lessons_stay_doubles_stay_together_and_who_is_away_is_left_alone():
    rows = [
        lesson("Mon", 1, "Maths", length=2, teacher="Ada"),
        lesson("Mon", 3, "Art", fixed=True),
        lesson("Tue", 1, "Maths", fixed=True, teacher="Ada"),
        lesson("Wed", 1, "Maths", teacher="Ada"),
    ]
    away = [{"who": "teacher", "name": "Ada", "day": "Thu", "period": "4"}]
    of = parse_week(periods(4), rows, away, days=["Mon", "Tue", "Wed", "Thu"], focus={"Maths": 1})
    better = np.zeros(16)
    better[[2, 5, 6, 7, 13, 14, 15]] = 1, 1, 1, 1, 0.5, 1, 9
    made = propose(of, sure(of, better), 4, ANY_LOAD)
    assert keeps_every_constraint(of, made.week)
    at = {(row.subject, row.length): (row.day, row.period, row.fixed) for row in made.week.lessons.itertuples()}
    assert at["Art", 1] == ("Mon", "3", True) and ("Tue", "1") in set(
        zip(made.week.lessons["day"], made.week.lessons["period"], strict=True)
    )
    assert at["Maths", 2] == (
        "Thu",
        "2",
        False,
    )  # one more of Maths on Tuesday would be three, and Ada is away on Thu 4


def test_a_slot_without_evidence_is_no_place_for_a_lesson_that_matters():
    known = sure(DAY, [0, 0, 0, 1])
    known.slots.loc[3, "evidence"] = False
    assert propose(DAY, known, 5).reason
    assert not propose(replace(DAY, focus={"Art": 1}), sure(DAY, [0, 0, 0, 1]), 5).reason


@pytest.mark.parametrize("seeds", [SEEDS[:4], pytest.param(SEEDS[:20], marks=pytest.mark.slow)], ids=len)
def test_with_planted_effects_the_week_gets_better_and_keeps_every_constraint(seeds):
    of, held, gains, abstained = school(5), [], [], []
    for seed in seeds:
        truth = planted(np.random.default_rng(seed), 0.05)
        made = propose(of, estimate_effects(recorded(of, seed, truth), of.days, of.periods), 12)
        if made.reason:  # too small a gain to be told from nothing
            abstained.append(seed)
            continue
        assert keeps_every_constraint(of, made.week) and moved(of, made.week) == len(made.moves) <= 12
        assert is_no_harder(of, made.week)
        gains.append(worth(made.week, truth) - worth(of, truth))
        held.append(made.low <= gains[-1] <= made.high)
    assert min(gains) > 0 and np.mean(held) >= 0.85 and len(abstained) <= len(seeds) / 2


def worth(of: School, truth: np.ndarray) -> float:
    """The true mean over the lessons in focus, by their weights."""
    weights = of.lessons["subject"].map(of.focus).fillna(0)
    slots = [of.slot(day, period) for day, period in zip(of.lessons["day"], of.lessons["period"], strict=True)]
    return float(np.average(truth[slots], weights=weights))


def test_without_planted_effects_nothing_is_proposed():
    of = school(5)
    made = [propose(of, estimate_effects(recorded(of, seed, np.zeros(35)), of.days, of.periods), 12) for seed in SEEDS]
    assert sum(not one.reason for one in made) <= 1


def test_no_class_and_no_teacher_has_more_gaps_longer_days_or_longer_runs_unless_it_is_allowed():
    """The best slot by far would give the class a gap; the best run would be longer than any of today."""
    gap = propose(DAY, sure(DAY, [0, 0, 0, 1]), 1)
    assert gap.reason and gap.gain == 0
    allowed = propose(DAY, sure(DAY, [0, 0, 0, 1]), 1, {("class_name", "gaps"): 1})
    assert not allowed.reason and loads(allowed.week)["class_name", "7a"][0] == 1
    rows = [lesson("Mon", 1, "Art", teacher="Ada"), lesson("Tue", 1, "Maths", teacher="Ada")]
    of = parse_week(periods(2), rows, days=["Mon", "Tue"], focus={"Maths": 1})
    for extra in (
        {},
        {("class_name", load): 1 for load in LOADS},
        {("teacher", "daily"): 1, ("class_name", "daily"): 1},
    ):
        assert propose(of, sure(of, [-1, 1, 0, -1]), 1, extra).reason, extra
    assert not propose(of, sure(of, [-1, 1, 0, -1]), 1, ANY_LOAD).reason


def test_of_small_changes_none_is_proposed():
    """Moves of less than MIN_CHANGE are not worth a new week for the people concerned."""
    assert "can move to a better slot" in propose(DAY, sure(DAY, [0, 0, 0, 0.9 * MIN_CHANGE]), 5, ANY_LOAD).reason
    assert not propose(DAY, sure(DAY, [0, 0, 0, 1.1 * MIN_CHANGE]), 5, ANY_LOAD).reason


@pytest.mark.slow
def test_in_twenty_classes_a_better_week_that_is_no_harder_is_found_in_ten_seconds_of_processor_time():
    of = large_school(np.random.default_rng(0))
    known = estimate_effects(simulate(1, 8, planted_effects(), school=of).lessons, of.days, of.periods)
    teachers = of.lessons["teacher"].nunique()
    for moves in (20, len(of.lessons)):
        started = time.process_time()
        made = propose(of, known, moves)
        print(
            f"20 classes, {teachers} teachers, {len(of.lessons)} lessons, {moves} may move: "
            f"{time.process_time() - started:.1f} s of processor time, {len(made.moves)} moves, gain {made.gain:+.4f} "
            f"({made.low:+.4f} to {made.high:+.4f}), at most {made.most:+.4f}"
        )
        assert time.process_time() - started < 10
        assert not made.reason and keeps_every_constraint(of, made.week) and is_no_harder(of, made.week)
        assert made.gain <= made.most < np.inf


def test_a_search_that_is_stopped_keeps_its_best_week_and_knows_what_is_possible():
    of = school(5)
    known = sure(of, planted(np.random.default_rng(1), 0.05))
    search = Search(search_task(of, known, 12, {}), 60)
    search.stop()
    search.start()
    assert search.wait(30) and search.gain == 0 and set(search.chosen) == set(search_task(of, known, 12, {}).worth)
    again = Search(search_task(of, known, 12, {}), 60)
    again.start()
    assert again.wait(60) and 0 < again.gain <= again.bound < np.inf


def test_a_search_that_ran_out_of_time_says_so():
    made = propose(DAY, sure(DAY, [0, 0, 0, 1]), 5, ANY_LOAD, seconds=0.0)
    assert "not proven" in made.reason and made.moves.empty


def test_a_proposed_week_goes_out_as_both_kinds_of_file():
    from datetime import date

    made = propose(DAY, sure(DAY, [0, 0, 0, 1]), 5)
    assert "lesson,Mon,4,,,7a,Maths" in to_csv(made.week)
    assert b"SUMMARY:Maths 7a" in to_ics(made.week, date(2026, 9, 7), "Europe/Berlin")


@pytest.mark.slow
def test_a_school_of_forty_classes_gets_a_better_week_in_a_minute_of_processor_time():
    of = school(40)
    started = time.process_time()
    known = estimate_effects(recorded(of, 1, planted(np.random.default_rng(5), 0.03)), of.days, of.periods)
    print(f"40 classes, 35 periods, {len(of.lessons)} lessons: effects {time.process_time() - started:.1f} s")
    for moves in (20, len(of.lessons)):
        started = time.process_time()
        made = propose(of, known, moves)
        spent = time.process_time() - started
        print(
            f"{moves} may move: {spent:.1f} s, {len(made.moves)} moves, "
            f"gain {made.gain:+.4f} ({made.low:+.4f} to {made.high:+.4f}), at most {made.most:+.4f}"
        )
        assert not made.reason and keeps_every_constraint(of, made.week) and is_no_harder(of, made.week) and spent < 60
