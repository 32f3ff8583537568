"""Weekly: mean concentration by weekday and hour, or by period of the school."""

import streamlit as st

from cssafe import queries
from cssafe.charts import heatmaps
from cssafe.labels import WEEKDAYS
from cssafe.language import _
from cssafe.ui import common, filters, periods_editor, week_cell

common.start_page(_("Weekly"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)
saved = workspace.get("periods", [])

titles = {"hours": _("Hours"), "periods": _("The school's periods")}
rows = common.choose(_("Rows"), titles, "periods" if saved else "hours", "rows")
if rows == "periods":
    periods_editor.edit_periods(workspace)
periods = saved if rows == "periods" else []
if rows == "periods" and not saved:
    st.info(_("Enter the school's periods and save them; until then hours are shown."), icon=":material/info:")

lessons = queries.lessons(workspace, which)
filters.show_withheld(lessons)
cells = queries.weekly(workspace, periods, which)
if cells.empty:
    if lessons.empty:
        filters.stop_without_match()
    outside = _("Or all lessons are outside the periods you entered.") if periods else ""
    st.info(f"{filters.why_no_figures(lessons)} {outside}", icon=":material/group_off:")
    st.stop()

st.subheader(_("Mean concentration (synthetic)") if cells["synthetic"].any() else _("Mean concentration"))
how = _(
    "How to read it: each cell has the mean over the minutes observed at that weekday and time (in the lesson's time zone), "
    "and their number; blue is higher, yellow lower within this table. Hollow cells have less than {minutes} minutes or fewer "
    "than {lessons} lessons; empty ones were never observed. Class and subject differ from cell to cell: filter before you "
    "compare."
).format(minutes=heatmaps.MIN_CELL_MINUTES, lessons=heatmaps.MIN_CELL_LESSONS)
event = common.show_chart(
    heatmaps.weekly(cells),
    heatmaps.weekly_caption(cells),
    cells.assign(weekday=[_(WEEKDAYS[number - 1]) for number in cells["weekday"]]).drop(columns="start"),
    key="heatmap",
    how=f"{how} {_(filters.VALIDITY)}",
    on_select="rerun",
)

if picked := event.selection["cell"]:
    week_cell.show_cell(workspace, cells, picked[0]["weekday"], picked[0]["period"], periods, which)
else:
    st.caption(_("Pick a cell to see its lessons, its interval and its minutes."))
