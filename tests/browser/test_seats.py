"""Seats on the page Lessons in a real browser: a rectangle drawn with the pointer becomes a region."""

from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from cssafe.observations import average_seconds
from cssafe.scoring.formula import PUBLISHED
from cssafe.store import Workspace
from tests.support.browser import serve, shows_no_error
from tests.support.database import fetch
from tests.support.lessons import LESSON, START
from tests.support.live_browser import visit
from tests.support.simulated_class import Plan, frames

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_region_can_be_drawn_and_is_kept_for_the_room_and_the_lesson(browser, tmp_path):
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        number = workspace.start_lesson(LESSON)
        workspace.record(number, average_seconds(list(frames(Plan(seconds=20, rate=1), START, PUBLISHED))))
        workspace.end_lesson(number, START + timedelta(seconds=20))
    with serve(tmp_path) as server, visit(browser) as page:
        page.goto(f"{server.address}/lessons")
        shows_no_error(page)
        page.get_by_text("Seats", exact=True).click()
        expect(page.get_by_role("button", name="Divide the room")).to_be_visible()
        chart = page.get_by_test_id("stVegaLiteChart").last
        chart.scroll_into_view_if_needed()
        expect(chart.locator("canvas, svg").first).to_be_visible()
        page.wait_for_timeout(1000)  # the page is still moving
        box = chart.bounding_box()
        page.mouse.move(box["x"] + 60, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 180, steps=8)
        page.mouse.up()
        page.get_by_label("Name of the region drawn").fill("Door")
        page.get_by_role("button", name="Add region").click()
        expect(page.get_by_text("Or draw a rectangle in the picture above.")).to_be_visible()
        page.get_by_role("button", name="Show the figures of these regions").click()
        expect(page.get_by_text("This lesson keeps the regions")).to_be_visible()
        shows_no_error(page)
        server.stop()
    [(saved,)] = fetch(tmp_path / "cssafe.duckdb", "SELECT value FROM settings WHERE key = 'seats'")
    assert '"R1"' in saved and '"name": "Door"' in saved and saved.count('"name"') == 1
