"""The script that Streamlit runs for every page: which pages there are."""

import streamlit as st

from cssafe import ui
from cssafe.settings import ROOT

st.set_page_config(page_title="CSSAFE", page_icon="🎓", layout="wide")

room = (
    [] if ui.settings().hosted else [st.Page(ROOT / "pages/room.py", title="Room", icon=":material/nest_cam_indoor:")]
)

st.navigation(
    [
        st.Page(ROOT / "pages/live.py", title="Live", icon=":material/videocam:", default=True),
        st.Page(ROOT / "pages/files.py", title="Files", icon=":material/upload_file:"),
        *room,
        st.Page(ROOT / "pages/histograms.py", title="Histograms", icon=":material/bar_chart:"),
        st.Page(ROOT / "pages/weekly.py", title="Weekly", icon=":material/calendar_view_week:"),
        st.Page(ROOT / "pages/timetable.py", title="Timetable", icon=":material/calendar_month:"),
        st.Page(ROOT / "pages/lessons.py", title="Lessons", icon=":material/list_alt:"),
        st.Page(ROOT / "pages/rating.py", title="Rate", icon=":material/rate_review:"),
        st.Page(ROOT / "pages/formulas.py", title="Formula", icon=":material/function:"),
        st.Page(ROOT / "pages/concentration.py", title="About the score", icon=":material/info:"),
        st.Page(ROOT / "pages/model.py", title="Model", icon=":material/neurology:"),
        st.Page(ROOT / "pages/status.py", title="Status", icon=":material/monitor_heart:"),
    ],
    position="top",
).run()
