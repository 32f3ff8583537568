"""Every way of the camera's pictures in a real browser: `pytest -m browser`."""

import time
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE, Server, choose, chromium, serve, shows_no_error
from tests.support.database import fetch
from tests.support.live_browser import begin, take_picture, wait_for_results
from tests.support.network import network
from tests.support.wait import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def net():
    with network() as net:
        yield net


@pytest.fixture
def server(net, tmp_path):
    with serve(tmp_path, net.host, net.prefix) as server:
        yield server


@pytest.fixture
def page(playwright, footage, server):
    """A page at the server's address, which the browser takes for a safe one, with camera."""
    safe = f"--unsafely-treat-insecure-origin-as-secure={server.address}"
    with closing(chromium(playwright, footage, safe)) as browser:
        page = browser.new_context(permissions=["camera"]).new_page()
        page.set_default_timeout(PATIENCE)
        yield page


def used(page: Page, words: str) -> None:
    """What the page says about the connection in use."""
    expect(page.get_by_text(f"Camera connection: {words}", exact=True)).to_be_visible(timeout=PATIENCE)


def streaming(page: Page, server: Server) -> None:
    """Video comes back and moves, and the server analyses it, for more than a second."""
    video = page.frame_locator("iframe[title*='webrtc']").last.locator("video")
    video.wait_for()
    analyzed, shown = server.health()["analyzed"], video.evaluate("v => v.currentTime")
    until(lambda: server.health()["analyzed"] >= analyzed + 20)
    until(lambda: video.evaluate("v => v.videoWidth > 0 && v.currentTime") > shown)


def end(page: Page) -> None:
    page.get_by_role("button", name="End lesson").click()
    expect(page.get_by_text("Mathematics is over")).to_be_visible()
    shows_no_error(page)


def recorded(server: Server) -> list[tuple]:
    """Lessons with their number of seconds with a face, after the server has stopped."""
    server.stop()
    return fetch(
        server.log.parent / "cssafe.duckdb",
        "SELECT subject, count(*) FROM lessons JOIN observations USING (lesson) GROUP BY lesson, subject",
    )


def cut_websocket(page: Page) -> None:
    """As a proxy does that lets no pictures through."""
    page.route_web_socket("**/cssafe/frames", lambda socket: socket.close())


def cut_webrtc(page: Page) -> None:
    """As a firewall does: only relays could be reached, and there is none."""
    page.add_init_script(
        "const Real = RTCPeerConnection; window.RTCPeerConnection = class extends Real {"
        " constructor(setup) { super({...setup, iceTransportPolicy: 'relay'}); } };"
    )


def test_a_lesson_by_webrtc_moves_is_analysed_and_is_in_the_database_afterwards(page, server):
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    begin(page, server, "WebRTC")
    streaming(page, server)
    used(page, "WebRTC")
    expect(page.get_by_test_id("stMetricValue").last).to_have_text("1")
    end(page)
    page.get_by_role("button", name="Another lesson").click()
    expect(page.get_by_role("combobox", name="Camera connection")).to_have_value("WebRTC")  # remembered
    [(subject, seconds)] = recorded(server)
    assert subject == "Mathematics" and seconds >= 2
    assert [a for a in addresses if not a.startswith((server.address, "data:", "blob:"))] == []


def test_closing_the_tab_ends_the_webrtc_stream_within_five_seconds(page, server, net):
    begin(page, server, "WebRTC")
    streaming(page, server)
    assert net.sockets() > 0
    page.close()
    until(lambda: net.sockets() == 0, seconds=5)
    time.sleep(1)  # the newest picture may just be looked at
    analyzed = server.health()["analyzed"]
    assert server.still() <= analyzed + 1  # one may be in work


def test_a_webrtc_connection_lost_on_the_way_is_taken_up_again_in_the_same_lesson(page, server, net):
    begin(page, server, "WebRTC")
    streaming(page, server)
    net.pull()
    time.sleep(6)
    net.plug()
    until(lambda: net.sockets() > 0)
    streaming(page, server)
    end(page)
    assert len(recorded(server)) == 1


def test_automatic_goes_on_by_webrtc_where_the_websocket_is_cut(page, server):
    cut_websocket(page)
    begin(page, server, "Automatic")
    used(page, "WebRTC, chosen automatically")
    expect(page.get_by_text("No result came by WebSocket within 8 seconds.")).to_be_visible()
    streaming(page, server)
    end(page)
    assert len(recorded(server)) == 1


def test_automatic_ends_at_single_pictures_where_both_are_cut(page, server):
    cut_websocket(page)
    cut_webrtc(page)
    begin(page, server, "Automatic")
    used(page, "Single pictures, chosen automatically")
    expect(page.get_by_text("No result came by WebRTC within 8 seconds.")).to_be_visible()
    take_picture(page)
    page.get_by_role("button", name="Clear photo").click()
    expect(page.get_by_text("Choose Take Photo.")).to_be_visible()
    expect(page.get_by_text("1 face · concentration")).to_have_count(0)
    page.wait_for_timeout(1_100)  # into another second of the lesson
    take_picture(page)
    assert server.health()["analyzed"] == 2
    end(page)
    assert recorded(server) == [("Mathematics", 2)]


def test_a_chosen_way_that_is_cut_offers_the_next_and_keeps_to_the_choice(page, server):
    cut_webrtc(page)
    begin(page, server, "WebRTC")
    expect(page.get_by_text("No result came by WebRTC within 8 seconds. Another way may work")).to_be_visible(
        timeout=PATIENCE
    )
    used(page, "WebRTC")
    page.get_by_role("button", name="Use Single pictures").click()
    used(page, "Single pictures")
    take_picture(page)
    end(page)
    assert recorded(server) == [("Mathematics", 1)]


def test_the_way_can_be_changed_during_a_lesson(page, server, net):
    begin(page, server, "Automatic")
    used(page, "WebSocket, chosen automatically")
    wait_for_results(page, 3)
    page.get_by_text("Camera connection: WebSocket").click()
    choose(page, "Camera connection", "WebRTC")
    used(page, "WebRTC")
    streaming(page, server)
    page.get_by_text("Camera connection: WebRTC").click()
    choose(page, "Camera connection", "WebSocket")
    used(page, "WebSocket")
    wait_for_results(page, 3)
    until(lambda: net.sockets() == 0, seconds=5)
    end(page)
    assert len(recorded(server)) == 1
