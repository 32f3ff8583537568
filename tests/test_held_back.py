"""A profile without emotions shows none that were stored before: one rule below pages, on real databases."""

import io
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from cssafe import evidence, queries, ui
from cssafe.cli import main
from cssafe.exchange import outgoing
from cssafe.formula import ATTENTION_ONLY, PUBLISHED
from cssafe.frames import MOVEMENTS
from cssafe.observations import EXPRESSION
from cssafe.report import files
from cssafe.report.story import story
from cssafe.report.term import term
from cssafe.responses import responses
from cssafe.settings import PROFILES
from cssafe.store import StoreError, Workspace
from tests.lessons import LESSON, START, add, rows
from tests.test_pages_data import show, text

EXPRESSIVE = (*EXPRESSION, *MOVEMENTS)
BEFORE = replace(LESSON, formula=str(PUBLISHED))


@pytest.fixture
def database(tmp_path):
    """A file with a lesson of the profile consent, its emotions in it, and a marker."""
    path = tmp_path / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        number = add(workspace, rows(seconds=300), lesson=BEFORE)
        workspace.mark(number, "quiz", START + timedelta(seconds=150))
    return path


@pytest.fixture
def switched(database):
    """The same, opened in the profile attention-only."""
    with closing(Workspace.open(database, expression=False)) as workspace:
        yield workspace


def in_file(workspace: Workspace) -> dict[str, pd.DataFrame]:
    file = io.BytesIO()
    outgoing.write(workspace, file, "csv")
    with zipfile.ZipFile(file) as archive:
        names = ("observations", "tracks")
        return {name: pd.read_csv(archive.open(f"{name}.csv")) for name in names}


def test_no_emotion_stored_before_leaves_queries_or_files(switched):
    assert queries.emotions(switched).empty and not queries.distribution(switched).empty
    assert evidence.counted(switched, 1)[list(EXPRESSION)].isna().all(axis=None)
    assert queries.export(switched, 1)[list(EXPRESSIVE)].isna().all(axis=None)
    told = in_file(switched)
    assert len(told["observations"]) == 1800 and told["observations"][list(EXPRESSIVE)].isna().all(axis=None)
    assert told["tracks"][list(EXPRESSION)].isna().all(axis=None) and not told["tracks"]["n_happy"].any()


def test_no_report_or_response_tells_an_emotion_stored_before(switched):
    """Even to a reader who does not say that his profile has none."""
    [(_number, lesson)] = queries.lessons(switched).iterrows()
    assert set(responses(switched, 1)["measure"]) <= {"attention"}
    told = str(files.plain(story(switched, lesson, PROFILES["attention-only"])))
    told += str(files.plain(term(switched, queries.ALL, None, PROFILES["consent"])))
    assert "happy" not in told


def test_what_was_stored_is_there_again_where_emotions_may_be_shown(database):
    with closing(Workspace.open(database, expression=False)) as workspace:
        workspace.rename(1, "Another")
    with closing(Workspace.open(database)) as workspace:
        assert not queries.emotions(workspace).empty and in_file(workspace)["observations"]["p_happy"].notna().all()


def test_nothing_is_scored_by_emotions_that_may_not_be_read(switched):
    assert switched.rescorable(PUBLISHED) == [] and switched.rescore(PUBLISHED) == 0
    with pytest.raises(StoreError, match="weighs emotions"):
        switched.correct(1, [(START, "screen")], PUBLISHED)
    assert switched.rescore(ATTENTION_ONLY) == 1


def test_the_commands_hold_back_too(database, tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    assert main(["export", str(tmp_path / "all.zip"), "--format", "csv"]) == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert pd.read_csv(archive.open("observations.csv"))["p_happy"].isna().all()


@pytest.mark.parametrize("page", ["histograms", "lessons", "story"])
def test_pages_say_why_no_emotion_is_there(switched, monkeypatch, page):
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    monkeypatch.setattr(ui, "workspace", lambda: switched)
    shown = text(show(page))
    assert "happy" not in shown.lower()
    assert {"histograms": "also of lessons recorded before", "lessons": "which this profile does not show"}.get(
        page, ""
    ) in shown


@pytest.mark.parametrize("profile", ["consent", "attention-only"])
def test_every_profile_that_stores_a_class_asks_for_consent_first(workspace, monkeypatch, profile):
    monkeypatch.setenv("CSSAFE_PROFILE", profile)
    monkeypatch.setattr(ui, "workspace", lambda: workspace)
    assert show("live").checkbox(key="agreed").value is False
