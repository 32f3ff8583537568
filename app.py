"""The web app: `streamlit run app.py`. Pages are in pages/, what they share in cssafe/."""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

import streamlit as st
from starlette.formparsers import MultiPartParser

from cssafe import settings
from cssafe.live import websocket

MultiPartParser.spool_max_size = (settings.UPLOAD_LIMIT + 1) * 1024 * 1024
"""No upload touches the disk: Starlette would put whatever is larger than 1 MB into a temporary file. What is larger than
this Streamlit refuses."""

HEAD_START = 1.5
"""Seconds that the first page gets before the networks are loaded; both want the same two cores. They are ready before a
form is filled in, and a camera that comes sooner starts them at once."""


def services() -> ModuleType:
    """cssafe.services, imported at its first use: pandas and the networks' runtime come with it, which take as long as a
    browser takes to fetch the first page."""
    return importlib.import_module("cssafe.services")


def explain(error: Exception) -> bool:
    return importlib.import_module("cssafe.ui").explain(error)


def prepare() -> None:
    """Load in the background, in the order of need: what pages take, the networks, the charts."""
    importlib.import_module("cssafe.ui")
    time.sleep(HEAD_START)
    services().open()
    for module in ("cssafe.live.charts", "cssafe.charts"):
        importlib.import_module(module)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    opening = asyncio.get_running_loop().run_in_executor(None, prepare)
    try:
        yield
    finally:
        await opening
        await asyncio.to_thread(services().close)


app = st.App(
    "cssafe/site.py",
    routes=websocket.routes(
        lambda: services().engine(),
        lambda token: services().find(token),
        lambda: settings.read().origins,
        lambda: importlib.import_module("cssafe.health").report(),
    ),
    lifespan=lifespan,
    on_script_error=explain,
)
