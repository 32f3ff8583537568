"""Limit of all uploaded files, enforced while bytes arrive: Streamlit limits single files only, and keeps all in memory."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD_PATH = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+$")
"""Path of an upload."""

MB = 1024 * 1024

FRAMING_BYTES = MB
"""Excess of a request over the file in it, as in Streamlit."""

TOO_MUCH = "The files together are too large for this server. Remove some, or send them in a new tab later."


class UploadLimit:
    """Middleware that refuses (413) uploads above a visit's or the server's total, before and while they arrive."""

    def __init__(
        self, app: ASGIApp, held: Callable[[], Mapping[str, int]], limits: Callable[[], tuple[int, int]]
    ) -> None:
        """held: session -> bytes of its files. limits: MB of one session and of all sessions."""
        self.app, self.held, self.limits = app, held, limits
        self.arriving: Counter[str] = Counter()
        """Session -> bytes of its unanswered requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = UPLOAD_PATH.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if match is None:
            await self.app(scope, receive, send)
            return
        session, own = match["session"], 0
        announced = Request(scope).headers.get("content-length", "")
        if announced.isdecimal() and self.exceeds(session, int(announced)):
            await PlainTextResponse(TOO_MUCH, 413)(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal own
            message = await receive()
            new = len(message.get("body", b""))
            own += new
            self.arriving[session] += new
            if self.exceeds(session, 0):
                raise HTTPException(413, TOO_MUCH)
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self.arriving[session] -= own
            self.arriving += Counter()  # forgets those at zero

    def exceeds(self, session: str, more: int) -> bool:
        """Whether `more` bytes of that session exceed a limit."""
        held, (of_session, of_all) = self.held(), self.limits()
        total = sum(held.values()) + self.arriving.total() + more
        own = held.get(session, 0) + self.arriving[session] + more
        return own > of_session * MB + FRAMING_BYTES or total > of_all * MB + FRAMING_BYTES
