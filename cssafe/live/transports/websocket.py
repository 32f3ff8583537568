"""The camera's WebSocket: JPEG up, JSON down, on the page's own port, so that it works on every network that shows the page.

The handshake offers the subprotocols "cssafe" and the lesson's token: proxies log addresses, but not subprotocols. A wrong
token is refused before any message is read. Each binary message is one JPEG. Down come a `NetworksState` and, for every
frame, a `FrameAnswer` (transports/messages.py). Numbers count the frames of a connection from 0, and the browser keeps at most
two of them unanswered. The reason of a close is a `Notice`.

Handlers run on the event loop that all connections share: what may wait runs on a thread."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from cssafe.errors import ConfigurationError
from cssafe.live import jpeg
from cssafe.live.transports.messages import FrameAnswer, NetworksState, Notice, Overlay, to_json
from cssafe.settings import MAX_FRAME_BYTES, MAX_FRAME_PX
from cssafe.web.hosts import same_site

if TYPE_CHECKING:  # app.py opens the door before these are loaded
    from starlette.types import Message

    from cssafe.live.engine import Answer, Engine, Feed
    from cssafe.live.lesson import LiveLesson

REFUSED = 4403
"""Close code: another page's address, or a token of no running lesson. Trying again is useless."""

TOO_LARGE = 1009
"""Close code: a frame above MAX_FRAME_BYTES."""

FLOODED = 1008
"""Close code: frames came faster than any camera films them, or without waiting for answers."""

PROTOCOL = "cssafe"
"""The subprotocol that is chosen in the handshake; the one offered beside it is the token."""

LESSON_CHECK_S = 5.0
"""Seconds without a message after which it is checked whether the lesson still runs."""

CLOSE_TIMEOUT_S = 2.0
"""Longest wait for a browser to take the reason of a close."""

MAX_UNANSWERED = 8
"""Frames without an answer from which a browser counts as one that does not wait for answers; ours keeps to two."""

MAX_FRAMES_PER_S = 60
"""Frames at once or in a second: as many as the quickest cameras film, and four times what ours sends."""

MIN_RATE = 3.0
"""Analysed frames a second below which the notice server_busy is shown: expressions last half a second and longer."""


def routes(
    engine: "Callable[[], Engine]",
    find: "Callable[[str], LiveLesson | None]",
    origins: Callable[[], tuple[str, ...]],
    report: Callable[[], dict[str, Any]],
) -> list[BaseRoute]:
    """Routes of the camera and of the health check, at the root and under any prefix: server.baseUrlPath and some proxies put a
    path before the page's address. find: the running lesson of a token. origins: patterns of further web addresses that may
    connect. report: the body of /healthz; with a non-empty `problem` its status is 503."""

    async def frames(socket: WebSocket) -> None:
        with contextlib.suppress(WebSocketDisconnect):  # a browser that has left hears no answer
            await admit(socket)

    async def admit(socket: WebSocket) -> None:
        offered = socket.scope["subprotocols"]
        # Accepted even where it is refused at once: a browser hides the reason of what was never accepted.
        await socket.accept(PROTOCOL if PROTOCOL in offered else None)
        if not same_site(socket.headers, origins(), required=True):
            await close(socket, REFUSED, Notice("wrong_origin"))
            return
        if len(offered) != 2 or offered[0] != PROTOCOL:
            await close(socket, REFUSED, Notice("no_token"))
            return
        # On a thread: the first camera may come while the modules behind these are still imported.
        lesson = await asyncio.to_thread(find, offered[1])
        if lesson is None:
            await close(socket, REFUSED, Notice("lesson_over"))
            return
        await _Connection(socket, await asyncio.to_thread(engine), lesson).converse()

    def health(_: Request) -> JSONResponse:  # not async, so that Starlette runs it on a thread
        body = report()
        return JSONResponse(body, status_code=503 if body["problem"] else 200)

    prefixes = ("", "/{prefix:path}")
    return [WebSocketRoute(f"{prefix}/cssafe/frames", frames) for prefix in prefixes] + [
        Route(f"{prefix}/healthz", health) for prefix in prefixes
    ]


