"""A profile without emotions shows none that were stored before: one rule below pages, on real databases."""

import io
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from cssafe import queries
from cssafe.commands.main import main
from cssafe.exchange import exporter
from cssafe.frames import MOVEMENTS
from cssafe.observations import EXPRESSION
from cssafe.queries import scored_observations
from cssafe.queries.responses import responses
from cssafe.report import files
from cssafe.report.lesson_report import lesson_report
from cssafe.report.term_report import term_report
from cssafe.scoring.formula import ATTENTION_ONLY, CONCENTRATION
from cssafe.settings import PROFILES
from cssafe.store import StoreError, Workspace
from cssafe.ui import common
from tests.support.lessons import LESSON, START, add, rows
from tests.support.pages import show, text

EXPRESSIVE = (*EXPRESSION, *MOVEMENTS)
BEFORE = replace(LESSON, formula=str(CONCENTRATION))


@pytest.fixture
def database(tmp_path):
    """A file with a lesson of the profile consent, its emotions in it, and a marker."""
    path = tmp_path / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        number = add(workspace, rows(seconds=300), lesson=BEFORE)
        workspace.add_marker(number, "quiz", START + timedelta(seconds=150))
    return path


@pytest.fixture
def switched(database):
    """The same, opened in the profile attention-only."""
    with closing(Workspace.open(database, expression=False)) as workspace:
        yield workspace


def in_file(workspace: Workspace) -> dict[str, pd.DataFrame]:
    file = io.BytesIO()
    exporter.export_file(workspace, file, "csv")
    with zipfile.ZipFile(file) as archive:
        names = ("observations", "tracks")
        return {name: pd.read_csv(archive.open(f"{name}.csv")) for name in names}


def test_no_emotion_stored_before_leaves_queries_or_files(switched):
    assert queries.emotions(switched).empty and queries.distribution(switched).empty
    assert scored_observations.counted_observations(switched, 1).empty
    assert queries.shareable_rows(switched, 1)[list(EXPRESSIVE)].isna().all(axis=None)
    told = in_file(switched)
    assert len(told["observations"]) == 1800 and told["observations"][list(EXPRESSIVE)].isna().all(axis=None)
    assert told["tracks"][list(EXPRESSION)].isna().all(axis=None) and not told["tracks"]["n_happy"].any()


def test_no_report_or_response_tells_an_emotion_stored_before(switched):
    """Even to a reader who does not say that his profile has none."""
    [(_number, lesson)] = queries.lessons(switched).iterrows()
    assert set(responses(switched, 1)["measure"]) <= {"attention"}
    told = str(files.to_json(lesson_report(switched, lesson, PROFILES["attention-only"])))
    told += str(files.to_json(term_report(switched, queries.ALL, None, PROFILES["consent"])))
    assert "happy" not in told


def test_what_was_stored_is_there_again_where_emotions_may_be_shown(database):
    with closing(Workspace.open(database, expression=False)) as workspace:
        workspace.rename(1, "Another")
    with closing(Workspace.open(database)) as workspace:
        assert not queries.emotions(workspace).empty and in_file(workspace)["observations"]["p_happy"].notna().all()


def test_nothing_is_scored_by_emotions_that_may_not_be_read(switched):
    assert switched.rescorable_lessons(CONCENTRATION) == [] and switched.rescore(CONCENTRATION) == 0
    with pytest.raises(StoreError, match="weighs emotions"):
        switched.correct_activities(1, [(START, "screen")], CONCENTRATION)
    assert switched.rescore(ATTENTION_ONLY) == 1


def test_the_commands_hold_back_too(database, tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    assert main(["export", str(tmp_path / "all.zip"), "--format", "csv"]) == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert pd.read_csv(archive.open("observations.csv"))["p_happy"].isna().all()


PAGES = ["histograms", "weekly", "lessons", "story", "term", "compare", "timetable", "formulas", "rating"]


@pytest.fixture
def attention_only(switched, monkeypatch):
    """The workspace `switched` as pages have it, with the periods of a school."""
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    monkeypatch.setattr(common, "workspace", lambda: switched)
    switched.set("periods", [{"name": "1", "start": "00:00", "end": "23:59"}])
    return switched


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_why_scores_made_of_emotions_are_not_shown_and_draws_no_empty_chart(attention_only, page):
    shown = show(page)
    assert "which this profile does not show" in text(shown) and "happy" not in text(shown).lower()
    assert not shown.get("vega_lite_chart") and not shown.metric


@pytest.mark.parametrize("page", ["histograms", "weekly", "term", "compare", "timetable"])
def test_a_page_says_how_many_lessons_are_left_out_beside_others_with_figures(attention_only, page):
    add(
        attention_only, rows(seconds=300), lesson=replace(BEFORE, profile="attention-only", formula=str(ATTENTION_ONLY))
    )
    assert "1 lesson is not in these figures" in text(show(page))


def test_histograms_say_why_no_emotion_is_there_of_a_lesson_scored_anew(attention_only):
    attention_only.rescore(ATTENTION_ONLY)
    shown = text(show("histograms"))
    assert "also for earlier lessons" in shown and "happy" not in shown.lower()


@pytest.mark.parametrize("profile", ["consent", "attention-only"])
def test_every_profile_that_stores_a_class_asks_for_consent_first(workspace, monkeypatch, profile):
    monkeypatch.setenv("CSSAFE_PROFILE", profile)
    monkeypatch.setattr(common, "workspace", lambda: workspace)
    assert show("live").checkbox(key="agreed").value is False
