"""Weekly: at which weekday and hour, or period of the school, concentration was high."""

from datetime import time

import pandas as pd
import streamlit as st

from cssafe import charts, queries
from cssafe.charts import captions
from cssafe.language import _, ngettext
from cssafe.names import escape_markdown, escape_sentence
from cssafe.school import periods as school
from cssafe.settings import ROOT
from cssafe.ui import common, filters

common.page(_("Weekly"))
workspace = common.workspace()
choices = filters.guard(workspace)
which = filters.which(choices)
saved = workspace.get("periods", [])

rows = st.segmented_control(
    _("Rows"),
    ["hours", "periods"],
    default="periods" if saved else "hours",
    required=True,
    format_func={"hours": _("Hours"), "periods": _("The school's periods")}.get,
    key="rows",
    bind="query-params",
)
if rows == "periods":
    with st.expander(_("The school's periods"), expanded=not saved, icon=":material/schedule:"):
        empty = {"name": "1", "start": "08:00", "end": "08:45"}
        table = pd.DataFrame(saved or [empty])
        for end in ("start", "end"):
            table[end] = [time.fromisoformat(value) for value in table[end]]
        edited = common.edit_table(
            table,
            key="periods",
            num_rows="dynamic",
            column_config={
                "name": st.column_config.TextColumn(_("Period"), required=True, max_chars=20),
                "start": st.column_config.TimeColumn(_("Start"), format="HH:mm", required=True),
                "end": st.column_config.TimeColumn(_("End"), format="HH:mm", required=True),
            },
        )
        if st.button(_("Save periods"), icon=":material/save:"):
            try:
                workspace.set("periods", school.parse_periods(edited.to_dict("records")))
            except ValueError as error:
                st.error(escape_sentence(error), icon=":material/error:")
            else:
                st.rerun()
periods = saved if rows == "periods" else []
if rows == "periods" and not saved:
    st.info(_("Enter the school's periods and save them; until then hours are shown."), icon=":material/info:")

lessons = queries.lessons(workspace, which)
filters.left_out(lessons)
cells = queries.weekly(workspace, periods, which)
if cells.empty:
    if lessons.empty:
        filters.nothing()
    outside = _("Or all of it lies outside the periods you entered.") if periods else ""
    st.info(f"{filters.no_figures(lessons)} {outside}", icon=":material/group_off:")
    st.stop()

st.subheader(_("Mean concentration (synthetic)") if cells["synthetic"].any() else _("Mean concentration"))
how = _(
    "How to read it: each cell has the mean over the minutes observed at that weekday and time (on the lesson's own clock), "
    "and their number; blue is higher, yellow lower within this table. Hollow cells rest on less than {minutes} minutes or "
    "fewer than {lessons} lessons; empty ones were never observed. Class and subject differ from cell to cell: filter before "
    "you compare."
).format(minutes=charts.THIN_MINUTES, lessons=charts.THIN_LESSONS)
event = common.chart(
    charts.weekly(cells),
    captions.weekly(cells),
    cells.assign(weekday=[_(charts.WEEKDAYS[number - 1]) for number in cells["weekday"]]).drop(columns="start"),
    key="heatmap",
    how=f"{how} {_(filters.VALIDITY)}",
    on_select="rerun",
)

if not (picked := event.selection["cell"]):
    st.caption(_("Pick a cell to see its lessons, its interval and its minutes."))
    st.stop()
weekday, period = picked[0]["weekday"], picked[0]["period"]
lessons = queries.lessons_in_cell(workspace, weekday, period, periods, which)
st.subheader(f"{_(charts.WEEKDAYS[weekday - 1])}, {escape_markdown(period)}")
figures = cells[(cells["weekday"] == weekday) & (cells["period"] == period)]
for row in figures.itertuples():
    with st.container(horizontal=True):
        st.metric(
            _("Mean concentration"),
            f"{row.concentration:.2f}",
            _("no interval, as there is one lesson")
            if pd.isna(row.low)
            else _("95 % interval {interval}").format(interval=charts.between(row.low, row.high)),
            delta_color="off",
            delta_arrow="off",
            width="content",
        )
        lessons_behind = ngettext("{n} lesson", "{n} lessons", row.lessons).format(n=row.lessons)
        st.metric(_("Observed minutes"), row.minutes, lessons_behind, "off", delta_arrow="off", width="content")
chosen = common.show_table(
    lessons,
    key="lessons",
    on_select="rerun",
    selection_mode="single-row",
    column_order=["local", "name", "class_name", "subject", "minutes", "faces", "concentration", "synthetic"],
    column_config={
        "local": st.column_config.DatetimeColumn(_("Start"), format="D MMM YYYY, HH:mm"),
        "name": _("Lesson"),
        "class_name": _("Class"),
        "subject": _("Subject"),
        "minutes": st.column_config.NumberColumn(_("Minutes in this cell")),
        "faces": st.column_config.NumberColumn(_("Faces"), format="%.0f"),
        "concentration": st.column_config.NumberColumn(_("Concentration"), format="%.2f"),
        "synthetic": st.column_config.CheckboxColumn(_("Synthetic")),
    },
)
if selected := chosen.selection.rows:
    st.switch_page(ROOT / "pages/lessons.py", query_params={"lesson": str(lessons["lesson"].iloc[selected[0]])})
st.caption(_("Tick a row to open the lesson."))
