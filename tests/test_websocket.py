"""The camera's WebSocket with a real engine, a real workspace in memory and a pipeline that finds what the test
says."""

import json
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from cssafe.frames import SIGNALS, Faces, Frame, FrameResult, Signals
from cssafe.live import websocket
from cssafe.live.engine import Engine
from cssafe.live.session import LiveLesson
from cssafe.pipeline import Stream
from cssafe.settings import FRAME_LIMIT, PROFILES
from cssafe.store import Workspace
from tests.test_engine import JPEG

HERE = {"origin": "http://testserver"}


class Crowd:
    """A pipeline that finds `faces` neutral faces looking straight on, whatever the picture shows."""

    def __init__(self, faces: int = 1, expression: bool = True) -> None:
        self.faces = faces
        self.expression = expression

    def warm(self) -> None:
        pass

    def analyze(self, frame: Frame, stream: Stream) -> FrameResult:
        return crowd(self.faces, frame.time, self.expression)


def crowd(n: int, at: datetime, expression: bool = True) -> FrameResult:
    level = np.linspace(0.6, 1.0, n, dtype=np.float32)
    shares = np.full((n, 8), 0.02, np.float32)
    shares[:, 0] = 0.86
    boxes = np.tile(np.array([10, 10, 30, 40], np.float32), (n, 1))
    signals = Signals(**{name: np.full(n, 0.5, np.float32) for name in SIGNALS})
    return FrameResult(
        at,
        64,
        48,
        Faces(boxes, np.ones(n, np.float32)),
        np.arange(n, dtype=np.int32),
        signals,
        shares if expression else None,
        level,
        level,
        np.full(n, 2, np.int8),
    )


@pytest.fixture
def pipeline():
    return Crowd()


@pytest.fixture
def workspace():
    workspace = Workspace.open(None)
    yield workspace
    workspace.close()


@pytest.fixture
def lesson(workspace):
    lesson = make(workspace)
    yield lesson
    lesson.end()


@pytest.fixture
def client(pipeline, lesson):
    engine = Engine(lambda: pipeline).start()
    lessons = {lesson.token: lesson}
    routes = websocket.routes(lambda: engine, lessons.get, lambda: ("https://school.example",), dict)
    with TestClient(Starlette(routes=routes)) as client:
        yield client
    engine.close()


def make(workspace: Workspace, profile: str = "consent", audience: str = "self", patience: float = 60.0) -> LiveLesson:
    return LiveLesson(
        workspace,
        PROFILES[profile],
        class_name="7b",
        subject="Mathematics",
        room="12",
        time_zone="Europe/Berlin",
        audience=audience,
        patience=patience,
    )


def time_now() -> datetime:
    return datetime.now(UTC)


def hello(socket, lesson: LiveLesson) -> None:
    """Send the token and wait until the networks are ready."""
    socket.send_text(lesson.token)
    while socket.receive_json() != {"state": "ready", "problem": ""}:
        pass


def closed(socket) -> int:
    with pytest.raises(WebSocketDisconnect) as error:
        socket.receive_json()
    return error.value.code


def count(workspace: Workspace, table: str) -> int:
    workspace.flush()
    return workspace.cursor().execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_each_frame_is_answered_with_its_number_its_size_and_its_faces(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        for number in range(3):
            socket.send_bytes(JPEG)
            answer = socket.receive_json()
            assert answer["number"] == number
            assert answer["size"] == [64, 48]
            assert answer["faces"][0]["box"] == [10, 10, 20, 30]
            assert answer["faces"][0]["level"] == "high"
            assert answer["note"] == ""
        assert answer["concentration"] == pytest.approx(0.6) and answer["level"] == "medium"


def test_a_corrupt_picture_gets_an_error_in_words_and_the_stream_goes_on(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(b"no picture")
        assert "not an image" in socket.receive_json()["problem"]
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["faces"]) == 1


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("", websocket.REFUSED),
        ("null", websocket.REFUSED),
        ("http://evil.example", websocket.REFUSED),
        ("http://testserver.evil.example", websocket.REFUSED),
        ("http://testserver", None),
        ("https://school.example", None),
    ],
)
def test_only_the_page_itself_and_allowed_addresses_may_connect(client, lesson, origin, code):
    with client.websocket_connect("/cssafe/frames", headers={"origin": origin} if origin else {}) as socket:
        if code:
            assert closed(socket) == code
        else:
            hello(socket, lesson)


@pytest.mark.parametrize("first", ["", "guess", None])
def test_without_the_token_of_a_running_lesson_the_socket_is_closed(client, first):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        socket.send_bytes(JPEG) if first is None else socket.send_text(first)
        assert closed(socket) == websocket.REFUSED


