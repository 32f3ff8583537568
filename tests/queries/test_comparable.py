"""A class's figures are plain means over faces, of lessons of one formula, and of classes only."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.queries import responses, scored_observations, seats, teaching_methods
from cssafe.queries.filters import Filter, class_figures, describe_left_out
from cssafe.report import figures
from cssafe.report.term_report import lessons_with_figures
from cssafe.scoring import explanation, rescoring, sensitivity
from cssafe.scoring.formula import CONCENTRATION, PUBLISHED
from tests.support.lessons import AWAY, FRONT, LESSON, LOOKING, NEUTRAL, START, add, rows

WHOLE = [{"name": "All", "left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}]


def half_away(seconds: int = 60) -> pd.DataFrame:
    """Ten faces, five of them turned away and therefore read badly; nobody is lost."""
    front = rows(tracks=5, seconds=seconds, **LOOKING, **NEUTRAL, quality=0.95, hidden=0.0)
    away = rows(tracks=5, seconds=seconds, **AWAY, **NEUTRAL, quality=0.2, hidden=0.0)
    both = pd.concat([front, away.assign(track=away["track"] + 5)], ignore_index=True)
    return rescoring.score_observations(both, FRONT, CONCENTRATION)


def test_ten_faces_half_of_them_turned_away_give_the_plain_mean_in_every_query(workspace):
    number = add(workspace, half_away())
    seconds = scored_observations.counted_observations(workspace, number)
    parts = explanation.minute_parts(seconds.assign(minute=0), FRONT, CONCENTRATION)
    clusters = figures.cluster_minutes(workspace, number)
    found = {
        "lessons": queries.lessons(workspace)["concentration"],
        "timeline": queries.timeline(workspace, number)["concentration"],
        "weekly": queries.weekly(workspace)["concentration"],
        "cell": queries.lessons_in_cell(workspace, 1, "09:00")["concentration"],
        "seats": seats.seat_attention(workspace, number, WHOLE)["attention"],
        "parts": parts.loc[parts["part"] == "index", "points"],
        "sensitivity": sensitivity.rescore_variants(seconds, FRONT, CONCENTRATION)["concentration"][:1],
        "report": clusters[["shares"]].sum() / clusters["present"].sum(),
    }
    assert {name: values.tolist() for name, values in found.items()} == {name: [pytest.approx(0.5)] for name in found}
    shares = queries.distribution(workspace).set_index("start")["share"]
    assert shares[0.0] == pytest.approx(0.5) and shares[0.9] == pytest.approx(0.5)


@pytest.fixture
def mixed(workspace):
    """A class's lesson by the formula in force (1.0), one by another formula (0.0), and one of "Only me" (0.0)."""
    add(workspace, rows(seconds=60, concentration=1.0))
    later, low = START + timedelta(days=7), {"seconds": 60, "concentration": 0.0}
    add(workspace, rows(start=later, **low), lesson=replace(LESSON, formula=str(PUBLISHED), started=later))
    later = START + timedelta(days=14)
    add(workspace, rows(tracks=1, start=later, **low), lesson=replace(LESSON, audience="self", started=later))
    return workspace


def test_no_figure_of_a_class_averages_another_formula_or_a_person_alone(mixed):
    assert queries.weekly(mixed)[["concentration", "lessons"]].to_numpy().tolist() == [[1.0, 1]]
    assert len(queries.lessons_in_cell(mixed, 1, "09:00")) == 1
    for by in ("class", "subject"):
        assert set(queries.distribution(mixed, by)["lessons"]) == set(queries.emotions(mixed, by)["lessons"]) == {1}
    assert lessons_with_figures(mixed, queries.ALL)["lesson"].tolist() == [1]
    assert class_figures(mixed, queries.ALL) == Filter(formula=str(CONCENTRATION), audience="class")
    assert queries.lessons(mixed)["lesson"].tolist() == [3, 2, 1], "the table of lessons has them all"
    assert queries.distribution(mixed, "lesson")["group"].nunique() == 3, "side by side, each by itself"


def test_forms_of_teaching_use_the_formula_in_force_only(mixed):
    for lesson in (1, 2, 3):
        mixed.add_marker(lesson, "quiz", START + timedelta(days=7 * (lesson - 1), seconds=30))
    compared = teaching_methods.forms_compared(mixed, queries.ALL)
    assert compared["lessons"].max() <= 1


def test_a_sentence_says_how_many_lessons_are_left_out_and_what_to_do(mixed):
    others, alone = describe_left_out(mixed, queries.ALL)
    assert "1 lesson is not in these figures" in others and "concentration 3" in others and "page Formula" in others
    assert "1 lesson of “Only me” is not" in alone
    assert mixed.rescore(CONCENTRATION) == 1
    assert describe_left_out(mixed, queries.ALL) == [alone]
    assert describe_left_out(mixed, Filter(lessons=[1])) == []


def test_markers_are_answered_by_plain_means_too():
    """Three faces turn to the front after second 60; their quality does not matter, because none is passed on."""
    second, face = np.repeat(np.arange(120), 3), np.tile(np.arange(3), 120)
    course = responses.build_course(second, face, np.where(second < 60, 0.2, 0.8))
    change, faces = responses.mean_changes(course, np.array([60]), 30)
    assert change.tolist() == pytest.approx([0.6]) and faces.tolist() == [3]


def test_the_formula_in_force_is_the_chosen_one_that_the_profile_allows(workspace):
    assert str(workspace.formula()) == "concentration 3"
    workspace.set("formula", str(PUBLISHED))
    assert str(workspace.formula()) == "sharma-distractionmodel 2"
