"""A room camera's own thread: a real http camera on loopback, real video files, and a pipeline that finds what the test
says."""

import logging
import math
import socket
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from cssafe import settings
from cssafe.errors import ConfigurationError
from cssafe.frames import Frame, FrameResult
from cssafe.live import room_camera as module
from cssafe.live.engine import Engine
from cssafe.live.room_camera import CameraReader, check_source, probe_camera
from cssafe.media import MediaError
from cssafe.pipeline import Stream
from cssafe.privacy import Anonymization
from cssafe.settings import PROFILES
from cssafe.vision.anonymize import MASK_BGR
from tests.support.fake_pipelines import Crowd
from tests.support.live_lessons import count, make
from tests.support.room import camera
from tests.support.rtsp import rtsp_camera
from tests.support.wait import until

LOCAL = settings.load({})
HOSTED = replace(LOCAL, hosted=True, profile=PROFILES["demo"])


@pytest.fixture
def engine():
    engine = Engine(lambda: Crowd(6)).start()
    engine.loaded.result(timeout=60)
    yield engine
    engine.close()


@pytest.fixture
def begin(workspace, engine):
    """A function that starts a capture of that source; all are ended afterwards."""
    begun = []

    def begin(source: object) -> CameraReader:
        begun.append(CameraReader(LOCAL, engine, make(workspace, audience="class"), str(source)).start())
        return begun[-1]

    yield begin
    for capture in begun:
        capture.end()


@pytest.mark.parametrize("source", ["", " ", "nowhere.mp4", ".", "ftp://host/x", "RTSP:/host", "-1", "rtsp:"])
def test_what_is_no_camera_and_no_file_is_refused_before_anything_starts(source):
    with pytest.raises(MediaError, match="expected an address"):
        check_source(LOCAL, source)


@pytest.mark.parametrize("source", ["0", "rtsp://host/x", str(Path(__file__))])
def test_hosted_no_camera_and_no_file_is_opened_by_any_door(source, workspace, engine):
    for door in (check_source, probe_camera):
        with pytest.raises(ConfigurationError, match="is hosted"):
            door(HOSTED, source)
    with pytest.raises(ConfigurationError, match="is hosted"):
        CameraReader(HOSTED, engine, make(workspace, audience="class"), source).start()


def test_a_camera_is_tried_without_keeping_anything():
    with camera() as shown:
        seen = probe_camera(LOCAL, shown.address)
        assert seen[:2] == (640, 480) and 5 < seen.rate < 25  # it sends twenty a second, less on a busy machine
        assert shown.connections == 1


def test_an_rtsp_camera_is_watched_and_its_password_asked_for(begin, caplog):
    with rtsp_camera() as address:
        with pytest.raises(MediaError, match="401") as caught:
            probe_camera(LOCAL, address.replace("secret", "guess"))
        assert "guess" not in str(caught.value)
        capture = begin(address)
        until(lambda: capture.lesson.state().seconds >= 2)
        assert capture.state == "live" and capture.lesson.state().faces == 6
        capture.end()
    assert "secret" not in caplog.text


