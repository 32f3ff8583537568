"""What several tests share: pictures and videos made on the spot, a workspace and a lesson in it, a school, a browser."""

import gc
import json
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from threading import Thread

import av
import cv2
import hypothesis
import pytest
import streamlit_webrtc  # noqa: F401 before TensorFlow, whose OpenSSL symbols pylibsrtp would else be bound to: it crashes
import uvicorn
from ortools.sat.python import cp_model  # noqa: F401 before TensorFlow for the like reason; the app never loads TensorFlow
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette

from cssafe.live import health, services
from cssafe.live.transports import websocket
from cssafe.pipeline import Pipeline
from cssafe.scoring import formula
from cssafe.scoring.formula import FORMULAS
from cssafe.store import Workspace
from cssafe.vision import openvino_runtime
from tests.support.browser import chromium, film, need
from tests.support.camera_client import LIMIT
from tests.support.fake_pipelines import Crowd
from tests.support.live_lessons import make
from tests.support.media_files import half_blue
from tests.support.wait import until

hypothesis.settings.register_profile("cssafe", deadline=None)  # a loaded machine is no failure
hypothesis.settings.load_profile("cssafe")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="skip tests that load a network or start a process")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        openvino_runtime.compile_model = lambda *_, **__: pytest.skip("loads a network")
        subprocess.Popen.__init__ = lambda *_, **__: pytest.skip("starts a process")


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


@pytest.fixture
def address():
    """A server with the app's own routes."""
    routes = websocket.routes(services.current().engine, services.current().find, lambda: (), health.report)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, ws="websockets-sansio"))
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        until(lambda: server.started)
        yield f"127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = True
        thread.join(LIMIT)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of a school's own formulas, and how to write one: a shipped one with other numbers."""
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    (tmp_path / "formulas").mkdir()

    def write(name="ours", version=1, **parts):
        data = json.loads((FORMULAS / formula.PUBLISHED_FILE).read_text()) | {"name": name, "version": version} | parts
        path = tmp_path / "formulas" / f"{name}-{version}.json"
        path.write_text(json.dumps(data))
        return path

    return write
