"""Story, Term and Compare, run by Streamlit's own AppTest on a real workspace, the empty one first."""

from dataclasses import replace
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from cssafe import settings
from cssafe.queries import notes
from cssafe.report import files
from tests.support.lessons import LESSON, START, add, rows
from tests.support.pages import run, text

pytestmark = pytest.mark.usefixtures("pages_use_workspace")

PAGES = ("story", "term", "compare")


def navigation(name: str) -> None:
    import streamlit as st

    from cssafe.settings import ROOT

    names = sorted(("story", "term", "compare", "lessons", "live"), key=lambda other: other != name)
    st.navigation([st.Page(ROOT / f"pages/{other}.py", default=other == name) for other in names]).run()


def show(name: str, **query: str) -> AppTest:
    page = AppTest.from_function(navigation, args=(name,), default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    return run(page)


def said(page: AppTest) -> str:
    """Its text without the strokes that keep Markdown out of it."""
    return text(page).replace("\\", "")


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if label in button.label).click()
    run(page)


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_page_says_what_to_do(workspace, name):
    assert "no lesson yet" in text(show(name))


@pytest.mark.parametrize("name", PAGES)
def test_too_small_a_group_is_explained_and_not_shown(workspace, name):
    add(workspace, rows(tracks=4))
    page = show(name)
    assert "need at least 5 faces" in text(page) and not page.metric


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_lessons_says_how_far_to_trust_it(workspace, name):
    add(workspace, rows())
    page = show(name)
    assert "never a mark" in text(page) and "(concentration)" in text(page) and page.metric


@pytest.mark.parametrize("name", PAGES)
def test_synthetic_lessons_are_marked(workspace, name):
    add(workspace, rows(), lesson=replace(LESSON, source="sample"))
    assert "Synthetic: made up" in text(show(name))


def test_a_running_lesson_has_no_story_yet(workspace):
    workspace.start_lesson(LESSON)
    assert "still running" in text(show("story"))


def test_a_lesson_of_the_address_is_told_and_another_can_be_chosen(workspace):
    first = add(workspace, rows(), lesson=replace(LESSON, name="First"))
    add(workspace, rows(), lesson=replace(LESSON, name="Second", started=START + timedelta(days=1)))
    assert show("story").header[0].value == "Second"
    page = show("story", lesson=str(first))
    assert page.header[0].value == "First"
    assert "is deleted" in text(show("story", lesson="999"))
    page.selectbox[0].set_value(str(first + 1))
    assert run(page).header[0].value == "Second" and page.query_params["lesson"] == str(first + 1)


def test_a_note_and_tags_are_kept_and_told(workspace):
    number = add(workspace, rows())
    page = show("story")
    page.text_area[0].set_value("Went *well* <b>")
    page.multiselect[-1].set_value(["quiz pairs"])
    press(page, "Save note and tags")
    assert notes.note(workspace, number) == "Went *well* <b>" and notes.tags(workspace)["tag"].tolist() == [
        "quiz pairs"
    ]
    assert "Went \\*well\\* \\<b\\>" in text(page) and "Tags: quiz pairs" in said(page)


def test_a_file_that_cannot_be_made_says_so_on_the_page(workspace, monkeypatch):
    add(workspace, rows())
    page = show("story")
    monkeypatch.setattr(files, "RENDER_TIMEOUT_S", 0.001)
    press(page, "as PDF")
    assert "could not be made" in text(page)


def test_the_profile_of_the_reader_hides_expressions(workspace, monkeypatch):
    add(workspace, rows())
    assert "Pleasant or not" in text(show("story")) and "Emotions" in text(show("term"))
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    assert settings.load().profile.name == "attention-only"
    assert "Pleasant or not" not in text(show("story")) and "valence" not in text(show("story"))
    assert "Emotions" not in [part.value for part in show("term").subheader]


def test_the_last_term_is_guessed_and_compared(workspace):
    for i in range(16):
        value = 0.5 if i < 8 else 0.7
        when = START + timedelta(days=3 * i)
        add(
            workspace,
            rows(concentration=value + 0.01 * (i % 4 in (1, 2)), start=when),
            lesson=replace(LESSON, started=when),
        )
    assert "Choose the first day of this term in the filter" in text(show("term"))
    page = show("term", **{"from": "2026-03-26", "until": "2026-04-18"})
    assert [str(box.value) for box in page.date_input[-2:]] == ["2026-03-02", "2026-03-25"]
    assert "Higher than in the last term: +20.0" in said(page)
    page.date_input[-2].set_value(START.date() + timedelta(days=60))
    assert "must begin before it ends" in text(run(page))


def test_lessons_are_compared_by_the_tag_chosen(workspace):
    for i in range(12):
        when = START + timedelta(weeks=i)
        table = rows(concentration=0.5 + 0.2 * (i % 2) + 0.01 * (i % 3), start=when)
        number = add(workspace, table, lesson=replace(LESSON, started=when))
        if i == 0:
            assert "has a tag yet" in text(show("compare"))
        workspace.save_note(number, "", ["outside"] if i % 2 else [])
    told = said(show("compare"))
    assert "Concentration was higher with “outside”: +" in told and "Effect size" in told
