"""A stretch of network for tests: a relay before the app that may be slow, late or cut, and a reverse proxy that takes a
path prefix off. `tc netem` would need a kernel that has it and the rights to use it; this needs neither."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

CHUNK = 2048
BUFFER = 16_384
"""Bytes that a socket of the relay takes in before the sender has to wait: a slow line holds no more either."""


class Relay:
    """Listens on a port of its own and passes bytes on to `target`.

    delay: seconds each way. up: bytes a second from the browser to the app, all connections together. prefix: of a
    request's path, taken off; anything else is answered 404. host: what the app sees as Host instead."""

    def __init__(self, target: int, *, delay: float = 0.0, up: float = 0.0, prefix: str = "", host: str = "") -> None:
        self.target, self.delay, self.up, self.prefix, self.host = target, delay, up, prefix, host
        self.port = 0
        self.carried = 0
        self._free = 0.0  # when the line up has sent what it took in
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5)

    def cut(self) -> None:
        """Break every connection that is open; new ones are taken."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(5)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, limit=BUFFER)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = b""
            if self.prefix or self.host:
                head = self._rewritten(await reader.readuntil(b"\r\n\r\n"))
                if not head:
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
            inwards, outwards = await asyncio.open_connection("127.0.0.1", self.target, limit=BUFFER)
            self._writers.add(outwards)
            try:
                outwards.write(head)
                ways = (self._carry(reader, outwards, self.up), self._carry(inwards, writer, 0))
                await asyncio.wait([asyncio.ensure_future(way) for way in ways])
            finally:
                self._writers.discard(outwards)
                outwards.close()
        except (OSError, asyncio.IncompleteReadError):
            pass  # one end has gone: so has the other
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speed: float) -> None:
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.ensure_future(self._emit(way, writer))
        with suppress(OSError):
            while chunk := await reader.read(CHUNK if speed else BUFFER):
                sent = time.monotonic()
                if speed:
                    self.carried += len(chunk)
                    self._free = sent = max(sent, self._free) + len(chunk) / speed
                    await asyncio.sleep(sent - time.monotonic())
                way.put_nowait((sent + self.delay, chunk))
        way.put_nowait((0.0, b""))
        await sending

    async def _emit(self, way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                due, chunk = await way.get()
                if not chunk:
                    break
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                writer.write(chunk)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    def _rewritten(self, head: bytes) -> bytes:
        """The request as a proxy passes it on; one request a connection, except for WebSockets. Empty: not for us."""
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, version = first.split(" ")
        if not path.startswith(self.prefix + "/"):
            return b""
        socket = any(line.lower().startswith("upgrade: websocket") for line in lines)
        kept = [
            f"Host: {self.host}" if self.host and line.lower().startswith("host:") else line
            for line in lines
            if socket or not line.lower().startswith("connection:")
        ]
        if not socket:
            kept.insert(0, "Connection: close")
        return "\r\n".join([f"{method} {path[len(self.prefix) :]} {version}", *kept]).encode("latin-1")


@contextmanager
def relay(target: int, **options: float | str) -> Iterator[Relay]:
    with closing(Relay(target, **options)) as made:
        yield made