def test_a_camera_that_takes_the_call_and_says_nothing_is_given_up_after_a_while(monkeypatch):
    monkeypatch.setattr("cssafe.media.cameras.CAMERA_TIMEOUT_S", 1.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(MediaError, match="nothing came for 1 seconds"):
            probe_camera(LOCAL, f"http://127.0.0.1:{silent.getsockname()[1]}/video")


def test_a_still_picture_has_no_rate(picture):
    width, height, rate = probe_camera(LOCAL, str(picture))
    assert (width, height) == (40, 30) and math.isnan(rate)


def test_a_lost_camera_is_found_again_in_the_same_lesson(begin, workspace, monkeypatch, caplog):
    monkeypatch.setattr(module, "RECONNECT_DELAYS_S", (0.1,))
    with camera() as shown:
        capture = begin(shown.address)
        until(lambda: capture.preview())
        assert capture.state == "live" and capture.problem == ""
        shown.cut()
        until(lambda: capture.state == "lost")
        assert capture.preview() is None
        until(lambda: not capture.lesson.state().connected)  # between two tries
        assert "***@" in capture.problem
        shown.mend()
        until(lambda: capture.state == "live")
        until(lambda: capture.lesson.state().seconds >= 2)
        assert shown.connections == 2 and capture.problem == ""
        capture.end()
    assert capture.state == "ended" and capture.preview() is None
    assert count(workspace, "lessons") == 1 and count(workspace, "observations") >= 12
    assert "secret" not in caplog.text and "It is tried again" in caplog.text


class Slow(Crowd):
    """Needs half a second for a picture and notes how old each one was. ages: seconds."""

    def __init__(self) -> None:
        super().__init__(6)
        self.ages: list[float] = []

    def analyze(self, frame: Frame, stream: Stream) -> FrameResult:
        self.ages.append((datetime.now(UTC) - frame.time).total_seconds())
        time.sleep(0.5)
        return super().analyze(frame, stream)


def test_for_slow_networks_pictures_become_rarer_and_not_older(workspace):
    slow = Slow()
    with camera() as shown, closing(Engine(lambda: slow).start()) as engine:
        capture = CameraReader(LOCAL, engine, make(workspace, audience="class"), shown.address).start()
        until(lambda: len(slow.ages) >= 7)  # three seconds, in which fifteen pictures came
        assert slow.ages[-1] < 1 and len(capture._offered) <= 3
        capture.end()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("97", "does not open"),
        ("rtsp://me:secret@127.0.0.1:9/x", "does not answer"),
        ("http://me:secret@{host}/text", "no video comes from there"),
    ],
    ids=["no such device", "nobody there", "text"],
)
def test_a_camera_that_gives_no_picture_is_explained_without_its_password_and_sought_on(begin, source, says, caplog):
    caplog.set_level(logging.DEBUG)
    with camera() as shown:
        source = source.format(host=shown.host)
        with pytest.raises(MediaError, match=says) as caught:
            probe_camera(LOCAL, source)
        capture = begin(source)
        until(lambda: capture.problem)
        assert capture.state == "lost" and says in capture.problem
        assert "secret" not in caplog.text + capture.problem + str(caught.value)
        capture.end()
        assert capture.state == "ended"


def test_a_video_in_place_of_a_camera_plays_in_its_own_time_and_over_and_over(begin, engine, video):
    source = video((0.0, 0.2, 0.4, 0.6))
    began = time.monotonic()
    begin(source)
    until(lambda: engine.analyzed >= 9)
    assert time.monotonic() - began > 1.2  # nine pictures, five a second


def test_a_lesson_that_is_ended_elsewhere_lets_the_camera_go(begin):
    with camera() as shown:
        capture = begin(shown.address)
        until(lambda: capture.state == "live")
        capture.lesson.end()
        until(lambda: not capture._thread.is_alive())
        assert capture.state == "ended" and capture.preview() is None


def test_a_fault_of_our_own_is_logged_without_the_password_and_the_camera_is_sought_on(begin, monkeypatch, caplog):
    def broken(source, *_):
        raise RuntimeError(f"unexpected: {source}")

    monkeypatch.setattr("cssafe.media.frames", broken)
    capture = begin("rtsp://me:secret@host/x")
    until(lambda: capture.problem)
    assert "the log has the details" in capture.problem
    assert "RuntimeError" in caplog.text and "secret" not in caplog.text


def test_the_preview_covers_faces_until_somebody_wants_to_see_them(begin, video):
    capture = begin(video((0.0, 0.2, 0.4)))
    until(lambda: capture.preview())

    def face() -> np.ndarray:
        return cv2.imdecode(np.frombuffer(capture.preview(), np.uint8), 1)[20:30, 15:25].astype(int)

    capture.lesson.way = Anonymization.MASK
    assert np.abs(face() - MASK_BGR).max() < 30  # of JPEG
    capture.lesson.way = Anonymization.SHOWN
    assert np.abs(face() - (255, 0, 0)).max() < 60
