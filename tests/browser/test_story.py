"""A lesson's story in a real browser: a note and a tag are kept, and the report comes as HTML and as PDF."""

from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cssafe import sample
from cssafe.queries import notes
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from tests.browser.test_live import visit
from tests.support.browser import serve, shows_no_error

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_story_takes_a_note_and_is_saved_as_a_file(browser, tmp_path):
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        number = sample.add_term(workspace, PROFILES["consent"], weeks=1)[-1]
    with serve(tmp_path) as server, visit(browser) as page:
        page.goto(f"{server.address}/story?lesson={number}")
        shows_no_error(page)
        page.get_by_role("textbox", name="Note").fill("Windows open")
        page.get_by_test_id("stMultiSelect").last.locator("input").fill("air")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")  # closes the list of tags, behind which nothing can be pressed
        page.get_by_role("button", name="Save note and tags").click()
        expect(page.get_by_text("Tags: air.")).to_be_visible()
        for kind, start in {"HTML": b"<!doctype html>", "PDF": b"%PDF"}.items():
            page.get_by_role("button", name=f"Make the report as {kind}").click()
            with page.expect_download() as saved:
                page.get_by_role("button", name=f"Save the {kind}").click()
            assert saved.value.suggested_filename == f"lesson-{number}-synthetic.{kind.lower()}"
            assert Path(saved.value.path()).read_bytes().startswith(start)
        shows_no_error(page)
        server.stop()
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        assert notes.note(workspace, number) == "Windows open"
        assert notes.tags(workspace).to_numpy().tolist() == [[number, "air"]]
