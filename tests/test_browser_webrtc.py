"""Every way of the camera's pictures in a real browser: `pytest -m browser`."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import FrameLocator, Page, expect, sync_playwright

from tests.browser import PATIENCE, Server, chromium, film, need, serve, shows_no_error
from tests.network import network
from tests.test_browser_live import fetch, results, start, wait_for_results

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def playwright():
    need("chromium", "ffmpeg")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def video(playwright, tmp_path_factory):
    return film(tmp_path_factory.mktemp("camera"))


@pytest.fixture(scope="module")
def net():
    with network() as net:
        yield net


@pytest.fixture
def server(net, tmp_path):
    with serve(tmp_path, net.host, net.prefix) as server:
        yield server


@pytest.fixture
def page(playwright, video, server):
    """A page at the server's address, which the browser takes for a safe one, with camera."""
    safe = f"--unsafely-treat-insecure-origin-as-secure={server.address}"
    with closing(chromium(playwright, video, safe)) as browser:
        page = browser.new_context(permissions=["camera"]).new_page()
        page.set_default_timeout(PATIENCE)
        yield page


def begin(page: Page, server: Server, connection: str) -> None:
    """Start a lesson by that connection."""
    page.goto(server.address)
    choose(page, connection)
    page.get_by_text("Everybody who will be in the picture").click()
    page.get_by_label("Subject").fill("Mathematics")
    page.get_by_role("button", name="Start").click()


def choose(page: Page, connection: str) -> None:
    page.get_by_role("combobox", name="Camera connection").click()
    page.get_by_role("option", name=connection, exact=True).click()


def test_webrtc(page, server, net, tmp_path):
    logs=[]
    page.on("console", lambda m: logs.append(m.text))
    begin(page, server, "WebRTC")
    try:
        frame = page.frame_locator("iframe[title='streamlit_webrtc.component.webrtc_streamer']")
        v = frame.locator("video")
        v.wait_for()
        time.sleep(4)
        print(v.evaluate("v => [v.videoWidth, v.currentTime]"), server.health(), net.sockets())
        page.screenshot(path="/tmp/rtc1.png", full_page=True)
        time.sleep(2)
        print(v.evaluate("v => [v.videoWidth, v.currentTime]"), server.health(), net.sockets())
        t=time.monotonic(); page.close()
        while net.sockets() and time.monotonic()-t<40: time.sleep(.1)
        print("closed after", time.monotonic()-t, server.health()); time.sleep(2); print(server.health())
    finally:
        print(logs[-30:])
        print(server.log.read_text()[-3000:])
    assert 0
