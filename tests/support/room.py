"""A room camera on loopback: JPEGs one after the other over http, as many network cameras send them."""

import http.server
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from tests.support.faces import classroom


def jpeg(shift: int = 0) -> bytes:
    """Twelve real faces, 640x480. shift: pixels by which they have moved to the side."""
    file = io.BytesIO()
    Image.fromarray(np.roll(classroom(3, 4, 480, 640)[..., ::-1], shift, axis=1)).save(file, "JPEG")
    return file.getvalue()


class Camera:
    """Listens on a free port, at /video, with the password `secret`. Its faces sway until it is `frozen`. `cut` breaks its
    connections and refuses new ones until `mend`. Other paths: /text answers with text."""

    def __init__(self) -> None:
        self.connections = 0
        self.frozen = False
        self.working = threading.Event()
        self._jpegs = [jpeg(shift) for shift in (0, 4, 8, 4)]
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if self.path == "/text":
                    self.send_response(200)
                    self.send_header("Content-Type", "text/plain")
                    self.end_headers()
                    self.wfile.write(b"no camera here\n" * 500)
                elif camera.working.is_set():
                    camera.send(self)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://teacher:secret@{self.host}/video"

    def send(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        if not handler.headers.get("Authorization"):
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
            handler.end_headers()
            return
        self.connections += 1
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        try:
            while self.working.is_set():
                picture = self._jpegs[0 if self.frozen else int(time.monotonic()) % len(self._jpegs)]
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                handler.wfile.write(head + picture + b"\r\n")
                time.sleep(0.05)
        except OSError:  # whoever looked has gone
            pass

    def cut(self) -> None:
        self.working.clear()

    def mend(self) -> None:
        self.working.set()


@contextmanager
def camera() -> Iterator[Camera]:
    made = Camera()
    made.mend()
    thread = threading.Thread(target=made._server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.cut()
        made._server.shutdown()
        made._server.server_close()
        thread.join()
