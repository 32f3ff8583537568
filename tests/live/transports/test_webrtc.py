"""One WebRTC connection with real video frames and a real engine, and where its STUN and TURN servers come from. The
negotiation with a browser is tested in test_browser_webrtc.py."""

import threading
import time
from datetime import UTC, datetime

import av
import numpy as np
import pytest
from PIL import ImageColor

from cssafe.colours import LEVELS
from cssafe.live.engine import Engine
from cssafe.live.transports import webrtc
from cssafe.live.transports.webrtc import RECONNECT_TIMEOUT_S, WebRtcStream, ice_servers
from cssafe.privacy import Anonymization
from cssafe.settings import TRANSPORT_TIMEOUT_S
from cssafe.vision.anonymize import MASK_BGR as GREY
from tests.support.fake_pipelines import Crowd, crowd
from tests.support.wait import until

HIGH = ImageColor.getrgb(LEVELS["high"])[::-1]  # BGR of the box of a face with high concentration


@pytest.fixture
def engine():
    engine = Engine(Crowd).start()
    engine.loaded.result(timeout=60)
    yield engine
    engine.close()


@pytest.fixture
def stream(lesson, engine):
    stream = WebRtcStream(lesson, engine, [], "key", lost=2.0)
    yield stream
    stream.over.set()


def frame(width: int = 64, height: int = 48) -> av.VideoFrame:
    image = np.full((height, width, 3), 90, np.uint8)
    image[:, : width // 4] = 250
    return av.VideoFrame.from_ndarray(image, format="bgr24")


def result_shown(stream: WebRtcStream, **size: int) -> np.ndarray:
    """Send frames until one comes back with a box on it."""
    shown = np.zeros(0)

    def boxed() -> bool:
        nonlocal shown
        shown = stream.show(frame(**size)).to_ndarray(format="bgr24")
        return bool((shown == HIGH).all(axis=2).any())

    until(boxed)
    return shown


def test_before_a_result_the_picture_comes_back_mirrored(stream):
    shown = stream.show(frame()).to_ndarray(format="bgr24")
    assert (shown[:, -16:] == 250).all() and (shown[:, :-16] == 90).all()


@pytest.mark.parametrize("size", [{}, {"width": 128, "height": 96}], ids=["same size", "the video grew since"])
def test_the_box_is_mirrored_with_the_picture_and_follows_its_size(stream, size):
    result_shown(stream)
    scale = size.get("width", 64) / 64
    xs = np.nonzero((result_shown(stream, **size) == HIGH).all(axis=2))[1]
    assert abs(xs.min() - (64 - 30) * scale) <= 1  # the face is at 10 to 30 from the left


def test_results_count_into_the_lesson_and_the_stream_is_not_stalled(stream, lesson):
    stream._started -= TRANSPORT_TIMEOUT_S
    assert stream.stalled
    result_shown(stream)
    assert not stream.stalled
    assert lesson.state().reading.faces == 1


def test_while_the_networks_load_no_stream_is_stalled(lesson, monkeypatch):
    monkeypatch.setattr(webrtc, "TRANSPORT_TIMEOUT_S", 0.05)
    ready = threading.Event()
    engine = Engine(lambda: Crowd() if ready.wait(10) else None).start()
    stream = WebRtcStream(lesson, engine, [], "key")
    time.sleep(0.1)
    assert not stream.stalled
    ready.set()
    until(lambda: stream.stalled)
    engine.close()


def test_the_time_without_a_result_goes_on_when_another_connection_is_tried(stream, lesson, engine):
    stream.answer("an offer")
    stream._started -= TRANSPORT_TIMEOUT_S
    again = WebRtcStream(lesson, engine, [], "another key", before=stream)
    again.answer("another offer")
    assert again.stalled


def test_a_connection_that_follows_one_that_worked_has_more_time(stream, lesson, engine):
    result_shown(stream)
    second = WebRtcStream(lesson, engine, [], "another key", before=stream)
    second._started -= TRANSPORT_TIMEOUT_S
    assert not second.stalled
    third = WebRtcStream(
        lesson, engine, [], "a third key", before=second
    )  # no result in between: the same time runs on
    assert not third.stalled
    third._started -= RECONNECT_TIMEOUT_S
    assert third.stalled


def test_the_browsers_call_begins_the_time_anew_for_the_visitor_was_asked_before(stream):
    stream._started -= TRANSPORT_TIMEOUT_S
    assert stream.stalled
    stream.answer("an offer")
    assert not stream.stalled


def test_old_boxes_vanish(stream, monkeypatch):
    result_shown(stream)
    monkeypatch.setattr(webrtc, "OVERLAY_TIMEOUT_S", 0.0)
    assert not (stream.show(frame()).to_ndarray(format="bgr24") == HIGH).all(axis=2).any()


def test_whatever_goes_wrong_the_picture_goes_on_and_it_is_counted(stream, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(webrtc, "draw", broken)
    given = frame()
    assert stream.show(given) is given
    assert stream.failed == 1


def test_where_faces_are_covered_no_frame_is_ever_shown_bare(stream, lesson, monkeypatch):
    lesson.way = Anonymization.MASK
    before = stream.show(frame()).to_ndarray(format="bgr24")
    assert (before == GREY).all()  # nobody knows yet where the face is
    shown = result_shown(stream)
    assert (shown[20:30, 64 - 25 : 64 - 15] == GREY).all() and (shown[-4:, :20] == 90).all()
    monkeypatch.setattr(webrtc, "OVERLAY_TIMEOUT_S", 0.0)
    assert (stream.show(frame()).to_ndarray(format="bgr24") == GREY).all()

    def broken(*_):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(webrtc, "draw", broken)
    assert not stream.show(frame()).to_ndarray(format="bgr24").any()


def test_what_is_covered_is_the_picture_in_which_the_face_was_found(stream, lesson):
    lesson.way = Anonymization.MASK
    result_shown(stream)
    later = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255, np.uint8), format="bgr24")
    image = stream._drawn(later.to_ndarray(format="bgr24"))
    assert not (image == 255).all(axis=2).any()


