"""The web app: `streamlit run app.py`. Pages are in pages/, their shared code in cssafe/."""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from cssafe import errors, settings
from cssafe.live.transports import websocket
from cssafe.web import headers, hosts, process, sockets, uploads

if TYPE_CHECKING:
    from cssafe.live.services import Services

MultiPartParser.spool_max_size = (settings.MAX_UPLOAD_MB + 1) * 1024 * 1024
"""No upload touches the disk: Starlette would put files above 1 MB into a temporary file. Streamlit refuses larger ones."""

HEAD_START_S = 1.5
"""Delay of the networks' loading: the first page needs the same two cores. They are ready before a form is filled in, and a
camera that comes sooner starts them at once."""


def services() -> "Services":
    """The process's services. Their module is imported at the first use: pandas and the networks' runtime come with it, which
    take as long as a browser takes to fetch the first page."""
    return importlib.import_module("cssafe.live.services").current()


def explain_error(error: Exception) -> bool:
    return importlib.import_module("cssafe.ui.common").show_error(error)


def active_settings() -> settings.Settings:
    """The environment's settings; the defaults where they cannot be used, and the pages then say why."""
    try:
        return settings.load()
    except errors.ConfigurationError:
        return settings.load({})


def host_rules() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Patterns of accepted host names and of further origins."""
    given = (st.get_option("server.address"), st.get_option("browser.serverAddress"))
    return hosts.host_patterns(active_settings(), filter(None, given)), active_settings().origins


def uploaded_bytes() -> dict[str, int]:
    """Session -> total size of its uploaded files."""
    manager = get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager), "uploads are kept in memory"
    kept = manager.file_storage
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in list(kept.items())}


def upload_limits() -> tuple[int, int]:
    return settings.HOSTED_UPLOADS_MB if active_settings().hosted else settings.LOCAL_UPLOADS_MB


@cache
def policy() -> str:
    """The Content-Security-Policy."""
    page = Path(st.__file__).parent / "static" / "index.html"
    return headers.policy(page.read_text(encoding="utf-8"), active_settings())


def prepare() -> None:
    """Load in the background, in the order of need: the pages' modules, the networks, the charts."""
    importlib.import_module("cssafe.ui.common")
    time.sleep(HEAD_START_S)
    services().open()
    for module in ("cssafe.charts.live", "cssafe.charts.timelines"):
        importlib.import_module(module)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    process.limit_log()
    process.allow_connections()
    opening = asyncio.get_running_loop().run_in_executor(None, prepare)
    try:
        yield
    finally:
        await opening
        await asyncio.to_thread(services().close)


app = st.App(
    "cssafe/ui/site.py",
    routes=websocket.routes(
        lambda: services().engine(),
        lambda token: services().find(token),
        lambda: settings.load().origins,
        lambda: importlib.import_module("cssafe.live.health").report(),
    ),
    middleware=[
        Middleware(headers.SecurityHeaders, policy=policy),
        Middleware(hosts.HostCheck, rules=host_rules),
        Middleware(sockets.SocketLimit),
        Middleware(uploads.UploadLimit, held=uploaded_bytes, limits=upload_limits),
    ],
    lifespan=lifespan,
    on_script_error=explain_error,
)
