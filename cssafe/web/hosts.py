"""Host and Origin rules: accepted names of the server, and pages that may call it.

Any site can let its own name point to this computer (DNS rebinding). The browser then takes CSSAFE for a part of that site
and lets its scripts read everything. The Host header still has that site's name, so unknown names are refused. An IP address
is accepted: no rebinding leads to one."""

import logging
import socket
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cssafe.settings import Settings

log = logging.getLogger(__name__)

LOOPBACK = ("localhost", "*.localhost")
"""Names that lead to this computer by definition (RFC 6761)."""

ANY = ("*",)

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
"""Scheme -> its port, which browsers omit and some proxies write."""

WRONG_HOST = (
    "This server is not known by that name. Open CSSAFE by its own name or number, or add the name to CSSAFE_HOSTS "
    "(docs/hosting.md) and start it again."
)
WRONG_ORIGIN = (
    "A page of another address asked for this. If that page is yours, add its address to CSSAFE_ORIGINS (docs/hosting.md) "
    "and start CSSAFE again."
)


def host_patterns(chosen: Settings, given: Iterable[str]) -> tuple[str, ...]:
    """Patterns of accepted host names.

    given: names that Streamlit was started with; locally they are accepted too. Hosted without CSSAFE_HOSTS every name is
    accepted, because the platform decides it.
    """
    if chosen.hosted and not chosen.hosts:
        return ANY
    named = [*chosen.hosts, *(urlsplit(origin).hostname or "" for origin in chosen.origins)]
    if not chosen.hosted:
        own = socket.gethostname().lower()
        named += [own, f"{own}.local", *given]
    return (*LOOPBACK, *(name for name in named if name))


def is_allowed(host: str, patterns: Iterable[str]) -> bool:
    """Whether a Host header names an IP address or matches a pattern, with any port."""
    try:
        parts = urlsplit(f"//{host}")
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:
        return False
    name = (parts.hostname or "").rstrip(".")
    if not name or parts.netloc != host or "@" in host or not port_is_a_number:
        return False
    return _is_address(name) or any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


def same_site(headers: Headers, origins: Iterable[str], *, required: bool = False) -> bool:
    """Whether the Origin header names this host, as the browser or a proxy knows it, or matches a pattern. No page can change
    that header; browsers omit it when a page is opened. required: whether a call without it is refused."""
    origin = headers.get("origin")
    if origin is None:
        return not required
    scheme, given = origin.partition("://")[0], _normalized(origin)
    own = {_normalized(f"{scheme}://{host}") for host in _hosts(headers)}
    return given in own or any(fnmatchcase(given, _normalized(pattern)) for pattern in origins)


class HostCheck:
    """Middleware that refuses unknown hosts, and calls from pages of other sites."""

    def __init__(self, app: ASGIApp, rules: Callable[[], tuple[Iterable[str], Iterable[str]]]) -> None:
        """rules: patterns of host names, and of origins besides the server's own."""
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        patterns, origins = self.rules()
        known = [is_allowed(host, patterns) for host in _hosts(headers)]
        refusal = "" if same_site(headers, origins) else WRONG_ORIGIN
        if not known or not all(known):
            refusal = WRONG_HOST
        if not refusal:
            await self.app(_with_own_origin(scope), receive, send)
            return
        log.warning("Refused, host %s, origin %r: %s", _hosts(headers), headers.get("origin"), refusal)
        await PlainTextResponse(refusal, 403)(scope, receive, send)


def _with_own_origin(scope: Scope) -> Scope:
    """A handshake whose allowed Origin is replaced by its Host. Streamlit compares the two by character; where they differ it
    refuses, after it has looked up this computer's address on the internet."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    if scope["type"] != "websocket" or not {"origin", "host"} <= set(headers):
        return scope
    headers["origin"] = f"{headers['origin'].partition('://')[0]}://{headers['host']}"
    return {**scope, "headers": headers.raw}


def _normalized(origin: str) -> str:
    """In lower case, without the default port of its scheme."""
    origin = origin.lower()
    return origin.removesuffix(DEFAULT_PORTS.get(origin.partition("://")[0], ""))


def _hosts(headers: Headers) -> list[str]:
    """Values of the Host header and of X-Forwarded-Host."""
    named = [*headers.getlist("host"), *headers.get("x-forwarded-host", "").split(",")]
    return [host.strip() for host in named if host.strip()]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
