"""Security headers of every response, and blocked paths of Streamlit."""

import base64
import hashlib
import re
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cssafe.language import LANGUAGES, cookie_script
from cssafe.settings import Settings

POLICY = {
    "default-src": "'self'",
    # Vega compiles a chart's expressions; Streamlit loads the code of a component from a blob.
    "script-src": "'self' 'unsafe-eval' blob: {scripts}",
    "style-src": "'self' 'unsafe-inline'",  # Streamlit's styles are made in the browser
    "connect-src": "'self' data: blob:",  # Streamlit's camera input fetches its own picture
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "{frames}",
}
"""Content-Security-Policy: nothing from other servers, and no inline script but the page's own."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # addresses of the views on other devices have a key
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), payment=()",
}

LOCAL_FRAMES = "'self'"
HOSTED_FRAMES = "'self' https://share.streamlit.io https://*.streamlit.app"
"""Default of CSSAFE_FRAME_ANCESTORS, hosted: Streamlit Community Cloud shows the app in a frame."""

CLOSED_PATHS = re.compile(r"/(_stcore/(metrics|script-health-check|agent/.*)|auth/log(in|out)|oauth2callback)/?$")
"""Memory figures of all sessions, the agent interface, and the sign-in, which CSSAFE does not have."""


def policy(page: str, chosen: Settings) -> str:
    """The Content-Security-Policy. page: Streamlit's HTML; its inline scripts may run, and those that store the language."""
    frames = chosen.frame_ancestors or (HOSTED_FRAMES if chosen.hosted else LOCAL_FRAMES)
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL) + [cookie_script(code) for code in LANGUAGES]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]
    scripts = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return "; ".join(
        f"{name} {value.format(scripts=scripts, frames=frames)}".rstrip() for name, value in POLICY.items()
    )


ANSWER_STARTS = ("http.response.start", "websocket.http.response.start", "websocket.accept")
"""ASGI messages that carry the headers of a response."""

REFUSED = "This connection is refused."
BROKEN = "The server failed over this request. Try again; its log says what went wrong."


class SecurityHeaders:
    """Middleware that adds HEADERS and the policy to every response, also to handshakes and errors. CLOSED_PATHS get 404.

    uvicorn itself answers invalid HTTP (400, plain text) without these headers."""

    def __init__(self, app: ASGIApp, policy: Callable[[], str]) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "websocket.close" and not begun:  # uvicorn would answer a bare 403
                await PlainTextResponse(REFUSED, 403)(scope, receive, send_with_headers)
                return
            if message["type"] in ANSWER_STARTS:
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS | {"Content-Security-Policy": self.policy()})
            await send(message)

        app = PlainTextResponse("Not found", 404) if CLOSED_PATHS.search(scope["path"]) else self.app
        try:
            await app(scope, receive, send_with_headers)
        except Exception:  # Starlette and uvicorn would answer it outside of this middleware
            if not begun:
                await PlainTextResponse(BROKEN, 500)(scope, receive, send_with_headers)
            raise
