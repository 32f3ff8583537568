"""What a WebSocket may be sent that is not a picture: a sentence each, and neither the lesson nor anybody else loses
anything."""

import asyncio
import io
import json
import threading
import time

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cssafe.live import engine
from cssafe.live.engine import Engine
from cssafe.live.transports import websocket
from cssafe.live.transports.messages import SENTENCES
from cssafe.media import decode_image
from cssafe.settings import MAX_FRAME_BYTES
from tests.support.camera_socket import HERE, closed, farewell, hello, opened, protocols
from tests.support.fake_pipelines import JPEG
from tests.support.live_lessons import count, make
from tests.support.wait import until


def test_a_corrupt_picture_gets_an_error_in_words_and_the_stream_goes_on(client, lesson):
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(b"no picture")
        assert socket.receive_json()["notice"]["code"] == "no_jpeg"
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["overlay"]["faces"]) == 1


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        ([], "no_token"),
        (["cssafe"], "no_token"),
        (["streamlit", "guess"], "no_token"),
        (["cssafe", "one", "two"], "no_token"),
        (["cssafe", "guess"], "lesson_over"),
        (["cssafe", "x" * 5_000], "lesson_over"),
    ],
)
def test_without_the_token_of_a_running_lesson_the_socket_is_closed_with_a_sentence_before_it_says_a_word(
    client, offered, reason
):
    with client.websocket_connect("/cssafe/frames", headers=dict(HERE), subprotocols=offered) as socket:
        assert farewell(socket) == (websocket.REFUSED, reason)


def test_the_token_as_first_message_opens_nothing(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=dict(HERE)) as socket:
        socket.send_text(lesson.token)
        assert closed(socket) == websocket.REFUSED


@pytest.mark.parametrize("offered", [[], ["cssafe", "guess"]])
def test_who_leaves_before_the_refusal_causes_no_traceback(client, offered):
    async def send(message):
        if message["type"] == "websocket.close":
            raise OSError("the browser has left")

    async def receive():
        return {"type": "websocket.connect"}

    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    scope = {"type": "websocket", "path": "/cssafe/frames", "headers": headers, "subprotocols": offered}
    asyncio.run(client.app(scope, receive, send))


def test_the_server_chooses_its_own_subprotocol_and_never_says_the_token_back(client, lesson):
    with opened(client, lesson) as socket:
        hello(socket)
        assert socket.accepted_subprotocol == "cssafe"


def test_the_token_of_a_lesson_that_has_ended_is_refused(client, lesson):
    lesson.end()
    with opened(client, lesson) as socket:
        assert farewell(socket) == (websocket.REFUSED, "lesson_over")


def test_a_frame_above_the_limit_closes_the_socket_and_the_lesson_takes_the_next_connection(client, lesson):
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(bytes(MAX_FRAME_BYTES + 1))
        with pytest.raises(WebSocketDisconnect) as error:
            socket.receive_json()
        fields = {"limit": MAX_FRAME_BYTES, "size": MAX_FRAME_BYTES + 1}
        assert error.value.code == websocket.TOO_LARGE
        assert json.loads(error.value.reason) == {"code": "too_large", "fields": fields}
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["overlay"]["faces"]) == 1


def test_text_instead_of_a_picture_is_answered_in_words_and_the_stream_goes_on(client, lesson):
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_text("a picture, honestly")
        answer = socket.receive_json()
        assert answer["number"] == 0 and answer["notice"]["code"] == "empty" and answer["overlay"] is None
        socket.send_bytes(JPEG)
        answer = socket.receive_json()
        assert answer["number"] == 1 and len(answer["overlay"]["faces"]) == 1


@pytest.mark.parametrize(
    ("kind", "size", "problem"),
    [
        ("WEBP", (7000, 7000), "no_jpeg"),
        ("JPEG2000", (3000, 3000), "no_jpeg"),
        ("PNG", (64, 48), "no_jpeg"),
        ("JPEG", (1921, 1080), "too_wide"),
        ("JPEG", (1200, 1200), "too_wide"),
        ("JPEG", (1920, 1080), ""),
        ("JPEG", (1080, 1920), ""),
    ],
)
def test_only_jpegs_of_at_most_1920_x_1080_pixels_reach_the_engine(client, lesson, monkeypatch, kind, size, problem):
    decoded = []
    monkeypatch.setattr(engine, "decode_image", lambda data: decoded.append(data) or decode_image(data))
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(file.getvalue())
        answer = socket.receive_json()
    assert (answer["notice"] or {"code": ""})["code"] == problem and bool(decoded) == (not problem)


