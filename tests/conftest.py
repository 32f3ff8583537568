"""What several tests share: pictures and videos made on the spot, a workspace and a lesson in it, a school, a browser."""

import gc
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import streamlit_webrtc  # noqa: F401 before TensorFlow, whose OpenSSL symbols pylibsrtp would else be bound to: it crashes
from ortools.sat.python import cp_model  # noqa: F401 before TensorFlow for the like reason; the app never loads TensorFlow
from playwright.sync_api import sync_playwright

from cssafe.live import services
from cssafe.pipeline import Pipeline
from cssafe.store import Workspace
from tests.live.transports.test_websocket import Crowd, make
from tests.support.browser import chromium, film, need


def pytest_collection_finish() -> None:
    """Streamlit collects garbage after every run of a page: without what all test modules have imported, TensorFlow among it,
    that is quick."""
    gc.freeze()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """An image file without a face: 40 wide, 30 high, its left half blue."""
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), half_blue(40, 30))
    return path


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a video: `video(times=(0, 0.1), rotation=0, name="video.mp4")` -> its path."""

    def write(times: tuple[float, ...] = (0.0, 0.1, 0.2), rotation: int = 0, name: str = "video.mp4") -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=1000)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            if rotation:
                stream.set_display_rotation(rotation)
            for time in times:
                frame = av.VideoFrame.from_ndarray(half_blue(64, 48), format="bgr24")
                frame.pts = round(time * 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def workspace():
    """An open workspace in memory."""
    with closing(Workspace.open(None)) as opened:
        yield opened


@pytest.fixture
def lesson(workspace):
    """A lesson in it that runs."""
    lesson = make(workspace)
    yield lesson
    lesson.end()


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The database file of a school whose pipeline finds, whatever the picture shows, six faces."""
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    with services.install(services.Services(lambda: Crowd(6))):
        yield tmp_path / "data" / "cssafe.duckdb"


@lru_cache(maxsize=2)
def _networks(*chosen) -> Pipeline:
    return Pipeline(*chosen)


@pytest.fixture
def loaded_once(monkeypatch):
    """The app's real networks, not loaded anew for each test: a pipeline remembers nothing of what it has seen."""
    monkeypatch.setattr(services, "Pipeline", _networks)


@pytest.fixture
def source(video):
    """A video in place of a camera."""
    return str(video(tuple(i / 5 for i in range(10))))


@pytest.fixture(scope="module")
def playwright():
    need("chromium", "ffmpeg")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def footage(playwright, tmp_path_factory):
    """What the browser's camera shows: one face."""
    return film(tmp_path_factory.mktemp("camera"))


@pytest.fixture(scope="module")
def browser(playwright, footage):
    with closing(chromium(playwright, footage)) as browser:
        yield browser


def half_blue(width: int, height: int) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = (255, 0, 0)
    return image


def index_first(video: Path) -> Path:
    """A copy of an MP4 video with its index in front, so that its first half can be read when the rest is missing."""
    path = video.with_name("front.mp4")
    with av.open(str(video)) as whole, av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path


def encode(path: Path, images: Sequence[np.ndarray], **options: str) -> Path:
    """A video of these pictures, five a second, in the container that the name stands for. options: the container's."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.height, stream.width = images[0].shape[:2]
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path
