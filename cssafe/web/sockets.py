"""Limit of open WebSockets: each can hold an unfinished message in memory, of up to `server.maxMessageSize`."""

import asyncio
import logging
from collections import Counter
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_SOCKETS = 150
"""Open WebSockets of the server. With 2 MB each, unfinished messages take 300 MB at most, which a host with 1 GB has beside
the 400 MB of the server."""

MAX_CLIENT_SOCKETS = 120
"""Of one client address: a school often has one for all, and 30 viewers and 30 students' devices with a camera take 90."""

CLOSING_S = 10.0
"""Seconds that a socket which the server closes may still receive: uvicorn waits so long for the browser's answer."""

MAX_FRAGMENTS = 1000
"""Pieces of one unfinished message. Browsers send few and large ones. A piece of two bytes takes 37 (measured), and an empty
one counts for no limit of a message."""

FRAGMENT_CHECK_S = 1.0
"""Seconds between two counts of them: in that time about 300,000 are read of all sockets."""

TOO_MANY = (
    "Too many connections are open here. Close tabs of CSSAFE that are no longer needed, or try again in a minute."
)


async def _cut_off_fragments(receive: Receive) -> None:
    """Cut a connection once its unfinished message has more than MAX_FRAGMENTS pieces. They can be seen in uvicorn's own object
    only; with a server that keeps them elsewhere nothing is cut."""
    connection: Any = getattr(receive, "__self__", None)
    while True:
        await asyncio.sleep(FRAGMENT_CHECK_S)
        if len(getattr(connection, "frames", ())) > MAX_FRAGMENTS:
            log.warning("Cut off: a WebSocket's message has more than %d pieces.", MAX_FRAGMENTS)
            connection.transport.abort()
            return


class SocketLimit:
    """Middleware that refuses (503) the handshake of a WebSocket above MAX_SOCKETS or MAX_CLIENT_SOCKETS, and cuts
    one that sends its messages in too many pieces."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.open: Counter[str] = Counter()
        """Client address -> its open sockets."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        client = (scope.get("client") or ("",))[0]
        if self.open.total() >= MAX_SOCKETS or self.open[client] >= MAX_CLIENT_SOCKETS:
            log.warning("Refused: %d WebSockets are open, %d of that address.", self.open.total(), self.open[client])
            await PlainTextResponse(TOO_MANY, 503)(scope, receive, send)
            return
        closing = False

        async def watched(message: Message) -> None:
            nonlocal closing
            closing |= message["type"] == "websocket.close"
            await send(message)

        self.open[client] += 1
        watch = asyncio.create_task(_cut_off_fragments(receive))
        try:
            await self.app(scope, receive, watched)
        finally:
            watch.cancel()
            if closing:
                asyncio.get_running_loop().call_later(CLOSING_S, self.release, client)
            else:
                self.release(client)

    def release(self, client: str) -> None:
        self.open[client] -= 1
        self.open += Counter()  # forgets those at zero
