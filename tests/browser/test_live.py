"""The app in a real browser with a fake camera: `pytest -m browser`."""

import os
import re
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cssafe import sample
from cssafe.labels import FERPLUS
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from tests.support.browser import PATIENCE, Server, chromium, clip, film, serve, shows_no_error
from tests.support.database import fetch
from tests.support.faces import classroom
from tests.support.live_browser import results, start, visit, wait_for_results, wait_for_state, watch_state
from tests.support.wait import until

pytestmark = pytest.mark.browser

PAGES = {
    "": "Live",
    "files": "Files",
    "room": "Room",
    "histograms": "Histograms",
    "weekly": "Weekly",
    "lessons": "Lessons",
    "rating": "Rate",
    "formulas": "Formula",
    "concentration": "About the score",
    "model": "Model",
    "status": "Status",
}


@pytest.fixture
def page(browser):
    with visit(browser) as page:
        yield page


def test_a_lesson_from_start_to_end_is_seen_live_and_is_in_the_database_afterwards(page, tmp_path):
    with serve(tmp_path) as server:
        start(page, server)
        wait_for_results(page, 5)
        figure = page.locator("figure")
        expect(figure).to_have_attribute("data-state", "live")
        expect(figure).to_have_attribute("data-faces", "1")
        expect(figure.locator("figcaption")).to_contain_text("1 face · concentration")
        video = figure.locator("video")
        assert video.evaluate("v => v.videoWidth") > 0
        before = video.evaluate("v => v.currentTime")
        expect(page.get_by_test_id("stMetricValue").last).to_have_text("1")
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
        page.get_by_role("button", name="Quiz").click()
        expect(page.get_by_text("Noted: quiz.")).to_be_visible()
        page.keyboard.press("1")
        expect(page.get_by_text("Noted: question.")).to_be_visible()
        expect(page.get_by_text(re.compile("^Why: \\d+ of 100: "))).to_be_visible()
        page.get_by_role("radio", name="Desk work").click()
        wait_for_results(page, results(page) + 10)
        assert video.evaluate("v => v.currentTime") > before
        page.get_by_role("button", name="End lesson").click()
        expect(page.get_by_text("Mathematics is over")).to_be_visible()
        expect(page.locator("figure")).to_have_count(0)
        shows_no_error(page)
        server.stop()
        database = tmp_path / "cssafe.duckdb"
        [(seconds, faces, frames)] = fetch(
            database, "SELECT count(*), count(DISTINCT track), sum(frames) FROM observations"
        )
        assert seconds >= 2 and faces >= 1 and frames >= 15
        assert fetch(database, "SELECT p_happy > 0.5, concentration > 0 FROM observations LIMIT 1") == [(True, True)]
        assert fetch(database, "SELECT subject, source, audience, time_zone, ended > started FROM lessons") == [
            ("Mathematics", "camera", "self", "Europe/Berlin", True)
        ]
        assert fetch(database, "SELECT kind FROM markers ORDER BY time") == [("quiz",), ("question",)]
        activities = fetch(database, "SELECT activity FROM activities ORDER BY time")
        assert activities == [("screen",), ("desk work",)]
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix not in (".duckdb", ".log")]


@pytest.mark.slow
def test_of_a_class_its_figures_are_shown_and_no_single_face_is_named(playwright, tmp_path):
    with serve(tmp_path) as server, closing(chromium(playwright, film(tmp_path, side=3))) as browser:
        with visit(browser) as page:
            start(page, server, audience="A class")
            wait_for_results(page, 5)
            expect(page.locator("figure")).to_have_attribute("data-faces", "9")
            expect(page.get_by_text("Class concentration")).to_be_visible()
            expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"^\d+$"))


def seen(page: Page) -> int:
    """How many faces could be read in what the visitor sees of the camera."""
    shot = np.frombuffer(page.locator("figure .picture").screenshot(), np.uint8)
    return int((FaceFinder().find(cv2.imdecode(shot, cv2.IMREAD_COLOR))[1].scores >= MIN_MESH_SCORE).sum())


@pytest.mark.slow
def test_of_a_class_no_face_is_seen_until_the_teacher_wants_it(playwright, tmp_path):
    with serve(tmp_path) as server, closing(chromium(playwright, film(tmp_path, side=3))) as browser:
        with visit(browser) as page:
            start(page, server, audience="A class")
            figure = page.locator("figure[data-covered]")
            figure.wait_for()
            for way in ("Mosaic", "Blurred", "Plain mask"):
                page.get_by_role("radio", name=way).click()
                wait_for_results(page, results(page) + 5)
                assert (
                    figure.locator("canvas").evaluate("c => c.getContext('2d').getImageData(9, 9, 1, 1).data[3]") == 255
                )
                assert seen(page) == 0
            page.get_by_role("radio", name="As they are").click()
            expect(figure).to_have_count(0)
            wait_for_results(page, results(page) + 5)
            assert seen(page) >= 5  # words lie over some
            shows_no_error(page)


@pytest.mark.slow
def test_two_people_are_followed_but_are_too_few_for_a_figure_about_a_class(playwright, tmp_path):
    cv2.imwrite(str(tmp_path / "two.png"), classroom(1, 2))
    video = clip(tmp_path, tmp_path / "two.png")
    with serve(tmp_path) as server, closing(chromium(playwright, video)) as browser, visit(browser) as page:
        start(page, server, audience="A class")
        wait_for_results(page, 10)
        expect(page.locator("figure")).to_have_attribute("data-faces", "2")
        expect(page.get_by_text("Too few faces for a figure about the class: 2 of 5.").first).to_be_visible()
        expect(page.get_by_test_id("stMetricValue").first).to_have_text("–")
        page.get_by_role("button", name="End lesson").click()
        expect(page.get_by_text("Mathematics is over")).to_be_visible()
        server.stop()
        assert fetch(tmp_path / "cssafe.duckdb", "SELECT count(*) >= 2, median(yaw) IS NOT NULL FROM observations") == [
            (True, True)
        ]


