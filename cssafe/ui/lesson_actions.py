"""Lessons: rename, download and delete a lesson."""

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.exchange.spreadsheet import escape_texts
from cssafe.language import _
from cssafe.settings import PROFILES, ROOT
from cssafe.store import Workspace
from cssafe.store.lesson import MAX_EXPECTED
from cssafe.store.summaries import MIN_MINUTE_S
from cssafe.ui import common, score_explanation

MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def lesson_actions(workspace: Workspace, lesson: pd.Series) -> None:
    """lesson: a row of queries.lessons."""
    with st.container(horizontal=True):
        st.page_link(
            ROOT / "pages/story.py",
            label=_("Story"),
            icon=":material/auto_stories:",
            query_params={"lesson": str(lesson["lesson"])},
        )
        score_explanation.correct_activities(workspace, lesson)
        _rename(workspace, lesson)
        if lesson["audience"] == "class" and pd.notna(lesson["ended"]):
            _expect(workspace, lesson)
        for suffix in MIME:
            _download(workspace, lesson, suffix)
        _delete(workspace, lesson)
    st.caption(
        _(
            "The files hold one row for each face and second: where it was, where it looked and, if the profile shows them, "
            "its emotions. Faces are numbers, never names, but someone who was in the room can recognize them; share the "
            "files with care."
        )
        if PROFILES[lesson["profile"]].individuals
        else _(
            "The files hold the means of the class for each minute with at least {seconds} seconds of figures, never a single "
            "face, once the lesson is over."
        ).format(seconds=MIN_MINUTE_S)
    )


def _rename(workspace: Workspace, lesson: pd.Series) -> None:
    with st.popover(_("Rename"), icon=":material/edit:"), st.form("rename", border=False):
        name = st.text_input(_("Name"), lesson["name"], max_chars=80)
        if st.form_submit_button(_("Save")):
            if name.strip():
                workspace.rename(int(lesson["lesson"]), name)
                st.rerun()
            st.error(_("A lesson needs a name. Type one and save again."), icon=":material/error:")


def _expect(workspace: Workspace, lesson: pd.Series) -> None:
    with st.popover(_("People expected"), icon=":material/groups:"), st.form("expected", border=False):
        number = st.number_input(
            _("People expected"),
            1,
            MAX_EXPECTED,
            None if pd.isna(lesson["expected"]) else int(lesson["expected"]),
            help=_(
                "How many people were in the lesson. Those who were never seen then count as not visible. Empty: unknown, so "
                "people count who are seen long enough."
            ),
        )
        if st.form_submit_button(_("Save")):
            with st.spinner(_("Computing the figures of the lesson …")):
                workspace.set_expected(int(lesson["lesson"]), number or 0)
            st.rerun()


def _download(workspace: Workspace, lesson: pd.Series, suffix: str) -> None:
    number = int(lesson["lesson"])

    def content() -> bytes:
        rows = queries.shareable_rows(workspace, number)
        return (
            escape_texts(rows).to_csv(index=False).encode() if suffix == "csv" else rows.to_parquet(None, index=False)
        )

    st.download_button(
        suffix.upper() if suffix == "csv" else _("Parquet"),
        content,
        f"lesson-{number}{'-synthetic' if lesson['synthetic'] else ''}.{suffix}",
        MIME[suffix],
        on_click="ignore",
        icon=":material/download:",
    )


def _delete(workspace: Workspace, lesson: pd.Series) -> None:
    with st.popover(_("Delete"), icon=":material/delete:"):
        erased = (
            _(
                "The database file is then rewritten and backups with the lesson are deleted, so that no trace of it is left; "
                "a large file takes a while."
            )
            if common.settings().profile.stored
            else _("As this workspace is only in memory, nothing remains.")
        )
        st.markdown(
            _(
                "This deletes the lesson, its observations and its markers from every table and chart, permanently. Downloaded "
                "files stay where they are."
            )
            + " "
            + erased
        )
        if st.button(_("Delete this lesson"), type="primary"):
            with st.spinner(_("Deleting the lesson and rewriting the database …")):
                workspace.delete(int(lesson["lesson"]))
            st.query_params.pop("lesson", None)
            st.rerun()
