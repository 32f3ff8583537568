"""Room: the camera of this computer, its running lesson, and the timetable that starts lessons."""

import streamlit as st

from cssafe.language import _
from cssafe.live import services
from cssafe.live.room_camera import HOSTED, CameraReader
from cssafe.names import escape_sentence
from cssafe.ui import common, lesson_panel, room_form, room_timetable_editor, room_view

common.start_page(_("Room"))
workspace, settings, room = common.workspace(), common.settings(), services.current().room()
if settings.hosted:
    st.info(_(HOSTED), icon=":material/cloud:")
    st.stop()


def visible(capture: CameraReader) -> bool:
    """Whether this visit may see the lesson: where nothing is stored, only the visit that started it."""
    return settings.profile.stored or capture.lesson.workspace is workspace


running = room.running()
if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif running is not None and visible(running):
    room_view.show_room_lesson(running)
elif running is not None:
    st.info(
        _("The room camera is in use by another visit. Wait until its lesson is over."), icon=":material/hourglass:"
    )
else:
    if room.reader is not None and visible(room.reader):
        lesson_panel.show_recorded(room.reader.lesson)
    room_form.room_form(workspace)
if settings.profile.stored:
    room_timetable_editor.edit_room_timetable(workspace)
