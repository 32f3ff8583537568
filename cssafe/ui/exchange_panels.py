"""Data: export of the workspace as one file, and import of such a file."""

from io import BytesIO

import streamlit as st

from cssafe import queries
from cssafe.exchange import FORMAT_NAMES, FORMATS, exporter, importer
from cssafe.language import _
from cssafe.names import escape_sentence
from cssafe.settings import ROOT
from cssafe.store import StoreError, Workspace
from cssafe.store.database import MAX_MEMORY_SHARE
from cssafe.ui import common

MAX_EXPORT_OBSERVATIONS = 1_000_000
"""Observations in an export by the page: it is held in memory, and so many take about 90 MB."""


def export_panel(workspace: Workspace) -> None:
    choices = queries.choices(workspace)
    st.subheader(_("Export"))
    with st.container(horizontal=True):
        st.metric(_("Lessons"), choices.real + choices.synthetic, width=160)
        st.metric(_("Observations"), f"{choices.observations:,}", width=160)
        if workspace.in_memory:
            limit = _("From {share:.0%} on no further lesson begins.").format(share=MAX_MEMORY_SHARE)
            st.metric(_("Memory in use"), f"{workspace.memory_share():.0%}", width=160, help=limit)
    if not choices.real and not choices.synthetic:
        st.info(_("There is no lesson to export yet. Record one on the page Live."), icon=":material/info:")
        st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
    elif choices.observations > MAX_EXPORT_OBSERVATIONS:
        st.info(
            _(
                "This workspace is too large for an export by this page (more than {most:,} observations). Stop CSSAFE and run "
                "`python -m cssafe export lessons.zip` on this computer."
            ).format(most=MAX_EXPORT_OBSERVATIONS),
            icon=":material/terminal:",
        )
    else:
        _offer_export(workspace, choices)


def _offer_export(workspace: Workspace, choices: queries.Choices) -> None:
    form = common.choose(_("Format"), {form: _(name) for form, name in FORMAT_NAMES.items()}, FORMATS[0], "format")
    if st.button(_("Prepare the file"), icon=":material/inventory_2:"):
        bar = st.progress(0.0, _("Writing the tables …"))
        file = BytesIO()
        contents = exporter.export_file(workspace, file, form, bar.progress)
        bar.empty()
        st.session_state["prepared"] = ((form, choices), file.getvalue(), contents)
    if (prepared := st.session_state.get("prepared")) and prepared[0] == (form, choices):
        _offer_download(form, *prepared[1:])
    st.caption(
        _(
            "One ZIP with a table each: lessons, observations (one row for each face and second, with the activity), "
            "minutes, markers, activities, ratings, settings and the tables made from them; docs/data.md explains every "
            "column. Running lessons are left out. Faces are numbers, never names, but someone who was in the room can "
            "see from a row where each student looked in each second: the file is meant for moving your own workspace. "
            "[What the scores mean](concentration)"
        )
    )


def _offer_download(form: str, content: bytes, contents: exporter.Contents) -> None:
    st.download_button(
        _("Download as {form} ({size:.1f} MB)").format(form=_(FORMAT_NAMES[form]), size=len(content) / 1e6),
        content,
        f"cssafe-{form}.zip",
        "application/zip",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )
    if contents.withheld:
        st.caption(
            _(
                "Lessons with class means per minute only, because their profile does not show single faces: {n}."
            ).format(n=contents.withheld)
        )


def import_panel(workspace: Workspace) -> None:
    st.subheader(_("Import"))
    if done := st.session_state.pop("taken", ""):
        st.success(done, icon=":material/check_circle:")
    given = st.file_uploader(
        _("A file that CSSAFE has exported"), type="zip", key=f"given_{st.session_state.get('imports', 0)}"
    )
    if given is not None and st.button(_("Import"), type="primary", icon=":material/upload:"):
        bar = st.progress(0.0, _("Reading the file …"))
        try:
            result = importer.import_file(workspace, given, common.settings().profile, bar.progress)
        except StoreError as error:
            bar.empty()
            st.error(
                _("{problem} Nothing was imported.").format(problem=escape_sentence(error)), icon=":material/error:"
            )
        else:
            st.session_state["taken"] = importer.describe_import(result)
            st.session_state["imports"] = st.session_state.get("imports", 0) + 1  # an empty uploader
            st.session_state.pop("prepared", None)
            st.rerun()
    st.caption(
        _(
            "An import only adds: lessons that are here already are skipped, and settings made here are kept. A file that "
            "cannot be read completely changes nothing."
        )
    )
