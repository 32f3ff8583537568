"""What Histograms, Weekly and Lessons share: the guard against an empty workspace, filters, the word on validity."""

import streamlit as st

from cssafe import queries, sample, ui
from cssafe.settings import MINIMUM_GROUP, ROOT
from cssafe.store import Workspace

VALIDITY = (
    "A weak hint, never a mark: observers agree on two levels of engagement but hardly on four, scores of this kind "
    "tell attentive from inattentive only moderately well in real classrooms (AUC 0.62 to 0.72), and a scowl often "
    "means something other than anger. [How the score comes about, and how far to trust it](concentration)"
)

TOO_FEW = (
    f"No figures here: fewer than {MINIMUM_GROUP} faces were measured at the same time, and with so few one student "
    "could be read out of a mean. Of a lesson of “Only me”, the seconds with a second face in the picture are left out."
)


def guard(workspace: Workspace) -> queries.Choices:
    """What there is to choose from; a workspace without lessons says what to do next and ends the page."""
    choices = queries.choices(workspace)
    if not choices.real and not choices.synthetic:
        profile = ui.settings().profile
        weeks = 12 if profile.stored else 4  # where each visit has its own in memory, twenty must find room
        st.info(
            f"There is no lesson yet. Record one on the page Live, or have a look at an invented term first: {weeks} "
            "weeks of three classes, marked synthetic wherever they show, and removed with one click on the page "
            "Lessons.",
            icon=":material/info:",
        )
        with st.container(horizontal=True):
            st.page_link(ROOT / "pages/live.py", label="Live", icon=":material/videocam:")
            if st.button("Fill with a synthetic term", type="primary", icon=":material/science:"):
                bar = st.progress(0.0, "Inventing lessons …")
                sample.fill(workspace, profile, weeks=weeks, progress=bar.progress)
                st.rerun()
        st.stop()
    return choices


def which(choices: queries.Choices) -> queries.Filter:
    """The filters, kept in the page's address."""
    with st.expander("Filter", icon=":material/filter_list:"):
        classes, subjects, since, until = st.columns([2, 2, 1, 1])
        chosen = queries.Filter(
            classes=classes.multiselect("Class", choices.classes, key="class", placeholder="All", bind="query-params"),
            subjects=subjects.multiselect(
                "Subject", choices.subjects, key="subject", placeholder="All", bind="query-params"
            ),
            since=since.date_input("From", None, key="from", bind="query-params"),
            until=until.date_input("Until", None, key="until", bind="query-params"),
            synthetic=not choices.real
            or (
                bool(choices.synthetic)
                and st.toggle("Include the synthetic lessons", key="synthetic", bind="query-params")
            ),
        )
    if chosen.since and chosen.until and chosen.since > chosen.until:
        st.warning("“From” is later than “Until”: no day is left. Change one of them.", icon=":material/date_range:")
        st.stop()
    return chosen


def nothing() -> None:
    """Say that the filters leave nothing, and end the page."""
    st.info("No lesson matches these filters. Widen them, or clear them all.", icon=":material/filter_list_off:")
    st.stop()
