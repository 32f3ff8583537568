"""What a WebSocket may be sent that is not a picture: a sentence each, and neither the lesson nor anybody else loses
anything."""

# ruff: noqa: F401, F811 (imported fixtures)
import json
import threading
import time

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cssafe.live import websocket
from cssafe.live.engine import Engine
from cssafe.settings import FRAME_LIMIT
from tests.test_engine import JPEG
from tests.test_websocket import HERE, client, closed, count, farewell, hello, make, pipeline
from tests.waiting import until


def test_a_corrupt_picture_gets_an_error_in_words_and_the_stream_goes_on(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(b"no picture")
        assert "not an image" in socket.receive_json()["problem"]
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["faces"]) == 1


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("", "This lesson is over."),
        ("guess", "This lesson is over."),
        ("x" * 5_000_000, "This lesson is over."),
        (b"", "The first message must be the lesson's token."),
        (JPEG, "The first message must be the lesson's token."),
    ],
    ids=["empty", "guess", "huge", "no bytes", "bytes"],
)
def test_without_the_token_of_a_running_lesson_first_the_socket_is_closed_with_a_sentence(client, first, words):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        socket.send_bytes(first) if isinstance(first, bytes) else socket.send_text(first)
        code, reason = farewell(socket)
        assert code == websocket.REFUSED and reason.startswith(words)


def test_the_token_of_a_lesson_that_has_ended_is_refused(client, lesson):
    lesson.end()
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        socket.send_text(lesson.token)
        assert farewell(socket) == (websocket.REFUSED, "This lesson is over. Start a new one.")


def test_a_frame_above_the_limit_closes_the_socket_and_the_lesson_takes_the_next_connection(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(bytes(FRAME_LIMIT + 1))
        code, reason = farewell(socket)
        assert code == websocket.TOO_LARGE and str(FRAME_LIMIT) in reason
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["faces"]) == 1


def test_text_instead_of_a_picture_is_answered_in_words_and_the_stream_goes_on(client, lesson):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_text("a picture, honestly")
        answer = socket.receive_json()
        assert answer["number"] == 0 and "text came" in answer["problem"]
        socket.send_bytes(JPEG)
        answer = socket.receive_json()
        assert answer["number"] == 1 and len(answer["faces"]) == 1


def test_a_flood_is_closed_with_a_sentence_and_harms_neither_its_lesson_nor_others(client, lesson, workspace, pipeline):
    other = make(workspace)
    client.lessons[other.token] = other
    with (
        client.websocket_connect("/cssafe/frames", headers=HERE) as modest,
        client.websocket_connect("/cssafe/frames", headers=HERE) as greedy,
    ):
        hello(modest, other)
        hello(greedy, lesson)
        for _ in range(10 * websocket.FLOOD):
            greedy.send_bytes(JPEG)
        code, reason = farewell(greedy)
        assert code == websocket.FLOODED and "Wait for the answers" in reason
        modest.send_bytes(JPEG)
        assert len(modest.receive_json()["faces"]) == 1
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["faces"]) == 1
    other.end()
    lesson.end()
    assert count(workspace, "observations") >= 2


def test_a_browser_that_sends_on_while_nothing_is_answered_is_closed_before_much_piles_up(lesson, pipeline):
    loading = threading.Event()
    engine = Engine(lambda: loading.wait(5) and pipeline).start()
    routes = websocket.routes(lambda: engine, lambda token: lesson, lambda: (), dict)
    with TestClient(Starlette(routes=routes)) as client:
        with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
            socket.send_text(lesson.token)
            for _ in range(websocket.UNANSWERED + 1):
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
    max_size=websocket.UNANSWERED - 1,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.one_of(st.just(None), st.text(max_size=200), st.binary(max_size=2000)), messages=MESSAGES)
def test_whatever_is_sent_every_message_gets_an_answer_or_the_socket_a_reason_and_the_next_camera_works(
    client, lesson, token, messages
):
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        if token is None:
            hello(socket, lesson)
            for number, message in enumerate(messages):
                socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message)
                answer = socket.receive_json()
                assert answer["number"] == number
                assert "faces" in answer or answer["problem"].endswith((".", "again.", "tried."))
        else:
            socket.send_text(token) if isinstance(token, str) else socket.send_bytes(token)
            code, reason = farewell(socket)
            assert code == websocket.REFUSED and reason.endswith(".")
    with client.websocket_connect("/cssafe/frames", headers=HERE) as socket:
        hello(socket, lesson)
        socket.send_bytes(JPEG)
        assert len(socket.receive_json()["faces"]) == 1


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
        with connect(address, origin="http://page") as greedy:
            greedy.send(lesson.token)
            deadline = (
                time.monotonic() + 30
            )  # what a client that reads nothing has sent by then, depends on the machine
            with pytest.raises(ConnectionClosed) as error:
                while time.monotonic() < deadline:
                    greedy.send(JPEG.ljust(40_000, b"\0"))
            # One that never reads may meet the cut before it meets the reason.
            assert error.value.rcvd is None or error.value.rcvd.code == websocket.FLOODED
        with connect(address, origin="http://page") as modest:
            modest.send(lesson.token)
            modest.send(JPEG)
            while "number" not in (answer := json.loads(modest.recv(timeout=60))):
                assert answer["state"] in ("loading", "ready")
            assert len(answer["faces"]) == 1
    finally:
        server.should_exit = True
        thread.join(10)
        engine.close()
