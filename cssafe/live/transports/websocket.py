"""The camera's way in: JPEG up, JSON down, on the page's own port, so that it works on every network that shows the
page.

The handshake offers the subprotocols "cssafe" and the lesson's token: addresses stand in the logs of proxies, subprotocols
do not. A wrong token is refused before any message is read. Each binary message is one JPEG. Down come `{"state":
"loading" | "ready" | "failed", "problem"}` about the networks (in English: the page then says the problem in its own
language) and, for every frame, `{"number", ...}` with what LiveLesson.take tells, with a `problem`, or with neither when the
frame was passed over. Numbers count the frames of a connection from 0. The browser keeps at most two of them
unanswered. "ready" and every answer also carry `rate`, the frames a second that the machine carries of this camera, and
`busy`, a sentence where that is few; an answer carries `took`, the milliseconds from the frame's arrival to the
answer's departure, so that the browser knows what the line takes.

Handlers run on the web server's event loop, which everybody shares: what may wait goes to a thread."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from cssafe.errors import ConfigurationError
from cssafe.language import N_
from cssafe.live import jpeg
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

SILENCE_S = 5.0
"""Seconds without a message after which it is checked whether the lesson still runs."""

UNANSWERED = 8
"""Frames without an answer at which a browser counts as one that does not wait for answers; ours keeps to two."""

FLOOD = 60
"""Frames at once or in a second: as many as the quickest cameras film, and four times what ours sends."""

ENOUGH = 3.0
"""Frames a second below which the person before the camera is told: expressions last half a second and longer."""

NOT_HERE = N_("This page's address may not send pictures here. Add it to CSSAFE_ORIGINS.")
NO_TOKEN = N_("The connection must name the lesson's token. Reload the page.")
ENDED = N_("This lesson is over. Start a new one.")
OVER = N_("This lesson is over, or another page has taken over its camera.")
TOO_FAST = N_("Pictures came faster than they can be answered. Wait for the answers.")
NO_PICTURE = N_("A picture (JPEG) was expected, and text or nothing came.")
NO_JPEG = N_("A camera's picture must be a baseline JPEG, and this is none.")
TOO_WIDE = N_("A camera's picture may have 1920 x 1080 pixels at most, and this one has more.")
BUSY = N_("The server is busy: for now it analyses {rate} pictures of yours a second, more when there is less to do.")
"""What the browser is told. It is told in English, and its page has given it the same in its own language (camera.py)."""


def routes(
    engine: "Callable[[], Engine]",
    find: "Callable[[str], LiveLesson | None]",
    origins: Callable[[], tuple[str, ...]],
    report: Callable[[], dict[str, Any]],
) -> list[BaseRoute]:
    """The camera's address and the health check, at the root and under any prefix: with server.baseUrlPath, and behind a
    proxy that adds a path, the page's own address has one, and not every proxy takes it off. find: the running lesson of
    a token. origins: patterns of web addresses that may connect besides the page's own. report: what /healthz answers;
    with a `problem` that is not empty, as status 503."""

    async def frames(socket: WebSocket) -> None:
        with contextlib.suppress(WebSocketDisconnect):  # a browser that has left hears no answer
            await admit(socket)

    async def admit(socket: WebSocket) -> None:
        offered = socket.scope["subprotocols"]
        # Accepted even where it is refused at once: a browser hides the reason of what was never accepted.
        await socket.accept(PROTOCOL if PROTOCOL in offered else None)
        if not same_site(socket.headers, origins(), required=True):
            await socket.close(REFUSED, NOT_HERE)
            return
        if len(offered) != 2 or offered[0] != PROTOCOL:
            await socket.close(REFUSED, NO_TOKEN)
            return
        # On a thread: the first camera may come while the modules behind these are still imported.
        lesson = await asyncio.to_thread(find, offered[1])
        if lesson is None:
            await socket.close(REFUSED, ENDED)
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
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.arrived: dict[int, float] = {}  # frames without an answer yet, and when they came
        self.recent = 0.0  # frames of about the last second
        self.last = 0.0
        self.feed: Feed = lesson.connect(self.deliver)

    async def converse(self) -> None:
        """Until the browser leaves, breaks a rule, the lesson ends or a newer connection takes the lesson over."""
        sending = asyncio.create_task(self.send())
        try:
            code, reason = await self.receive()
        finally:
            self.engine.leave(self.feed)
            self.lesson.disconnect(self.feed)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await sending
        if code:
            with contextlib.suppress(TimeoutError, RuntimeError):  # a browser that does not read may not hear it
                await asyncio.wait_for(self.socket.close(code, reason), 2)

    async def receive(self) -> tuple[int, str]:
        """Take frames as long as that is right; why it ended, as close code (0: the browser left) and sentence."""
        number = 0
        while (message := await self.next())["type"] != "websocket.disconnect":
            if not self.lesson.holds(self.feed):
                return REFUSED, OVER
            if self.flooded():
                return FLOODED, TOO_FAST
            self.arrived[number] = self.last
            picture = message.get("bytes") or b""
            if len(picture) > MAX_FRAME_BYTES:
                return TOO_LARGE, f"A picture may have {MAX_FRAME_BYTES} bytes, and this one has {len(picture)}."
            if problem := unusable(picture):
                self.outgoing.put_nowait({"number": number, "problem": problem})
            else:
                self.engine.offer(self.feed, number, picture, self.lesson.clock.now())
            number += 1
        return 0, ""

    async def next(self) -> "Message":
        """The next message; one without content once the lesson is over, so that nobody keeps a silent socket open."""
        while self.lesson.holds(self.feed):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self.socket.receive(), SILENCE_S)
        return {"type": "websocket.receive"}

    def flooded(self) -> bool:
        """Count one more message; whether it is one too many."""
        now = time.monotonic()
        self.recent = max(0.0, self.recent - (now - self.last) * FLOOD) + 1
        self.last = now
        return self.recent > FLOOD or len(self.arrived) >= UNANSWERED

    def deliver(self, answer: "Answer") -> None:
        message: dict[str, Any] = {"number": answer.number}
        if answer.result is not None:
            message |= self.lesson.take(answer.result)
        elif answer.problem:
            message["problem"] = answer.problem
        self.loop.call_soon_threadsafe(self.outgoing.put_nowait, message)

    async def send(self) -> None:
        engine, socket = self.engine, self.socket
        if engine.state == "loading":
            await socket.send_json({"state": "loading", "problem": ""})
            with contextlib.suppress(ConfigurationError):
                # Shielded: the browser may leave before the networks are there, and others wait for them too.
                await asyncio.shield(asyncio.wrap_future(engine.loaded))
        await socket.send_json({"state": engine.state, "problem": engine.problem} | self.offer())
        while True:
            message = await self.outgoing.get()
            took = time.monotonic() - self.arrived[message["number"]]
            await socket.send_json(message | {"took": round(1000 * took)} | self.offer())
            del self.arrived[message["number"]]

    def offer(self) -> dict[str, Any]:
        """What the machine carries of this camera now."""
        rate = self.engine.rate(self.feed)
        busy = BUSY.format(rate=f"{rate:.1f}") if rate < ENOUGH else ""
        return {"rate": round(rate, 2), "busy": busy}


def unusable(picture: bytes) -> str:
    """Why a picture cannot go to the engine, told by its header; empty if it can."""
    if not picture:
        return NO_PICTURE
    if (size := jpeg.size(picture)) is None:
        return NO_JPEG
    return TOO_WIDE if max(size) > MAX_FRAME_PX[0] or min(size) > MAX_FRAME_PX[1] else ""
