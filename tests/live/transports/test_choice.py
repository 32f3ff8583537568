"""Which transport is used, and what the page says and offers when one does not work. The cameras themselves are replaced:
they need a browser, and are tested in one (test_browser_webrtc.py)."""

import importlib
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from cssafe.live.transports.choice import Transport
from cssafe.settings import ROOT


@pytest.mark.parametrize(
    ("chosen", "used"),
    [("automatic", "websocket"), ("websocket", "websocket"), ("webrtc", "webrtc"), ("snapshot", "snapshot")],
)
def test_automatic_begins_with_the_websocket_and_a_choice_is_kept(chosen, used):
    assert Transport.choose(chosen) == Transport(chosen, used)


def test_falling_back_goes_through_all_and_says_which_failed():
    first = Transport.choose("automatic")
    second = first.fall_back()
    third = second.fall_back()
    assert (second.used, third.used, third.following) == ("webrtc", "snapshot", None)
    assert second.notice == "No result came by WebSocket within 8 seconds. The camera now uses: WebRTC."
    assert third.chosen == "automatic"


def page(chosen: str, stalled: tuple[str, ...]) -> None:
    """A script: the camera part of the live page with cameras of which some stall."""
    import sys
    from types import ModuleType

    import streamlit as st

    from cssafe.live.transports import choice

    def stand_in(name: str) -> ModuleType:
        module = ModuleType(name)
        module.show_camera = lambda *_: name in stalled
        return module

    choice.websocket = stand_in("websocket").show_camera
    for name in ("webrtc", "snapshot"):
        sys.modules[f"cssafe.live.transports.{name}"] = stand_in(name)
    st.session_state.setdefault("transport", choice.Transport.choose(chosen))
    choice.camera_with_fallback(None, None)


@pytest.mark.parametrize("name", ["webrtc", "snapshot"])
def test_every_transport_that_is_imported_when_it_is_used_shows_a_camera(name):
    assert callable(importlib.import_module(f"cssafe.live.transports.{name}").show_camera)


@pytest.fixture
def show(monkeypatch):
    from cssafe.live.transports import choice, snapshot, webrtc  # put back afterwards

    monkeypatch.setattr(choice, "websocket", choice.websocket)
    monkeypatch.setitem(sys.modules, "cssafe.live.transports.webrtc", webrtc)
    monkeypatch.setitem(sys.modules, "cssafe.live.transports.snapshot", snapshot)

    def run(chosen: str, *stalled: str) -> AppTest:
        shown = AppTest.from_function(page, args=(chosen, stalled)).run()
        assert not shown.exception
        return shown

    return run


def used(shown: AppTest) -> str:
    return shown.session_state["transport"].used


@pytest.mark.parametrize(
    ("chosen", "stalled", "expected", "told"),
    [
        ("automatic", (), "websocket", 0),
        ("automatic", ("websocket",), "webrtc", 1),
        ("automatic", ("websocket", "webrtc"), "snapshot", 1),
        ("automatic", ("websocket", "webrtc", "snapshot"), "snapshot", 1),
        ("webrtc", ("webrtc",), "webrtc", 0),
    ],
)
def test_automatic_goes_on_to_the_next_and_says_so_and_a_choice_stays(show, chosen, stalled, expected, told):
    shown = show(chosen, *stalled)
    assert used(shown) == expected
    assert len(shown.info) == told


def test_to_a_choice_that_stalls_the_next_is_offered(show):
    shown = show("webrtc", "webrtc")
    assert "No result came by WebRTC within 8 seconds." in shown.warning[0].value
    shown.button[0].click().run()
    assert used(shown) == "snapshot"
    assert not shown.warning


def test_after_the_last_nothing_is_offered(show):
    shown = show("snapshot", "snapshot")
    assert not shown.warning and not shown.button


def test_another_choice_is_taken_at_once_and_forgets_what_was_told(show):
    shown = show("automatic", "websocket")
    shown.selectbox[0].select("snapshot").run()
    assert used(shown) == "snapshot" and not shown.info
    shown.selectbox[0].select("automatic").run()
    assert used(shown) == "webrtc" and shown.info  # tried again from the first


def test_the_live_page_does_not_load_webrtc_until_it_is_used():
    code = "import sys, cssafe.live.transports.choice; print(*({'aiortc', 'streamlit_webrtc'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
