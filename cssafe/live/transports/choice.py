"""Choice of the camera's transport, and fallback to the next when one does not work."""

import importlib
from dataclasses import dataclass, replace

import streamlit as st

from cssafe.language import N_, _
from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.websocket_component import show_camera as websocket
from cssafe.settings import TRANSPORT_TIMEOUT_S

AUTOMATIC = "automatic"
ORDER = ("websocket", "webrtc", "snapshot")
"""Order in which Automatic tries them: the surest first, the one that asks most of the visitor last."""

NAMES = {
    AUTOMATIC: N_("Automatic"),
    "websocket": N_("WebSocket"),
    "webrtc": N_("WebRTC"),
    "snapshot": N_("Single pictures"),
}


@dataclass(frozen=True)
class Transport:
    """chosen: by the visitor, a key of NAMES. used: one of ORDER. notice: why it was changed, in words for the
    visitor."""

    chosen: str
    used: str
    notice: str = ""

    @classmethod
    def choose(cls, chosen: str) -> "Transport":
        return cls(chosen, ORDER[0] if chosen == AUTOMATIC else chosen)

    @property
    def following(self) -> str | None:
        """The transport after the one in use; None after the last."""
        return ORDER[ORDER.index(self.used) + 1] if self.used != ORDER[-1] else None

    def fall_back(self) -> "Transport":
        """The following transport."""
        assert self.following is not None, "there is nothing after the last"
        now = _("The camera now uses: {way}.").format(way=_(NAMES[self.following]))
        return replace(self, used=self.following, notice=f"{self.trouble} {now}")

    @property
    def trouble(self) -> str:
        return _("No result came by {way} within {seconds:.0f} seconds.").format(
            way=_(NAMES[self.used]), seconds=TRANSPORT_TIMEOUT_S
        )


def camera_with_fallback(lesson: LiveLesson, engine: Engine) -> None:
    """Show the camera by the transport in use, and a choice of others; a change does not end the lesson."""
    transport: Transport = st.session_state["transport"]
    if transport.used == "websocket":
        stalled = websocket(lesson)
    else:  # imported when needed: most visitors never do
        stalled = importlib.import_module(f"cssafe.live.transports.{transport.used}").show_camera(lesson, engine)
    if stalled and transport.following:
        if transport.chosen == AUTOMATIC:
            _use(transport.fall_back())
            st.rerun()
        another = _("Another way may work on this network.")
        st.warning(f"{transport.trouble} {another}", icon=":material/sync_problem:")
        use = _("Use {way}").format(way=_(NAMES[transport.following]))
        st.button(use, on_click=_use, args=(Transport.choose(transport.following),))
    if transport.notice:
        st.info(transport.notice, icon=":material/sync:")
    _choice(transport)


def _choice(transport: Transport) -> None:
    used = _("Camera connection: {way}")
    if transport.chosen == AUTOMATIC:
        used = _("Camera connection: {way}, chosen automatically")
    with st.popover(used.format(way=_(NAMES[transport.used])), icon=":material/cable:"):
        picked = st.selectbox(
            _("Camera connection"), NAMES, list(NAMES).index(transport.chosen), format_func=lambda way: _(NAMES[way])
        )
        st.caption(_("The lesson goes on when you change it."))
    if picked != transport.chosen:
        _use(Transport.choose(picked))
        st.rerun()


def _use(transport: Transport) -> None:
    st.session_state["transport"] = transport
