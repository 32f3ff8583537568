"""Middleware before every page and socket, by itself: hosts, origins, headers, upload totals, repeated log lines."""

import asyncio
import base64
import hashlib
import logging
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from cssafe import settings
from cssafe.web import headers, hosts, process, sockets, uploads

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("mode", "chosen", "host", "allowed"),
    [
        ("local", "", "localhost:8501", True),
        ("local", "", "127.0.0.1:8501", True),
        ("local", "", "[::1]:8501", True),
        ("local", "", "192.168.1.20:8501", True),  # no name leads to an address: this was typed or linked
        ("local", "", "LOCALHOST", True),
        ("local", "", "localhost.", True),
        ("local", "", "evil.example", False),
        ("local", "", "localhost.evil.example:8501", False),
        ("local", "", "127.0.0.1.evil.example", False),
        ("local", "", "evil.example@localhost", False),
        ("local", "", "localhost/evil.example", False),
        ("local", "", "localhost:port", False),
        ("local", "", "", False),
        ("local", "", "given.example", True),
        ("local", "class.school.example, *.room.example", "class.school.example:8501", True),
        ("local", "class.school.example, *.room.example", "a.room.example", True),
        ("local", "class.school.example, *.room.example", "room.example", False),
        ("hosted", "", "any.example", True),
        ("hosted", "", "any.example:x", False),
        ("hosted", "class.school.example", "class.school.example", True),
        ("hosted", "class.school.example", "10.0.0.7:8501", True),
        ("hosted", "class.school.example", "evil.example", False),
    ],
)
def test_which_names_the_server_answers_to(mode, chosen, host, allowed):
    read = settings.load({"CSSAFE_MODE": mode, "CSSAFE_HOSTS": chosen})
    assert hosts.is_allowed(host, hosts.host_patterns(read, ["given.example"])) == allowed


