"""Histograms, Weekly and Lessons, run by Streamlit's own AppTest on a real workspace, the empty one first."""

import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from cssafe import language, queries, sample, settings
from cssafe.ui import common
from tests.support.lessons import LESSON, START, add, rows
from tests.support.pages import Translated, navigation, press, run, show, text

pytestmark = pytest.mark.usefixtures("pages_use_workspace")

PAGES = ("histograms", "weekly", "lessons")


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_page_says_what_to_do_and_fills_itself_with_a_synthetic_term(workspace, name, monkeypatch):
    fill = sample.add_term
    monkeypatch.setattr(sample, "add_term", lambda *values, **named: fill(*values, **named | {"weeks": 1}))
    page = show(name)
    assert "no lesson yet" in text(page) and not page.dataframe
    press(page, "Fill with a synthetic term")
    assert "no lesson yet" not in text(page) and "synthetic" in text(page)
    assert queries.choices(workspace).synthetic > 10


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_lessons_says_how_to_read_it_and_how_far_to_trust_it(workspace, name):
    add(workspace, rows())
    page = show(name)
    assert "How to read it" in text(page) and "never a mark" in text(page) and "(synthetic)" not in text(page)


@pytest.mark.parametrize("name", PAGES)
def test_too_small_a_group_is_explained_and_not_shown(workspace, name):
    add(workspace, rows(tracks=4))
    page = show(name)
    assert "need at least 5 faces" in text(page) and "How to read it" not in text(page)


@pytest.mark.parametrize("name", PAGES)
def test_filters_come_from_the_address_and_may_leave_nothing(workspace, name):
    add(workspace, rows())
    add(workspace, rows(), lesson=replace(LESSON, class_name="9c", subject="Art"))
    assert "How to read it" in text(show(name, **{"class": "7a"}))
    assert "No lesson matches" in text(show(name, **{"class": "7a", "subject": "Art"}))
    assert "No lesson matches" in text(show(name, **{"from": "2027-01-01"}))
    assert "is later than" in text(show(name, **{"from": "2027-01-01", "until": "2026-01-01"}))


def test_a_visit_begins_with_the_filters_of_the_last_one_as_far_as_there_is_still_something_for_them(workspace):
    add(workspace, rows())
    add(workspace, rows(), lesson=replace(LESSON, class_name="9c"))
    workspace.set("filters", {"class": ["7a", "gone"], "from": "2026-01-01"})
    page = show("lessons")
    assert "Only: 7a · from 2026-01-01" in text(page) and len(page.dataframe[0].value) == 1
    assert "Only: 9c" in text(show("lessons", **{"class": "9c"}))
    page = show("lessons")
    press(page, "Clear filters")
    assert "Only:" not in text(page) and len(page.dataframe[0].value) == 2
    assert "Only:" not in text(show("lessons"))


def test_the_address_of_a_lesson_opens_it_whatever_was_filtered_before(workspace):
    first = add(workspace, rows(), lesson=replace(LESSON, name="First"))
    add(workspace, rows(), lesson=replace(LESSON, class_name="9c"))
    workspace.set("filters", {"class": ["9c"]})
    assert show("lessons", lesson=str(first)).subheader[0].value == "First"


@pytest.mark.parametrize("name", ("histograms", "weekly"))
@pytest.mark.parametrize("tracks", [0, 4, 6])
def test_a_translated_page_says_nothing_in_english(workspace, name, tracks, monkeypatch):
    monkeypatch.setattr(language, "_catalogue", lambda code: Translated())
    if tracks:
        add(workspace, rows(tracks=tracks))
    page = AppTest.from_function(navigation, args=(name,), default_timeout=30)
    page.session_state["language"] = "hi"
    said = text(run(page))
    assert re.search("[\u0900-\u097f]", said) and re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", said) == []


def test_synthetic_lessons_stay_out_of_real_figures_unless_asked_for(workspace):
    add(workspace, rows())
    add(workspace, rows(), lesson=replace(LESSON, source="sample", class_name="9c"))
    page = show("lessons")
    assert len(page.dataframe[0].value) == 1
    page.toggle(key="synthetic").set_value(True)
    run(page)
    assert len(page.dataframe[0].value) == 2


@pytest.mark.parametrize("by", ["School classes", "Subjects", "Lessons"])
@pytest.mark.parametrize("measure", ["Shares", "Counts"])
def test_histograms_by_class_subject_and_lesson(workspace, by, measure):
    add(workspace, rows())
    assert "How to read it" in text(show("histograms", by=by, show=measure))


