"""The script that Streamlit runs for every page: the list of pages."""

import streamlit as st

from cssafe.language import _
from cssafe.settings import ROOT
from cssafe.ui import common

st.set_page_config(page_title="CSSAFE", page_icon="🎓", layout="wide")

room = (
    []
    if common.settings().hosted
    else [st.Page(ROOT / "pages/room.py", title=_("Room"), icon=":material/nest_cam_indoor:")]
)

page = st.navigation(
    {
        "": [
            st.Page(ROOT / "pages/live.py", title=_("Live"), icon=":material/videocam:", default=True),
            st.Page(ROOT / "pages/files.py", title=_("Files"), icon=":material/upload_file:"),
            *room,
            st.Page(ROOT / "pages/histograms.py", title=_("Histograms"), icon=":material/bar_chart:"),
            st.Page(ROOT / "pages/weekly.py", title=_("Weekly"), icon=":material/calendar_view_week:"),
            st.Page(ROOT / "pages/timetable.py", title=_("Timetable"), icon=":material/calendar_month:"),
            st.Page(ROOT / "pages/lessons.py", title=_("Lessons"), icon=":material/list_alt:"),
            # Opened from a running lesson:
            st.Page(ROOT / "pages/projector.py", title=_("Projector"), visibility="hidden"),
            st.Page(ROOT / "pages/phone.py", title=_("Phone"), visibility="hidden"),
        ],
        _("Reports"): [
            st.Page(ROOT / "pages/story.py", title=_("Story"), icon=":material/auto_stories:"),
            st.Page(ROOT / "pages/term.py", title=_("Term"), icon=":material/date_range:"),
            st.Page(ROOT / "pages/compare.py", title=_("Compare"), icon=":material/compare_arrows:"),
        ],
        _("The score"): [
            st.Page(ROOT / "pages/concentration.py", title=_("About the score"), icon=":material/info:"),
            st.Page(ROOT / "pages/formulas.py", title=_("Formula"), icon=":material/function:"),
            st.Page(ROOT / "pages/rating.py", title=_("Rate"), icon=":material/rate_review:"),
            st.Page(ROOT / "pages/model.py", title=_("Model"), icon=":material/neurology:"),
        ],
        _("System"): [
            st.Page(ROOT / "pages/data.py", title=_("Data"), icon=":material/database:"),
            st.Page(ROOT / "pages/status.py", title=_("Status"), icon=":material/monitor_heart:"),
        ],
    },
    # A visitor with the key of a lesson has only its page.
    position="hidden" if "key" in st.query_params else "top",
)
if st.session_state.get("open_page") != page.url_path:
    st.session_state["open_page"] = page.url_path
    common.forget_uploads()  # their page was left
page.run()
