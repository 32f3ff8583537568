"""Slot effects: nothing out of nothing, what was planted is found, and what was not planted is not."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.charts import heatmaps
from cssafe.labels import ACTIVITIES
from cssafe.queries import Filter
from cssafe.school.week import with_teachers
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import MAX_P_VALUE, estimate_effects, lessons_in_slots
from tests.support.lessons import LESSON, START, add, rows
from tests.support.schools import fill, periods, planted, recorded, school
from tests.support.slot_schools import planted_effects, simulate

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
    assert not any(one.slots["differs"].any() for one in found if one.reason), "cells are filled beside no advice"


def test_shocks_of_single_dates_do_not_pass_for_effects_of_weekdays():
    """A fire drill, a heat wave: all lessons of a date are followed worse or better together."""
    nothing = np.zeros(len(planted_effects()))
    schools = [simulate(seed, 4, nothing, date_spread=0.06) for seed in range(8)]
    assert sum(not estimate_effects(one.lessons, one.school.days, one.school.periods).reason for one in schools) <= 1


def test_the_interval_of_the_one_extreme_slot_holds_and_no_other_slot_is_named():
    held, effect = [], planted_effects()
    for seed in range(8):
        one = simulate(seed, 8, effect)
        slots = estimate_effects(one.lessons, one.school.days, one.school.periods).slots
        held.append(slots["low"][0] <= effect[0] - effect[slots["evidence"]].mean() <= slots["high"][0])
        assert set(np.flatnonzero(slots["differs"])) <= set(np.flatnonzero(effect)), seed
    assert np.mean(held) >= 0.75


def test_a_cell_is_filled_only_where_the_slot_differs():
    """In both heatmaps: the opacity depends on nothing else."""
    slots = known(recorded(OF, 1, planted(np.random.default_rng(1), 0.05))).slots
    for chart in (heatmaps.recorded_slots(slots), heatmaps.slot_effects(slots)):
        opacity = chart.to_dict()["layer"][0]["encoding"]["fillOpacity"]
        assert opacity == {"condition": [{"test": "datum.differs", "value": 1}], "value": 0.2}
    alone = slots.assign(differs=False)
    assert "by chance" in heatmaps.slot_effects_caption(alone) and "Mon" not in heatmaps.recorded_slots_caption(alone)


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
    before = known(lessons).slots["effect"]
    lessons["concentration"] += 0.3 * popular
    found = known(lessons)
    seen = found.slots[found.slots["evidence"]]
    raw = seen["raw"] - seen["raw"].mean()
    assert raw.abs().max() > 0.08 and found.reason
    assert found.slots["effect"].to_numpy() == pytest.approx(before.to_numpy(), abs=1e-6, nan_ok=True)


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


def test_lessons_of_a_database_file_give_the_effects_of_the_lessons_that_were_stored(tmp_path):
    truth = recorded(OF, 2, planted(np.random.default_rng(2), 0.05), weeks=3).query("weekday <= 2")
    with closing(Workspace.open(tmp_path / "school.duckdb")) as stored:
        fill(stored, OF, truth)
        table = with_teachers(lessons_in_slots(stored, OF.periods), OF)
    found, expected = (known(lessons.assign(**dict.fromkeys(ACTIVITIES, 0.0))) for lessons in (table, truth))
    assert found.lessons == len(truth) and found.weeks == 3 and found.chance < 1
    assert found.slots["effect"].to_numpy() == pytest.approx(expected.slots["effect"], abs=0.005, nan_ok=True)
