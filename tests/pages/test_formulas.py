"""Formula, Rate, About the score, and why a lesson's scores are what they are: pages run by AppTest on a real workspace."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cssafe import queries
from cssafe.queries import scored_observations
from cssafe.scoring.formula import PUBLISHED
from cssafe.ui import score_explanation
from tests.support.lessons import AWAY, LESSON, LOOKING, NEUTRAL, START, add, mixed, rows
from tests.support.pages import press, run, text

pytestmark = pytest.mark.usefixtures("pages_use_workspace")


def navigation(name: str) -> None:
    """The script under test: the site with this page in front."""
    import streamlit as st

    from cssafe.settings import ROOT

    names = sorted(("lessons", "live", "formulas", "rating", "concentration", "story"), key=lambda other: other != name)
    st.navigation([st.Page(ROOT / f"pages/{other}.py", default=other == name) for other in names]).run()


def show(name: str) -> AppTest:
    return run(AppTest.from_function(navigation, args=(name,), default_timeout=60))


def lesson(workspace, *parts, **change) -> int:
    """An ended lesson that is scored by the published formula."""
    number = add(workspace, *(parts or (rows(seconds=2, **AWAY, **NEUTRAL),)), lesson=replace(LESSON, **change))
    workspace.rescore(PUBLISHED)
    return number


def test_without_lessons_each_page_says_what_to_do_next(workspace):
    assert "Record one on the page Live" in text(show("formulas"))
    assert "Record one on the page Live" in text(show("rating"))


@pytest.mark.parametrize("name", ["lessons", "formulas", "rating", "live"])
def test_every_page_with_a_score_leads_to_what_it_means(workspace, name):
    lesson(workspace)
    assert "(concentration)" in text(show(name)) and "never a mark" in text(show(name))


def test_what_the_score_means_can_be_read_in_the_app(workspace):
    page = show("concentration")
    assert page.title[0].value == "About the score" and "## How far to trust it" in page.markdown[0].value
    assert "# About the score" not in page.markdown[0].value


def test_a_lesson_s_scores_are_taken_apart(workspace):
    second = rows(
        seconds=2, start=START + timedelta(minutes=1), **LOOKING, **NEUTRAL | {"p_neutral": 0.0, "p_sad": 1.0}
    )
    lesson(workspace, rows(seconds=2, **AWAY, **NEUTRAL), second)
    page = show("lessons")
    assert "40 of 100: lost are 60 to looking away." in text(page) and "differ from the line above by 0.0 " in text(
        page
    )
    parts = page.dataframe[1].value.set_index("Part")
    assert parts.loc["looking away", "Points"] == pytest.approx(60) and parts.loc["looking away"].iloc[
        2
    ] == pytest.approx(100)
    page.select_slider[0].set_value(1)
    run(page)
    assert "33 of 100: lost are 67 to the emotion, mostly sad." in text(page)


def test_the_activities_of_a_lesson_are_told_beside_its_parts(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, rows(seconds=130, **AWAY, **NEUTRAL))
    workspace.switch_activity(number, "desk work", START + timedelta(seconds=60))
    workspace.end_lesson(number, START + timedelta(minutes=3))
    workspace.rescore(PUBLISHED)
    assert "front, desk work from minute 1" in text(show("lessons"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"formula": "gone 3"}, "“gone 3” of this lesson no longer exists"),
    ],
)
def test_scores_that_cannot_be_explained_say_why(workspace, change, says):
    add(workspace, rows(), lesson=replace(LESSON, **change))
    assert says in text(show("lessons"))


@pytest.mark.parametrize(
    ("minutes", "kinds", "says"),
    [
        ([0, 10], ["front", "desk work"], ""),
        ([0, None], ["front", "break"], "Fill in what is missing"),
        ([0, 5], ["front", None], "Fill in what is missing"),
        ([3], ["front"], "a row for minute 0"),
        ([], [], "a row for minute 0"),
        ([0, 5, 5], ["front", "break", "front"], "the same minute"),
    ],
)
def test_activities_that_cannot_be_taken_say_why(minutes, kinds, says):
    complaint = score_explanation.activities_problem(pd.DataFrame({"minute": minutes, "activity": kinds}))
    assert says in complaint and bool(says) == bool(complaint)


def test_what_the_class_did_can_be_saved_on_the_lesson_s_page(workspace):
    number = lesson(workspace)
    page = show("lessons")
    press(page, "Save and rescore the lesson")
    assert scored_observations.activities(workspace, number)["activity"].tolist() == ["front"]
    assert scored_observations.activities(workspace, number)["minute"].tolist() == [0]


def test_too_small_a_group_is_not_explained(workspace):
    lesson(workspace, rows(tracks=4))
    assert "Why these scores" not in text(show("lessons"))


def test_the_numbers_of_a_formula_stand_beside_their_sources(workspace):
    page = show("formulas")
    table = page.dataframe[0].value
    assert {"part", "name", "value", "unit", "source"} <= set(table.columns) and len(table) == 30
    assert page.selectbox(key="formula").value == "concentration 3"


def test_choosing_a_formula_scores_past_lessons_anew_and_those_to_come(workspace):
    number = lesson(workspace, rows(**AWAY, **NEUTRAL | {"p_neutral": 0.0, "p_happy": 1.0}))
    workspace.set("formula", str(PUBLISHED))
    assert "Lessons are scored by this formula." in text(show("formulas"))
    page = show("formulas")
    page.selectbox(key="formula").set_value("attention-only 2")
    run(page)
    assert "1 past lesson has scores by another formula" in text(page)
    press(page, "Score all lessons by attention-only 2")
    assert "1 past one was rescored" in "\n".join(told.value for told in page.success)
    assert workspace.get("formula") == "attention-only 2"
    [shown] = queries.lessons(workspace).to_dict("records")
    assert shown["lesson"] == number and shown["formula"] == "attention-only 2"
    assert shown["concentration"] == pytest.approx(0.4)


def test_attention_only_offers_no_formula_that_weighs_emotions(workspace, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    page = show("formulas")
    assert page.selectbox(key="formula").options == ["attention-only 2", "attention-only 3"]
    assert not {"happy", "emotion"} & set(page.dataframe[0].value["name"]) | {"emotion"} & set(
        page.dataframe[0].value["part"]
    )


def test_a_file_that_is_no_formula_is_told_and_the_page_goes_on(workspace, own):
    own(divisor={"value": -1, "source": "assumption"})
    page = show("formulas")
    assert "divisor is -1" in text(page) and page.selectbox(key="formula").value == "concentration 3"


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (
            rows(**LOOKING, **NEUTRAL | {"p_neutral": 0.0, "p_happy": 1.0}),
            ["is high (mean 67 of 100", "“happy” a fifth less (medium)"],
        ),
        (
            rows(**LOOKING | {"eyes_open": 0.0}, **NEUTRAL),
            ["is low (mean 0 of 100", "No single number changes the level"],
        ),
    ],
    ids=["near a limit", "far from any"],
)
def test_how_far_a_verdict_hangs_on_each_number_is_told(workspace, part, says):
    lesson(workspace, part)
    workspace.set("formula", str(PUBLISHED))
    page = show("formulas")
    assert all(words in text(page) for words in says)
    page.session_state["sensitivity_table"] = True  # the table behind the chart is made when it is opened
    run(page)
    assert len(page.dataframe[1].value) == 40


def test_synthetic_lessons_cannot_be_rated(workspace):
    add(workspace, rows(), lesson=replace(LESSON, source="sample"))
    assert "a synthetic lesson has no teacher" in text(show("rating"))


def minutes(number: int = 15):
    return [mixed(2, seed=i).assign(time=lambda t, i=i: t["time"] + timedelta(minutes=i)) for i in range(number)]


@pytest.mark.slow
def test_a_teacher_rates_moments_without_seeing_scores_and_then_sees_the_agreement(workspace):
    number = lesson(workspace, *minutes())
    workspace.add_marker(number, "quiz", START + timedelta(seconds=30))
    moments = scored_observations.rating_moments(workspace, number)
    assert (
        len(moments) == scored_observations.MOMENTS_PER_LESSON
        and "concentration" not in moments
        and moments["time"].is_monotonic_increasing
    )
    page = show("rating")
    for i in range(scored_observations.MOMENTS_PER_LESSON):
        assert f"{i} of 12 moments rated" in page.get("progress")[0].proto.text
        assert not page.dataframe and "Rate all moments" in text(page)
        press(page, ["Low", "Medium", "High", "I cannot say"][i % 4])
    assert "All moments of this lesson are rated" in "\n".join(told.value for told in page.success)
    table = page.dataframe[0].value
    assert len(table) == 4 and "not known" not in table["Value"].tolist() and "9 moments" in text(page)
    assert set(table["95 % interval"]) == {"not known"} and "not shown for fewer than 6 lessons" in text(page)
    rated = scored_observations.rated_minutes(workspace)
    assert rated["rating"].tolist() == [0, 1, 2] * 3 and rated["concentration"].notna().all()


def test_an_answer_stays_as_it_was_given_first(workspace):
    number = lesson(workspace, *minutes(1))
    workspace.save_rating(number, START, 0)
    workspace.save_rating(number, START, 2)
    assert scored_observations.rated_minutes(workspace)["rating"].tolist() == [0]


def test_ratings_that_are_all_alike_tell_what_is_not_known(workspace):
    lesson(workspace, *minutes(2))
    page = show("rating")
    for _ in range(2):
        press(page, "High")
    assert page.dataframe[0].value["Value"].tolist()[-1] == "not known"


def test_no_moment_of_a_small_group_or_a_running_lesson_is_asked_about(workspace):
    small = lesson(workspace, rows(tracks=4))
    running = workspace.start_lesson(LESSON)
    workspace.record(running, rows())
    assert (
        scored_observations.rating_moments(workspace, small).empty
        and scored_observations.rating_moments(workspace, running).empty
    )


def test_the_moments_stay_the_same_when_the_lesson_is_scored_anew(workspace):
    number = lesson(workspace, *minutes(40))
    before = scored_observations.rating_moments(workspace, number)["time"].tolist()
    workspace.save_rating(number, before[3].tz_localize("UTC").to_pydatetime(), None)
    workspace.rescore(replace(PUBLISHED, name="other", divisor=9.0))
    assert scored_observations.rating_moments(workspace, number)["time"].tolist() == before
    assert np.flatnonzero(scored_observations.rating_moments(workspace, number)["answered"]).tolist() == [3]
