"""Lessons: responses of the class to the markers of a lesson."""

import pandas as pd
import streamlit as st

from cssafe.charts import classes
from cssafe.language import N_, _
from cssafe.names import escape_emphasized
from cssafe.queries.responses import BASELINE_S, describe_response, responses
from cssafe.store import Workspace
from cssafe.ui import common

HOW_TO_READ = N_(
    "How to read it: attention goes from 0 to 1, expression from -1 (unpleasant) to 1 (pleasant). Each mark is the change "
    "within 5, 15 or 30 s after a marker against the minute before it, face by face. Its line is the interval: it follows "
    "from the usual ups and downs of this class, and is so wide that in 19 of 20 lessons all intervals of the lesson hold the "
    "truth. Filled: a clear change, which need not be caused by what you did. Hollow: may be chance."
)


def show_responses(workspace: Workspace, lesson: int) -> None:
    """Charts and sentences, made when they are opened; without responses, the reason."""
    panel = st.expander(_("Response to your markers"), icon=":material/ads_click:", key="responses", on_change="rerun")
    if not panel.open:
        return
    with panel:
        table = responses(workspace, lesson)
        if table.empty:
            st.info(
                _(
                    "There is no marker in this lesson, or no second with enough faces. While a lesson runs, press a marker's "
                    "button, or its key, when you ask a question or begin something new."
                ),
                icon=":material/flag:",
            )
        elif table["change"].isna().all():
            st.info(
                _(
                    "Too little was measured around the markers: a response needs one reading a second, some seconds before "
                    "and after the marker, and enough faces in both. (It looks back {seconds} s.)"
                ).format(seconds=BASELINE_S),
                icon=":material/hourglass_disabled:",
            )
        else:
            _show_charts(table)


def _show_charts(table: pd.DataFrame) -> None:
    """table: responses.responses."""
    for measure in table["measure"].unique():
        rows = table[table["measure"] == measure]
        common.show_chart(
            classes.responses(table, measure),
            classes.responses_caption(rows),
            rows[["minute", "kind", "window", "change", "low", "high", "faces"]],
            key=f"responses_{measure}",
        )
    for _marker, rows in table.groupby(["minute", "kind"], sort=True):
        st.markdown(escape_emphasized(describe_response(rows)))
    if table["low"].isna().all():
        st.caption(
            _(
                "No intervals: apart from its markers, this lesson is too short to estimate the usual ups and downs of the "
                "class, so no change can be called clear."
            )
        )
    st.caption(_(HOW_TO_READ))
