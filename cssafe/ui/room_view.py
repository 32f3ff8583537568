"""Room: the lesson of the room camera while it runs."""

import base64
from zoneinfo import ZoneInfo

import streamlit as st

from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.room_camera import CameraReader
from cssafe.media import hide_password
from cssafe.names import escape_markdown, escape_sentence
from cssafe.store import StoreError
from cssafe.ui import anonymization_choice, filters, lesson_panel, shared_views

STATES = {
    "connecting": (":material/sync:", N_("Connecting to the camera …")),
    "live": (":material/fiber_manual_record:", N_("Live")),
    "lost": (":material/videocam_off:", N_("The camera is lost. It is tried again; the lesson goes on.")),
    "ended": (":material/stop_circle:", N_("Ended")),
}


def show_room_lesson(capture: CameraReader) -> None:
    """Picture, controls and figures of the running lesson."""
    left, right = st.columns([3, 2], gap="medium")
    lesson = capture.lesson
    with left:
        st.markdown(f"**{escape_markdown(lesson.lesson.name)}**")
        st.text(hide_password(capture.source))
        if complaint := st.session_state.pop("complaint", ""):
            st.error(escape_sentence(complaint), icon=":material/error:")
        _show_picture(capture)
        lesson.way = anonymization_choice.choose_anonymization("class")
        lesson_panel.activity_switch(lesson)
        lesson_panel.marker_buttons(lesson)
        st.button(_("End lesson"), type="primary", icon=":material/stop_circle:", on_click=_end_lesson, width="stretch")
        if until := services.current().room().ends_at():
            zone = lesson.lesson.time_zone
            ends = _("Ends by itself at {end:%H:%M} ({zone}), with or without this page.")
            st.caption(ends.format(end=until.astimezone(ZoneInfo(zone)), zone=zone))
        else:
            st.caption(_("Goes on until somebody ends it, with or without this page."))
    with right:
        lesson_panel.show_figures(lesson)
        shared_views.show_suggestions(lesson)
        shared_views.other_devices(lesson, "room")
    st.caption(f"{_(lesson_panel.DASHED)} {_(filters.VALIDITY)}")


@st.fragment(run_every=1)
def _show_picture(capture: CameraReader) -> None:
    """The state of the camera and its newest picture, once a second."""
    icon, words = STATES[capture.state]
    st.markdown(f"{icon} {_(words)}")
    if capture.problem:
        st.warning(escape_sentence(capture.problem), icon=":material/videocam_off:")
    if preview := capture.preview():
        # A data URI, because Streamlit keeps the files of pictures until the page is loaded again.
        st.image("data:image/jpeg;base64," + base64.b64encode(preview).decode(), width="stretch")


def _end_lesson() -> None:
    try:
        services.current().room().end()
    except StoreError as error:
        st.session_state["complaint"] = str(error)
