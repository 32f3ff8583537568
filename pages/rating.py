"""Rate: the teacher rates minutes of a lesson without seeing their scores, then both are compared."""

import streamlit as st

from cssafe import queries
from cssafe.language import _
from cssafe.names import clean_text
from cssafe.queries import scored_observations
from cssafe.settings import ROOT
from cssafe.ui import common, filters, rating_panel

common.start_page(_("Rate"))
workspace = common.workspace()
lessons = queries.lessons(workspace)
real = lessons[~lessons["synthetic"].astype(bool) & lessons["ended"].notna() & (lessons["minutes"] > 0)]
if real.empty:
    st.info(
        _(
            "There is no lesson to rate yet. Record one on the page Live and end it; a synthetic lesson has no "
            "teacher and cannot be rated."
        ),
        icon=":material/info:",
    )
    st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
else:
    day = _("%d %b %Y, %H:%M")
    names = {row.lesson: f"{clean_text(row.name)}, {row.local.strftime(day)}" for row in real.itertuples(index=False)}
    chosen = st.selectbox(_("Lesson"), list(names), key="lesson", format_func=names.__getitem__)
    st.caption(_("Rate a lesson soon after it, and before you look at its scores on the page Lessons."))
    rating_panel.ask_next_minute(
        workspace,
        chosen,
        scored_observations.rating_moments(workspace, chosen),
        real.set_index("lesson").loc[chosen, "audience"],
    )
    if real["withheld"].any():
        st.info(_(filters.WITHHELD), icon=":material/visibility_off:")
    rating_panel.show_agreement(scored_observations.rated_minutes(workspace))
st.caption(_(filters.VALIDITY))