def test_a_frame_above_the_limit_closes_the_socket(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(bytes(FRAME_LIMIT + 1))
        assert closed(socket) == websocket.TOO_LARGE


def test_when_the_browser_leaves_its_figures_are_recorded_and_it_may_come_back_to_the_same_lesson(
    client, lesson, workspace
):
    for visit in (1, 2):
        with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
            hello(socket, lesson)
            socket.send_bytes(JPEG)
            socket.receive_json()
            assert lesson.view().connected
        left = time.monotonic()
        while lesson.view().connected and time.monotonic() - left < 1:
            time.sleep(0.01)
        assert not lesson.view().connected
        assert count(workspace, "observations") == visit


def test_a_second_page_takes_the_camera_over_and_the_first_is_told(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as first:
        hello(first, lesson)
        with client.websocket_connect("/cssafe/frames", headers=HERE) as second:
            hello(second, lesson)
            first.send_bytes(JPEG)
            assert closed(first) == websocket.REFUSED
            second.send_bytes(JPEG)
            assert second.receive_json()["number"] == 0
            assert lesson.view().connected


def test_after_the_end_of_the_lesson_the_socket_closes_and_nothing_more_is_recorded(client, lesson, workspace):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(JPEG)
        socket.receive_json()
        lesson.end()
        socket.send_bytes(JPEG)
        assert closed(socket) == websocket.REFUSED
    assert count(workspace, "observations") == 1
    assert count(workspace, "lessons WHERE ended IS NOT NULL") == 1


def test_a_lesson_that_saw_no_face_leaves_nothing_behind(client, lesson, pipeline, workspace):
    pipeline.faces = 0
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(JPEG)
        answer = socket.receive_json()
        assert (answer["faces"], answer["note"], answer["concentration"]) == ([], "No face in view.", None)
    lesson.end()
    assert count(workspace, "lessons") == 0


def test_a_lesson_whose_camera_stays_away_ends_by_itself(workspace):
    lesson = make(workspace, patience=0.05)
    deadline = time.monotonic() + 5
    while lesson.ended is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lesson.ended is not None


@pytest.mark.parametrize(
    ("profile", "audience", "faces", "told", "figure", "note"),
    [
        ("consent", "self", 0, False, False, "No face"),
        ("consent", "self", 1, True, True, ""),
        ("consent", "self", 2, False, False, "More than one face"),
        ("consent", "class", 1, True, False, "1 of 5"),
        ("consent", "class", 4, True, False, "4 of 5"),
        ("consent", "class", 5, True, True, ""),
        ("attention-only", "self", 1, True, True, ""),
        ("attention-only", "class", 4, False, False, "4 of 5"),
        ("attention-only", "class", 30, False, True, ""),
    ],
)
def test_what_is_told_of_each_face_and_of_all_depends_on_profile_audience_and_group(
    workspace, profile, audience, faces, told, figure, note
):
    lesson = make(workspace, profile, audience)
    answer = lesson.take(crowd(faces, time_now(), PROFILES[profile].expression))
    assert len(answer["faces"]) == faces
    assert any("concentration" in face for face in answer["faces"]) == told
    assert (answer["concentration"] is not None) == figure
    assert note in answer["note"] and bool(note) == bool(answer["note"])
    reading = lesson.view().reading
    assert np.isnan(reading.concentration) != figure
    assert (reading.expression is not None) == (figure and PROFILES[profile].expression)
    lesson.end()


def test_attention_only_says_nothing_of_emotions_anywhere(workspace):
    lesson = make(workspace, "attention-only")
    answer = lesson.take(crowd(1, time_now(), expression=False))
    lesson.end()
    assert "expression" not in json.dumps(answer)
    assert lesson.lesson.formula.startswith("attention")
    workspace.flush()
    assert workspace.cursor().execute("SELECT p_neutral, p_happy FROM observations").fetchall() == [(None, None)]


def test_the_history_holds_one_value_a_second_and_none_of_a_group_that_is_too_small(workspace):
    lesson = make(workspace, audience="class")
    for second, faces in enumerate((6, 4, 0, 6, 0)):
        lesson.take(crowd(faces, datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC)))
    history = lesson.view().history
    assert history["faces"].tolist() == [6, 4, 6]
    assert history["concentration"].isna().tolist() == [False, True, False]
    assert history["spread"].iloc[0] == pytest.approx(np.std(np.linspace(0.6, 1.0, 6)), abs=1e-6)
    lesson.end()
