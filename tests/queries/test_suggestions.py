"""What a class's own lessons suggest: planted effects with their size, and nothing where there is no evidence, too little of
it, or only what rises again by itself."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from cssafe.labels import FORMER_MARKERS, MARKERS
from cssafe.queries.suggestions import (
    COLUMNS,
    FOUND,
    MAX_AGE_DAYS,
    MIN_LESSONS,
    describe_suggestion,
    marker_effects,
    suggestions,
)
from cssafe.store import NO_CLASS, Workspace
from tests.support.lessons import LESSON, START, add
from tests.support.marked_lessons import term


def test_without_lessons_there_is_no_history_and_nothing_is_suggested(workspace):
    assert tuple(marker_effects(workspace, "7a").columns) == COLUMNS
    assert marker_effects(workspace, "7a").empty and suggestions(workspace, "7a").empty


@pytest.mark.parametrize(
    ("number", "when", "class_name", "asked", "kinds", "told"),
    [
        (MIN_LESSONS, "never", "7a", "7a", 0, False),
        (MIN_LESSONS - 1, "any", "7a", "7a", 1, False),
        (MIN_LESSONS, "any", "7a", "7b", 0, False),
        (MIN_LESSONS, "any", NO_CLASS, NO_CLASS, 0, False),
        (MIN_LESSONS, "any", "7a", "7a", 1, True),
    ],
)
def test_a_suggestion_needs_enough_lessons_of_that_very_class_with_that_marker(
    workspace, number, when, class_name, asked, kinds, told
):
    term(workspace, number, 0.3, when=when, class_name=class_name)
    table = marker_effects(workspace, asked)
    assert len(table) == kinds and bool(table["change"].notna().any()) == told
    assert len(suggestions(workspace, asked)) == told


@pytest.mark.parametrize("other", [{"formula": "attention-only 2"}, {"audience": "self", "faces": 1}], ids=str)
def test_lessons_of_another_formula_or_of_one_person_alone_suggest_nothing(workspace, other):
    term(workspace, 9, 0.3, **other)
    assert marker_effects(workspace, "7a").empty


def test_a_suggestion_is_told_with_its_lessons_and_its_interval(workspace):
    term(workspace, 9, 0.2)
    [found] = suggestions(workspace, "7a").to_dict("records")
    assert found["lessons"] == 9 and 7 <= found["rose"] <= 9 and not found["synthetic"]
    assert 0 < found["low"] < found["change"] < found["high"] and found["low"] < 0.2 < found["high"]
    words = describe_suggestion(pd.Series(found))
    assert words.startswith(f"After a quiz, this class's concentration rose in {found['rose']} of 9 lessons")
    assert f"({found['low']:.2f} to {found['high']:.2f})" in words


def test_every_marker_of_the_live_page_has_its_sentence_and_others_have_one_too(workspace):
    found = {"rose": 8, "lessons": 9, "change": 0.2, "low": 0.1, "high": 0.3}
    for kind in MARKERS:
        assert kind in describe_suggestion(pd.Series(found | {"kind": kind}))
    assert set(FOUND) <= {*MARKERS, *FORMER_MARKERS}
    term(workspace, 9, 0.2, kind="break")
    workspace._queue.run(lambda: workspace._connection.execute("UPDATE markers SET kind = 'song'"))
    assert "After “song”" in describe_suggestion(suggestions(workspace, "7a").iloc[0])


def test_lessons_of_another_school_year_do_not_count(workspace):
    term(workspace, 9, 0.2)
    add(workspace, lesson=replace(LESSON, started=START + timedelta(days=MAX_AGE_DAYS + 2)))
    assert marker_effects(workspace, "7a")["lessons"].tolist() == [9 - 3]


def test_what_lowers_concentration_is_in_the_history_and_never_suggested(workspace):
    term(workspace, 12, -0.2)
    [found] = marker_effects(workspace, "7a").to_dict("records")
    assert found["clear"] and found["high"] < 0 and suggestions(workspace, "7a").empty


def test_synthetic_lessons_are_marked_and_count_only_where_a_class_has_no_others(workspace):
    term(workspace, 9, 0.2, source="sample")
    assert suggestions(workspace, "7a")["synthetic"].tolist() == [True]
    term(workspace, 1, 0.2)
    assert suggestions(workspace, "7a").empty and marker_effects(workspace, "7a")["lessons"].tolist() == [1]


@pytest.mark.parametrize(("faces", "audience"), [(4, "class"), (1, "self")])
def test_lessons_of_one_person_and_of_fewer_than_the_minimum_group_do_not_count(workspace, faces, audience):
    term(workspace, 9, 0.2, faces=faces, audience=audience)
    assert marker_effects(workspace, "7a").empty


def test_minutes_are_compared_within_one_activity_only(workspace):
    """A quiz is written with the eyes on the desk: its own minutes say nothing, those after it do."""
    for number in term(workspace, 9, 0.0, when="never"):
        [(started,)] = workspace.cursor().execute("SELECT started FROM lessons WHERE lesson = ?", [number]).fetchall()
        began = started.replace(tzinfo=START.tzinfo) + timedelta(minutes=15)
        workspace.add_marker(number, "quiz", began)
        workspace.switch_activity(number, "desk work", began)
    assert marker_effects(workspace, "7a").empty
    for number in range(1, 10):
        [(started,)] = workspace.cursor().execute("SELECT started FROM lessons WHERE lesson = ?", [number]).fetchall()
        workspace.switch_activity(number, "front", started.replace(tzinfo=START.tzinfo) + timedelta(minutes=22))
    assert marker_effects(workspace, "7a")["lessons"].tolist() == [9]


def test_of_a_series_of_the_same_marker_the_first_counts(workspace):
    for number in term(workspace, MIN_LESSONS, 0.2):
        [(marked,)] = workspace.cursor().execute("SELECT time FROM markers WHERE lesson = ?", [number]).fetchall()
        for minute in (1, 2, 3):
            workspace.add_marker(number, "quiz", marked.replace(tzinfo=START.tzinfo) + timedelta(minutes=minute))
    assert suggestions(workspace, "7a")["lessons"].tolist() == [MIN_LESSONS]


@pytest.mark.slow
def test_over_many_classes_a_planted_rise_is_found_and_what_rises_by_itself_is_not():
    told = {}
    for effect, when in ((0.0, "any"), (0.0, "sunk"), (0.15, "sunk")):
        tables = []
        for seed in range(40):
            workspace = Workspace.open(None)
            term(workspace, 12, effect, seed, when)
            tables.append(marker_effects(workspace, "7a"))
            workspace.close()
        told[effect, when] = pd.concat(tables)
    for when in ("any", "sunk"):
        none = told[0.0, when]
        assert abs(none["change"].mean()) < 0.005
        # each in 1 of 20 classes: more than 6 of 40 would come in 1 of 300 runs
        assert none["clear"].sum() <= 6
    planted = told[0.15, "sunk"]
    assert (planted["low"] > 0).mean() > 0.9
    assert 0.11 < planted["change"].mean() <= 0.16  # a little less, for other moments reach into these minutes, too
