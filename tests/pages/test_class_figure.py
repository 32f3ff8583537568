"""One class of known truth, recorded: Lessons, Story and the export show the same figure; small faces give none."""

import io
from dataclasses import replace
from datetime import timedelta
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.report.document import Report
from cssafe.report.lesson_report import lesson_report
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES
from tests.support.exports import written
from tests.support.lessons import LESSON, START
from tests.support.pages import show, text
from tests.support.seen_class import DRAWN, SMALL, STUDENTS, Row, course, observations, seen_class

pytestmark = pytest.mark.usefixtures("pages_use_workspace")

SECONDS = 720


def record(workspace, row: Row, **lesson) -> int:
    random = np.random.default_rng(3)
    rows = observations(random, seen_class(random, row, course(0.8, 0.5, SECONDS)), START.replace(tzinfo=None))
    end = START + timedelta(seconds=SECONDS)
    return workspace.add([replace(LESSON, **lesson)], [end], rows.assign(lesson=0))[0]


def report(workspace) -> Report:
    return lesson_report(workspace, queries.lessons(workspace).iloc[0], PROFILES["consent"])


def exported_minutes(workspace) -> pd.DataFrame:
    with ZipFile(io.BytesIO(written(workspace))) as archive:
        return pd.read_parquet(io.BytesIO(archive.read("minutes.parquet"))).dropna(subset="concentration")


def test_one_recorded_lesson_has_one_figure_on_every_page_and_in_the_export(workspace):
    record(workspace, DRAWN)
    [lesson] = queries.lessons(workspace).itertuples()
    minutes = exported_minutes(workspace)
    weight = minutes["present"] * minutes["seconds"]
    for name in ("concentration", "lowest", "highest"):
        assert np.average(minutes[name], weights=weight) == pytest.approx(getattr(lesson, name))
    headline, span = f"{100 * lesson.concentration:.0f}", f"{100 * lesson.lowest:.0f} to {100 * lesson.highest:.0f}"
    in_words = f"{headline} of 100 ({span} whether those who cannot be seen attend or not)"
    seen = f"{lesson.seen:.0f} of {lesson.present:.0f} can be seen"
    page = show("lessons")
    assert (page.metric[0].value, page.metric[0].delta) == (headline, span) and f"{in_words}; {seen}." in text(page)
    story = report(workspace)
    assert (story.figures[0].value, story.figures[0].note) == (headline, f"{span}; {seen}")
    assert f"{in_words}; {seen}." in story.sections[0].sentences[0]


def test_a_level_is_told_at_both_ends_of_what_is_not_known(workspace):
    record(workspace, DRAWN, formula=str(PUBLISHED))
    assert report(workspace).sections[0].sentences[0].startswith("Concentration was between ")


def test_who_is_there_is_drawn_below_the_course(workspace):
    record(workspace, DRAWN)
    page = show("lessons")
    assert "Of the people present, on average" in text(page) and "Minutes 0 to 5:" in text(page)


def test_faces_too_small_to_follow_give_a_range_and_no_figure(workspace):
    record(workspace, SMALL)
    [lesson] = queries.lessons(workspace).itertuples()
    assert np.isnan(lesson.concentration) and np.isnan(lesson.low) and 0 <= lesson.lowest < lesson.highest <= 1
    assert lesson.too_small and not lesson.withheld and queries.weekly(workspace).empty
    page = show("lessons")
    span = f"{100 * lesson.lowest:.0f} to {100 * lesson.highest:.0f}"
    assert "too small to follow" in text(page) and (page.metric[0].value, page.metric[0].delta) == ("–", span)
    for name in ("story", "weekly"):
        page = show(name)
        assert "too small to follow" in text(page) and not page.metric


def test_the_number_of_people_expected_is_entered_and_changes_the_figure(workspace):
    number = record(workspace, DRAWN)
    [before] = queries.lessons(workspace).itertuples()
    page = show("lessons")
    assert f"{STUDENTS} people known, 0 of them counted as gone" in text(page)
    page.number_input[0].set_value(STUDENTS + 6)
    [_rename, save] = [button for button in page.button if button.label == "Save"]
    save.click()
    page.run()
    [after] = queries.lessons(workspace).itertuples()
    assert after.expected == STUDENTS + 6 and after.present == pytest.approx(STUDENTS + 6)
    assert after.lowest == pytest.approx(before.lowest * before.present / after.present)
    assert f"{STUDENTS} people known, {STUDENTS + 6} expected." in text(page)
    workspace.set_expected(number, 0)
    [again] = queries.lessons(workspace).itertuples()
    assert pd.isna(again.expected) and again.concentration == pytest.approx(before.concentration)


def test_who_has_left_for_good_is_counted(workspace):
    random = np.random.default_rng(3)
    seconds = 1500
    rows = observations(random, seen_class(random, DRAWN, course(0.8, 0.5, seconds)), START.replace(tzinfo=None))
    gone = rows["time"] >= pd.Timestamp(START.replace(tzinfo=None)) + pd.Timedelta(minutes=10)
    rows = rows[~(gone & (rows["y"] < 0.2) & (rows["x"] < 0.25))]  # two at the left end of the first row
    number = workspace.add([LESSON], [START + timedelta(seconds=seconds)], rows.assign(lesson=0))[0]
    assert queries.count_people(workspace, number) == (STUDENTS, 2)


def test_the_figure_of_one_person_alone_has_no_number_of_people(workspace):
    rows = observations(
        np.random.default_rng(3),
        seen_class(np.random.default_rng(3), DRAWN, course(0.8, 0.5, SECONDS), students=1),
        START.replace(tzinfo=None),
    )
    end = START + timedelta(seconds=SECONDS)
    workspace.add([replace(LESSON, audience="self")], [end], rows.assign(lesson=0))
    page = show("lessons")
    assert "can be seen" not in text(page) and "people known" not in text(page) and len(page.metric) == 3
