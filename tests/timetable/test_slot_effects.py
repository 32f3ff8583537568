"""Slot effects: nothing out of nothing, what was planted is found, and what was not planted is not."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.labels import ACTIVITIES
from cssafe.queries import Filter
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import MAX_P_VALUE, estimate_effects, lessons_in_slots
from tests.support.lessons import LESSON, START, add, rows
from tests.support.schools import periods, planted, recorded, school

SEEDS = range(40)
FEW_AND_MANY = pytest.mark.parametrize("seeds", [SEEDS[:8], pytest.param(SEEDS, marks=pytest.mark.slow)], ids=len)
OF = school(5)
NOTHING = recorded(OF, 0, np.zeros(35)).iloc[:0]


def known(lessons: pd.DataFrame):
    return estimate_effects(lessons, OF.days, OF.periods)


def test_no_lessons_tell_nothing_and_say_so():
    found = known(NOTHING)
    assert "0 lessons in 0 weeks" in found.reason and not found.slots["evidence"].any() and not found.synthetic
    assert len(found.slots) == 35 and found.slots[["raw", "effect", "low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "lessons",
    [
        recorded(OF, 0, np.zeros(35), weeks=2),
        recorded(OF, 0, np.zeros(35)).query("class_name == '0' and subject in ('Art', 'Music')"),
        recorded(OF, 0, np.zeros(35)).iloc[:1],
    ],
    ids=["two weeks", "two subjects of one class", "one lesson"],
)
def test_in_the_first_weeks_there_is_no_advice(lessons):
    found = known(lessons)
    assert "too little" in found.reason and found.slots["effect"].isna().all()


@FEW_AND_MANY
def test_what_was_not_planted_is_not_found(seeds):
    found = [known(recorded(OF, seed, np.zeros(35))) for seed in seeds]
    alarms = sum(not one.reason for one in found)
    assert alarms <= len(seeds) / 20, f"{alarms} of {len(seeds)}, where {MAX_P_VALUE} of them are expected"
    clear = np.mean([((one.slots["low"] > 0) | (one.slots["high"] < 0)).mean() for one in found])
    assert clear < 0.05


@FEW_AND_MANY
def test_what_was_planted_is_found_with_honest_intervals(seeds):
    held, likeness = [], []
    for seed in seeds:
        truth = planted(np.random.default_rng(seed), 0.04)
        found = known(recorded(OF, seed, truth))
        assert not found.reason, seed
        seen = found.slots["evidence"].to_numpy()
        effect = truth - truth[seen].mean()
        held.append(((found.slots["low"] <= effect) & (effect <= found.slots["high"]))[seen].mean())
        likeness.append(np.corrcoef(effect[seen], found.slots["effect"][seen])[0, 1])
    assert 0.90 <= np.mean(held) <= 0.99 and np.mean(likeness) > 0.75


def test_a_subject_that_is_always_at_the_same_hour_does_not_pass_for_the_hour():
    """Raw, the hours with the popular subjects look better than they are."""
    lessons = recorded(OF, 1, np.zeros(35))
    popular = lessons["subject"].isin(["Sport", "Music", "Art"])
    lessons["concentration"] += 0.3 * popular
    found = known(lessons)
    seen = found.slots[found.slots["evidence"]]
    raw = seen["raw"] - seen["raw"].mean()
    assert raw.abs().max() > 0.08 and seen["effect"].abs().mean() < 0.3 * raw.abs().mean() and found.reason


def test_more_weeks_of_the_same_lessons_are_no_more_than_the_lessons_allow():
    """What a placement does by itself stays, however often it is seen."""
    widths = []
    for weeks in (8, 80):
        slots = known(recorded(OF, 3, planted(np.random.default_rng(3), 0.04), weeks)).slots
        widths.append((slots["high"] - slots["low"]).mean())
    assert widths[1] > 0.5 * widths[0]


def test_a_slot_with_fewer_than_three_lessons_has_no_evidence():
    lessons = recorded(OF, 0, np.zeros(35))
    there = (lessons["weekday"] == 2) & (lessons["period"] == "3")
    found = known(pd.concat([lessons[~there], lessons[there].iloc[:2]]))
    slot = found.slots.query("weekday == 2 and period == '3'").iloc[0]
    assert slot["lessons"] == 2 and not slot["evidence"] and np.isnan(slot["effect"]) and slot["raw"] > 0
    assert found.slots.drop(index=slot.name)["effect"].notna().all()
    assert (found.slots["raw_low"] < found.slots["raw"]).all() and (found.slots["raw"] < found.slots["raw_high"]).all()


@pytest.fixture
def workspace():
    opened = Workspace.open(None)
    yield opened
    opened.close()


def minutes(count: int, **values: float) -> list[pd.DataFrame]:
    return [rows(start=START + timedelta(minutes=i), **values) for i in range(count)]


def test_an_empty_workspace_has_no_lessons_in_slots_and_all_columns(workspace):
    table = lessons_in_slots(workspace, periods())
    assert table.empty and known(table.assign(teacher="")).reason
    assert {"week", "weekday", "period", "concentration", *ACTIVITIES} <= set(table.columns)


def test_lessons_are_found_in_their_slots_by_their_own_clock_with_their_activities(workspace):
    number = workspace.start_lesson(LESSON)  # 8:00 in UTC is the second period in Berlin
    for part in minutes(20, concentration=0.7):
        workspace.record(number, part)
    workspace.switch_activity(number, "desk work", START + timedelta(minutes=15))
    workspace.end_lesson(number, START + timedelta(minutes=45))
    [row] = lessons_in_slots(workspace, periods()).to_dict("records")
    assert (row["weekday"], row["period"], row["minutes"], str(row["week"])[:10]) == (1, "2", 20, "2026-03-02")
    assert row["concentration"] == pytest.approx(0.7) and (row["front"], row["desk work"]) == (0.75, 0.25)


def test_too_small_groups_people_alone_and_what_only_spills_over_are_left_out(workspace):
    add(workspace, *[rows(tracks=4, start=START + timedelta(minutes=i)) for i in range(20)])
    add(workspace, *minutes(20), lesson=replace(LESSON, audience="self", activity="screen"))
    add(workspace, *minutes(9))
    assert lessons_in_slots(workspace, periods()).empty
    add(workspace, *minutes(10))
    assert len(lessons_in_slots(workspace, periods())) == 1
    assert lessons_in_slots(workspace, periods(), Filter(classes=["9c"])).empty
