"""Weekly: mean concentration, or another factor, by weekday and hour, or by period of the school."""

import streamlit as st

from cssafe import queries
from cssafe.charts import heatmaps
from cssafe.charts.factors import FACTOR_MEANINGS, FACTOR_TITLES
from cssafe.labels import WEEKDAYS
from cssafe.language import _
from cssafe.ui import common, filters
from cssafe.ui.periods_editor import edit_periods
from cssafe.ui.week_cell import show_cell

common.start_page(_("Weekly"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)
saved = workspace.get("periods", [])

computed = common.settings().profile.expression
measures = {name: _(title) for name, title in FACTOR_TITLES.items() if computed or name != "expression"}
measure = common.choose(_("Measure"), measures, "concentration", "measure")
titles = {"hours": _("Hours"), "periods": _("The school's periods")}
rows = common.choose(_("Rows"), titles, "periods" if saved else "hours", "rows")
if rows == "periods":
    edit_periods(workspace)
periods = saved if rows == "periods" else []
if rows == "periods" and not saved:
    st.info(_("Enter the school's periods and save them; until then hours are shown."), icon=":material/info:")

lessons = queries.lessons(workspace, which)
filters.show_withheld(lessons)
filters.show_left_out(workspace, which)
cells = queries.weekly(workspace, periods, which, measure)
if cells.empty:
    if lessons.empty:
        filters.stop_without_match()
    if lessons["concentration"].notna().any() and measure != "concentration":
        st.info(
            _(
                "No lesson here has this measure. Lessons without emotions have no expression, and lessons that were imported "
                "without single faces have no presence."
            ),
            icon=":material/info:",
        )
        st.stop()
    outside = _("Or all lessons are outside the periods you entered.") if periods else ""
    filters.stop_without_figures(workspace, which, lessons, outside)

title = _(FACTOR_TITLES[measure])
st.subheader(_("{name} (synthetic)").format(name=title) if cells["synthetic"].any() else title)
how = _(
    "How to read it: each cell has the mean over the minutes observed at that weekday and time (in the lesson's time zone), "
    "and their number; blue is higher, yellow lower within this table. Hollow cells have less than {minutes} minutes or fewer "
    "than {lessons} lessons; empty ones were never observed. The interval is that of the slot: it counts the classes, subjects "
    "and rooms seen there, not their lessons, and a cell with one of them has none. Class and subject differ from cell to "
    "cell: filter before you compare."
).format(minutes=heatmaps.MIN_CELL_MINUTES, lessons=heatmaps.MIN_CELL_LESSONS)
slots = queries.weekly_lessons(workspace, periods, which, measure)
event = common.show_chart(
    heatmaps.weekly(cells, measure),
    f"{title}. {heatmaps.weekly_caption(cells, slots, measure)}",
    cells.assign(weekday=[_(WEEKDAYS[number - 1]) for number in cells["weekday"]]).drop(columns="start"),
    key="heatmap",
    how=f"{_(FACTOR_MEANINGS[measure])} {how} {_(filters.VALIDITY)}",
    on_select="rerun",
)

if picked := event.selection["cell"]:
    show_cell(workspace, cells, picked[0]["weekday"], picked[0]["period"], periods, which, measure)
else:
    st.caption(_("Pick a cell to see its lessons, its range and its minutes."))
