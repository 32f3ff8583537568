"""The page Timetable, run by Streamlit's own AppTest on a real workspace, the empty one first."""

from contextlib import contextmanager
from datetime import date

import numpy as np
import pytest
import streamlit as st

from cssafe.school.week import parse_week
from cssafe.store import Workspace
from cssafe.timetable import week_ics
from cssafe.timetable.week_csv import to_csv
from cssafe.timetable.week_ics import to_ics
from cssafe.timetable.week_search import Search
from cssafe.ui import common, week_proposal
from tests.support.lessons import add, rows
from tests.support.pages import press, run, text
from tests.support.schools import fill, periods, planted, recorded, school

pytestmark = pytest.mark.usefixtures("pages_use_workspace")

SLOTS, BETTER, WEEK = "How slots differ", "A better week", "The school's week"


def show(part: str):
    from streamlit.testing.v1 import AppTest

    page = AppTest.from_function(navigation, default_timeout=60)
    page.query_params["part"] = part
    return run(page)


def navigation() -> None:
    """The script under test: the site with this page in front."""
    import streamlit as st

    from cssafe.settings import ROOT

    names = ("timetable", "live", "lessons")
    st.navigation([st.Page(ROOT / f"pages/{name}.py", default=name == "timetable") for name in names]).run()


def keep(of: Workspace, lessons: list[dict], **others) -> None:
    of.set("periods", periods())
    of.set("school", parse_week(periods(), lessons, **others).to_dict())


def test_an_empty_workspace_is_asked_for_its_week_in_every_part(workspace):
    assert "no school week yet" in text(show(WEEK))
    for part in (SLOTS, BETTER):
        assert "periods first" in text(show(part))


def test_without_lessons_the_slots_say_what_to_do(workspace):
    keep(workspace, [])
    assert "no lesson yet" in text(show(SLOTS))


def test_too_small_a_group_is_explained_and_not_shown(workspace):
    keep(workspace, [])
    add(workspace, rows(tracks=4))
    assert "need at least 5 faces" in text(show(SLOTS)) and "How to read it" not in text(show(SLOTS))


@pytest.fixture(scope="module")
def filled():
    """A workspace with a school and its recorded lessons, and planted effects."""
    of, opened = school(5), Workspace.open(None)
    lessons = recorded(of, 1, planted(np.random.default_rng(1), 0.05))
    fill(opened, of, lessons[(lessons["weekday"] != 2) | (lessons["period"] != "3")])
    yield opened
    opened.close()


@pytest.fixture
def lent(filled, monkeypatch):
    """The same to one test, which may change the week."""
    monkeypatch.setattr(common, "workspace", lambda: filled)
    before = filled.get("school")
    yield filled
    filled.set("school", before)


def test_slots_are_shown_raw_and_with_all_else_taken_out_and_marked_as_synthetic(lent):
    page = show(SLOTS)
    told = text(page)
    assert "As recorded (synthetic)" in told and "Adjusted difference (synthetic)" in told
    assert (
        "Concentration is higher than in the mean slot on" in told
        and "95 % interval" in told
        and "never a mark" in told
    )
    page.session_state["effects_table"] = True  # the table behind the chart is made when it is opened
    [table] = run(page).dataframe
    assert len(table.value) == 35
    assert table.value["effect"].isna().sum() == 1  # nothing was seen on Tuesdays in the third


def test_a_better_week_is_looked_for_explained_and_taken_over(lent):
    page = show(BETTER)
    press(page, "Look for a better week")
    assert "needs focus and this school's lessons are" in text(page) and "expected to change by +" in text(page)
    assert "Proven" in text(page) or "another may be better by at most" in text(page)
    assert "Gaps in classes' weeks" in text(page) and "does not replace a timetable program such as FET" in text(page)
    assert not any(button.label.startswith("Stop") for button in page.button), "the search has ended"
    before = lent.get("school")
    press(page, "Make it the school's week")
    after = lent.get("school")
    assert before["lessons"] != after["lessons"] and len(before["lessons"]) == len(after["lessons"])


def test_a_search_of_inputs_that_have_changed_is_stopped(lent):
    page = show(BETTER)
    press(page, "Look for a better week")
    assert "expected to change by" in text(page)
    page.number_input(key="moves").set_value(1)
    assert "then look for a better week" in text(run(page)) and "search" not in page.session_state


