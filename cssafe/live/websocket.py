"""The camera's way in: JPEG up, JSON down, on the page's own port, so that it works on every network that shows the
page.

The browser's first message is the lesson's token, then each binary message is one JPEG. Down come `{"state": "loading"
| "ready" | "failed", "problem"}` about the networks and, for every frame, `{"number", ...}` with what LiveLesson.take
tells, with a `problem`, or with neither when the frame was passed over. Numbers count the frames of a connection from
0. The browser keeps at most two of them unanswered."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from cssafe.settings import FRAME_LIMIT, ConfigurationError

if TYPE_CHECKING:  # app.py opens the door before these are loaded
    from cssafe.live.engine import Answer, Engine
    from cssafe.live.session import LiveLesson

REFUSED = 4403
"""Close code: another page's address, or a token of no running lesson. Trying again is useless."""

TOO_LARGE = 1009
"""Close code: a frame above FRAME_LIMIT."""

GREETING = 10.0
"""Seconds for the first message."""


def routes(
    engine: "Callable[[], Engine]",
    find: "Callable[[str], LiveLesson | None]",
    origins: Callable[[], tuple[str, ...]],
    report: Callable[[], dict[str, Any]],
) -> list[BaseRoute]:
    """The camera's address and the health check. find: the running lesson of a token. origins: web addresses that may
    connect besides the page's own. report: what /healthz answers; with a `problem` that is not empty, as status 503."""

    async def frames(socket: WebSocket) -> None:
        await socket.accept()
        if not _same_page(socket, origins()):
            await socket.close(REFUSED, "This page may not send pictures here (see CSSAFE_ORIGINS).")
            return
        try:
            token = await asyncio.wait_for(socket.receive_text(), GREETING)
        except WebSocketDisconnect:
            return
        except (TimeoutError, KeyError):  # silence, or bytes before the token
            token = ""
        lesson = find(token)
        if lesson is None:
            await socket.close(REFUSED, "This lesson is over. Start a new one.")
            return
        await _converse(socket, engine(), lesson)

    def health(_: Request) -> JSONResponse:
        body = report()
        return JSONResponse(body, status_code=503 if body["problem"] else 200)

    return [WebSocketRoute("/cssafe/frames", frames), Route("/healthz", health)]


async def _converse(socket: WebSocket, engine: "Engine", lesson: "LiveLesson") -> None:
    """Frames in, answers out, until the browser leaves, the lesson ends or a newer connection takes the lesson over."""
    loop = asyncio.get_running_loop()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def deliver(answer: "Answer") -> None:
        message: dict[str, Any] = {"number": answer.number}
        if answer.result is not None:
            message |= lesson.take(answer.result)
        elif answer.problem:
            message["problem"] = answer.problem
        loop.call_soon_threadsafe(outgoing.put_nowait, message)

    feed = lesson.connect(deliver)
    sending = asyncio.create_task(_send(socket, engine, outgoing))
    number = 0
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                break
            if not lesson.holds(feed):
                await socket.close(REFUSED, "This lesson is over, or another page has taken over its camera.")
                break
            jpeg = message.get("bytes") or b""
            if len(jpeg) > FRAME_LIMIT:
                await socket.close(TOO_LARGE, f"A picture may have {FRAME_LIMIT} bytes; this one has {len(jpeg)}.")
                break
            engine.offer(feed, number, jpeg, datetime.now(UTC))
            number += 1
    finally:
        engine.leave(feed)
        lesson.disconnect(feed)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sending


async def _send(socket: WebSocket, engine: "Engine", outgoing: asyncio.Queue[dict[str, Any]]) -> None:
    if engine.state == "loading":
        await socket.send_json({"state": "loading", "problem": ""})
        with contextlib.suppress(ConfigurationError):
            # Shielded: the browser may leave before the networks are there, and others wait for them too.
            await asyncio.shield(asyncio.wrap_future(engine.loaded))
    await socket.send_json({"state": engine.state, "problem": engine.problem})
    while True:
        await socket.send_json(await outgoing.get())


def _same_page(socket: WebSocket, origins: tuple[str, ...]) -> bool:
    """Whether the page that opened the socket came from this very host, or from one that was allowed. Browsers always
    say."""
    origin = socket.headers.get("origin", "")
    return origin in origins or (origin != "" and urlsplit(origin).netloc == socket.headers.get("host"))
