"""Lessons: the list of all lessons, and one of them with its course, explanation and actions."""

import pandas as pd
import streamlit as st

from cssafe import queries, sample
from cssafe.language import _
from cssafe.presence.figure_text import TOO_SMALL
from cssafe.ui import common, filters
from cssafe.ui.lesson_actions import lesson_actions
from cssafe.ui.lesson_course import in_words, show_course, show_title
from cssafe.ui.lesson_factors import show_factors
from cssafe.ui.marker_responses import show_responses
from cssafe.ui.score_explanation import show_explanation
from cssafe.ui.seat_map import show_seats

common.start_page(_("Lessons"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.stop_without_match()

event = common.show_table(
    in_words(lessons),
    height=320 if len(lessons) > 8 else "content",
    on_select="rerun",
    selection_mode="single-row",
    key="list",
    column_order=[
        "name", "local", "concentration", "range", "seen_words", "interval", "minutes", "faces", "class_name", "subject",
        "room", "profile", "formula", "synthetic",
    ],
    column_config={
        "name": _("Lesson"),
        "local": st.column_config.DatetimeColumn(_("Start"), format=_("D MMM YYYY, HH:mm")),
        "concentration": st.column_config.NumberColumn(_("Concentration (0 to 100)"), format="%.0f"),
        "range": st.column_config.TextColumn(
            _("Range"), help=_("From: those who cannot be seen do not attend. To: they attend like the rest.")
        ),
        "seen_words": _("People"),
        "interval": st.column_config.TextColumn(_("95 % interval"), help=_("Over students like these")),
        "minutes": st.column_config.NumberColumn(_("Minutes"), help=_("Minutes with figures")),
        "faces": st.column_config.NumberColumn(_("Faces"), format="%.0f", help=_("Typical number seen at once")),
        "class_name": _("Class"),
        "subject": _("Subject"),
        "room": _("Room"),
        "profile": _("Profile"),
        "formula": _("Formula"),
        "synthetic": st.column_config.CheckboxColumn(_("Synthetic")),
    },
)  # fmt: skip
st.caption(_("Tick a row to see the lesson.") + " " + _(filters.VALIDITY))

if event.selection.rows and event.selection.rows[0] < len(lessons):
    st.query_params["lesson"] = str(lessons["lesson"].iloc[event.selection.rows[0]])
asked = st.query_params.get("lesson", str(lessons["lesson"].iloc[0]))
found = lessons[lessons["lesson"].astype(str) == asked]
if found.empty:
    st.warning(_("The lesson of this address is deleted, or hidden by the filter."), icon=":material/search_off:")
    st.stop()
lesson = found.iloc[0]
number = int(lesson["lesson"])
show_title(workspace, lesson)
course = queries.timeline(workspace, number)
if lesson["too_small"]:
    st.info(_(TOO_SMALL), icon=":material/zoom_in:")
    show_course(workspace, lesson, course)
elif course["concentration"].notna().any():
    show_course(workspace, lesson, course)
    show_factors(workspace, number)
    show_explanation(workspace, lesson, course)
    show_responses(workspace, number)
    if pd.notna(lesson["ended"]):
        show_seats(workspace, number, lesson["room"])
elif course.empty:
    st.info(_("No face was seen in this lesson."), icon=":material/info:")
else:
    st.info(filters.why_no_figures(found), icon=":material/group_off:")
lesson_actions(workspace, lesson)

if choices.synthetic and st.button(_("Remove the synthetic lessons"), icon=":material/science_off:"):
    sample.remove_term(workspace)
    st.query_params.pop("lesson", None)
    st.rerun()
