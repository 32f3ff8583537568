"""The Content-Security-Policy and the frame in a real browser: every page works under it, and in Community Cloud's frame."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from cssafe.settings import ROOT
from tests.support.browser import serve, shows_no_error
from tests.support.live_browser import begin, take_picture, visit
from tests.support.relay import relay

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = re.findall(r"pages/(\w+)\.py", (ROOT / "cssafe" / "ui/site.py").read_text(encoding="utf-8"))

SENT, RECEIVED = 20_000, 500_000
"""Most bytes of a Streamlit message up and down, of this test's pages: a fraction of server.maxMessageSize."""


@dataclass
class Seen:
    """What a page did: complaints of the browser about the policy, and bytes of Streamlit's messages."""

    complaints: list[str] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)


@contextmanager
def watched(page: Page) -> Iterator[Seen]:
    """Fails where the browser refuses something because of the policy."""
    seen = Seen()
    page.on("console", lambda line: seen.complaints.append(line.text) if "Security Policy" in line.text else None)
    page.on("console", lambda line: seen.complaints.append(line.text) if "Permissions policy" in line.text else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))

    def count(socket) -> None:
        if socket.url.endswith("/_stcore/stream"):
            socket.on("framesent", lambda message: seen.sent.append(len(message)))
            socket.on("framereceived", lambda message: seen.received.append(len(message)))

    page.on("websocket", count)
    yield seen
    assert seen.complaints == []


def test_every_page_with_a_term_works_under_the_policy_and_its_messages_are_small(browser, tmp_path):
    with serve(tmp_path) as server, visit(browser) as page, watched(page) as seen:
        page.goto(f"{server.address}/weekly")
        page.get_by_role("button", name="Fill with a synthetic term").click()
        expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
        for name in PAGES:
            page.goto(f"{server.address}/{'' if name == 'live' else name}")
            shows_no_error(page)
            for chart in page.get_by_test_id("stVegaLiteChart").all():
                expect(chart.locator("canvas, svg").first).to_be_attached()
    assert max(seen.sent) < SENT and max(seen.received) < RECEIVED


def test_cameras_uploads_and_downloads_work_under_the_policy(browser, tmp_path, footage):
    with serve(tmp_path) as server, visit(browser) as page, watched(page) as seen:
        begin(page, server, "Single pictures")
        take_picture(page)
        page.get_by_role("button", name="End lesson").click()
        page.get_by_role("link", name="This lesson").click()
        with page.expect_download():
            page.get_by_role("button", name="CSV", exact=True).click()
        page.goto(f"{server.address}/files")
        page.locator("input[type=file]").set_input_files(str(footage.parent / "face.png"))
        page.get_by_role("button", name="Analyse").click()
        expect(page.get_by_alt_text("The picture, faces drawn: 1")).to_have_js_property("naturalWidth", 640)
    assert max(seen.sent) < SENT and max(seen.received) < RECEIVED


def framed(page: Page, outer: str, inner: str) -> FrameLocator:
    """A page at `outer` that shows `inner` in a frame."""
    html = f'<iframe src="{inner}" allow="camera" style="width: 100%; height: 900px"></iframe>'

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html")

    page.route(outer, answer)
    page.goto(outer)
    return page.frame_locator("iframe")


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Another web server on this computer; its address."""
    folder.mkdir()
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *message) -> None:
        pass


def test_in_community_clouds_frame_under_its_prefix_a_lesson_runs(browser, tmp_path):
    with (
        serve(tmp_path, CSSAFE_MODE="hosted") as server,
        relay(server.port, prefix="/~/+") as proxy,
        visit(browser) as page,
        watched(page),
    ):
        app = framed(page, f"http://localhost:{proxy.port}/", "/~/+/")
        app.get_by_label("Subject").fill("Mathematics")
        app.get_by_role("button", name="Start").click()
        expect(app.locator("figure")).to_have_attribute("data-state", "live")
        expect(app.locator("figure")).to_have_attribute("data-faces", "1")


def test_a_page_of_another_site_cannot_show_the_app_in_its_frame(browser, tmp_path):
    with serve(tmp_path, CSSAFE_MODE="hosted") as server, visit(browser) as page, site(tmp_path / "site") as other:
        (tmp_path / "site" / "index.html").write_text(f'<iframe src="{server.address}"></iframe>')
        with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
            page.goto(other)
        expect(page.frame_locator("iframe").get_by_test_id("stApp")).to_have_count(0)
