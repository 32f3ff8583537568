"""A class's lesson on other devices of a hosted server, with a real browser and real networks: `pytest -m browser`."""

from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE, chromium, film, serve
from tests.support.live_browser import start, visit, wait_for_results

pytestmark = [pytest.mark.browser, pytest.mark.slow]

READING = "9 of 9 can be seen"


@pytest.fixture(scope="module")
def browser(playwright, tmp_path_factory):
    """One whose camera shows nine faces."""
    with closing(chromium(playwright, film(tmp_path_factory.mktemp("class"), side=3))) as browser:
        yield browser


def device(browser, width: int, height: int) -> Page:
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def fits(page: Page) -> None:
    """Nothing went wrong or is wider than the screen, and nothing of the rest of CSSAFE is offered."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen
    expect(page.get_by_role("link", name="Histograms")).to_have_count(0)


def test_a_class_is_watched_by_its_addresses_alone_and_only_while_its_lesson_runs(browser, tmp_path):
    with serve(tmp_path, CSSAFE_MODE="hosted") as server, visit(browser) as page:
        start(page, server, ask=False, audience="A class")
        wait_for_results(page, 5)
        page.get_by_role("button", name="On other devices").click()
        expect(page.get_by_text("Only this computer can open this address")).to_be_visible()
        expect(page.get_by_test_id("stCode")).to_have_count(2)
        projector, phone = (code.inner_text() for code in page.get_by_test_id("stCode").all())
        page.keyboard.press("Escape")

        wall, hand, stranger = device(browser, 1280, 800), device(browser, 390, 844), device(browser, 390, 844)
        wall.goto(projector)
        hand.goto(phone)
        for watching in (wall, hand):
            expect(watching.get_by_text(READING)).to_be_visible()
            fits(watching)
        expect(wall.locator("video, figure")).to_have_count(0)
        assert server.health()["workspaces"] == 1  # whoever watches has none of her own
        hand.get_by_role("button", name="Quiz").click()
        expect(hand.get_by_text("Noted: quiz.")).to_be_visible()
        hand.get_by_text("Break", exact=True).first.click()
        for watching in (wall, hand):
            expect(watching.get_by_text("Break is not scored.")).to_be_visible()
        for address in (
            f"{server.address}/projector",
            projector.replace("key=", "key=x"),
            projector.replace("projector", "phone"),
        ):
            stranger.goto(address)
            expect(stranger.get_by_text("No lesson")).to_be_visible()
            expect(stranger.get_by_text("Mathematics")).to_have_count(0)

        page.get_by_role("button", name="End lesson").click()
        for watching in (wall, hand):
            expect(watching.get_by_text("it is over")).to_be_visible()
            expect(watching.get_by_text("Mathematics")).to_have_count(0)
        assert [file.name for file in tmp_path.iterdir()] == ["server.log"]


def test_a_projector_that_is_left_open_shows_the_next_lesson_by_itself_also_below_a_base_path(browser, tmp_path):
    with serve(tmp_path, STREAMLIT_SERVER_BASE_URL_PATH="school") as server, visit(browser) as page:
        server.address += "/school"
        wall = device(browser, 1280, 800)
        wall.goto(f"{server.address}/projector")
        expect(wall.get_by_text("No lesson of a class is running")).to_be_visible()
        start(page, server, audience="A class")
        expect(wall.get_by_text(READING)).to_be_visible()
        page.get_by_role("button", name="On other devices").click()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the projector's view").click()
        expect(opened.value.get_by_text(READING)).to_be_visible()
        fits(opened.value)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="End lesson").click()
        expect(wall.get_by_text("No lesson of a class is running")).to_be_visible()
        expect(opened.value.get_by_text("it is over")).to_be_visible()
