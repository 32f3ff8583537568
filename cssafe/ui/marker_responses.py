"""Lessons: how the class responded to the markers."""

import streamlit as st

from cssafe.charts import captions, classes
from cssafe.language import N_, _
from cssafe.names import escape_emphasized
from cssafe.queries.responses import BASELINE_S, describe_response, responses
from cssafe.store import Workspace
from cssafe.ui import common

READ = N_(
    "How to read it: attention goes from 0 to 1, expression from -1 (unpleasant) to 1 (pleasant). Each mark is the change "
    "within 5, 15 or 30 s after a marker against the minute before it, face by face. Its line is the interval: it comes from "
    "how far this class goes up and down by itself, and is wide enough that in 19 of 20 lessons all of a lesson's intervals "
    "hold the truth. Filled: a clear change, which need not be caused by what you did. Hollow: may be chance."
)


def respond(workspace: Workspace, lesson: int) -> None:
    """Charts and sentences, made when they are opened; without markers, what to do to have some."""
    shown = st.expander(_("Response to your markers"), icon=":material/ads_click:", key="responses", on_change="rerun")
    if not shown.open:
        return
    with shown:
        table = responses(workspace, lesson)
        if table.empty:
            st.info(
                _(
                    "There is no marker in this lesson, or no second with enough faces. While a lesson runs, press a marker's "
                    "button, or its key, when you ask a question or begin something new."
                ),
                icon=":material/flag:",
            )
            return
        if table["change"].isna().all():
            st.info(
                _(
                    "Too little was measured around the markers: a response needs one reading a second, some seconds before "
                    "and after the marker, and enough faces in both. (It looks back {seconds} s.)"
                ).format(seconds=BASELINE_S),
                icon=":material/hourglass_disabled:",
            )
            return
        for measure in table["measure"].unique():
            one = table[table["measure"] == measure]
            common.chart(
                classes.responses(table, measure),
                captions.responses(one),
                one[["minute", "kind", "window", "change", "low", "high", "faces"]],
                key=f"responses_{measure}",
            )
        for _marker, rows in table.groupby(["minute", "kind"], sort=True):
            st.markdown(escape_emphasized(describe_response(rows)))
        if table["low"].isna().all():
            st.caption(
                _(
                    "No intervals: beside its markers this lesson is too short to know how far the class goes up and down by "
                    "itself, so nothing can be called a clear change."
                )
            )
        st.caption(_(READ))
