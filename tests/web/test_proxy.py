"""nginx as docs/hosting.md configures it: half-open requests, connections, WebSockets and uploads pass or are cut."""

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing

import pytest
from websockets.sync.client import connect

from cssafe.live import services
from cssafe.settings import ROOT
from cssafe.web import process
from tests.support.browser import need
from tests.support.camera_client import LIMIT, answer
from tests.support.live_lessons import running
from tests.support.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("data")]

HALF = b"GET /healthz HTTP/1.1\r\nHost: class.school.example\r\nX-Slow: "


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def proxy(address, tmp_path):
    """nginx with the documented configuration before a server with the app's routes; certificate and ports are the test's."""
    need("nginx")
    port = free_port()
    [text] = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8"), re.DOTALL)
    text = re.sub(r"\n +ssl_certificate.*", "", text).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    text = text.replace("http://127.0.0.1:8501", f"http://{address}")
    paths = [f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    config = tmp_path / "nginx.conf"
    config.write_text(text.replace("http {", "http { " + " ".join(paths)))
    tmp_path.chmod(0o777)  # nginx's workers run as nobody
    command = ["nginx", "-p", tmp_path, "-c", config, "-e", tmp_path / "error.log"]
    started = subprocess.Popen([*command, "-g", f"daemon off; pid {tmp_path / 'nginx.pid'};"])
    try:
        until(lambda: started.poll() is not None or listens(port))
        assert started.poll() is None, (tmp_path / "error.log").read_text()
        yield f"127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(LIMIT)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def status(place: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{place}/healthz", timeout=LIMIT) as health:
            return health.status
    except urllib.error.HTTPError as error:
        return error.code


def half_open(stack: ExitStack, place: str, number: int) -> list[socket.socket]:
    """Connections whose request never ends."""
    host, port = place.split(":")
    sockets = [stack.enter_context(closing(socket.create_connection((host, int(port)), LIMIT))) for _ in range(number)]
    for one in sockets:
        one.sendall(HALF)
    return sockets


def test_1100_half_open_requests_hold_nobody_up_and_are_cut_after_ten_seconds(proxy, address):
    process.allow_connections()  # of this test
    with ExitStack() as stack:
        sockets = half_open(stack, proxy, 1100)
        begun = time.monotonic()
        assert status(proxy) == 200
        for one in sockets:
            with pytest.raises(ConnectionResetError):  # reset_timedout_connection
                assert one.recv(1000) == b""
                raise ConnectionResetError
        assert time.monotonic() - begun < LIMIT
    assert status(proxy) == 200 and status(address) == 200


def test_a_camera_gets_its_results_through_the_proxy_and_too_many_sockets_of_one_address_are_refused(proxy):
    lesson = running(services.current().workspace())
    assert len(answer(proxy, lesson.token)["overlay"]["faces"]) == 6
    with ExitStack() as stack:
        for _ in range(100):
            camera = connect(
                f"ws://{proxy}/cssafe/frames", origin=f"http://{proxy}", subprotocols=["cssafe", lesson.token]
            )
            stack.enter_context(camera)
        assert status(proxy) == 503
    until(lambda: status(proxy) == 200)


def test_the_health_check_tells_the_same_through_the_proxy(proxy):
    with urllib.request.urlopen(f"http://{proxy}/healthz", timeout=LIMIT) as health:
        assert json.load(health)["problem"] == ""
