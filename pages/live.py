"""Live: start a lesson with a camera of the browser, see its figures, end it."""

import streamlit as st

from cssafe.language import _
from cssafe.live import services
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.choice import camera_with_fallback
from cssafe.names import escape_sentence
from cssafe.settings import ABSENCE_TIMEOUT_S
from cssafe.ui import common
from cssafe.ui.anonymization_choice import choose_anonymization
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import DASHED, activity_switch, marker_buttons, show_figures, show_recorded
from cssafe.ui.live_form import live_form
from cssafe.ui.shared_views import other_devices, show_suggestions

common.start_page(_("Live"))
workspace = common.workspace()
lesson: LiveLesson | None = st.session_state.get("lesson")
if lesson is not None and lesson.workspace is not workspace:  # closed meanwhile, as start_page has said
    lesson = None

if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif lesson is None:
    live_form(workspace)
elif lesson.ended is None:
    picture, numbers = st.columns([3, 2], gap="medium")
    with picture:
        video = st.container()
        lesson.way = choose_anonymization(lesson.lesson.audience)
        with video:
            camera_with_fallback(lesson, services.current().engine())
        activity_switch(lesson)
        marker_buttons(lesson)
        st.button(_("End lesson"), type="primary", icon=":material/stop_circle:", on_click=lesson.end, width="stretch")
    with numbers:
        show_figures(lesson)
        show_suggestions(lesson)
        other_devices(lesson)
    st.caption(f"{_(DASHED)} {_(VALIDITY)}")
else:
    if lesson.expired:
        away = _("The lesson ended by itself: its camera was away for {minutes:.0f} minutes.")
        st.info(away.format(minutes=ABSENCE_TIMEOUT_S / 60), icon=":material/timer_off:")
    show_recorded(lesson)
    if st.button(_("Another lesson"), icon=":material/replay:"):
        del st.session_state["lesson"]
        st.rerun()
