"""Regions of a room and the attention in them, the empty table first."""

import io
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.exchange import exporter, importer
from cssafe.observations import observe
from cssafe.queries import seats
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES
from tests.live.test_simulated_class import ROUGH
from tests.support.lessons import LESSON, START, add, rows
from tests.support.simulated_class import Step, frames

LEFT = {"name": "Door", "left": 0, "top": 0, "right": 50, "bottom": 100}
RIGHT = {"name": "Window", "left": 50, "top": 0, "right": 100, "bottom": 100}
HALVES = seats.parse_regions([LEFT, RIGHT])


def sitting(left: int, right: int, **values) -> pd.DataFrame:
    """One second with that many faces in either half, attentive on the left only."""
    table = rows(tracks=left + right, **values)
    table["x"] = [0.2] * left + [0.8] * right
    return table.assign(attention=[1.0] * left + [0.4] * right)


def shown(workspace, table: pd.DataFrame, regions=HALVES, lesson=LESSON) -> list[bool]:
    return seats.seat_attention(workspace, add(workspace, table, lesson=lesson), regions)["attention"].notna().tolist()


def test_a_grid_covers_the_picture_once():
    assert seats.grid(1, 1) == [{"name": "A1", "left": 0, "top": 0, "right": 1, "bottom": 1}]
    six = seats.grid(2, 3)
    assert [region["name"] for region in six] == ["A1", "B1", "C1", "A2", "B2", "C2"]
    percent = [{key: value if key == "name" else 100 * value for key, value in region.items()} for region in six]
    assert len(seats.parse_regions(percent)) == 6  # so none overlap
    assert sum((r["right"] - r["left"]) * (r["bottom"] - r["top"]) for r in six) == pytest.approx(1)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([LEFT | {"name": " "}], "has no name"),
        ([LEFT | {"top": None}], "needs four edges"),
        ([LEFT | {"top": np.nan}], "needs four edges"),
        ([LEFT | {"right": 0}], "no rectangle inside"),
        ([LEFT | {"bottom": 101}], "no rectangle inside"),
        ([LEFT, RIGHT | {"name": "Door"}], "Two regions are called Door"),
        ([LEFT, RIGHT | {"left": 49}], "Door and Window overlap"),
    ],
)
def test_regions_that_make_no_sense_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        seats.parse_regions(table)


def test_empty_rows_are_passed_over_and_edges_become_shares():
    assert seats.parse_regions([]) == seats.parse_regions([{"name": None, "left": None}]) == []
    assert seats.parse_regions([LEFT]) == [{"name": "Door", "left": 0, "top": 0, "right": 0.5, "bottom": 1}]


def test_a_new_region_takes_the_place_of_those_it_overlaps():
    (middle,) = seats.parse_regions([LEFT | {"name": "Aisle", "left": 40, "right": 60}])
    corner = seats.grid(4, 4)[-1]
    assert seats.add_region([], middle) == [middle] == seats.add_region(HALVES, middle)
    assert seats.add_region([middle], corner) == [middle, corner] and seats.add_region(
        [corner], corner | {"top": 0}
    ) == [corner | {"top": 0}]


def test_no_regions_no_faces_and_no_places_give_no_figure(workspace):
    number = add(workspace)
    assert seats.seat_attention(workspace, number, []).empty and not seats.has_positions(workspace, number)
    assert seats.seat_attention(workspace, number, HALVES)["attention"].isna().all()
    unplaced = add(workspace, rows(tracks=9).assign(x=np.nan, y=np.nan))
    assert seats.seat_attention(workspace, unplaced, HALVES)["attention"].isna().all()
    assert not seats.has_positions(workspace, unplaced)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (2, 2, [False, False]),
        (5, 0, [True, False]),
        (5, 5, [True, True]),
        (9, 4, [False, False]),  # the four on the right could be worked out from the mean of all
        (4, 1, [False, False]),
    ],
)
def test_no_region_of_fewer_than_the_minimum_group_can_be_seen_or_worked_out(workspace, left, right, expected):
    assert shown(workspace, sitting(left, right)) == expected


def test_faces_outside_every_region_are_protected_too(workspace):
    assert shown(workspace, sitting(6, 4), HALVES[:1]) == [False]
    assert shown(workspace, sitting(6, 5), HALVES[:1]) == [True]


def test_of_three_regions_only_the_smallest_is_given_up_for_a_small_rest(workspace):
    thirds = seats.grid(1, 3)
    table = pd.concat([sitting(8, 6), sitting(3, 0).assign(x=0.5, track=[20, 21, 22])])
    assert shown(workspace, table, thirds) == [True, False, False]


