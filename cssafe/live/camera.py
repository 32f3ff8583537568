"""The browser's half of the camera as a Streamlit component: camera.html, camera.css, drawing.js and camera.js beside it."""

from pathlib import Path

import streamlit as st

from cssafe.live.session import LiveLesson
from cssafe.settings import FRAME_LIMIT

SIZES = {"self": (640, 480), "class": (1280, 720)}
"""Width and height to ask of the camera, pixels: a face at a desk is large, thirty in a room are not. What it gives may
differ."""


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
        Whether this way in has stalled: no first result within 8 s of the camera's start (the time in which the networks
        load does not count). The page runs again when that becomes so, and when a result comes after all.
    """
    width, height = SIZES[lesson.lesson.audience]
    state = _camera(
        key=f"camera_{lesson.number}",
        data={"token": lesson.token, "width": width, "height": height, "limit": FRAME_LIMIT, "way": lesson.way},
        default={"stalled": False},
        on_stalled_change=lambda: None,
    )
    return bool(state.stalled)
