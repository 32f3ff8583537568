"""Lessons: the list of all lessons, and one of them with its course, explanation and actions."""

import pandas as pd
import streamlit as st

from cssafe import queries, sample
from cssafe.charts.text import format_intervals
from cssafe.language import _
from cssafe.ui import common, filters, lesson_actions, lesson_course, marker_responses, score_explanation, seat_map

common.start_page(_("Lessons"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.stop_without_match()

ends = pd.Series(format_intervals(lessons["low"], lessons["high"]), lessons.index)
event = common.show_table(
    lessons.assign(interval=ends.where(lessons["low"].notna(), "")),
    height=320 if len(lessons) > 8 else "content",
    on_select="rerun",
    selection_mode="single-row",
    key="list",
    column_order=[
        "name", "local", "concentration", "interval", "minutes", "faces", "class_name", "subject", "room", "profile",
        "formula", "synthetic",
    ],
    column_config={
        "name": _("Lesson"),
        "local": st.column_config.DatetimeColumn(_("Start"), format=_("D MMM YYYY, HH:mm")),
        "concentration": st.column_config.NumberColumn(_("Concentration"), format="%.2f"),
        "interval": st.column_config.TextColumn(_("95 % interval"), help=_("Over the lesson's faces")),
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
lesson_course.show_title(workspace, lesson)
course = queries.timeline(workspace, number)
if course["concentration"].notna().any():
    lesson_course.show_course(workspace, lesson, course)
    score_explanation.show_explanation(workspace, lesson)
    marker_responses.show_responses(workspace, number)
    if pd.notna(lesson["ended"]):
        seat_map.show_seats(workspace, number, lesson["room"])
elif course.empty:
    st.info(_("No face was seen in this lesson."), icon=":material/info:")
else:
    st.info(filters.why_no_figures(found), icon=":material/group_off:")
lesson_actions.lesson_actions(workspace, lesson)

if choices.synthetic and st.button(_("Remove the synthetic lessons"), icon=":material/science_off:"):
    sample.remove_term(workspace)
    st.query_params.pop("lesson", None)
    st.rerun()
