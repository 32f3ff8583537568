"""Compare: lessons with a tag against lessons without it, and forms of teaching."""

import streamlit as st

from cssafe.language import _
from cssafe.names import clean_text
from cssafe.queries import notes
from cssafe.report.comparison_report import research
from cssafe.settings import ROOT
from cssafe.ui import common, filters, report_view

common.page(_("Compare"))
workspace = common.workspace()
choices = filters.guard(workspace)
which = filters.which(choices)
lessons = filters.measured(workspace, which)
tags = notes.tags(workspace)
names = sorted(tags.loc[tags["lesson"].isin(lessons["lesson"]), "tag"].unique())
tag = st.selectbox(_("Tag"), names, key="tag", bind="query-params", format_func=clean_text) if names else None
if not names:
    st.info(
        _(
            "No lesson here carries a tag yet. Tag lessons on the page Story, such as those in which you tried something new; "
            "from five with a tag and five without on, they can be compared."
        ),
        icon=":material/sell:",
    )
    st.page_link(ROOT / "pages/story.py", label=_("Story"), icon=":material/auto_stories:")
with st.spinner(_("Comparing the lessons …")):
    report = research(workspace, which, tag or "")
report_view.tell(report)
