"""Two visitors of a hosted server at once: each sees only her own."""

import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE, serve, shows_no_error
from tests.support.live_browser import results, wait_for_results

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KNOCK = """(token) => new Promise((resolve) => {
  const socket = new WebSocket(`ws://${location.host}/cssafe/frames`, token ? ["cssafe", token] : []);
  socket.onmessage = () => resolve("let in");
  socket.onclose = (event) => resolve(event.code);
})"""
"""Tries to be the camera of the lesson of that token."""


def visitor(browser) -> Page:
    """A page in a browser context of its own, which remembers the token of its camera's connection."""
    page = browser.new_context(permissions=["camera"], timezone_id="Europe/Berlin").new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(
        "const Real = WebSocket; window.WebSocket = class extends Real {"
        " constructor(url, offered) { super(url, offered);"
        " if (url.endsWith('/cssafe/frames')) window.token ??= offered[1]; } };"
    )
    return page


def start(page: Page, address: str, subject: str) -> None:
    page.goto(address)
    page.get_by_label("Subject").fill(subject)
    page.get_by_role("button", name="Start").click()
    wait_for_results(page, 5)


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE / 1000) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("profile", ["demo", "consent"])
def test_two_visitors_at_once_each_see_only_their_own_lesson(browser, tmp_path, profile):
    with serve(tmp_path, CSSAFE_MODE="hosted", CSSAFE_PROFILE=profile) as server:
        ann, ben = visitor(browser), visitor(browser)
        for page in (ann, ben):
            page.goto(server.address)
            expect(page.get_by_text("Nothing is stored")).to_be_visible()
            if profile == "consent":
                page.get_by_text("Everybody who will be in the picture").click()
        for page, subject in ((ann, "Astronomy"), (ben, "Botany")):
            page.get_by_label("Subject").fill(subject)
            page.get_by_role("button", name="Start").click()
        for page in (ann, ben):
            wait_for_results(page, 5)
        health = server.health()
        assert (health["streams"], health["workspaces"]) == (2, 2)
        for page in (ann, ben):
            page.get_by_role("button", name="End lesson").click()
            page.get_by_role("link", name="This lesson").click()
        for page, own, other in ((ann, "Astronomy", "Botany"), (ben, "Botany", "Astronomy")):
            expect(page).to_have_url(re.compile("lesson=1"))  # the same number, each in its own workspace
            expect(page.get_by_role("heading", name=own)).to_be_visible()
            shows_no_error(page)
            assert other not in page.content()
        assert [file.name for file in tmp_path.iterdir()] == ["server.log"]


def test_nobody_reaches_anothers_lesson_download_token_or_stream(browser, tmp_path):
    with serve(tmp_path, CSSAFE_MODE="hosted") as server:
        ann, ben = visitor(browser), visitor(browser)
        start(ann, server.address, "Astronomy")
        token = ann.evaluate("window.token")
        for page in ("", "lessons?lesson=1", "histograms", "weekly", "status"):
            ben.goto(f"{server.address}/{page}")
            shows_no_error(ben)
            assert "Astronomy" not in ben.content() and token not in ben.content()
        for guess in ("", "1", token[:-1], token.swapcase()):
            assert ben.evaluate(KNOCK, guess) == 4403
        wait_for_results(ann, results(ann) + 3)

        ann.get_by_role("button", name="End lesson").click()
        expect(ann.get_by_role("link", name="This lesson")).to_be_visible()
        assert ben.evaluate(KNOCK, token) == 4403  # even the right token opens nothing once the lesson is over
        ann.get_by_role("link", name="This lesson").click()
        with ann.expect_download() as download:
            ann.get_by_role("button", name="CSV", exact=True).click()
        assert download.value.suggested_filename == "lesson-1.csv"
        # Streamlit serves a download to whoever knows its address, which nobody can guess: a hash of the figures in it.
        address = download.value.url
        assert re.fullmatch(rf"{server.address}/media/[0-9a-f]{{32}}\.csv.*", address)
        assert status(address) == 200
        assert status(re.sub("[0-9a-f]{32}", "0" * 32, address)) == 404