def test_without_frames_the_stream_ends_and_the_lesson_waits_for_its_camera(stream, lesson):
    hung_up = threading.Event()
    stream.hang_up = hung_up.set
    stream.show(frame())
    assert lesson.state().connected
    assert hung_up.wait(60)
    assert stream.over.is_set() and lesson.ended is None
    assert not lesson.state().connected
    stream.show(frame())  # a late one
    assert not lesson.state().connected


def test_a_camera_that_comes_later_takes_over_and_is_left_alone(stream, lesson):
    stream.show(frame())
    later = lesson.lease.connect(lambda answer: None)
    assert stream.over.wait(60)
    assert lesson.lease.holds(later)


def test_the_end_of_the_lesson_ends_the_stream(stream, lesson):
    stream.show(frame())
    lesson.add_result(crowd(1, datetime.now(UTC)))
    lesson.end()
    assert stream.over.wait(60)


PLAIN = [{"urls": "turn:turn.example:3478", "username": "u", "credential": "c"}]


@pytest.mark.parametrize(
    ("secrets", "servers", "problem"),
    [
        ({}, [], ""),
        ({"something": "else"}, [], ""),
        ({"ice_servers": []}, [], ""),
        ({"ice_servers": PLAIN}, PLAIN, ""),
        ({"ice_servers": "turn:turn.example"}, [], "The secret ice_servers cannot be used"),
        ({"ice_servers": [{"url": "turn:turn.example"}]}, [], "The secret ice_servers cannot be used"),
        ({"HF_TOKEN": "good"}, PLAIN, ""),
        ({"HF_TOKEN": "bad"}, [], "No TURN servers could be had (refused)"),
        ({"TWILIO_ACCOUNT_SID": "sid"}, [], "The secret 'TWILIO_AUTH_TOKEN' is missing"),
    ],
    ids=["none", "others", "empty list", "list", "no list", "no urls", "lent", "refused", "half"],
)
def test_turn_servers_come_from_the_secrets_alone(secrets, servers, problem, monkeypatch):
    def lend(token: str) -> list:
        if token == "bad":
            raise ValueError("refused")
        return PLAIN

    monkeypatch.setenv("HF_TOKEN", "from the environment, which does not count")
    monkeypatch.setitem(webrtc.PROVIDERS, ("HF_TOKEN",), lend)
    found, said = ice_servers(secrets)
    assert found == servers
    assert said.startswith(problem) and bool(said) == bool(problem)
