"""Weekly and Timetable: the periods of the school, to enter and change."""

from datetime import time

import pandas as pd
import streamlit as st

from cssafe.language import _
from cssafe.names import MAX_NAME_CHARS
from cssafe.school import periods
from cssafe.store import Workspace
from cssafe.ui import common


def edit_periods(workspace: Workspace) -> None:
    saved = workspace.get("periods", [])
    with st.expander(_("The school's periods"), expanded=not saved, icon=":material/schedule:"):
        edited = periods_table(saved, "periods")
        if st.button(_("Save periods"), icon=":material/save:"):
            with common.saving(ValueError):
                workspace.set("periods", periods.parse_periods(edited.to_dict("records")))


def periods_table(saved: list[dict], key: str) -> pd.DataFrame:
    """The table of the periods. No column is marked as required: Streamlit drops incomplete rows silently."""
    table = pd.DataFrame(saved or [{"name": "1", "start": "08:00", "end": "08:45"}])
    for end in ("start", "end"):
        table[end] = [time.fromisoformat(value) for value in table[end]]
    return common.edit_table(
        table,
        key=key,
        num_rows="dynamic",
        column_config={
            "name": st.column_config.TextColumn(_("Period"), max_chars=MAX_NAME_CHARS),
            "start": st.column_config.TimeColumn(_("Start"), format="HH:mm"),
            "end": st.column_config.TimeColumn(_("End"), format="HH:mm"),
        },
    )
