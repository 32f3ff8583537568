"""Term: the report of a class or a subject over a term, compared with the last term."""

import streamlit as st

from cssafe.language import _
from cssafe.report.findings import preceding_days
from cssafe.report.term_report import term_report
from cssafe.ui import common, filters, report_view
from cssafe.ui.week_editor import cached_effects

common.start_page(_("Term"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)
filters.require_figures(workspace, which)
last_term = None
if which.since and (until := which.until or choices.last):
    first, last = st.columns(2)
    guess = preceding_days(which.since, until)
    last_term = (
        first.date_input(_("Last term from"), guess[0], key=f"last_from_{guess}"),
        last.date_input(_("Last term until"), guess[1], key=f"last_until_{guess}"),
    )
    if last_term[0] > last_term[1] or last_term[1] >= which.since:
        st.warning(
            _("The last term must begin before it ends, and end before this one begins. Change one of its days."),
            icon=":material/date_range:",
        )
        st.stop()
else:
    st.caption(_("Choose the first day of this term in the filter to compare it with the one before."))
with st.spinner(_("Reading the term …")):
    report = term_report(
        workspace, which, last_term, common.settings().profile, workspace.get("periods", []), cached_effects
    )
report_view.show_report(report)
