"""Weekly: the periods of the school, to enter and change."""

from datetime import time

import pandas as pd
import streamlit as st

from cssafe.language import _
from cssafe.names import escape_sentence
from cssafe.school import periods
from cssafe.store import Workspace
from cssafe.ui import common


def edit_periods(workspace: Workspace) -> None:
    saved = workspace.get("periods", [])
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
                workspace.set("periods", periods.parse_periods(edited.to_dict("records")))
            except ValueError as error:
                st.error(escape_sentence(error), icon=":material/error:")
            else:
                st.rerun()