def test_the_limits_of_a_week_can_be_raised(lent, monkeypatch):
    asked = []
    monkeypatch.setattr(week_proposal, "Search", lambda task: asked.append(task.extra) or Search(task))
    page = show(BETTER)
    page.session_state["limits"] = {"edited_rows": {0: {"gaps": 3}}, "added_rows": [], "deleted_rows": []}
    press(page, "Look for a better week")
    assert asked[0]["class_name", "gaps"] == 3 and asked[0]["teacher", "gaps"] == 0


def test_where_no_subject_needs_focus_it_says_so(lent):
    lent.set("school", lent.get("school") | {"focus": {}})
    page = show(BETTER)
    press(page, "Look for a better week")
    assert "No subject needs focus" in text(page)


def test_a_few_lessons_support_no_advice_and_every_part_says_so(workspace):
    of = school(5)
    fill(workspace, of, recorded(of, 0, np.zeros(35), weeks=1).query("class_name == '0'"))
    for part in (SLOTS, BETTER):
        assert "too little to tell slots apart" in text(show(part))


def test_the_week_is_taken_from_recorded_lessons_and_can_be_downloaded(workspace):
    of = school(2)
    fill(workspace, of, recorded(of, 0, np.zeros(35), weeks=2, share=1.0))
    workspace.set("school", {})
    workspace.set("periods", [])
    page = show(WEEK)
    press(page, "Import from the recorded lessons")
    taken = workspace.get("school")["lessons"]
    assert len(taken) == len(of.lessons) and len(workspace.get("periods")) == 7
    assert {"CSV", "iCalendar"} <= {button.label for button in page.get("download_button")}


def test_a_week_that_no_longer_fits_its_periods_is_named_and_can_be_mended(workspace):
    keep(workspace, [{"day": "Mon", "period": "7", "class_name": "7a", "subject": "Art"}])
    workspace.set("periods", periods(3))
    assert "the period “7”. It must be one of 1, 2, 3" in text(show(SLOTS))
    page = show(WEEK)
    assert "not used until then" in text(page) and any(button.label == "Save the week" for button in page.button)


def test_what_is_filled_in_is_saved(workspace):
    keep(workspace, [{"day": "Mon", "period": "1", "class_name": "7a", "subject": "Art"}])
    page = show(WEEK)
    page.multiselect(key="week_days").set_value(["Mon", "Sat"])
    press(page, "Save the week")
    assert workspace.get("school")["days"] == ["Mon", "Sat"] and len(workspace.get("school")["lessons"]) == 1
    page.multiselect(key="week_days").set_value(["Sat"])
    press(page, "Save the week")
    assert "must be one of Sat" in text(page) and workspace.get("school")["days"] == ["Mon", "Sat"]


def send(page, name: str, content: bytes) -> str:
    page.file_uploader[0].set_value((name, content, "application/octet-stream"))
    press(page, "Import")
    return text(page)


def test_a_spinner_turns_while_a_calendar_is_read(workspace, monkeypatch):
    turning, seen = [], []

    @contextmanager
    def spinner(words: str):
        turning.append(words)
        yield
        turning.remove(words)

    monkeypatch.setattr(st, "spinner", spinner)
    monkeypatch.setattr(week_ics, "from_ics", lambda *values: seen.append([*turning]) or ([], [], []))
    send(show(WEEK), "week.ics", to_ics(school(2), date(2026, 9, 7), "UTC"))
    assert seen == [["Reading the file …"]]


@pytest.mark.parametrize("name", ["week.csv", "week.ics"])
def test_a_file_takes_the_place_of_the_week(workspace, name):
    of = school(2)
    content = to_csv(of).encode() if name.endswith("csv") else to_ics(of, date(2026, 9, 7), "UTC")
    workspace.set("school", {"most": 3})
    assert "Nothing was imported" not in send(show(WEEK), name, content)
    assert parse_week(workspace.get("periods"), **workspace.get("school")).lessons.equals(of.lessons)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("week.csv", b"hello", "lacks the column day"),
        ("week.csv", b"what,day,period,class,subject\nlesson,Mon,9,7a,Maths\n", "has the period “9”"),
        ("week.ics", b"hello", "no iCalendar file"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_week_as_it_is(workspace, name, content, says):
    keep(workspace, [{"day": "Mon", "period": "1", "class_name": "7a", "subject": "Art"}])
    before = workspace.get("school")
    told = send(show(WEEK), name, content)
    assert says in told and "Nothing was imported" in told and workspace.get("school") == before
