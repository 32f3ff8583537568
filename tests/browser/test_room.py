"""The room camera of the real app, with and without a browser: `pytest -m browser`."""

import re
import subprocess
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect

from cssafe.store import Workspace
from tests.support.browser import PATIENCE, Server, chromium, film, serve, shows_no_error
from tests.support.database import fetch
from tests.support.live_browser import visit
from tests.support.room import camera
from tests.support.room_timetable import all_day
from tests.support.wait import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser(playwright):
    """One without a camera."""
    with closing(chromium(playwright)) as browser:
        yield browser


@pytest.fixture(scope="module")
def source(browser, tmp_path_factory):
    """A video of nine faces in place of a camera."""
    folder = tmp_path_factory.mktemp("room")
    video = folder / "class.mp4"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", str(film(folder, side=3)), str(video)], check=True)
    return str(video)


def analyzed(server: Server, number: int) -> None:
    deadline = time.monotonic() + 4 * PATIENCE / 1000
    while server.health()["analyzed"] < number:
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.2)


def test_a_lesson_begun_in_one_browser_goes_on_without_it_and_is_ended_in_another(browser, source, tmp_path):
    with serve(tmp_path) as server:
        with visit(browser) as page:
            page.goto(f"{server.address}/room")
            page.get_by_role("textbox", name="Camera").fill(source)
            page.get_by_role("button", name="Test camera").click()
            expect(page.get_by_text("The camera gives 640 x 480 pixels")).to_be_visible()
            page.get_by_text("Everybody who will be in the picture").click()
            page.get_by_label("Subject").fill("Mathematics")
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_test_id("stMetricValue").last).to_have_text("9")
            expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"^\d+$"))
            expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
            picture = page.get_by_test_id("stImage").locator("img")
            expect(picture).to_have_js_property("naturalWidth", 640)
            expect(picture).not_to_have_attribute("src", picture.get_attribute("src"))
            shows_no_error(page)
        before = server.health()["analyzed"]
        analyzed(server, before + 5)  # with no browser open
        with visit(browser) as page:
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(f"{server.address}/room")
            page.get_by_role("button", name="End lesson").click()
            expect(page.get_by_text("Mathematics is over")).to_be_visible()
            shows_no_error(page)
        server.stop()
        database = tmp_path / "cssafe.duckdb"
        assert fetch(database, "SELECT subject, source, audience, time_zone, ended > started FROM lessons") == [
            ("Mathematics", "file", "class", "Europe/Berlin", True)
        ]
        [(seconds, faces)] = fetch(database, "SELECT count(DISTINCT time), count(DISTINCT track) FROM observations")
        assert seconds >= 4 and faces >= 9
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix not in (".duckdb", ".log")]


def test_the_timetable_records_with_no_browser_at_all_and_after_a_kill_goes_on_as_a_new_lesson(tmp_path, browser):
    entries, zone = all_day()
    with camera() as shown:
        with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
            workspace.set("agreed", True)
            workspace.set("room", {"source": shown.address, "time_zone": zone})
            workspace.set("timetable", entries)
        with serve(tmp_path) as server:
            until(lambda: server.health()["last_write"])
            server.process.kill()
            server.process.wait()
            assert "secret" not in server.log.read_text()
        with serve(tmp_path) as server:
            analyzed(server, 5)
            with visit(browser) as page:
                page.goto(f"{server.address}/room")
                expect(page.get_by_text("Ends by itself at 18:00")).to_be_visible()
                expect(page.get_by_test_id("stMetricValue").last).to_have_text("12")
                assert "secret" not in page.content()
                shows_no_error(page)
            server.stop()
            assert "secret" not in server.log.read_text()
    lessons = fetch(tmp_path / "cssafe.duckdb", "SELECT subject, ended > started FROM lessons ORDER BY lesson")
    assert lessons == [("Maths", True)] * 2


def test_hosted_the_page_is_neither_offered_nor_open(browser, tmp_path):
    with serve(tmp_path, CSSAFE_MODE="hosted") as server, visit(browser) as page:
        page.goto(server.address)
        expect(page.get_by_role("link", name="Weekly")).to_be_visible()
        expect(page.get_by_role("link", name="Room")).to_have_count(0)
        page.goto(f"{server.address}/room")
        expect(page.get_by_text("Page not found")).to_be_visible()
        expect(page.get_by_role("textbox", name="Camera")).to_have_count(0)
