"""Phone: the running lesson of a class for its teacher: one figure, hints, activity, markers."""

import streamlit as st

from cssafe.language import _
from cssafe.live.lesson import LiveLesson
from cssafe.names import escape_markdown, escape_sentence
from cssafe.ui import common, filters, lesson_panel, shared_views


@st.fragment(run_every=1)
def show_class(lesson: LiveLesson) -> None:
    """The class at this moment."""
    view = lesson.state()
    if view.ended:
        st.rerun()
    reading = view.reading
    value, below = lesson_panel.format_reading(reading, lesson.bands)
    st.metric(escape_markdown(lesson.lesson.name), value, below, delta_color="off", delta_arrow="off")
    st.caption(reading.note or lesson_panel.describe_reading(reading))
    if view.alert:
        shared_views.show_hint(lesson, view.alert)
    if view.problem:
        st.error(escape_sentence(view.problem), icon=":material/error:")


shown = shared_views.require_lesson("phone")
show_class(shown)
shared_views.show_suggestions(shown)
lesson_panel.activity_switch(shown)
lesson_panel.marker_buttons(shown)
if not shown.profile.expression:
    st.caption(_(common.NO_EMOTION))
st.caption(_(filters.VALIDITY))
