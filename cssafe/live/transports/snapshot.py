"""Single pictures (st.camera_input): the last resort, for networks that pass nothing but the page itself."""

from concurrent.futures import Future

import numpy as np
import streamlit as st

from cssafe.language import _, ngettext
from cssafe.live.engine import Answer, Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.messages import Overlay
from cssafe.media import MediaError, decode_image
from cssafe.presence.figure_text import format_headline
from cssafe.privacy import Anonymization
from cssafe.settings import ABSENCE_TIMEOUT_S
from cssafe.vision.anonymize import anonymize
from cssafe.vision.drawing import draw

SNAPSHOT_TIMEOUT_S = 30.0
"""Longest wait for one picture: the networks may still be loading, and others may be waiting too."""


def show_camera(lesson: LiveLesson, engine: Engine) -> bool:
    """Show the camera's button and the analysed picture. Always False: the visitor decides when to take a picture, so it never
    stalls."""
    taken = st.camera_input(_("Take a picture"), key=f"picture {lesson.number}", label_visibility="collapsed")
    if taken is None:
        st.caption(
            _(
                "Choose Take Photo. Each picture is analysed once and then counts as one second of the lesson; after "
                "{minutes:.0f} minutes without one the lesson ends."
            ).format(minutes=ABSENCE_TIMEOUT_S / 60)
        )
        return False
    try:
        image = decode_image(taken.getvalue())
        if st.session_state.get("taken", ("", None))[0] != taken.file_id:
            with st.spinner(_("The picture is being analysed…")):
                st.session_state["taken"] = taken.file_id, analyze(lesson, engine, image)
    except (MediaError, TimeoutError) as error:
        st.warning(str(error), icon=":material/warning:")
        return False
    overlay: Overlay = st.session_state["taken"][1]
    faces = len(overlay.faces)
    words = ngettext("{n} face", "{n} faces", faces).format(n=faces)
    if overlay.concentration is not None and overlay.level is not None:
        read = _("concentration {value}, {level}")
        words += " · " + read.format(value=format_headline(overlay.concentration), level=_(overlay.level))
    if overlay.notice is not None:
        words = str(overlay.notice)
    shown = draw(anonymize(image, np.array(overlay.covers), lesson.way), overlay.faces)
    st.image(shown, caption=words, channels="BGR", width="stretch")
    following = _("Choose Clear photo to take the next one.")
    if lesson.way != Anonymization.SHOWN:
        following += " " + _("The view above it is your browser's own and is not covered.")
    st.caption(following)
    return False


def analyze(lesson: LiveLesson, engine: Engine, image: np.ndarray) -> Overlay:
    """The overlay of a picture, which is one second of the lesson. image: uint8 (h, w, 3) BGR.

    Raises:
        MediaError: it could not be analysed.
        TimeoutError: the engine did not answer within SNAPSHOT_TIMEOUT_S.
        ConfigurationError: the networks could not be loaded.
    """
    analyzed: Future[Overlay] = Future()

    def deliver(answer: Answer) -> None:
        if answer.error is not None:
            analyzed.set_exception(answer.error)
        elif answer.result is not None:
            analyzed.set_result(lesson.add_result(answer.result))

    feed = lesson.lease.connect(deliver)
    try:
        engine.loaded.result(SNAPSHOT_TIMEOUT_S)
        engine.offer(feed, 0, image, lesson.clock.now())
        return analyzed.result(SNAPSHOT_TIMEOUT_S)
    except TimeoutError:
        raise TimeoutError(
            _(
                "The picture was not analysed within {seconds:.0f} seconds: the server is busy. Take another one in a "
                "minute."
            ).format(seconds=SNAPSHOT_TIMEOUT_S)
        ) from None
    finally:
        engine.leave(feed)
        lesson.lease.disconnect(feed)
