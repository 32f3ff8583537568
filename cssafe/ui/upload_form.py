"""Files: the form that chooses images and videos and starts their analysis."""

import streamlit as st

from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.upload import Analysis, AnalysisHandle
from cssafe.scoring.formula import choose_formula
from cssafe.settings import MAX_UPLOAD_FILES, MAX_UPLOAD_MB, MINIMUM_GROUP
from cssafe.store import Workspace
from cssafe.store.backups import MAX_BACKUP_DAYS
from cssafe.ui import common, picture_cards
from cssafe.ui.anonymization_choice import choose_anonymization, saved_anonymization
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import AUDIENCES, MEASURED

BYTES_PER_MB = 1024 * 1024

# By whether the profile stores anything.
STORED = {
    True: N_(
        "Nothing, unless you keep the result as a lesson: then those figures, one row for each face and second, in a "
        "database on the computer that runs CSSAFE and in its backups of the last {days} days with lessons; never a picture, "
        "a face template or a name."
    ),
    False: N_("Nothing: files and figures stay in memory until you close this tab."),
}
CONSENT_MISSING = N_("Please confirm first that everybody in the pictures has agreed: tick the box, then analyse.")


def upload_form(workspace: Workspace) -> None:
    """The files to analyse, and beside them the notice about their data."""
    choose, know = st.columns([1, 1], gap="large")
    with choose:
        _choose_files(workspace)
    with know:
        profile = common.settings().profile
        st.markdown(
            _(
                "**Measured.** {measured}\n\n**Stored.** {stored}\n\n**Seen by.** You alone, in this tab; files travel from "
                "this browser to the computer that runs CSSAFE and no further. Figures of a class need at least {least} faces."
            ).format(
                measured=_(MEASURED[profile.expression]),
                stored=_(STORED[profile.stored]).format(days=MAX_BACKUP_DAYS),
                least=MINIMUM_GROUP,
            )
        )
        st.caption(_(VALIDITY))


def _choose_files(workspace: Workspace) -> None:
    files = st.file_uploader(_accepted_files(), accept_multiple_files=True, key="uploads")
    if not common.settings().hosted:
        st.caption(_("Larger recordings are read from the disk: `python -m cssafe analyze FILE --lesson NAME`."))
    audience = st.radio(
        _("Who is in the pictures?"),
        list(AUDIENCES),
        key="audience",
        format_func=lambda audience: _(AUDIENCES[audience]),
        index=list(AUDIENCES).index(workspace.get("live", {}).get("audience", "self")),
        horizontal=True,
    )
    choose_anonymization(audience)
    if common.settings().profile.agreement and not workspace.get("agreed", False):
        st.markdown(_(picture_cards.CONSENT))  # as a checkbox's label it would be cut off
        st.checkbox(_("Yes, they have agreed"), key="agreed")
    problem = _size_problem(files)
    if complaint := st.session_state.pop("files_complaint", "") or problem:
        st.warning(complaint, icon=":material/check_box:")
    st.button(
        _("Analyse"),
        type="primary",
        icon=":material/search:",
        on_click=_start_analysis,
        width="stretch",
        disabled=not files or bool(problem),
        help=None if files else _("Choose files first."),
    )


def _accepted_files() -> str:
    accepted = _(
        "Images (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF) and videos (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, Ogg): up to "
        "{files} files of at most {limit} MB each."
    )
    if common.settings().hosted:
        accepted = _(
            "Images (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF) and videos (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, Ogg): up to "
            "{files} files of at most {limit} MB each, together {limit} MB."
        )
    return accepted.format(files=MAX_UPLOAD_FILES, limit=MAX_UPLOAD_MB)


def _size_problem(files: list) -> str:
    """Why these files are too many or too large together; empty if they are not."""
    size = sum(file.size for file in files) / BYTES_PER_MB
    if len(files) > MAX_UPLOAD_FILES:
        many = _("These are {n} files; at most {most} can be analysed at once. Remove some.")
        return many.format(n=len(files), most=MAX_UPLOAD_FILES)
    if common.settings().hosted and size > MAX_UPLOAD_MB:
        large = _("These files have {size:.0f} MB together; at most {limit} MB can be analysed at once. Remove some.")
        return large.format(size=size, limit=MAX_UPLOAD_MB)
    return ""


def _start_analysis() -> None:
    """Start the analysis, before the page is drawn again."""
    if st.session_state.get("agreed") is False:
        st.session_state["files_complaint"] = _(CONSENT_MISSING)
        return
    workspace, profile = common.workspace(), common.settings().profile
    if "agreed" in st.session_state:
        workspace.set("agreed", True)
    files, audience = st.session_state["uploads"], st.session_state["audience"]
    formula = choose_formula(workspace.get("formula"), profile.expression)
    analysis = Analysis(services.current().engine(), files, profile, audience, saved_anonymization(audience), formula)
    st.session_state["files"] = AnalysisHandle(analysis.start())
