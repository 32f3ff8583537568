"""Uploaded files beside a real engine, with a pipeline that finds what the test says."""

import gc
import io
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

import cv2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import app
from cssafe.errors import ConfigurationError
from cssafe.live.engine import Engine, Feed
from cssafe.live.upload import Analysis, AnalysisHandle
from cssafe.pipeline import Stream
from cssafe.privacy import Anonymization
from cssafe.settings import MAX_UPLOAD_MB, PROFILES, ROOT
from tests.support.fake_pipelines import Crowd
from tests.support.media_files import index_first

PATIENCE = 60
LONG = tuple(second / 5 for second in range(300))
"""Times of a minute of frames."""


class Slow(Crowd):
    """Takes a hundredth of a second for a frame."""

    def analyze(self, frame, stream):
        time.sleep(0.01)
        return super().analyze(frame, stream)


@pytest.fixture
def engine():
    engine = Engine(Slow).start()
    yield engine
    engine.close()


def upload(path: Path, name: str = "") -> BinaryIO:
    """The file as Streamlit hands it over: bytes in memory, with a name."""
    file = io.BytesIO(path.read_bytes())
    file.name = name or path.name
    return file


def analysed(engine: Engine, *files: BinaryIO, audience: str = "self", way: str = Anonymization.SHOWN) -> Analysis:
    analysis = Analysis(engine, files, PROFILES["consent"], audience, way).start()
    assert analysis.done.wait(PATIENCE)
    return analysis


def test_no_file_gives_no_result(engine):
    analysis = analysed(engine)
    assert analysis.uploads == [] and analysis.progress is None and analysis.problem == ""


def test_images_and_videos_are_read_and_what_cannot_be_is_said_while_the_rest_goes_on(engine, picture, video, tmp_path):
    broken = tmp_path / "notes.mp4"
    broken.write_bytes(b"no video")
    analysis = analysed(engine, upload(picture), upload(broken), upload(video((0.0, 0.2, 1.0, 2.4))))
    still, bad, moving = analysis.uploads
    assert (still.name, still.problem, list(still.moments)) == ("picture.png", "", [0])
    assert still.preview.startswith(b"\xff\xd8\xff") and not moving.preview
    assert bad.problem.startswith("notes.mp4: this is not an image or video") and not bad.moments
    assert {second: at for second, (at, _) in moving.moments.items()} == pytest.approx({0: 0, 1: 1, 2: 2.4})
    assert moving.problem == "" and moving.recording.frames == 4
    assert analysis.problem == "" and not analysis.stopped


@pytest.mark.parametrize("way", [Anonymization.SHOWN, Anonymization.MASK])
def test_the_picture_kept_of_an_image_is_covered_as_chosen(engine, tmp_path, way):
    path = tmp_path / "white.png"
    cv2.imwrite(str(path), np.full((48, 64, 3), 255, np.uint8))
    [still] = analysed(engine, upload(path), way=way).uploads
    seen = cv2.imdecode(np.frombuffer(still.preview, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (seen[25, 20] > 200) == (way == Anonymization.SHOWN) and seen[44, 60] > 240


def test_recordings_that_do_not_say_when_they_were_made_follow_each_other(engine, picture, video):
    analysis = analysed(engine, upload(picture), upload(video((0.0, 1.5))), upload(picture))
    began = [each.recording.began for each in analysis.uploads]
    assert [b - began[0] for b in began] == [timedelta(seconds=s) for s in (0, 1, 3)]
    assert abs(began[0] - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_video_that_breaks_off_keeps_what_was_read(engine, video):
    file = upload(index_first(video(LONG)))
    file.truncate(file.seek(0, 2) // 2)
    [cut] = analysed(engine, file).uploads
    assert "breaks off" in cut.problem and cut.recording.frames > 10 and len(cut.recording.observations) > 2


def test_stopping_ends_it_soon_and_keeps_what_is_analysed(engine, picture, video):
    analysis = Analysis(
        engine,
        [upload(picture), upload(video(LONG)), upload(picture)],
        PROFILES["consent"],
        "self",
        Anonymization.SHOWN,
    )
    analysis.start()
    while analysis.progress is None or analysis.progress.number < 2 or analysis.progress.share < 0.03:
        assert not analysis.done.wait(0.01)
    progress = analysis.progress
    assert (progress.name, progress.files) == ("video.mp4", 3)
    assert 0 < progress.share < 1 and progress.left > 0
    analysis.stop()
    assert analysis.done.wait(PATIENCE)
    still, moving = analysis.uploads
    assert len(still.recording.observations) == 1 and 0 < moving.recording.frames < 300
    assert not moving.recording.observations.empty and analysis.problem == ""


def test_a_visit_that_is_forgotten_stops_its_analysis(engine, video):
    held = AnalysisHandle(
        Analysis(engine, [upload(video(LONG))], PROFILES["consent"], "self", Anonymization.SHOWN).start()
    )
    analysis = held.analysis
    del held
    gc.collect()
    assert analysis.stopped and analysis.done.wait(PATIENCE)


def test_a_live_camera_is_not_starved_by_an_upload(engine, video):
    answers, again = 0, threading.Semaphore(1)

    def deliver(answer):
        nonlocal answers
        answers += 1
        again.release()

    camera = Feed(Stream(), deliver)
    analysis = Analysis(engine, [upload(video(LONG[:100]))], PROFILES["consent"], "self", Anonymization.SHOWN).start()
    while not analysis.done.is_set():
        if again.acquire(timeout=0.1):
            engine.offer(camera, 0, np.zeros((48, 64, 3), np.uint8), datetime.now(UTC))
    assert answers > 50 and analysis.uploads[0].recording.frames == 100


@pytest.mark.parametrize("waiting", [False, True])
def test_networks_that_cannot_be_loaded_or_never_come_end_it(waiting, picture):
    hold = threading.Event()

    def load():
        hold.wait(PATIENCE)
        raise ConfigurationError("There is no network.")

    engine = Engine(load).start()
    analysis = Analysis(engine, [upload(picture)], PROFILES["consent"], "self", Anonymization.SHOWN).start()
    if waiting:
        analysis.stop()
        assert analysis.done.wait(PATIENCE)
        hold.set()
    else:
        hold.set()
        assert analysis.done.wait(PATIENCE)
    assert analysis.problem == ("" if waiting else "There is no network.") and analysis.uploads == []
    engine.close()


def test_an_upload_is_received_without_touching_the_disk(monkeypatch):
    assert app.app
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", lambda self: pytest.fail("an upload went to the disk"))

    async def receive(request):
        async with request.form() as form:
            return PlainTextResponse(str(form["file"].size))

    client = TestClient(Starlette(routes=[Route("/", receive, methods=["PUT"])]))
    size = 3 * 1024 * 1024
    assert client.put("/", files={"file": bytes(size)}).text == str(size)


def test_streamlit_knows_the_limit_of_an_upload():
    assert f"maxUploadSize = {MAX_UPLOAD_MB}\n" in (ROOT / ".streamlit" / "config.toml").read_text()
