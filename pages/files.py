"""Files: analyse images and videos, look at the results, keep them as a lesson."""

import streamlit as st

from cssafe.language import _
from cssafe.live import services
from cssafe.live.upload import AnalysisHandle
from cssafe.names import escape_sentence
from cssafe.ui import common, upload_form, upload_view

common.start_page(_("Files"))
workspace = common.workspace()
held: AnalysisHandle | None = st.session_state.get("files")

if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif held is None:
    upload_form.upload_form(workspace)
elif not held.analysis.done.is_set():
    upload_view.show_progress(held.analysis)
else:
    upload_view.show_results(workspace, held.analysis)