def test_the_names_of_this_computer_and_of_allowed_origins_are_known(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Room12")
    patterns = hosts.host_patterns(settings.load({"CSSAFE_ORIGINS": "https://class.school.example:8443"}), [])
    assert all(hosts.is_allowed(host, patterns) for host in ("room12:8501", "room12.local", "class.school.example"))


def client(**middleware) -> TestClient:
    """A server with one page and one socket, behind a middleware."""

    async def page(request: Request) -> PlainTextResponse:
        if request.url.path == "/broken":
            raise RuntimeError
        return PlainTextResponse(str(len(await request.body())))

    async def socket(socket) -> None:
        if socket.url.path != "/refused":
            await socket.accept()
            await socket.send_json(dict(socket.headers))
        if socket.url.path == "/open":
            await socket.receive()  # that the browser has left
        else:
            await socket.close()

    routes = [
        Route("/{path:path}", page, methods=["GET", "PUT"]),
        WebSocketRoute("/{path:path}", socket),
    ]
    kind = middleware.pop("kind")
    app = Starlette(routes=routes, middleware=[Middleware(kind, **middleware)])
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("sent", "allowed"),
    [
        ({"host": "localhost"}, True),
        ({"host": "localhost", "origin": "http://localhost"}, True),
        ({"host": "localhost:1", "origin": "http://localhost:2"}, False),
        ({"host": "localhost", "origin": "null"}, False),
        ({"host": "localhost", "origin": "http://evil.example"}, False),
        ({"host": "localhost", "origin": "https://friend.example"}, True),
        ({"host": "evil.example", "origin": "http://evil.example"}, False),
        ({"host": "evil.example", "x-forwarded-host": "localhost", "origin": "http://localhost"}, False),
        ({"host": "localhost", "x-forwarded-host": "evil.example", "origin": "http://evil.example"}, False),
        ({"host": "10.0.0.7", "x-forwarded-host": "class.example, 10.0.0.6", "origin": "https://class.example"}, True),
        ({"host": "class.example:443", "origin": "https://class.example"}, True),
        ({"host": "class.example", "origin": "https://class.example:443"}, True),
        ({"host": "class.example:80", "origin": "http://class.example"}, True),
        ({"host": "class.example", "origin": "http://class.example:80"}, True),
        ({"host": "Class.Example", "origin": "HTTPS://class.example"}, True),
        ({"host": "[::1]:80", "origin": "http://[::1]"}, True),
        ({"host": "localhost", "origin": "https://Friend.Example:443"}, True),
        ({"host": "class.example:443", "origin": "http://class.example"}, False),
        ({"host": "class.example:80", "origin": "https://class.example"}, False),
        ({"host": "class.example", "origin": "https://class.example:8443"}, False),
        ({"host": "class.example", "origin": "https://class.example.evil.example:443"}, False),
        ({"host": "class.example", "origin": "class.example"}, False),
    ],
)
def test_a_stranger_host_or_origin_reaches_neither_pages_nor_sockets(sent, allowed):
    rules = ("localhost", "class.example"), ("https://friend.example",)
    guarded = client(kind=hosts.HostCheck, rules=lambda: rules)
    answer = guarded.get("/weekly", headers=sent)
    assert (answer.status_code, answer.text == "0") == ((200, True) if allowed else (403, False))
    try:
        with guarded.websocket_connect("/_stcore/stream", headers=dict(sent)) as socket:
            assert allowed
            if "origin" in sent:  # Streamlit compares the two by character
                assert socket.receive_json()["origin"].endswith(f"://{sent['host']}")
    except WebSocketDisconnect:
        assert not allowed


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/prefix/_stcore/health", 200), ("/_stcore/host-config", 200)]
    + [(f"{prefix}{path}", 404) for prefix in ("", "/prefix") for path in (
        "/_stcore/metrics", "/_stcore/metrics/", "/_stcore/script-health-check", "/_stcore/agent/interact",
        "/_stcore/agent/openapi.json", "/auth/login", "/auth/logout", "/oauth2callback")],
)  # fmt: skip
def test_every_answer_has_the_headers_and_closed_addresses_are_not_there(path, status):
    answer = client(kind=headers.SecurityHeaders, policy=lambda: "default-src 'self'").get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == "default-src 'self'"
    assert {name: answer.headers[name] for name in headers.HEADERS} == headers.HEADERS


@pytest.mark.parametrize(("path", "status"), [("/refused", 403), ("/_stcore/metrics", 404)])
def test_a_refused_handshake_is_an_answer_with_the_headers(path, status):
    guarded = client(kind=headers.SecurityHeaders, policy=lambda: "default-src 'self'")
    with pytest.raises(WebSocketDenialResponse) as refused, guarded.websocket_connect(path):
        pass
    answer = refused.value
    assert (answer.status_code, answer.headers["Content-Security-Policy"]) == (status, "default-src 'self'")
    assert {name: answer.headers[name] for name in headers.HEADERS} == headers.HEADERS


def test_a_failure_is_an_answer_with_the_headers_and_without_its_words():
    guarded = client(kind=headers.SecurityHeaders, policy=lambda: "default-src 'self'")
    answer = guarded.get("/broken")
    assert (answer.status_code, answer.text) == (500, headers.BROKEN)
    assert {name: answer.headers[name] for name in headers.HEADERS} == headers.HEADERS


def test_a_handshake_over_which_the_server_fails_is_answered_and_the_failure_goes_on_to_the_log():
    sent: list[Message] = []

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    async def collect(message: Message) -> None:
        sent.append(message)

    guarded = headers.SecurityHeaders(broken, lambda: "default-src 'self'")
    with pytest.raises(RuntimeError):
        asyncio.run(guarded({"type": "websocket", "path": "/", "headers": []}, None, collect))
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent[0]["status"] == 500 and (b"x-content-type-options", b"nosniff") in sent[0]["headers"]


def test_the_policy_lets_streamlits_own_inline_script_run_and_no_other():
    script = "\n  one()\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = headers.policy(f"<p><script>{script}</script>", settings.load({}))
    scripts = policy.split("script-src")[1].split(";")[0]
    assert f"'sha256-{digest}'" in scripts
    assert "unsafe-inline" not in scripts and "http" not in scripts