@pytest.mark.parametrize("sent", [(), (b"no picture",), ("text",)], ids=["nothing", "bytes", "text"])
def test_a_socket_without_a_usable_picture_keeps_its_lesson_open_no_longer_than_none_would(
    client, workspace, monkeypatch, sent
):
    monkeypatch.setattr(websocket, "LESSON_CHECK_S", 0.05)
    lesson = make(workspace, patience_s=0.5)
    client.lessons[lesson.token] = lesson
    with opened(client, lesson) as socket:
        hello(socket)
        for message in sent:
            socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message)
        assert closed(socket) == websocket.REFUSED
    assert lesson.expired and lesson.ended


def test_a_flood_is_closed_with_a_sentence_and_harms_neither_its_lesson_nor_others(client, lesson, workspace, pipeline):
    other = make(workspace)
    client.lessons[other.token] = other
    with (
        opened(client, other) as modest,
        opened(client, lesson) as greedy,
    ):
        hello(modest)
        hello(greedy)
        for _ in range(10 * websocket.MAX_FRAMES_PER_S):
            greedy.send_bytes(JPEG)
        assert farewell(greedy) == (websocket.FLOODED, "too_fast")
        modest.send_bytes(JPEG)
        assert len(modest.receive_json()["overlay"]["faces"]) == 1
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["overlay"]["faces"]) == 1
    other.end()
    lesson.end()
    assert count(workspace, "observations") >= 2


def test_a_browser_that_sends_on_while_nothing_is_answered_is_closed_before_much_piles_up(lesson, pipeline):
    loading = threading.Event()
    engine = Engine(lambda: loading.wait(5) and pipeline).start()
    routes = websocket.routes(lambda: engine, lambda token: lesson, lambda: (), dict)
    with TestClient(Starlette(routes=routes)) as client:
        with opened(client, lesson) as socket:
            for _ in range(websocket.MAX_UNANSWERED + 1):
                socket.send_bytes(JPEG)
            assert closed(socket) == websocket.FLOODED
    assert engine.analyzed == 0
    loading.set()
    engine.close()


MESSAGES = st.lists(
    st.one_of(
        st.text(max_size=200),
        st.binary(max_size=2000),
        st.builds(lambda cut, byte: JPEG[:cut] + byte, st.integers(0, len(JPEG)), st.binary(max_size=20)),
    ),
    max_size=websocket.MAX_UNANSWERED - 1,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=MESSAGES)
def test_whatever_is_sent_every_message_gets_an_answer_and_the_next_camera_works(client, lesson, messages):
    with opened(client, lesson) as socket:
        hello(socket)
        for number, message in enumerate(messages):
            socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message)
            answer = socket.receive_json()
            assert answer["number"] == number
            assert answer["overlay"] or SENTENCES[answer["notice"]["code"]].endswith((".", "again.", "tried."))
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["overlay"]["faces"]) == 1


def test_over_a_real_line_a_flood_that_reads_no_answer_is_cut_and_the_next_camera_of_the_lesson_works(lesson, pipeline):
    engine = Engine(lambda: pipeline).start()
    app = Starlette(routes=websocket.routes(lambda: engine, lambda token: lesson, lambda: ("http://page",), dict))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"ws://127.0.0.1:{port}/cssafe/frames"
        with connect(address, origin="http://page", subprotocols=protocols(lesson.token)) as greedy:
            deadline = (
                time.monotonic() + 30
            )  # what a client that reads nothing has sent by then, depends on the machine
            with pytest.raises(ConnectionClosed) as error:
                while time.monotonic() < deadline:
                    greedy.send(JPEG.ljust(40_000, b"\0"))
            # One that never reads may meet the cut before it meets the reason.
            assert error.value.rcvd is None or error.value.rcvd.code == websocket.FLOODED
        with connect(address, origin="http://page", subprotocols=protocols(lesson.token)) as modest:
            modest.send(JPEG)
            while "number" not in (answer := json.loads(modest.recv(timeout=60))):
                assert answer["state"] in ("loading", "ready")
            assert len(answer["overlay"]["faces"]) == 1
    finally:
        server.should_exit = True
        thread.join(10)
        engine.close()
