"""Live: start a lesson with a camera of the browser, see its figures, end it."""

import streamlit as st

from cssafe.language import _
from cssafe.live import services
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.choice import camera_with_fallback
from cssafe.names import escape_sentence
from cssafe.settings import ABSENCE_TIMEOUT_S
from cssafe.ui import anonymization_choice, common, filters, lesson_panel, live_form, shared_views

common.start_page(_("Live"))
workspace = common.workspace()
lesson: LiveLesson | None = st.session_state.get("lesson")
if lesson is not None and lesson.workspace is not workspace:  # closed meanwhile, as start_page has said
    lesson = None

if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif lesson is None:
    live_form.live_form(workspace)
elif lesson.ended is None:
    picture, numbers = st.columns([3, 2], gap="medium")
    with picture:
        video = st.container()
        lesson.way = anonymization_choice.choose_anonymization(lesson.lesson.audience)
        with video:
            camera_with_fallback(lesson, services.current().engine())
        lesson_panel.activity_switch(lesson)
        lesson_panel.marker_buttons(lesson)
        st.button(_("End lesson"), type="primary", icon=":material/stop_circle:", on_click=lesson.end, width="stretch")
    with numbers:
        lesson_panel.show_figures(lesson)
        shared_views.show_suggestions(lesson)
        shared_views.other_devices(lesson)
    st.caption(f"{_(lesson_panel.DASHED)} {_(filters.VALIDITY)}")
else:
    if lesson.expired:
        away = _("The lesson ended by itself: its camera was away for {minutes:.0f} minutes.")
        st.info(away.format(minutes=ABSENCE_TIMEOUT_S / 60), icon=":material/timer_off:")
    lesson_panel.show_recorded(lesson)
    if st.button(_("Another lesson"), icon=":material/replay:"):
        del st.session_state["lesson"]
        st.rerun()
