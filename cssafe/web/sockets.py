"""Limit of open WebSockets: each can hold an unfinished message in memory, of up to `server.maxMessageSize`."""

import asyncio
import logging
from collections import Counter
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_SOCKETS = 150
"""Open WebSockets of the server. Unfinished messages of 2 MB each take 300 MB at most; a host with 1 GB has that beside the
400 MB of the server."""

MAX_CLIENT_SOCKETS = 120
"""Open WebSockets of one client address, often that of a whole school: 30 viewers and 30 devices with a camera take 90."""

CLOSING_S = 10.0
"""Time in which a closed socket may still receive: uvicorn waits so long for the browser's answer."""

MAX_FRAGMENTS = 1000
"""Fragments of one unfinished message. Browsers send few and large ones. A fragment of two bytes takes 37 (measured), and an
empty one does not count towards the message's size limit."""

FRAGMENT_CHECK_S = 1.0
"""Time between two counts of fragments: about 300,000 of all sockets are read in it."""

TOO_MANY = (
    "Too many connections are open here. Close tabs of CSSAFE that are no longer needed, or try again in a minute."
)


async def _cut_off_fragments(receive: Receive) -> None:
    """Abort a connection whose unfinished message has more than MAX_FRAGMENTS. Only uvicorn's own object shows them; with
    another server nothing is cut."""
    connection: Any = getattr(receive, "__self__", None)
    while True:
        await asyncio.sleep(FRAGMENT_CHECK_S)
        if len(getattr(connection, "frames", ())) > MAX_FRAGMENTS:
            log.warning("Cut off: a WebSocket's message has more than %d pieces.", MAX_FRAGMENTS)
            connection.transport.abort()
            return


class SocketLimit:
    """Middleware that refuses (503) handshakes above MAX_SOCKETS or MAX_CLIENT_SOCKETS, and cuts sockets with too many
    fragments."""

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
