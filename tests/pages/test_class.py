"""Responses and seats on the page Lessons, run by Streamlit's own AppTest on a real workspace, the empty one first."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from cssafe.observations import average_seconds
from cssafe.queries import seats
from cssafe.scoring.formula import PUBLISHED
from tests.support.lessons import LESSON, START, add, rows
from tests.support.marked_lessons import MARKS, restless
from tests.support.pages import press, run, show, text
from tests.support.simulated_class import Plan, Step, frames

pytestmark = pytest.mark.usefixtures("pages_use_workspace")


@pytest.fixture(scope="module")
def turning():
    """Observations of a class that turns to the front after 300 s, for a while."""
    steps = (Step(looking=(0.2, 0.3)), Step(300, looking=(0.9, 1.0), delay=3), Step(340, looking=(0.2, 0.3)))
    return average_seconds(list(frames(Plan(faces=24, seconds=600, rate=1, steps=steps), START, PUBLISHED)))


def opened():
    """The page Lessons with what it makes only when it is opened."""
    page = show("lessons")
    page.session_state["responses"] = page.session_state["seating"] = True
    return run(page)


def test_without_markers_or_places_it_says_what_to_do(workspace):
    add(workspace, rows(seconds=3).assign(x=np.nan))
    page = opened()
    assert "press a marker's button" in text(page) and "recorded by an earlier version" in text(page)


def test_with_too_little_around_the_markers_it_says_so(workspace):
    number = add(workspace, rows(seconds=3))
    workspace.add_marker(number, "quiz", START)
    assert "Too little was measured around" in text(opened())


def test_responses_are_told_in_words_with_their_uncertainty(workspace, turning):
    number = add(workspace, turning)
    workspace.add_marker(number, "question", START + timedelta(seconds=300))
    workspace.add_marker(number, "joke", START + timedelta(seconds=500))
    told = text(opened())
    assert "question**: attention rose by 0." in told and "joke**: no clear change" in told
    assert "half of those who had to turn had turned after" in told


def test_attention_only_tells_no_response_of_expressions(workspace, turning):
    number = add(workspace, turning, lesson=replace(LESSON, profile="attention-only", formula="attention-only 3"))
    workspace.add_marker(number, "question", START + timedelta(seconds=300))
    told = text(opened())
    assert "attention rose" in told and "expression rose" not in told and "expression fell" not in told


def test_the_factors_of_a_lesson_end_with_the_responsiveness_of_its_class_as_it_is_now(workspace):
    number = add(workspace, restless())
    assert "Question:" not in text(show("lessons"))
    for second in MARKS[:3]:
        workspace.add_marker(number, "question", START + timedelta(seconds=second))
    page = show("lessons")
    assert "Question: too little data, 3 markers can be compared; 4 are needed." in text(page)
    workspace.add_marker(number, "question", START + timedelta(seconds=MARKS[3]))
    told = text(run(page))
    assert "points within 30 s may differ by chance" in told and "more of them would show a change of 5 points" in told


def divide(page, rows: int, columns: int):
    page.number_input(key="seat_rows").set_value(rows)
    page.number_input(key="seat_columns").set_value(columns)
    press(page, "Use this grid")
    return run(page)


SHOW = "Show the figures of these regions"


def test_a_room_is_divided_before_figures_are_shown_and_the_lesson_keeps_its_regions(workspace, turning):
    number = add(workspace, turning)
    page = opened()
    assert "no figure is shown yet" in text(page) and "each region shows the mean attention" not in text(page)
    page = divide(page, 6, 6)
    press(page, SHOW)
    assert "No region ever held 5 measured faces" in text(page) and seats.division(workspace, number) == []
    page = divide(page, 1, 3)
    press(page, SHOW)
    assert "each region shows the mean attention" in text(run(page))
    page = divide(page, 1, 2)
    assert workspace.get("seats") == {"R1": seats.grid(1, 2)} and seats.division(workspace, number) == seats.grid(1, 3)
    assert "This lesson keeps the regions" in text(page) and not [
        button for button in page.button if button.label == SHOW
    ]


def test_a_running_lesson_has_no_seats(workspace, turning):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, turning)
    workspace.flush()
    page = show("lessons")
    assert "Seats" not in [expander.label for expander in page.expander]
