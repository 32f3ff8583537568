"""The browser's half of the camera as a Streamlit component: camera.html, camera.css, drawing.js and camera.js beside it."""

from pathlib import Path

import streamlit as st

from cssafe import privacy
from cssafe.labels import FERPLUS, LEVELS
from cssafe.language import N_, _, ngettext
from cssafe.live.engine import UNREAD
from cssafe.live.lesson import FRAMES, NOT_SCORED, LiveLesson
from cssafe.live.transports import websocket
from cssafe.settings import MAX_FRAME_BYTES, OVERLAY_TIMEOUT_S, TRANSPORT_TIMEOUT_S

SIZES = {"self": (640, 480), "class": (1280, 720)}
"""Width and height to ask of the camera, pixels: a face at a desk is large, thirty in a room are not. What it gives may
differ."""

WORDS = {
    "insecure": N_(
        "The browser gives the camera only to secure pages. Open this page by its https:// address, or as http://localhost "
        "on this computer."
    ),
    "asking": N_("Your browser asks whether this page may use the camera. Choose Allow."),
    "refused": N_(
        "The camera was refused. Allow it beside the page\u2019s address (camera or lock symbol), then try again."
    ),
    "none": N_("No camera was found. Connect one, then try again."),
    "busy": N_(
        "The camera is in use by another program. Close that program (a video call, for instance), then try again."
    ),
    "broken": N_(
        "The camera could not be started. Unplug it and connect it again, or choose another browser, then try again."
    ),
    "stopped": N_("The camera stopped sending. Connect it again, then try again."),
    "connecting": N_("Connecting…"),
    "reconnecting": N_("The connection is lost. Trying again…"),
    "loading": N_("Loading the networks…"),
    "over": N_(
        "This lesson is over, or another page has taken over its camera. Choose End lesson, then start a new one."
    ),
    "again": N_("Try again"),
    "slow": websocket.BUSY,
    "concentration": N_("concentration {value}, {level}"),
}
"""What camera.js says."""

CODES = {"refused": websocket.REFUSED, "too_large": websocket.TOO_LARGE, "flooded": websocket.FLOODED}
"""Close codes that camera.js tells apart."""

TOLD = (
    *FERPLUS,
    *LEVELS,
    N_("no score"),
    *NOT_SCORED.values(),
    UNREAD,
    websocket.NOT_HERE,
    websocket.NO_TOKEN,
    websocket.ENDED,
    websocket.OVER,
    websocket.TOO_FAST,
    websocket.NO_PICTURE,
    websocket.NO_JPEG,
    websocket.TOO_WIDE,
)
"""What the server tells it, besides privacy.told."""


def told() -> dict[str, str]:
    """The server's words to the camera -> the same in the language of the page."""
    return {words: _(words) for words in TOLD} | privacy.told()


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_camera = st.components.v2.component(
    "cssafe_camera",
    html=_read("camera.html"),
    css=_read("camera.css"),
    js=_read("drawing.js") + _read("camera.js"),  # a component is one module
)


def camera(lesson: LiveLesson) -> bool:
    """Show the camera and send its frames for this lesson; it stops when the page no longer calls this.

    Returns:
        Whether this way in has stalled: no first result within TRANSPORT_TIMEOUT_S of the camera's start (the time in which
        the networks load does not count). The page runs again when that becomes so, when a result comes after all, and when
        the networks turn out not to load, which it then says in its own language (`services.problem`).
    """
    width, height = SIZES[lesson.lesson.audience]
    words = {name: _(text) for name, text in WORDS.items()}
    words |= {name: ngettext("{n} face", "{n} faces", n) for n, name in ((1, "face"), (2, "faces"))}
    state = _camera(
        key=f"camera_{lesson.number}",
        data={
            "token": lesson.token,
            "width": width,
            "height": height,
            "limit": MAX_FRAME_BYTES,
            "rate": FRAMES,
            "timeout": round(1000 * TRANSPORT_TIMEOUT_S),
            "stale": round(1000 * OVERLAY_TIMEOUT_S),
            "codes": CODES,
            "way": lesson.way,
            "words": words,
            "told": told(),
        },
        default={"stalled": False, "failed": False},
        on_stalled_change=lambda: None,
        on_failed_change=lambda: None,
    )
    return bool(state.stalled)
