"""The page Files in a real browser: `pytest -m browser`."""

import re
import subprocess
from contextlib import closing
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE, Server, chromium, serve, shows_no_error
from tests.support.database import fetch
from tests.support.engagement import film
from tests.support.faces import astronaut, classroom
from tests.support.live_browser import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser(playwright):
    """One without a camera."""
    with closing(chromium(playwright)) as browser:
        yield browser


@pytest.fixture
def page(browser):
    with closing(browser.new_context(timezone_id="Europe/Berlin")) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """A portrait, three seconds and four minutes of it as videos with a date, and a text named .mp4."""
    folder = tmp_path_factory.mktemp("files")
    paths = {name: folder / name for name in ("face.png", "clip.mp4", "long.mp4", "notes.mp4")}
    cv2.imwrite(str(paths["face.png"]), astronaut())
    film = ["-loop", "1", "-i", str(paths["face.png"]), "-t", "3", "-r", "10", "-pix_fmt", "yuv420p"]
    again = ["-stream_loop", "79", "-i", str(paths["clip.mp4"]), "-c", "copy"]
    for options, name in ((film, "clip.mp4"), (again, "long.mp4")):
        date = ["-metadata", "creation_time=2026-03-02T08:15:20Z"]
        subprocess.run(["ffmpeg", "-loglevel", "error", *options, *date, str(paths[name])], check=True)
    paths["notes.mp4"].write_text("no video")
    return paths


def analyse(page: Page, server: Server, *paths: Path, audience: str = "Only me") -> None:
    """Choose the files and start."""
    page.goto(f"{server.address}/files")
    page.locator("input[type=file]").set_input_files([str(path) for path in paths])
    page.get_by_text("Yes, they have agreed").click()
    page.get_by_text(audience, exact=True).click()
    page.get_by_role("button", name="Analyse").click()


def test_pictures_and_videos_are_shown_with_their_faces_and_kept_as_a_lesson_when_asked(page, files, tmp_path):
    with serve(tmp_path) as server:
        analyse(page, server, files["face.png"], files["clip.mp4"], files["notes.mp4"])
        expect(page.get_by_text("notes.mp4: this is not an image or video")).to_be_visible()
        expect(page.get_by_alt_text("The picture, faces drawn: 1")).to_have_js_property("naturalWidth", 512)
        expect(page.get_by_alt_text("This moment, faces drawn: 1")).to_have_js_property("naturalWidth", 512)
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
        expect(page.get_by_text("emotion happy")).to_have_count(2)
        page.get_by_text("Keep the figures as a lesson").click()
        expect(page.get_by_test_id("stDateInputField")).to_contain_text(re.compile(r"2026\W+03\W+02"))
        page.get_by_label("Subject").fill("Mathematics")
        page.get_by_role("button", name="Keep as a lesson").click()
        expect(page.get_by_text("The figures are kept as a lesson")).to_be_visible()
        shows_no_error(page)
        page.get_by_role("link", name="This lesson").click()
        expect(page.get_by_text("Monday 02 March 2026, 09:15")).to_be_visible()
        server.stop()
        database = tmp_path / "cssafe.duckdb"
        assert fetch(database, "SELECT name, source, audience, strftime(started, '%H:%M:%S') FROM lessons") == [
            ("Mathematics", "file", "self", "08:15:20")
        ]
        assert fetch(database, "SELECT count(*), count(DISTINCT track), bool_and(p_happy > 0.5) FROM observations") == [
            (4, 2, True)
        ]
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix not in (".duckdb", ".log")]


def test_a_click_on_a_second_of_the_timeline_shows_it(page, files, tmp_path):
    with serve(tmp_path) as server:
        analyse(page, server, files["clip.mp4"])
        chart = page.get_by_test_id("stVegaLiteChart").first
        moment = page.get_by_test_id("stSliderThumbValue")
        expect(moment).to_have_text("0 s")
        expect(chart.locator("[aria-label*='Second: 2;']")).to_be_attached()  # drawn after the axes
        chart.click(position={"x": chart.bounding_box()["width"] * 0.3, "y": 80})
        expect(moment).to_have_text("2 s")
        expect(page.locator("#vg-tooltip-element")).to_contain_text("Leading emotion")


def test_a_long_video_tells_its_progress_and_can_be_stopped_and_nothing_is_stored(page, files, tmp_path):
    with serve(tmp_path) as server:
        page.set_viewport_size(PHONE)
        analyse(page, server, files["face.png"], files["long.mp4"])
        expect(page.get_by_text("long.mp4 · file 2 of 2 · about")).to_be_visible()
        page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()  # Streamlit has one above the page
        expect(page.get_by_text("Stopped. The results so far are below.")).to_be_visible()
        expect(page.get_by_alt_text("The picture, faces drawn: 1")).to_be_visible()
        analyzed = server.still()
        shows_no_error(page)
        assert server.health()["analyzed"] == analyzed < 1200
        page.get_by_role("button", name="Other files").click()
        expect(page.get_by_role("button", name="Analyse")).to_be_disabled()
        server.stop()
        assert fetch(tmp_path / "cssafe.duckdb", "SELECT count(*) FROM lessons") == [(0,)]


def test_a_demo_visit_analyses_files_without_leaving_anything_on_the_disk(page, files, tmp_path):
    with serve(tmp_path, CSSAFE_MODE="hosted") as server:
        page.goto(f"{server.address}/files")
        page.locator("input[type=file]").set_input_files([str(files["face.png"])])
        page.get_by_role("button", name="Analyse").click()
        expect(page.get_by_text("emotion happy")).to_be_visible()
        page.get_by_text("Keep the figures as a lesson").click()
        page.get_by_role("button", name="Keep as a lesson").click()
        expect(page.get_by_text("They stay until you close this tab")).to_be_visible()
        page.get_by_role("link", name="This lesson").click()
        expect(page.get_by_text("No class, No subject")).to_be_visible()
        assert [file.name for file in tmp_path.iterdir()] == ["server.log"]


def test_four_people_of_a_classroom_are_seen(page, tmp_path):
    with serve(tmp_path) as server:
        analyse(page, server, film(tmp_path / "classroom.mp4", classroom(2, 2)), audience="A class")
        expect(page.get_by_text("Too few faces for a figure about the class")).to_be_visible()
        expect(page.get_by_alt_text("This moment, faces drawn: 4")).to_be_visible()
