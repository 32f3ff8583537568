"""Phone: the running lesson of a class for its teacher: one figure, hints, activity, markers."""

import streamlit as st

from cssafe.language import _
from cssafe.live.lesson import LiveLesson
from cssafe.names import escape_markdown, escape_sentence
from cssafe.ui import common
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import activity_switch, format_reading, marker_buttons
from cssafe.ui.shared_views import require_lesson, show_hint, show_suggestions


@st.fragment(run_every=1)
def show_class(lesson: LiveLesson) -> None:
    """The class at this moment."""
    view = lesson.state()
    if view.ended:
        st.rerun()
    reading = view.reading
    value, below = format_reading(reading)
    st.metric(escape_markdown(lesson.lesson.name), value, below, delta_color="off", delta_arrow="off")
    mean = _("Mean concentration of {n} faces with its 95 % interval.").format(n=reading.measured)
    st.caption(reading.note or mean)
    if view.alert:
        show_hint(lesson, view.alert)
    if view.problem:
        st.error(escape_sentence(view.problem), icon=":material/error:")


shown = require_lesson("phone")
show_class(shown)
show_suggestions(shown)
activity_switch(shown)
marker_buttons(shown)
if not shown.profile.expression:
    st.caption(_(common.NO_EMOTION))
st.caption(_(VALIDITY))
