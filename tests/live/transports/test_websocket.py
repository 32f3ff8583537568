"""The camera's WebSocket with a real engine, a real workspace in memory and a pipeline that finds what the test
says."""

import pytest

from cssafe.live.engine import ENGINE_SHARE
from cssafe.live.transports import websocket
from tests.support.camera_socket import closed, farewell, hello, opened
from tests.support.fake_pipelines import JPEG
from tests.support.live_lessons import count
from tests.support.wait import until


def test_each_frame_is_answered_with_its_number_its_size_and_its_faces(client, lesson):
    with opened(client, lesson) as socket:
        hello(socket)
        for number in range(3):
            socket.send_bytes(JPEG)
            answer = socket.receive_json()
            assert answer["number"] == number
            overlay = answer["overlay"]
            assert overlay["size"] == [64, 48]
            assert overlay["faces"][0]["box"] == [10, 10, 20, 30]
            assert overlay["faces"][0]["level"] == "high"
            assert overlay["notice"] is None
        assert overlay["concentration"] == pytest.approx(0.6) and overlay["level"] == "medium"


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("", websocket.REFUSED),
        ("null", websocket.REFUSED),
        ("http://evil.example", websocket.REFUSED),
        ("http://testserver.evil.example", websocket.REFUSED),
        ("https://school.example.evil.example", websocket.REFUSED),
        ("https://evil.cloud.example.org", websocket.REFUSED),
        ("http://testserver", None),
        ("https://school.example", None),
        ("https://class-7b.cloud.example", None),
    ],
)
def test_only_the_page_itself_and_allowed_addresses_may_connect(client, lesson, origin, code):
    with opened(client, lesson, headers={"origin": origin} if origin else {}) as socket:
        if code:
            assert farewell(socket) == (code, "wrong_origin")
        else:
            hello(socket)


@pytest.mark.parametrize(
    ("forwarded", "allowed"),
    [("", False), ("other.example", False), ("app.example", True), ("app.example, inner.example", True)],
)
def test_behind_a_proxy_that_rewrites_the_host_the_name_it_hands_on_counts(client, lesson, forwarded, allowed):
    headers = {"origin": "https://app.example", "host": "10.0.0.7:8501", "x-forwarded-host": forwarded}
    with opened(client, lesson, headers=headers) as socket:
        if allowed:
            hello(socket)
        else:
            assert closed(socket) == websocket.REFUSED


@pytest.mark.parametrize("prefix", ["", "/~/+", "/school/app"])
def test_the_door_and_the_health_check_answer_at_the_root_and_under_any_prefix(client, lesson, prefix):
    assert client.get(f"{prefix}/healthz").json() == {"problem": ""}
    with opened(client, lesson, f"{prefix}/cssafe/frames") as socket:
        hello(socket)


@pytest.mark.parametrize(("seconds", "told"), [(0.0, None), (0.4, "server_busy")])
def test_a_camera_is_told_at_the_door_what_the_machine_carries_and_in_words_where_that_is_little(
    pipeline, request, lesson, seconds, told
):
    pipeline.seconds = seconds
    client = request.getfixturevalue("client")
    with opened(client, lesson) as socket:
        while (ready := socket.receive_json())["state"] != "ready":
            pass
        socket.send_bytes(JPEG)
        for message in (ready, socket.receive_json()):
            assert 0.5 < message["rate"] <= (ENGINE_SHARE / seconds if seconds else 15)
            assert (message["notice"] or {"code": None})["code"] == told
            if told:
                assert message["notice"]["fields"] == {"rate": f"{message['rate']:.1f}"}
        assert message["took"] >= 1000 * seconds


def test_the_browser_may_leave_and_come_back_to_the_same_lesson_and_no_second_is_recorded_twice(
    client, lesson, workspace
):
    for _ in range(3):  # within one second, or two
        with opened(client, lesson) as socket:
            hello(socket)
            socket.send_bytes(JPEG)
            socket.receive_json()
            assert lesson.state().connected
        until(lambda: not lesson.state().connected)
    lesson.end()
    sql = "SELECT sum(frames), count(*), count(DISTINCT time) FROM observations"
    frames, rows, seconds = workspace.cursor().execute(sql).fetchone()
    assert frames == 3 and rows == seconds


def test_a_second_page_takes_the_camera_over_and_the_first_is_told(client, lesson):
    with opened(client, lesson) as first:
        hello(first)
        with opened(client, lesson) as second:
            hello(second)
            first.send_bytes(JPEG)
            assert closed(first) == websocket.REFUSED
            second.send_bytes(JPEG)
            assert second.receive_json()["number"] == 0
            assert lesson.state().connected


def test_after_the_end_of_the_lesson_the_socket_closes_and_nothing_more_is_recorded(client, lesson, workspace):
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(JPEG)
        socket.receive_json()
        lesson.end()
        socket.send_bytes(JPEG)
        assert closed(socket) == websocket.REFUSED
    assert count(workspace, "observations") == 1
    assert count(workspace, "lessons WHERE ended IS NOT NULL") == 1


def test_a_lesson_that_saw_no_face_leaves_nothing_behind(client, lesson, pipeline, workspace):
    pipeline.faces = 0
    with opened(client, lesson) as socket:
        hello(socket)
        socket.send_bytes(JPEG)
        overlay = socket.receive_json()["overlay"]
        assert (overlay["faces"], overlay["notice"]["code"], overlay["concentration"]) == ([], "no_face", None)
    lesson.end()
    assert count(workspace, "lessons") == 0