def test_one_person_alone_has_no_seats(workspace):
    lesson = replace(LESSON, audience="self")
    assert shown(workspace, rows(tracks=1, seconds=9), seats.grid(1, 1), lesson) == [False]


def test_a_lesson_keeps_the_first_division_for_which_figures_were_shown(workspace):
    number = add(workspace, sitting(6, 5))
    assert seats.seat_attention(workspace, number, seats.grid(6, 6)[:3])["attention"].isna().all()
    assert seats.division(workspace, number) == []
    first = seats.seat_attention(workspace, number, HALVES)
    assert first["name"].tolist() == ["Door", "Window"] and seats.division(workspace, number) == HALVES
    pd.testing.assert_frame_equal(seats.seat_attention(workspace, number, seats.grid(1, 1)), first)
    other = add(workspace, sitting(6, 5))
    assert len(seats.seat_attention(workspace, other, seats.grid(1, 1))) == 1


def test_a_lesson_that_runs_has_no_figures_of_regions(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, sitting(6, 5))
    workspace.flush()
    assert seats.seat_attention(workspace, number, HALVES)["attention"].isna().all()
    assert seats.division(workspace, number) == []


def test_overlapping_regions_have_no_figures(workspace):
    """They could come with a file."""
    twice = [HALVES[0], HALVES[0] | {"name": "Again", "right": 0.6}]
    assert shown(workspace, sitting(9, 9), twice) == [False, False]


def test_a_division_goes_with_its_lesson_out_in_and_away(workspace):
    number = add(workspace, sitting(6, 5))
    seats.seat_attention(workspace, number, HALVES)
    file = io.BytesIO()
    exporter.export_file(workspace, file, "parquet")
    workspace.delete(number)
    assert seats.division(workspace, number) == []
    [again] = importer.import_file(workspace, file, PROFILES["consent"]).lessons
    assert again != number and seats.division(workspace, again) == HALVES


def attacked(workspace, number: int, truth: np.ndarray, rng: np.random.Generator) -> float:
    """Mean error of what a hundred divisions of a room of 5 x 5 seats tell of each seat, by least squares."""
    rows_of, means = [], []
    row, column = np.divmod(np.arange(25), 5)
    for _ in range(100):
        top, left = rng.integers(0, 4, 2)
        bottom, right = top + rng.integers(1, 6 - top), left + rng.integers(1, 6 - left)
        asked = {"name": "Drawn", "left": left / 5, "top": top / 5, "right": right / 5, "bottom": bottom / 5}
        for region in seats.seat_attention(workspace, number, [asked]).dropna(subset="attention").itertuples():
            inside = (column / 5 + 0.1 > region.left) & (column / 5 + 0.1 < region.right)
            inside &= (row / 5 + 0.1 > region.top) & (row / 5 + 0.1 < region.bottom)
            rows_of.append(inside / inside.sum())
            means.append(region.attention)
    guess = truth.mean()  # of the whole class, which is told anyway
    found = guess + np.linalg.pinv(np.array(rows_of)) @ (np.array(means) - guess)
    return float(np.abs(found - truth).mean())


def test_a_hundred_divisions_tell_no_more_of_a_seat_than_the_mean_of_the_class(workspace):
    rng = np.random.default_rng(3)
    row, column = np.divmod(np.arange(25), 5)
    truth = rng.uniform(0.2, 1, 25).round(4)
    second = rows(tracks=25).assign(attention=truth, x=column / 5 + 0.1, y=row / 5 + 0.1)
    number = add(workspace, second)
    assert attacked(workspace, number, truth, rng) > 0.9 * np.abs(truth - truth.mean()).mean()


def test_a_class_that_looks_away_on_one_side_is_seen_so(workspace):
    """Simulated, with everything that goes wrong in a room."""
    step = Step(looking=(0.2, 0.9))
    number = workspace.start_lesson(LESSON)
    workspace.record(
        number, observe(list(frames(replace(ROUGH, faces=28, seconds=120, steps=(step,)), START, PUBLISHED)))
    )
    workspace.end_lesson(number, START + timedelta(seconds=120))
    door, window = seats.seat_attention(workspace, number, HALVES).itertuples()
    for region, share in ((door, 0.2), (window, 0.9)):
        glancing = share * 0.95 + (1 - share) * 0.05
        truth = (glancing + (1 - glancing) * 0.4) * 0.95  # with open eyes
        assert region.attention == pytest.approx(truth, abs=0.05) and region.low < truth < region.high
        assert 8 < region.faces < 15 and region.seconds > 100
    assert door.high < window.low
