"""An RTSP camera on loopback: MPEG-TS in RTP in the RTSP connection itself (RFC 2326 with interleaved packets, RFC 2250)."""

import base64
import io
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import av

from tests.support.faces import classroom

LOGIN = base64.b64encode(b"teacher:secret").decode()
PACKETS = 7
"""Packets of 188 bytes in one RTP packet: what fits into an Ethernet frame."""


def transport_stream() -> bytes:
    """Two seconds of twelve real faces, ten pictures a second."""
    file = io.BytesIO()
    image = classroom(3, 4, 480, 640)
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 480, "yuv420p", 4_000_000
        for _ in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return file.getvalue()


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):
            while request := self._request():
                self._answer(*request)

    def _request(self) -> tuple[str, dict[str, str]] | None:
        if not (first := self.rfile.readline().decode()):
            return None
        lines = iter(lambda: self.rfile.readline().decode().strip(), "")
        return first.split()[0], dict(line.split(": ", 1) for line in lines)

    def _answer(self, method: str, headers: dict[str, str]) -> None:
        status, more, body = "200 OK", [f"CSeq: {headers['CSeq']}"], ""
        if headers.get("Authorization") != f"Basic {LOGIN}" and method != "OPTIONS":
            status, more = "401 Unauthorized", [*more, 'WWW-Authenticate: Basic realm="camera"']
        elif method == "OPTIONS":
            more.append("Public: DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=room\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:video\r\n"
            more += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            more += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
        self.wfile.write(
            f"RTSP/1.0 {status}\r\n".encode() + "".join(f"{h}\r\n" for h in [*more, ""]).encode() + body.encode()
        )
        if method == "PLAY" and status == "200 OK":
            self._play()

    def _play(self) -> None:
        data, step = self.server.stream, PACKETS * 188
        chunks = [data[i : i + step] for i in range(0, len(data), step)]
        for number in count():
            packet = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, int(time.monotonic() * 90_000) & 0xFFFFFFFF, 1)
            packet += chunks[number % len(chunks)]
            self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            time.sleep(2 / len(chunks))


@contextmanager
def rtsp_camera() -> Iterator[str]:
    """Its address, with the password `secret`."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        stream = transport_stream()

    with Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"rtsp://teacher:secret@127.0.0.1:{server.server_address[1]}/live"
        server.shutdown()
        thread.join()