@pytest.mark.parametrize(
    ("mode", "chosen", "frames"),
    [
        ("local", "", "'self'"),
        ("hosted", "", headers.HOSTED_FRAMES),
        ("hosted", "https://moodle.example", "https://moodle.example"),
    ],
)
def test_who_may_frame_the_page_is_a_setting(mode, chosen, frames):
    read = settings.load({"CSSAFE_MODE": mode, "CSSAFE_FRAME_ANCESTORS": chosen})
    assert headers.policy("", read).endswith(f"; frame-ancestors {frames}")


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("held", "size", "status"),
    [
        ({}, 1, 200),
        ({"a": 9}, 1, 200),
        ({"a": 9}, 3, 413),
        ({"b": 9}, 9, 200),
        ({"b": 10, "c": 9}, 3, 413),
    ],
)
def test_an_upload_beyond_its_visits_or_the_servers_total_is_refused(announced, held, size, status):
    kept = {session: megabytes * MB for session, megabytes in held.items()}
    limited = client(kind=uploads.UploadLimit, held=lambda: kept, limits=lambda: (10, 20))
    body = bytes(size * MB)
    answer = limited.put("/_stcore/upload_file/a/1", content=body if announced else iter([body]))
    assert answer.status_code == status
    assert limited.put("/_stcore/upload_file/z/1", content=b"x").status_code == 200  # nothing is counted twice


def test_bytes_that_arrive_at_the_same_time_count_together_and_are_forgotten_afterwards():
    limit = uploads.UploadLimit(client, lambda: {"a": 5 * MB}, lambda: (10, 20))
    limit.arriving["a"] = 4 * MB
    assert not limit.exceeds("a", 1 * MB) and limit.exceeds("a", 3 * MB)
    limit.arriving["b"] = 10 * MB
    assert limit.exceeds("c", 3 * MB)


def test_sockets_above_the_limit_of_a_client_are_refused_until_one_is_closed(monkeypatch):
    monkeypatch.setattr(sockets, "MAX_CLIENT_SOCKETS", 2)
    with client(kind=sockets.SocketLimit) as limited, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(limited.websocket_connect("/open"))
        with pytest.raises(WebSocketDenialResponse) as refused, limited.websocket_connect("/open"):
            pass
        assert (refused.value.status_code, refused.value.text) == (503, sockets.TOO_MANY)
        assert limited.get("/").status_code == 200
        stack.close()
        for _ in range(3):
            with limited.websocket_connect("/open"):
                pass


def test_a_socket_that_the_server_closes_keeps_its_place_while_it_may_still_receive(monkeypatch):
    monkeypatch.setattr(sockets, "MAX_SOCKETS", 2)
    with client(kind=sockets.SocketLimit) as limited:
        for _ in range(2):
            with limited.websocket_connect("/closed"):
                pass
        with pytest.raises(WebSocketDenialResponse), limited.websocket_connect("/closed"):
            pass


def test_a_repeated_log_line_is_written_a_few_times_a_minute_and_then_counted(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    logger = logging.Logger("asyncio of a test")
    logger.addHandler(caplog.handler)
    logger.addFilter(process.RepeatFilter())
    for number in range(1000):
        logger.error("no more handles: %d", number)
    logger.error("something else")
    assert len(caplog.records) == process.MAX_LINES_PER_MINUTE + 1
    now[0] = 61.0
    logger.error("no more handles: %d", 1)
    assert (
        caplog.records[-1].getMessage().endswith(f"({1000 - process.MAX_LINES_PER_MINUTE} more of these were left out)")
    )


def test_the_filter_remembers_a_bounded_number_of_texts():
    repeats = process.RepeatFilter()
    for number in range(3 * process.MAX_TEXTS):
        assert repeats.filter(logging.makeLogRecord({"msg": str(number)}))
    assert len(repeats._seen) <= process.MAX_TEXTS
