"""Attacks on the real server, `streamlit run app.py`: what a stranger sends over the network costs little and opens nothing."""

import http.client
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from cssafe import settings
from cssafe.web import headers, process, sockets
from tests.support.browser import Server, serve
from tests.support.wait import until

pytestmark = pytest.mark.slow

EVIL = "evil.example"
MB = 1024 * 1024
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Version": "13",
}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with serve(
        tmp_path_factory.mktemp("local"),
        CSSAFE_HOSTS="class.school.example",
        CSSAFE_ORIGINS="https://public.school.example",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("hosted"), CSSAFE_MODE="hosted") as server:
        yield server


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


def ask(server: Server, path: str, method: str = "GET", **sent: str) -> Answer:
    with closing(http.client.HTTPConnection("localhost", server.port, timeout=60)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in sent.items()})
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.headers, answer.read(100_000))


def shake_hands(server: Server, path: str, **sent: str) -> socket.socket:
    """A connection on which a WebSocket was asked for."""
    one = socket.create_connection(("localhost", server.port), 60)
    lines = {"Host": f"localhost:{server.port}", "Origin": server.address, **UPGRADE, **sent}
    one.sendall("\r\n".join([f"GET {path} HTTP/1.1", *map(": ".join, lines.items()), "", ""]).encode())
    return one


def memory(server: Server) -> int:
    """MB of the most that the server's process held since `forget_peak`."""
    rows = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM")) // 1024


def forget_peak(server: Server) -> int:
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    return memory(server)


PATHS = ["/", "/weekly", "/healthz", "/_stcore/health", "/_stcore/host-config", "/media/0.csv", "/static/index.html"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "sent",
    [
        {"Host": EVIL, "Origin": f"http://{EVIL}"},
        {"Host": f"{EVIL}:8501"},
        {"Host": f"localhost.{EVIL}"},
        {"Host": EVIL, "X_Forwarded_Host": "localhost"},
        {"Host": "localhost", "X_Forwarded_Host": EVIL, "Origin": f"http://{EVIL}"},
        {"Origin": f"http://{EVIL}"},
        {"Origin": "null"},
    ],
)
def test_a_page_whose_name_was_rebound_to_this_computer_reads_nothing(local, path, sent):
    answer = ask(local, path, **sent)
    assert answer.status == 403 and b"treamlit" not in answer.body


@pytest.mark.parametrize("path", ["/_stcore/stream", "/cssafe/frames"])
@pytest.mark.parametrize("host", [EVIL, "localhost"])
def test_a_rebound_page_opens_no_socket(local, path, host):
    assert ask(local, path, Host=host, Origin=f"http://{EVIL}", **UPGRADE).status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8501", "[::1]", "192.168.1.7:8501", "class.school.example"])
def test_the_names_given_and_every_address_go_on_working(local, host):
    assert ask(local, "/healthz", Host=host).status == 200
    assert ask(local, "/", Host=host, Origin=f"http://{host}").status == 200


def test_hosted_any_name_is_served_to_its_own_pages_only(hosted):
    assert ask(hosted, "/", Host="app.example").status == 200
    assert ask(hosted, "/_stcore/health", Host="app.example", Origin="https://app.example").status == 200
    assert ask(hosted, "/_stcore/health", Host="app.example", Origin=f"https://{EVIL}").status == 403
    assert ask(hosted, "/_stcore/stream", Host="app.example", Origin=f"https://{EVIL}", **UPGRADE).status == 403


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/cssafe/frames", "/_stcore/metrics"])
def test_every_answer_has_the_security_headers(local, path):
    for sent in ({}, {"Host": EVIL}):
        answer = ask(local, path, **sent)
        assert {name: answer.headers[name] for name in headers.HEADERS} == headers.HEADERS
        policy = answer.headers["Content-Security-Policy"]
        assert "sha256-" in policy and "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        assert policy.endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("path", ["/_stcore/stream", "/cssafe/frames", "/nowhere", "/_stcore/metrics"])
