"""Projector: the running lesson of a class in large type, for the class itself: no face, no name, no hint."""

import pandas as pd
import streamlit as st

from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.live.lesson import LiveLesson
from cssafe.names import escape_markdown
from cssafe.ui import common, filters, lesson_panel, shared_views

LARGE = """<div style="font-size: clamp(4rem, 17vw, 15rem); line-height: 1; font-weight: 600">{value}</div>
<div style="font-size: clamp(1.5rem, 4vw, 3.5rem); line-height: 1.3">{below}</div>"""
FONT_PX = 18  # of the charts' text, to be read from the last row (assumption)


@st.fragment(run_every=1)
def show_class(lesson: LiveLesson) -> None:
    """The class at this moment and in the last minutes."""
    from cssafe.charts import live  # Altair takes half a second, which an empty page need not wait for

    view = lesson.state()
    if view.ended:
        st.rerun()
    reading = view.reading
    large, course = st.columns([2, 3], gap="large", vertical_alignment="center")
    with large:
        value, below = lesson_panel.format_reading(reading, lesson.bands)
        st.html(LARGE.format(value=value, below=below))
        st.markdown(reading.note or lesson_panel.describe_reading(reading))
    with course:
        chart = live.last_minutes(view.history, lesson.bands, view.now).properties(height=230)
        large_writing = chart.configure_axis(labelFontSize=FONT_PX, titleFontSize=FONT_PX)
        common.show_chart(large_writing, live.last_minutes_caption(view.history), view.history, key="last_minutes")
        if lesson.profile.expression:
            shares = reading.expression or dict.fromkeys(FERPLUS, 0.0)
            emotions = live.emotions_now(shares).properties(height=260)
            large_writing = emotions.configure_axis(labelFontSize=FONT_PX, titleFontSize=FONT_PX)
            table = pd.DataFrame({"emotion": [_(name) for name in shares], "share": shares.values()})
            common.show_chart(large_writing, live.emotions_now_caption(reading.expression), table, key="emotions_now")


shown = shared_views.require_lesson("projector")
st.title(escape_markdown(shown.lesson.name))
if not shown.profile.expression:
    st.caption(_(common.NO_EMOTION))
show_class(shown)
st.caption(f"{_(lesson_panel.DASHED)} {_(filters.VALIDITY)}")
