"""The camera in the browser as a Streamlit component: camera.html, camera.css, overlay.js, drawing.js and camera.js."""

from pathlib import Path

import streamlit as st

from cssafe import labels
from cssafe.colours import LEVELS, UNREAD
from cssafe.language import N_, _, ngettext
from cssafe.live.camera_lease import MAX_FRAMES_PER_S
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports import websocket
from cssafe.live.transports.messages import SENTENCES
from cssafe.settings import MAX_FRAME_BYTES, OVERLAY_TIMEOUT_S, TRANSPORT_TIMEOUT_S
from cssafe.vision.anonymize import COVER_CELLS, MASK_BGR
from cssafe.vision.drawing import MIN_LABEL_WIDTH_PX, MIN_LABELS_WIDTH_PX

CAMERA_SIZES = {"self": (640, 480), "class": (1280, 720)}
"""Width and height asked of the camera, pixels, by audience: a face at a desk is large, thirty in a room are not. The camera
may give another size."""

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
    "failed": N_("The networks could not be loaded. This page says why."),
    "over": N_(
        "This lesson is over, or another page has taken over its camera. Choose End lesson, then start a new one."
    ),
    "again": N_("Try again"),
    "concentration": N_("concentration {value}, {level}"),
}
"""Sentences of camera.js, by its states."""

CLOSE_CODES = {"refused": websocket.REFUSED, "too_large": websocket.TOO_LARGE, "flooded": websocket.FLOODED}
"""Close codes that camera.js tells apart."""

DRAWING = {
    "colours": LEVELS | {"unread": UNREAD},
    "cells": COVER_CELLS,
    "plain": "rgb({2}, {1}, {0})".format(*MASK_BGR),
    "narrowest": MIN_LABEL_WIDTH_PX,
    "short": MIN_LABELS_WIDTH_PX,
}
"""Colours and sizes of drawing.js, as vision.drawing and vision.anonymize have them."""


def texts() -> dict[str, dict[str, str]]:
    """Everything that the browser says, in the page's language. sentences: of notices and of the camera's states, by code.
    names: of emotions and levels. reasons: why a face is not measured, by code."""
    counted = {name: ngettext("{n} face", "{n} faces", n) for n, name in ((1, "face"), (2, "faces"))}
    return {
        "sentences": {code: _(text) for code, text in (SENTENCES | WORDS).items()} | counted,
        "names": {name: _(name) for name in (*labels.FERPLUS, *labels.LEVELS, N_("no score"))},
        "reasons": {code: _(text) for code, text in labels.REASONS.items()},
    }


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_camera = st.components.v2.component(
    "cssafe_camera",
    html=_read("camera.html"),
    css=_read("camera.css"),
    js="".join(map(_read, ("overlay.js", "drawing.js", "camera.js"))),  # a component is one module
)


def show_camera(lesson: LiveLesson) -> bool:
    """Show the camera and send its frames for this lesson; it stops when the page no longer calls this.

    Returns:
        Whether no first result came within TRANSPORT_TIMEOUT_S of the camera's start, without the time in which the networks
        load. The page runs again when that changes, and when the networks fail to load (`Services.problem`).
    """
    width, height = CAMERA_SIZES[lesson.lesson.audience]
    state = _camera(
        key=f"camera_{lesson.number}",
        data={
            "token": lesson.token,
            "width": width,
            "height": height,
            "limit": MAX_FRAME_BYTES,
            "rate": MAX_FRAMES_PER_S,
            "timeout": round(1000 * TRANSPORT_TIMEOUT_S),
            "stale": round(1000 * OVERLAY_TIMEOUT_S),
            "closeCodes": CLOSE_CODES,
            "way": lesson.way,
            "drawing": DRAWING,
        }
        | texts(),
        default={"stalled": False, "failed": False},
        on_stalled_change=lambda: None,
        on_failed_change=lambda: None,
    )
    return bool(state.stalled)