@pytest.mark.parametrize("sent", [{"Host": EVIL}, {"Origin": f"http://{EVIL}"}])
def test_every_refused_handshake_has_the_security_headers(local, path, sent):
    answer = ask(local, path, **UPGRADE, **sent)
    assert answer.status in (403, 404)
    assert {name: answer.headers[name] for name in headers.HEADERS} == headers.HEADERS
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("request_line", [b"GET /<script> \r\n", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nA" + bytes(9)])
def test_what_is_no_http_is_answered_in_plain_text_that_repeats_nothing_of_it(local, request_line):
    with closing(socket.create_connection(("localhost", local.port), 60)) as one:
        one.sendall(request_line + b"\r\n\r\n")
        answer = one.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400") and b"text/plain" in answer
    assert answer.endswith(b"\r\nInvalid HTTP request received.")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("class.school.example:443", "https://class.school.example"),
        ("class.school.example", "https://class.school.example:443"),
        ("127.0.0.1:8501", "https://public.school.example"),  # of a proxy that puts its own name in the Host header
    ],
)
def test_both_sockets_open_however_a_proxy_writes_the_host(local, host, origin):
    for path in ("/_stcore/stream", "/cssafe/frames"):
        with closing(shake_hands(local, path, Host=host, Origin=origin)) as one:
            assert one.recv(12) == b"HTTP/1.1 101"


@pytest.mark.parametrize(
    "path", ["_stcore/metrics", "_stcore/agent/openapi.json", "_stcore/script-health-check", "auth/login"]
)
def test_what_nobody_needs_is_closed(local, path):
    assert ask(local, f"/{path}").status == 404


@pytest.mark.parametrize("path", ["/cssafe/frames", "/_stcore/stream"])
def test_eight_sockets_with_an_unfinished_first_message_of_48_mb_raise_the_memory_little(hosted, path):
    rest = forget_peak(hosted)
    with ExitStack() as stack:
        for _ in range(8):
            one = stack.enter_context(closing(shake_hands(hosted, path)))
            assert one.recv(12) == b"HTTP/1.1 101"
            try:
                one.sendall(b"\x82\xff" + struct.pack(">Q", 48 * MB) + bytes(4))
                for _ in range(47):
                    one.sendall(bytes(MB))
            except OSError:  # cut off, as it should be
                pass
        assert memory(hosted) - rest < 40


@pytest.mark.parametrize("path", ["/cssafe/frames", "/_stcore/stream"])
def test_of_300_sockets_with_an_unfinished_message_of_2_mb_as_many_open_as_the_limit_says(tmp_path, path):
    with serve(tmp_path, CSSAFE_MODE="hosted") as server:
        rest = forget_peak(server)
        with ExitStack() as stack:
            statuses = []
            for _ in range(300):
                one = stack.enter_context(closing(shake_hands(server, path)))
                statuses.append(one.recv(12)[-3:])
                if statuses[-1] == b"101":
                    one.sendall(b"\x82\xff" + struct.pack(">Q", 2_000_000) + bytes(4) + bytes(1_900_000))
            assert statuses == [b"101"] * sockets.MAX_CLIENT_SOCKETS + [b"503"] * (300 - sockets.MAX_CLIENT_SOCKETS)
            print(f"{path}: {rest} MB, {memory(server)} MB")
            assert memory(server) - rest < 2.5 * sockets.MAX_CLIENT_SOCKETS
            assert ask(server, "/").status == 200 and server.health()["state"] == "ready"
        until(lambda: ask(server, path, Origin=server.address, **UPGRADE).status == 101)
        with Visit(server):
            pass


@pytest.mark.parametrize("piece", [b"", b"ab"], ids=["empty", "two bytes"])
def test_a_message_of_a_million_pieces_is_cut(hosted, piece):
    rest = forget_peak(hosted)
    masked = bytes([0x80 | len(piece)]) + bytes(4) + piece
    with closing(shake_hands(hosted, "/_stcore/stream")) as one:
        assert one.recv(12) == b"HTTP/1.1 101"
        one.sendall(b"\x02" + masked)
        with suppress(OSError):  # cut while this is sent
            for _ in range(1000):
                one.sendall((b"\x00" + masked) * 1000)
        with suppress(ConnectionResetError):
            while one.recv(1000):
                pass
    assert memory(hosted) - rest < 30
    assert "more than 1000 pieces" in hosted.log.read_text()


