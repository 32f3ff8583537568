"""Compare: lessons with a tag against lessons without it, and forms of teaching."""

import streamlit as st

from cssafe import notes, ui
from cssafe.language import _
from cssafe.names import shown
from cssafe.report.research import research
from cssafe.settings import ROOT
from pages import filters, telling

ui.page(_("Compare"))
workspace = ui.workspace()
choices = filters.guard(workspace)
which = filters.which(choices)
lessons = filters.measured(workspace, which)
tags = notes.tags(workspace)
names = sorted(tags.loc[tags["lesson"].isin(lessons["lesson"]), "tag"].unique())
tag = st.selectbox(_("Tag"), names, key="tag", bind="query-params", format_func=shown) if names else None
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
telling.tell(report)