class _Connection:
    """One browser that may send: frames in, answers out."""

    def __init__(self, socket: WebSocket, engine: "Engine", lesson: "LiveLesson") -> None:
        self.socket = socket
        self.engine = engine
        self.lesson = lesson
        self.loop = asyncio.get_running_loop()
        self.outgoing: asyncio.Queue[tuple[int, Overlay | None, Notice | None]] = asyncio.Queue()
        """Number, overlay and notice of each answer."""
        self.arrived: dict[int, float] = {}  # frames without an answer yet, and when they came
        self.recent = 0.0  # frames of about the last second
        self.last = 0.0
        self.feed: Feed = lesson.lease.connect(self.deliver)

    async def converse(self) -> None:
        """Until the browser leaves, breaks a rule, the lesson ends or a newer connection takes the lesson over."""
        sending = asyncio.create_task(self.send())
        try:
            ended = await self.receive()
        finally:
            self.engine.leave(self.feed)
            self.lesson.lease.disconnect(self.feed)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await sending
        if ended is not None:
            with contextlib.suppress(TimeoutError, RuntimeError):  # a browser that does not read may not hear it
                await asyncio.wait_for(close(self.socket, *ended), CLOSE_TIMEOUT_S)

    async def receive(self) -> tuple[int, Notice] | None:
        """Offer frames to the engine until the end; its close code and reason, None where the browser left."""
        number = 0
        while (message := await self.next())["type"] != "websocket.disconnect":
            if not self.lesson.lease.holds(self.feed):
                return REFUSED, Notice("taken_over")
            if self.flooded():
                return FLOODED, Notice("too_fast")
            self.arrived[number] = self.last
            picture = message.get("bytes") or b""
            if len(picture) > MAX_FRAME_BYTES:
                return TOO_LARGE, Notice("too_large", {"limit": MAX_FRAME_BYTES, "size": len(picture)})
            if notice := check_header(picture):
                self.outgoing.put_nowait((number, None, notice))
            else:
                self.engine.offer(self.feed, number, picture, self.lesson.clock.now())
            number += 1
        return None

    async def next(self) -> "Message":
        """The next message; one without content once the lesson is over, so that nobody keeps a silent socket open."""
        while self.lesson.lease.holds(self.feed):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self.socket.receive(), LESSON_CHECK_S)
        return {"type": "websocket.receive"}

    def flooded(self) -> bool:
        """Count one more message; whether it is one too many."""
        now = time.monotonic()
        self.recent = max(0.0, self.recent - (now - self.last) * MAX_FRAMES_PER_S) + 1
        self.last = now
        return self.recent > MAX_FRAMES_PER_S or len(self.arrived) >= MAX_UNANSWERED

    def deliver(self, answer: "Answer") -> None:
        overlay = None if answer.result is None else self.lesson.add_result(answer.result)
        notice = None if answer.error is None else Notice("not_analysed")
        self.loop.call_soon_threadsafe(self.outgoing.put_nowait, (answer.number, overlay, notice))

    async def send(self) -> None:
        engine = self.engine
        if engine.state == "loading":
            await self.send_message(NetworksState("loading", self.rate()))
            with contextlib.suppress(ConfigurationError):
                # Shielded: the browser may leave before the networks are there, and others wait for them too.
                await asyncio.shield(asyncio.wrap_future(engine.loaded))
        rate = self.rate()
        await self.send_message(NetworksState(engine.state, rate, busy(rate)))
        while True:
            number, overlay, notice = await self.outgoing.get()
            took, rate = round(1000 * (time.monotonic() - self.arrived[number])), self.rate()
            await self.send_message(FrameAnswer(number, overlay, notice or busy(rate), took, rate))
            del self.arrived[number]

    async def send_message(self, message: NetworksState | FrameAnswer) -> None:
        await self.socket.send_json(to_json(message))

    def rate(self) -> float:
        """Frames a second that the machine carries of this camera now."""
        return round(self.engine.rate(self.feed), 2)


def busy(rate: float) -> Notice | None:
    """The notice for a camera with so few analysed frames a second; None where they are enough."""
    return Notice("server_busy", {"rate": f"{rate:.1f}"}) if rate < MIN_RATE else None


async def close(socket: WebSocket, code: int, notice: Notice) -> None:
    """Close with the notice as reason, which may have 123 bytes of JSON (RFC 6455, 5.5)."""
    await socket.close(code, json.dumps(to_json(notice), separators=(",", ":")))


def check_header(picture: bytes) -> Notice | None:
    """Why a picture cannot go to the engine, by its JPEG header; None if it can."""
    if not picture:
        return Notice("empty")
    if (size := jpeg.size(picture)) is None:
        return Notice("no_jpeg")
    width, height = MAX_FRAME_PX
    too_wide = max(size) > width or min(size) > height
    return Notice("too_wide", {"width": width, "height": height}) if too_wide else None
