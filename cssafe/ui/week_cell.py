"""Weekly: the lessons behind one cell of the heatmap."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts.factors import factor_scale
from cssafe.labels import WEEKDAYS
from cssafe.language import _, ngettext
from cssafe.names import escape_markdown
from cssafe.presence.figure_text import format_headline, format_range
from cssafe.settings import ROOT
from cssafe.store import Workspace
from cssafe.ui import common


def show_cell(
    workspace: Workspace,
    cells: pd.DataFrame,
    weekday: int,
    period: str,
    periods: Sequence[dict],
    which: queries.Filter,
    measure: str,
) -> None:
    """cells: queries.weekly of the same periods, filter and measure."""
    st.subheader(f"{_(WEEKDAYS[weekday - 1])}, {escape_markdown(period)}")
    rows = cells[(cells["weekday"] == weekday) & (cells["period"] == period)]
    for row in rows.itertuples():
        with st.container(horizontal=True):
            st.metric(
                factor_scale(measure),
                format_headline(getattr(row, measure)),
                format_range(row.lowest, row.highest) or None,
                delta_color="off",
                delta_arrow="off",
                width="content",
            )
            lessons_behind = ngettext("{n} lesson", "{n} lessons", row.lessons).format(n=row.lessons)
            st.metric(_("Observed minutes"), row.minutes, lessons_behind, "off", delta_arrow="off", width="content")
        if row.placements == 1:
            st.caption(
                _(
                    "All lessons here are of one class, subject and room. They say nothing about other lessons in this slot, "
                    "so it has no interval."
                )
            )
    _show_lessons(queries.lessons_in_cell(workspace, weekday, period, periods, which, measure), measure)


def _show_lessons(lessons: pd.DataFrame, measure: str) -> None:
    """A table from which a lesson can be opened. lessons: queries.lessons_in_cell of the measure."""
    ranges = [format_range(*row) for row in lessons[["lowest", "highest"]].to_numpy(float)]
    columns = ["local", "name", "class_name", "subject", "minutes", "faces", measure, "range", "synthetic"]
    chosen = common.show_table(
        lessons.assign(**{measure: 100 * lessons[measure]}, range=ranges),
        key="lessons",
        on_select="rerun",
        selection_mode="single-row",
        column_order=columns,
        column_config={
            "local": st.column_config.DatetimeColumn(_("Start"), format="D MMM YYYY, HH:mm"),
            "name": _("Lesson"),
            "class_name": _("Class"),
            "subject": _("Subject"),
            "minutes": st.column_config.NumberColumn(_("Minutes in this cell")),
            "faces": st.column_config.NumberColumn(_("Faces"), format="%.0f"),
            measure: st.column_config.NumberColumn(factor_scale(measure), format="%.0f"),
            "range": _("Range"),
            "synthetic": st.column_config.CheckboxColumn(_("Synthetic")),
        },
    )
    if selected := chosen.selection.rows:
        st.switch_page(ROOT / "pages/lessons.py", query_params={"lesson": str(lessons["lesson"].iloc[selected[0]])})
    st.caption(_("Tick a row to open the lesson."))