@pytest.mark.slow
def test_closing_the_tab_ends_the_stream_within_a_second_and_an_ordinary_stop_loses_nothing(page, tmp_path):
    with serve(tmp_path) as server:
        start(page, server)
        wait_for_results(page, 5)
        page.close()
        closed = datetime.now(UTC).replace(tzinfo=None)
        until(lambda: server.health()["streams"] == 0)
        analyzed = server.still()
        server.stop()
        [(frames, last)] = fetch(tmp_path / "cssafe.duckdb", "SELECT sum(frames), max(time) FROM observations")
        assert frames == analyzed and last <= closed + timedelta(seconds=1)
        assert fetch(tmp_path / "cssafe.duckdb", "SELECT count(*) FROM lessons WHERE ended IS NULL") == [(0,)]


@pytest.mark.slow
def test_after_a_lost_connection_the_camera_finds_back_into_the_same_lesson(page, tmp_path):
    with serve(tmp_path) as server:
        page.add_init_script(
            "const Real = WebSocket; window.WebSocket = class extends Real {"
            " constructor(...a) { super(...a); if (a[0].endsWith('/cssafe/frames')) window.lastSocket = this; } };"
        )
        start(page, server)
        wait_for_results(page, 5)
        watch_state(page)
        page.evaluate("window.lastSocket.close()")
        wait_for_state(page, "reconnecting: The connection is lost")
        drawn = results(page)
        wait_for_results(page, drawn + 5)
        page.get_by_role("button", name="End lesson").click()
        expect(page.get_by_text("Mathematics is over")).to_be_visible()


@pytest.mark.slow
def test_attention_only_shows_and_stores_no_emotion(page, tmp_path):
    with serve(tmp_path, CSSAFE_PROFILE="attention-only") as server:
        page.goto(server.address)
        expect(page.get_by_text("Attention only: no emotion is computed")).to_be_visible()
        start(page, server)
        wait_for_results(page, 10)
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
        words = page.locator("body").inner_text()
        assert not [word for word in FERPLUS if word in words]
        page.get_by_role("button", name="End lesson").click()
        expect(page.get_by_text("Mathematics is over")).to_be_visible()
        server.stop()
        columns = ", ".join(f"count(p_{name})" for name in FERPLUS)
        assert fetch(tmp_path / "cssafe.duckdb", f"SELECT {columns} FROM observations") == [(0,) * 8]


@pytest.mark.slow
def test_a_demo_visit_leaves_nothing_on_the_disk(page, tmp_path):
    with serve(tmp_path, CSSAFE_PROFILE="demo") as server:
        start(page, server, ask=False)
        wait_for_results(page, 5)
        page.get_by_role("button", name="End lesson").click()
        expect(page.get_by_text("It is kept until you close this tab")).to_be_visible()
        page.get_by_role("link", name="This lesson").click()
        expect(page.get_by_role("heading", name="Mathematics")).to_be_visible()
        shows_no_error(page)
        assert [file.name for file in tmp_path.iterdir()] == ["server.log"]


@pytest.mark.slow
@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
def test_every_page_opened_by_its_address_shows_no_error(page, tmp_path, filled):
    if filled:
        with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
            sample.add_term(workspace, PROFILES["consent"])
    with serve(tmp_path) as server:
        for address, title in PAGES.items():
            page.goto(f"{server.address}/{address}")
            expect(page.get_by_role("heading", name=title).first).to_be_visible()
            shows_no_error(page)
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{server.address}/model")
        shows_no_error(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_a_database_that_is_open_elsewhere_is_named_in_a_sentence_on_every_page(page, tmp_path):
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")), serve(tmp_path) as server:
        for address in PAGES.keys() - {"concentration"}:  # which needs no database
            page.goto(f"{server.address}/{address}")
            expect(page.get_by_text("is in use by another program")).to_be_visible()
            expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize(
    ("extra", "state", "words"),
    [
        (("--use-fake-device-for-media-stream", "--deny-permission-prompts"), "refused", "The camera was refused"),
        ((), "none", "No camera was found"),
    ],
    ids=["refused", "missing"],
)
def test_a_camera_that_cannot_be_used_is_explained_and_leaves_no_lesson(playwright, tmp_path, extra, state, words):
    with serve(tmp_path) as server, closing(chromium(playwright, None, *extra)) as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        start(page, server)
        expect(page.locator("figure")).to_have_attribute("data-state", state)
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        page.get_by_role("button", name="End lesson").click()
        expect(page.get_by_text("Nothing was recorded")).to_be_visible()
        server.stop()
        assert fetch(tmp_path / "cssafe.duckdb", "SELECT count(*) FROM lessons") == [(0,)]


@pytest.mark.slow
def test_a_page_that_waits_for_networks_which_then_do_not_load_says_so_by_itself(browser, tmp_path):
    """The networks load until the test writes into the pipe that stands in the place of their description."""
    pipe = tmp_path / "model" / "model.json"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    server = Server(tmp_path, CSSAFE_MODEL=str(pipe.parent))

    def answers() -> bool:
        with suppress(OSError):
            return server.health()["state"] == "loading"
        return False

    try:
        with visit(browser) as page:
            until(answers)
            start(page, server)
            expect(page.locator("figure")).to_have_attribute("data-state", "loading")
            pipe.write_text("no description")
            error = page.get_by_test_id("stAlertContentError")
            expect(error).to_contain_text("The expression network in")
            expect(page.locator("figure")).to_have_count(0)
    finally:
        server.stop()
