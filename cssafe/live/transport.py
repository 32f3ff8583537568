"""Which way the camera's pictures travel, and what follows when one does not work."""

import importlib
from dataclasses import dataclass, replace

import streamlit as st

from cssafe.live.camera import camera as websocket
from cssafe.live.engine import Engine
from cssafe.live.session import LiveLesson
from cssafe.settings import TRANSPORT_PATIENCE

AUTOMATIC = "automatic"
ORDER = ("websocket", "webrtc", "snapshot")
"""In which Automatic tries them: the surest first, and the one that asks most of the visitor last."""

NAMES = {AUTOMATIC: "Automatic", "websocket": "WebSocket", "webrtc": "WebRTC", "snapshot": "Single pictures"}


@dataclass(frozen=True)
class Transport:
    """chosen: by the visitor, a key of NAMES. used: one of ORDER. told: what happened on the way there, in words for the
    visitor."""

    chosen: str
    used: str
    told: str = ""

    @classmethod
    def choose(cls, chosen: str) -> "Transport":
        return cls(chosen, ORDER[0] if chosen == AUTOMATIC else chosen)

    @property
    def following(self) -> str | None:
        """What comes after the one in use; None after the last."""
        return ORDER[ORDER.index(self.used) + 1] if self.used != ORDER[-1] else None

    def fall_back(self) -> "Transport":
        """To the following one."""
        assert self.following is not None, "there is nothing after the last"
        told = f"{self.trouble} The camera now uses: {NAMES[self.following]}."
        return replace(self, used=self.following, told=told)

    @property
    def trouble(self) -> str:
        return f"No result came by {NAMES[self.used]} within {TRANSPORT_PATIENCE:.0f} seconds."


def camera(lesson: LiveLesson, engine: Engine) -> None:
    """The camera by the lesson's transport, what is in use, and another choice; a change does not end the lesson."""
    transport: Transport = st.session_state["transport"]
    if transport.used == "websocket":
        stalled = websocket(lesson)
    else:  # imported when needed: most visitors never do
        stalled = importlib.import_module(f"cssafe.live.{transport.used}").camera(lesson, engine)
    if stalled and transport.following:
        if transport.chosen == AUTOMATIC:
            _take(transport.fall_back())
            st.rerun()
        st.warning(f"{transport.trouble} Another way may work on this network.", icon=":material/sync_problem:")
        st.button(f"Use {NAMES[transport.following]}", on_click=_take, args=(Transport.choose(transport.following),))
    if transport.told:
        st.info(transport.told, icon=":material/sync:")
    _choice(transport)


def _choice(transport: Transport) -> None:
    how = ", chosen automatically" if transport.chosen == AUTOMATIC else ""
    with st.popover(f"Camera connection: {NAMES[transport.used]}{how}", icon=":material/cable:"):
        picked = st.selectbox(
            "Camera connection", NAMES, list(NAMES).index(transport.chosen), format_func=NAMES.__getitem__
        )
        st.caption("The lesson goes on when you change it.")
    if picked != transport.chosen:
        _take(Transport.choose(picked))
        st.rerun()


def _take(transport: Transport) -> None:
    st.session_state["transport"] = transport