def test_histograms_of_attention_only_lessons_say_that_there_are_no_emotions(workspace):
    add(workspace, rows(), lesson=replace(LESSON, profile="attention-only"))
    page = show("histograms")
    assert "no emotions here" in text(page) and "high concentration" in text(page)


def test_more_classes_than_colours_are_cut_and_it_says_so(workspace):
    for number in range(8):
        add(workspace, rows(), lesson=replace(LESSON, class_name=f"class {number}"))
    assert "Only the 6" in text(show("histograms"))


def test_periods_can_be_saved_and_rule_the_rows(workspace):
    add(workspace, rows())
    page = show("weekly", rows="The school's periods")
    assert "Enter the school's periods" in text(page)
    press(page, "Save periods")
    assert workspace.get("periods") == [{"name": "1", "start": "08:00", "end": "08:45"}]
    assert "outside the periods" in text(show("weekly"))


def test_a_lesson_is_opened_by_its_address(workspace):
    first = add(workspace, rows(), lesson=replace(LESSON, name="First"))
    add(workspace, rows(), lesson=replace(LESSON, name="Second", started=START + timedelta(days=1)))
    assert show("lessons").subheader[0].value == "Second"
    assert show("lessons", lesson=str(first)).subheader[0].value == "First"
    assert "is deleted" in text(show("lessons", lesson="999"))
    assert "is deleted" in text(show("lessons", lesson="x' OR 1"))


def test_a_lesson_can_be_renamed_and_deleted(workspace):
    add(workspace, rows())
    page = show("lessons")
    page.text_input[0].set_value("Fractions")
    press(page, "Save")
    assert page.subheader[0].value == "Fractions"
    page.text_input[0].set_value("  ")
    press(page, "Save")
    assert "needs a name" in text(page)
    assert "no trace of it is left" in text(page) or "only in memory" in text(page)
    press(page, "Delete this lesson")
    assert "no lesson yet" in text(page) and queries.lessons(workspace).empty


def test_removing_the_synthetic_lessons_leaves_the_real_ones(workspace):
    real = add(workspace, rows())
    sample.add_term(workspace, settings.PROFILES["consent"], weeks=1)
    page = show("lessons")
    press(page, "Remove the synthetic lessons")
    assert queries.lessons(workspace)["lesson"].tolist() == [real]


@pytest.mark.parametrize(
    ("measure", "figure"),
    [
        ("Concentration", "50"),
        ("Attentiveness", "50"),
        ("Presence", "100"),
        ("Engaged presence", "50"),
        ("Expression", "42"),
    ],
)
def test_the_week_shows_the_chosen_measure_and_says_which_one(workspace, measure, figure):
    for day in (0, 7, 14):
        add(workspace, *(rows(start=START + timedelta(days=day, minutes=i)) for i in range(30)))
        add(workspace, *(rows(start=START + timedelta(days=day, hours=1, minutes=i)) for i in range(30)))
    page = show("weekly", measure=measure)
    assert page.subheader[0].value == measure and f"{measure}: " in text(page)
    assert f"{measure}. Mon, 09:00: {figure}" in text(page) or f"{measure}. Highest: Mon, 09:00, {figure}" in text(page)


def test_a_picked_cell_with_one_placement_says_why_it_has_no_interval(workspace, monkeypatch):
    picked = SimpleNamespace(selection={"cell": [{"weekday": 1, "period": "09:00"}]})
    monkeypatch.setattr(common, "show_chart", lambda *_given, **_options: picked)
    for _ in range(2):
        add(workspace, rows())
    assert "one class, subject and room" in text(show("weekly"))
    add(workspace, rows(), lesson=replace(LESSON, class_name="7b"))
    assert "one class, subject and room" not in text(show("weekly"))


def test_a_measure_that_no_lesson_has_is_explained(workspace):
    add(workspace, rows(), lesson=replace(LESSON, profile="attention-only"))
    assert "No lesson here has this measure" in text(show("weekly", measure="Expression"))


def test_where_no_emotions_are_computed_the_week_offers_no_expression(workspace, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    add(workspace, rows(), lesson=replace(LESSON, profile="attention-only"))
    assert "Expression" not in show("weekly").get("button_group")[0].options


def test_a_lesson_of_a_class_shows_its_factors_side_by_side_and_one_person_alone_none(workspace):
    add(workspace, rows(tracks=6, seconds=60))
    said = text(show("lessons"))
    assert "Presence 100 (95 % interval 100 to 100); Engaged presence 50" in said
    assert "6 of 6 expected person-minutes" in said
    add(workspace, rows(tracks=1, seconds=60), lesson=replace(LESSON, audience="self"))
    assert "person-minutes" not in text(show("lessons"))
