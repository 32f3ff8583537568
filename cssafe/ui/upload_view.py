"""Files: the progress of an analysis, its results, and the form that keeps them as a lesson."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from cssafe.language import _
from cssafe.live.upload import Analysis, Upload
from cssafe.names import escape_markdown, escape_sentence
from cssafe.recording import join_recordings
from cssafe.settings import ROOT
from cssafe.store import Lesson, Workspace
from cssafe.ui import common, picture_cards
from cssafe.ui.filters import VALIDITY


@st.fragment(run_every=0.5)
def show_progress(analysis: Analysis) -> None:
    """The progress of the analysis, twice a second, and the button that stops it."""
    if analysis.done.is_set():
        st.rerun()
    progress = analysis.progress
    if progress is None:
        st.progress(0.0, _("Preparing …"))
    else:
        words = _("{name} · file {n} of {files}").format(
            name=escape_markdown(progress.name), n=progress.number, files=progress.files
        )
        if progress.left is not None:
            left = _("about {n:.0f} s left") if progress.left < 90 else _("about {n:.0f} min left")
            words += " · " + left.format(n=progress.left if progress.left < 90 else progress.left / 60)
        st.progress(progress.share, words)
    stays = _("Results so far are kept")
    if st.button(_("Stop"), icon=":material/stop_circle:", disabled=analysis.stopped, help=stays):
        analysis.stop()
        st.rerun(scope="fragment")


def show_results(workspace: Workspace, analysis: Analysis) -> None:
    """The results of each file, and the form that keeps them as a lesson."""
    if analysis.problem:
        st.error(escape_sentence(analysis.problem), icon=":material/error:")
    if analysis.stopped:
        st.info(_("Stopped. The results so far are below."), icon=":material/stop_circle:")
    for upload in analysis.uploads:
        if upload.problem:
            st.warning(escape_sentence(upload.problem), icon=":material/broken_image:")
    seen = [upload for upload in analysis.uploads if upload.moments]
    if seen:
        _keep_as_lesson(workspace, analysis, seen)
    else:
        st.info(_("There is nothing to show. Choose other files."), icon=":material/info:")
    st.button(_("Other files"), icon=":material/replay:", on_click=_forget_files)
    images = st.columns(2, gap="medium")
    for i, upload in enumerate(upload for upload in seen if upload.about.still):
        with images[i % 2], st.container(border=True):
            picture_cards.show_image(upload, analysis.profile, analysis.audience, analysis.formula)
    for i, upload in enumerate(analysis.uploads):
        if upload.moments and not upload.about.still:
            with st.container(border=True):
                picture_cards.show_video(upload, analysis, i)
    if seen:
        st.caption(_(VALIDITY))


def _forget_files() -> None:
    st.session_state["files"].analysis.stop()
    common.forget_uploads()
    for key in ("files", "kept"):
        st.session_state.pop(key, None)


def _keep_as_lesson(workspace: Workspace, analysis: Analysis, seen: list[Upload]) -> None:
    if number := st.session_state.get("kept"):
        kept = _("The figures are kept as a lesson, without any picture.")
        if not analysis.profile.stored:
            kept += " " + _("They stay until you close this tab.")
        st.success(kept, icon=":material/check_circle:")
        this = {"lesson": str(number)}
        st.page_link(ROOT / "pages/lessons.py", label=_("This lesson"), icon=":material/list_alt:", query_params=this)
    elif not any(upload.recording.most for upload in seen):
        st.info(_("No face was found, so there is nothing to keep."), icon=":material/info:")
    else:
        with st.expander(_("Keep the figures as a lesson"), icon=":material/save:", expanded=False):
            _lesson_form(workspace, analysis, seen)


def _lesson_form(workspace: Workspace, analysis: Analysis, seen: list[Upload]) -> None:
    last = workspace.get("live", {})
    zones, zone = common.time_zones(last.get("time_zone"))
    began = min(upload.recording.began for upload in seen if upload.recording.began).astimezone(ZoneInfo(zones[zone]))
    with st.form("keep", border=False):
        fields = {
            name: column.text_input(title, last.get(name, ""), placeholder=example, max_chars=60).strip()
            for column, name, title, example in zip(
                st.columns(3),
                ("class_name", "subject", "room"),
                (_("Class"), _("Subject"), _("Room")),
                ("7b", _("Mathematics"), "12"),
                strict=True,
            )
        }
        first, second, third = st.columns(3)
        day = first.date_input(_("Date"), began.date())
        clock = second.time_input(_("Start"), began.time().replace(second=0, microsecond=0), step=60)
        chosen = third.selectbox(_("Time zone"), zones, zone)
        if not any(upload.about.recorded for upload in seen):
            st.caption(_("The files do not say when they were recorded: this is the time of the analysis."))
        if st.form_submit_button(_("Keep as a lesson"), type="primary", icon=":material/save:"):
            shift = datetime.combine(day, clock, ZoneInfo(chosen)) - began.replace(second=0)
            st.session_state["kept"] = _add_lesson(workspace, analysis, seen, shift, fields | {"time_zone": chosen})
            st.rerun()


def _add_lesson(
    workspace: Workspace, analysis: Analysis, seen: list[Upload], shift: timedelta, form: dict[str, Any]
) -> int:
    """The number of the new lesson. shift: from the files' own times to those of the form. form: of Lesson.from_form."""
    rows, empty, start, end = join_recordings([upload.recording for upload in seen], shift)
    scored = (analysis.profile.name, str(analysis.formula))
    lesson = Lesson.from_form(*scored, "file", analysis.audience, start, **form)
    return workspace.add([lesson], [end], rows, empty)[0]
