"""The page Data, run by Streamlit's own AppTest on a real workspace."""

import io
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from cssafe import queries
from cssafe.exchange import exporter
from cssafe.store import Workspace
from cssafe.ui import common
from tests.pages.test_all_pages import press, run, show, text
from tests.support.lessons import LESSON, START, add, rows


@pytest.fixture
def workspace(monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "demo")  # keeps nothing in a file
    with closing(Workspace.open(None)) as opened:
        monkeypatch.setattr(common, "workspace", lambda: opened)
        yield opened


def test_an_empty_workspace_has_nothing_to_take_out_but_takes_in(workspace):
    page = show("data")
    assert "nothing to take out" in text(page) and len(page.get("file_uploader")) == 1
    assert len(page.markdown) == 0  # a page's own notes are not shown


@pytest.mark.parametrize("form", ["Parquet", "CSV", "JSON"])
def test_everything_can_be_prepared_and_downloaded(workspace, form):
    add(workspace, rows())
    page = show("data", format=form)
    press(page, "Prepare the file")
    [download] = page.get("download_button")
    assert download.proto.label.startswith(f"Download as {form} (")


def test_it_says_of_how_many_lessons_no_single_faces_leave(workspace):
    add(workspace, rows(), lesson=replace(LESSON, profile="attention-only"))
    page = show("data")
    press(page, "Prepare the file")
    assert "means of the class for each minute, and no single faces, as their profile does not show them: 1." in text(
        page
    )


def test_a_workspace_too_large_for_a_page_is_sent_to_the_command(workspace, monkeypatch):
    add(workspace, rows())
    many = replace(queries.choices(workspace), observations=20_000_000)
    monkeypatch.setattr(queries, "choices", lambda workspace: many)
    page = show("data")
    assert "python -m cssafe export" in text(page) and not page.button


def test_a_file_comes_in_and_a_bad_one_is_refused_in_one_sentence(workspace):
    with closing(Workspace.open(None)) as elsewhere:
        add(elsewhere, rows(), lesson=replace(LESSON, started=START + timedelta(days=1)))
        file = io.BytesIO()
        exporter.export_file(elsewhere, file, "csv")
    page = show("data")
    page.get("file_uploader")[0].set_value(("a.zip", b"no zip at all", "application/zip"))
    run(page)
    press(page, "Import")
    assert "damaged, or no file" in text(page) and "Nothing was imported" in text(page)
    page.get("file_uploader")[0].set_value(("a.zip", file.getvalue(), "application/zip"))
    run(page)
    press(page, "Import")
    assert "came in: 1. Here already, and left as they are: 0." in " ".join(element.value for element in page.success)
    assert len(queries.lessons(workspace)) == 1
