"""Tables in a real browser: names are shown as typed, and the CSV that a table offers executes nothing."""

import csv
import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from cssafe.exchange.spreadsheet import escape
from cssafe.store import Workspace
from tests.support.browser import serve
from tests.support.lessons import LESSON, START, add, rows
from tests.support.live_browser import visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = ["=1+1", "@SUM(A1)", "-2+3", "'=x", "Maths 7a"]


def shown(page: Page, table: Locator, *names: str) -> None:
    """Wait until each name is a cell of the table. The table's own CSV has them as typed, so it is not offered."""
    for name in names:
        expect(table.locator("[role=gridcell]", has_text=re.compile(f"^{re.escape(name)}$")).first).to_be_attached()
    table.hover()
    expect(table.get_by_role("button", name="Search")).to_be_visible()
    expect(table.get_by_role("button", name="Download as CSV")).to_have_count(0)


def downloaded(page: Page) -> set[str]:
    """The cells of the CSV that is offered below the first table."""
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").first.get_by_role("button").click()
    return {cell for row in csv.reader(Path(download.value.path()).read_text().splitlines()) for cell in row}


def test_names_are_shown_as_typed_and_leave_as_csv_that_no_spreadsheet_executes(browser, tmp_path):
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        for day, name in enumerate(NAMES):
            start = START + timedelta(days=day)
            add(workspace, rows(seconds=30, start=start), lesson=replace(LESSON, name=name, room=name, started=start))
        period = {"name": "=P", "start": "08:00", "end": "10:00"}
        lesson = {"day": "Mon", "period": "=P", "class_name": "7a", "subject": "@SUM(A1)", "teacher": "", "room": ""}
        workspace.set("periods", [period])
        workspace.set("school", {"lessons": [lesson | {"length": 1, "fixed": False}]})
    with serve(tmp_path) as server, visit(browser) as page:
        page.goto(f"{server.address}/lessons")
        shown(page, page.get_by_test_id("stDataFrame").first, *NAMES)
        cells = downloaded(page)
        assert {escape(name) for name in NAMES} <= cells and not {"=1+1", "@SUM(A1)", "-2+3", "'=x"} & cells
        page.goto(f"{server.address}/timetable")
        page.get_by_text("The school's week").first.click()
        shown(page, page.get_by_test_id("stDataFrame").first, "=P", "@SUM(A1)")
        assert {"'=P", "'@SUM(A1)"} <= downloaded(page)
        page.get_by_text("Change the week").click()
        shown(page, page.get_by_test_id("stDataFrame").nth(1), "=P")


def test_a_table_without_formulas_keeps_its_own_csv(browser, tmp_path):
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        add(workspace, rows(seconds=30))
    with serve(tmp_path) as server, visit(browser) as page:
        page.goto(f"{server.address}/lessons")
        table = page.get_by_test_id("stDataFrame").first
        expect(table.locator("[role=gridcell]", has_text="Maths 7a").first).to_be_attached()
        table.hover()
        expect(table.get_by_role("button", name="Download as CSV")).to_be_visible()
