"""Compare: lessons with a tag against those without, and forms of teaching."""

import streamlit as st

from cssafe.language import _
from cssafe.names import clean_text
from cssafe.queries import notes
from cssafe.report.comparison_report import comparison_report
from cssafe.settings import ROOT
from cssafe.ui import common, filters, report_view

common.start_page(_("Compare"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)
lessons = filters.require_figures(workspace, which)
tags = notes.tags(workspace)
names = sorted(tags.loc[tags["lesson"].isin(lessons["lesson"]), "tag"].unique())
tag = st.selectbox(_("Tag"), names, key="tag", bind="query-params", format_func=clean_text) if names else None
if not names:
    st.info(
        _(
            "No lesson here has a tag yet. Tag lessons on the page Story, such as those in which you tried something new. A "
            "comparison needs at least five lessons with the tag and five without."
        ),
        icon=":material/sell:",
    )
    st.page_link(ROOT / "pages/story.py", label=_("Story"), icon=":material/auto_stories:")
with st.spinner(_("Comparing the lessons …")):
    report = comparison_report(workspace, which, tag or "")
report_view.show_report(report)
