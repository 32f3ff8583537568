"""Limits of the server process: open connections, repeated log lines."""

import logging
import time

MAX_OPEN_FILES = 8192
"""File handles of the process, one a connection. As many half-open requests use up the usual 1,024. One takes 4 kB
(measured with 3,000), so 8,192 take about 30 MB."""

MAX_LINES_PER_MINUTE = 5
"""Log lines of the same text; further ones are counted."""

MAX_TEXTS = 1000
"""Different texts in memory."""

LOGGERS = (
    "asyncio",
    "cssafe.web.hosts",
    "cssafe.web.sockets",
    "uvicorn.error",
    "streamlit.web.server.starlette.starlette_routes",
    "streamlit.web.server.starlette.starlette_websocket",
)
"""Loggers whose lines a stranger can cause."""


class RepeatFilter(logging.Filter):
    """Passes MAX_LINES_PER_MINUTE records of the same text; the next minute's first says how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}  # text -> when its minute began, records since

    def filter(self, record: logging.LogRecord) -> bool:
        text, now = str(record.msg), time.monotonic()
        begun, count = self._seen.get(text, (now, 0))
        if now - begun >= 60:
            if count > MAX_LINES_PER_MINUTE:
                record.msg = f"{text} ({count - MAX_LINES_PER_MINUTE} more of these were left out)"
            begun, count = now, 0
        if len(self._seen) >= MAX_TEXTS:
            self._seen.clear()
        self._seen[text] = begun, count + 1
        return count < MAX_LINES_PER_MINUTE


def limit_log() -> None:
    """Add the filter to LOGGERS."""
    repeats = RepeatFilter()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(repeats)


def allow_connections() -> None:
    """Raise the limit of open files to MAX_OPEN_FILES, or to the system's own limit."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if most == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
