"""What browser tests share: Debian's Chromium with a fake camera, and the app as a process of its own.

The camera shows the astronaut picture of scikit-image, made into a video by ffmpeg. Where Chromium or ffmpeg is missing
the tests are skipped; with CSSAFE_REQUIRE_BROWSER=1 they fail instead."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, TimeoutError, expect

from cssafe.settings import ROOT
from tests.support.wait import until

ARGUMENTS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
PATIENCE = 60_000
"""Milliseconds for the browser to show something: test machines are small and shared."""

expect.set_options(timeout=PATIENCE)


def need(*programs: str) -> None:
    """Skip the test where a program is missing, or fail it where browser tests are required."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"needs {' and '.join(missing)} (Debian: apt-get install {' '.join(missing)})"
        pytest.fail(reason) if os.environ.get("CSSAFE_REQUIRE_BROWSER") == "1" else pytest.skip(reason)


def film(folder: Path, side: int = 1) -> Path:
    """A video of side x side faces, 640x480, as Chromium's fake camera wants it."""
    from PIL import Image
    from skimage import data

    room = Image.new("RGB", (640, 480), (90, 100, 110))
    face = Image.fromarray(data.astronaut()).resize((480 // side, 480 // side))
    for place in range(side * side):
        room.paste(face, (80 + place % side * face.width, place // side * face.height))
    still = folder / "face.png"
    room.save(still)
    return clip(folder, still)


SWAY = "crop=iw*0.95:ih*0.95:iw*0.025*(1+sin(PI*t/2)):ih*0.025,scale=2*round(iw/1.9):2*round(ih/1.9)"
"""ffmpeg filter under which a picture moves from side to side within four seconds: faces that never move are no people."""


def clip(folder: Path, picture: Path) -> Path:
    """A video of the swaying picture, as Chromium's fake camera wants it."""
    video = folder / "camera.mjpeg"
    command = ["ffmpeg", "-loglevel", "error", "-loop", "1", "-t", "4", "-i", str(picture), "-vf", SWAY]
    subprocess.run([*command, "-r", "15", "-pix_fmt", "yuvj420p", "-q:v", "3", str(video)], check=True)
    return video


def chromium(playwright: Playwright, video: Path | None = None, *extra: str) -> Browser:
    """A browser whose camera shows the video; without one it has no camera."""
    camera = (
        [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={video}",
        ]
        if video
        else []
    )
    # headless=False: the new headless mode is asked for among the arguments.
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"), headless=False, args=[*ARGUMENTS, *camera, *extra]
    )


class Server:
    """The app under `streamlit run`, on a free port of this machine or, by a command prefix, of another network."""

    def __init__(self, data: Path, host: str = "localhost", prefix: Sequence[str] = (), **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://{host}:{self.port}"
        self.log = data / "server.log"
        data.mkdir(parents=True, exist_ok=True)
        python = [*prefix, sys.executable, "-X", "faulthandler"]
        command = [*python, "-m", "streamlit", "run", "app.py", f"--server.port={self.port}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--server.headless=true", f"--server.address={host}"],
                cwd=ROOT,
                env=os.environ | {"CSSAFE_DATA": str(data)} | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def health(self) -> dict:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=PATIENCE / 1000) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:  # it says what is wrong
            return json.load(problem)

    def wait(self) -> None:
        """Until the networks are ready."""
        deadline = time.monotonic() + 2 * PATIENCE / 1000
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.health()["state"] == "ready":
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"The server did not become ready:\n{self.log.read_text()}")

    def still(self) -> int:
        """How many pictures have been analysed, once no more are: one may be in work when the last camera has gone."""

        def quiet() -> bool:
            before = self.health()["analyzed"]
            time.sleep(2)
            return self.health()["analyzed"] == before

        until(quiet)
        return self.health()["analyzed"]

    def stop(self) -> None:
        """An ordinary stop. Twice is allowed. One that does not end says what its threads are at."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=PATIENCE / 1000)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(timeout=PATIENCE / 1000)
            raise AssertionError(f"The server does not stop:\n{self.log.read_text()}") from None


@contextmanager
def serve(data: Path, host: str = "localhost", prefix: Sequence[str] = (), **environment: str) -> Iterator[Server]:
    server = Server(data, host, prefix, **environment)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def shows_no_error(page: Page) -> None:
    """The page is drawn to its end, with neither an exception nor our own apology for one."""
    expect(page.get_by_test_id("stHeading").first).to_be_visible()  # before it, nothing is drawn yet
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)


def choose(page: Page, name: str, option: str) -> None:
    """Choose from the list of that name, opening it again where a page that is still moving has closed it."""
    entry = page.get_by_role("option", name=option, exact=True)

    def chosen() -> bool:
        if not entry.is_visible():
            page.get_by_role("combobox", name=name).click()
        with suppress(TimeoutError):
            entry.click(timeout=5000)
            return True
        return False

    until(chosen)


STEADY = """v => v.currentTime > 0 && Math.abs(v.srcObject?.getVideoTracks()[0]?.getConstraints().width
  - v.closest('[data-testid=stCameraInput]').clientWidth) < 1"""
"""Whether a camera input has a picture: Streamlit starts the camera anew for every width that the page gives it."""


def take_photo(page: Page) -> None:
    """Press the button of the page's camera input."""
    shows_no_error(page)
    video = page.get_by_test_id("stCameraInput").locator("video")
    video.wait_for()
    until(lambda: video.evaluate(STEADY))
    page.get_by_role("button", name="Take Photo").click()
