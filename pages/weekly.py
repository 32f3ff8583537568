"""Weekly: at which weekday and hour, or period of the school, concentration was high."""

from datetime import time

import pandas as pd
import streamlit as st

from cssafe import charts, queries, ui
from cssafe import periods as school
from cssafe.settings import ROOT
from pages import filters

ui.page("Weekly")
workspace = ui.workspace()
choices = filters.guard(workspace)
saved = workspace.get("periods", [])

rows = st.segmented_control(
    "Rows",
    ["hours", "periods"],
    default="periods" if saved else "hours",
    required=True,
    format_func={"hours": "Hours", "periods": "The school's periods"}.get,
    key="rows",
    bind="query-params",
)
if rows == "periods":
    with st.expander("The school's periods", expanded=not saved, icon=":material/schedule:"):
        empty = {"name": "1", "start": "08:00", "end": "08:45"}
        table = pd.DataFrame(saved or [empty])
        for end in ("start", "end"):
            table[end] = [time.fromisoformat(value) for value in table[end]]
        edited = st.data_editor(
            table,
            num_rows="dynamic",
            hide_index=True,
            key="periods",
            column_config={
                "name": st.column_config.TextColumn("Period", required=True, max_chars=20),
                "start": st.column_config.TimeColumn("Start", format="HH:mm", required=True),
                "end": st.column_config.TimeColumn("End", format="HH:mm", required=True),
            },
        )
        if st.button("Save periods", icon=":material/save:"):
            try:
                workspace.set("periods", school.read(edited.to_dict("records")))
            except ValueError as error:
                st.error(str(error), icon=":material/error:")
            else:
                st.rerun()
periods = saved if rows == "periods" else []
if rows == "periods" and not saved:
    st.info("Enter the school's periods and save them; until then hours are shown.", icon=":material/info:")

which = filters.which(choices)
cells = queries.weekly(workspace, periods, which)
if cells.empty:
    if queries.lessons(workspace, which).empty:
        filters.nothing()
    outside = " Or all of it lies outside the periods you entered." if periods else ""
    st.info(filters.TOO_FEW + outside, icon=":material/group_off:")
    st.stop()

st.subheader("Mean concentration" + (" (synthetic)" if cells["synthetic"].any() else ""))
event = st.altair_chart(
    charts.weekly(cells), on_select="rerun", key="heatmap", alt="Heatmap of mean concentration by weekday and period"
)
st.caption(
    "How to read it: each cell has the mean over the minutes observed at that weekday and time (on the lesson's own "
    "clock), and their number; blue is higher, orange lower within this table. Hollow cells rest on less than "
    f"{charts.THIN_MINUTES} minutes or fewer than {charts.THIN_LESSONS} lessons; empty ones were never observed. Class "
    "and subject differ from cell to cell: filter before you compare. " + filters.VALIDITY
)

if not (picked := event.selection["cell"]):
    st.caption("Pick a cell to see its lessons, its interval and its minutes.")
    st.stop()
weekday, period = picked[0]["weekday"], picked[0]["period"]
lessons = queries.cell(workspace, weekday, period, periods, which)
st.subheader(f"{charts.WEEKDAYS[weekday - 1]}, {period}")
figures = cells[(cells["weekday"] == weekday) & (cells["period"] == period)]
for row in figures.itertuples():
    interval = (
        "no interval, as there is one lesson" if pd.isna(row.low) else f"95 % interval {row.low:.2f} to {row.high:.2f}"
    )
    st.markdown(f"Mean {row.concentration:.2f} ({interval}), {row.minutes} observed minutes, {row.lessons} lessons.")
chosen = st.dataframe(
    lessons,
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    column_order=["local", "name", "class_name", "subject", "minutes", "faces", "concentration", "synthetic"],
    column_config={
        "local": st.column_config.DatetimeColumn("Start", format="D MMM YYYY, HH:mm"),
        "name": "Lesson",
        "class_name": "Class",
        "subject": "Subject",
        "minutes": st.column_config.NumberColumn("Minutes in this cell"),
        "faces": st.column_config.NumberColumn("Faces", format="%.0f"),
        "concentration": st.column_config.NumberColumn("Concentration", format="%.2f"),
        "synthetic": st.column_config.CheckboxColumn("Synthetic"),
    },
)
if selected := chosen.selection.rows:
    st.switch_page(ROOT / "pages/lessons.py", query_params={"lesson": str(lessons["lesson"].iloc[selected[0]])})
st.caption("Tick a row to open the lesson.")