class Visit:
    """A session and what its browser needs to upload. Stays open as long as the block."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.socket = connect(server.address.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"],
                              origin=server.address, max_size=None)  # fmt: skip

    def __enter__(self) -> "Visit":
        self.socket.__enter__()
        self.open("")
        self.cookie = ask(self.server, "/_stcore/health").headers["Set-Cookie"].split(";")[0]
        return self

    def __exit__(self, *error) -> None:
        self.socket.__exit__(*error)

    def open(self, page: str) -> None:
        """Go to a page and wait until it is drawn."""
        message = BackMsg()
        message.rerun_script.page_name = page
        self.socket.send(message.SerializeToString())
        answer = ForwardMsg()
        while answer.WhichOneof("type") != "script_finished":
            answer.ParseFromString(self.socket.recv(60))
            if answer.WhichOneof("type") == "new_session":
                self.session = answer.new_session.initialize.session_id

    def upload(self, name: str, size: int, method: str = "PUT", announced: bool = True) -> int | None:
        """Status of the answer; None if the connection was cut."""
        form = (
            b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.mp4"\r\n\r\n',
            bytes(size),
            b"\r\n--B--\r\n",
        )
        sent = {
            "Content-Type": "multipart/form-data; boundary=B",
            "Cookie": self.cookie,
            "X-Xsrftoken": self.cookie.partition("=")[2],
            "Origin": self.server.address,
        }
        path, body = f"/_stcore/upload_file/{self.session}/{name}", b"".join(form) if announced else iter(form)
        with closing(http.client.HTTPConnection("localhost", self.server.port, timeout=60)) as connection:
            try:
                connection.request(method, path, body, sent, encode_chunked=not announced)
                with connection.getresponse() as answer:
                    return answer.status
            except OSError:
                return None


@pytest.mark.parametrize("announced", [True, False], ids=["length", "chunks"])
def test_of_twelve_uploads_of_40_mb_in_one_session_two_are_taken_and_removing_one_makes_room(hosted, announced):
    with Visit(hosted) as visit:
        rest = forget_peak(hosted)
        with ThreadPoolExecutor(4) as browsers:
            answers = list(browsers.map(lambda i: visit.upload(f"f{i}", 40 * MB, announced=announced), range(12)))
        taken = [f"f{i}" for i, answer in enumerate(answers) if answer == 204]
        assert 1 <= len(taken) <= 2 and set(answers) <= {204, 413, None}
        assert memory(hosted) - rest < 2.5 * settings.HOSTED_UPLOADS_MB[0]
        assert visit.upload("one", 90 * MB, announced=announced) in (413, None)
        for name in taken:
            assert visit.upload(name, 0, "DELETE") == 204
        assert visit.upload("one", 90 * MB, announced=announced) == 204
        assert visit.upload("one", 0, "DELETE") == 204


def test_all_sessions_together_have_a_limit_too(hosted):
    with Visit(hosted) as first, Visit(hosted) as second, Visit(hosted) as third:
        visits = (first, second, third)
        assert [visit.upload("f", 90 * MB) for visit in visits] == [204, 204, 413]
        for visit in visits[:2]:
            assert visit.upload("f", 0, "DELETE") == 204


def test_files_of_a_page_that_was_left_no_longer_count(hosted):
    with Visit(hosted) as visit:
        assert [visit.upload(name, 90 * MB) for name in ("a", "b")] == [204, 413]
        visit.open("")
        assert visit.upload("b", 90 * MB) == 413  # the same page, drawn again
        visit.open("files")
        assert visit.upload("b", 90 * MB) == 204


def limited(handles: str) -> tuple[str, ...]:
    """What a command begins with that may open so many files: the soft and the hard limit."""
    return ("sh", "-c", f'ulimit -Sn {handles.split(":")[0]}; ulimit -Hn {handles.split(":")[1]}; exec "$0" "$@"')


def half_open(stack: ExitStack, server: Server, number: int) -> None:
    process.allow_connections()  # of this test
    for _ in range(number):
        one = stack.enter_context(closing(socket.create_connection(("localhost", server.port), 60)))
        one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")


def test_1100_half_open_requests_leave_room_for_others_where_the_soft_limit_is_1024(tmp_path):
    with serve(tmp_path, prefix=limited("1024:4096")) as server, ExitStack() as stack:
        half_open(stack, server, 1100)
        assert server.health()["state"] == "ready"
        assert "out of system resource" not in server.log.read_text()


def test_where_handles_do_run_out_the_log_stays_short_and_the_server_comes_back(tmp_path):
    with serve(tmp_path, prefix=limited("300:300")) as server:
        with ExitStack() as stack:
            half_open(stack, server, 400)
            until(lambda: "out of system resource" in server.log.read_text())
            begun = time.monotonic()
            until(lambda: time.monotonic() - begun > 5)
            assert server.log.stat().st_size < 100_000
        server.wait()
