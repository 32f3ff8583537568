"""Lessons: all of them, the course of one, rename, delete, download."""

import pandas as pd
import streamlit as st

from cssafe import charts, queries, readings, sample, ui
from cssafe.settings import PROFILES, ROOT
from pages import filters, responding, seating, why

ui.page("Lessons")
workspace, profile = ui.workspace(), ui.settings().profile
choices = filters.guard(workspace)
which = filters.which(choices)
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.nothing()

ends = zip(lessons["low"], lessons["high"], strict=True)
event = st.dataframe(
    lessons.assign(interval=["" if pd.isna(low) else f"{low:.2f} to {high:.2f}" for low, high in ends]),
    hide_index=True,
    height=320 if len(lessons) > 8 else "content",
    on_select="rerun",
    selection_mode="single-row",
    key="list",
    column_order=[
        "name", "local", "concentration", "interval", "minutes", "faces", "class_name", "subject", "room", "profile",
        "formula", "synthetic",
    ],
    column_config={
        "name": "Lesson",
        "local": st.column_config.DatetimeColumn("Start", format="D MMM YYYY, HH:mm"),
        "concentration": st.column_config.NumberColumn("Concentration", format="%.2f"),
        "interval": st.column_config.TextColumn("95 % interval", help="Over the lesson's faces"),
        "minutes": st.column_config.NumberColumn("Minutes", help="Minutes with figures"),
        "faces": st.column_config.NumberColumn("Faces", format="%.0f", help="Typical number seen at once"),
        "class_name": "Class",
        "subject": "Subject",
        "room": "Room",
        "profile": "Profile",
        "formula": "Formula",
        "synthetic": st.column_config.CheckboxColumn("Synthetic"),
    },
)  # fmt: skip
st.caption("Tick a row to see the lesson. " + filters.VALIDITY)

if event.selection.rows and event.selection.rows[0] < len(lessons):
    st.query_params["lesson"] = str(lessons["lesson"].iloc[event.selection.rows[0]])
asked = st.query_params.get("lesson", str(lessons["lesson"].iloc[0]))
found = lessons[lessons["lesson"].astype(str) == asked]
if found.empty:
    st.warning("The lesson of this address is deleted, or left out by the filter.", icon=":material/search_off:")
    st.stop()
lesson = found.iloc[0]
number = int(lesson["lesson"])

st.subheader(lesson["name"] + (" (synthetic)" if lesson["synthetic"] else ""))
end = f"{lesson['ended']:%H:%M}" if pd.notna(lesson["ended"]) else "still running"
place = ", ".join(filter(None, [lesson["class_name"], lesson["subject"], lesson["room"]]))
st.text(f"{lesson['local']:%A %d %B %Y, %H:%M} to {end} ({lesson['time_zone']}), {place}")
course = queries.timeline(workspace, number)
if course["concentration"].notna().any():
    if pd.notna(lesson["concentration"]):
        with st.container(horizontal=True):
            known = (
                "one face, few minutes: no interval"
                if pd.isna(lesson["low"])
                else (f"95 % interval {charts.between(lesson['low'], lesson['high'])}")
            )
            figures = [("Concentration", f"{lesson['concentration']:.2f}", known)]
            figures += [
                ("Minutes", f"{lesson['minutes']}", "with figures"),
                ("Faces", f"{lesson['faces']:.0f}", "at once"),
            ]
            for title, value, below in figures:
                st.metric(title, value, below, "off", delta_arrow="off", width="content")
    ui.chart(
        charts.timeline(course, queries.markers(workspace, number)),
        readings.timeline(course),
        course,
        key="timeline",
        how="How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, "
        f"dashed lines are your markers. Gaps: too few faces. Formula: {lesson['formula']}.",
    )
    why.explain(workspace, lesson)
    responding.respond(workspace, number)
    seating.seating(workspace, number, lesson["room"])
elif course.empty:
    st.info("No face was seen in this lesson.", icon=":material/info:")
else:
    st.info(filters.too_few(), icon=":material/group_off:")

with st.container(horizontal=True):
    st.page_link(
        ROOT / "pages/story.py", label="Story", icon=":material/auto_stories:", query_params={"lesson": str(number)}
    )
    why.correct(workspace, lesson)
    with st.popover("Rename", icon=":material/edit:"), st.form("rename", border=False):
        name = st.text_input("Name", lesson["name"], max_chars=80)
        if st.form_submit_button("Save"):
            if name.strip():
                workspace.rename(number, name)
                st.rerun()
            st.error("A lesson needs a name. Type one and save again.", icon=":material/error:")
    for suffix, mime in {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}.items():

        def content(suffix: str = suffix) -> bytes:
            rows = queries.export(workspace, number)
            return rows.to_csv(index=False).encode() if suffix == "csv" else rows.to_parquet(None, index=False)

        st.download_button(
            suffix.upper() if suffix == "csv" else "Parquet",
            content,
            f"lesson-{number}{'-synthetic' if lesson['synthetic'] else ''}.{suffix}",
            mime,
            on_click="ignore",
            icon=":material/download:",
        )
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(
            "This takes the lesson, its observations and its markers out of every table and chart, for good. Files "
            "that were downloaded stay where they are. "
            + (
                "The database file is then written anew, so that no trace of it is left; a large one takes a while."
                if profile.stored
                else "As this workspace is only in memory, nothing remains."
            )
        )
        if st.button("Delete this lesson", type="primary"):
            with st.spinner("Deleting the lesson, and writing the database anew without it …"):
                workspace.delete(number)
            st.query_params.pop("lesson", None)
            st.rerun()
if PROFILES[lesson["profile"]].individuals:
    st.caption(
        "The files hold one row for each face and second. Faces are numbers, never names; pass them on with care."
    )
else:
    st.caption("The files hold the means of the class for each second, never a single face.")

if choices.synthetic and st.button("Remove the synthetic lessons", icon=":material/science_off:"):
    sample.remove(workspace)
    st.query_params.pop("lesson", None)
    st.rerun()
