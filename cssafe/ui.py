"""What pages share: the workspace of the visitor, the settings, the heading, and words instead of tracebacks."""

import logging

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cssafe import queries, services
from cssafe import settings as settings_module
from cssafe.settings import IDLE_MINUTES, ConfigurationError, Settings
from cssafe.store import StoreError, Workspace

log = logging.getLogger(__name__)

NOT_STORED = (
    ":material/visibility_off: Nothing is stored: what you record is seen in this tab alone, and gone when you close it or "
    f"leave it unused for {IDLE_MINUTES} minutes."
)
NO_EMOTION = ":material/visibility: Attention only: no emotion is computed, stored or shown."
RENEWED = (
    f"Your earlier lessons are gone, as they are after {IDLE_MINUTES} minutes without use: nothing is stored here. You "
    "have a new, empty workspace."
)


def settings() -> Settings:
    """What the environment chose; a value that cannot be used ends the page with a sentence."""
    try:
        return settings_module.read()
    except ConfigurationError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def workspace() -> Workspace:
    """The one file database; where nothing is stored (always when hosted), one in memory for each visit. If it cannot be
    opened, the page ends with a sentence. To be asked for anew in a callback: a visit's may be closed between two runs."""
    try:
        if settings().profile.stored:
            return services.workspace()
        return _visit().workspace()
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def _visit() -> services.Visit:
    if "visit" not in st.session_state:
        context = get_script_run_ctx()
        session = context.session_id if context else ""
        st.session_state["visit"] = services.Visit(
            lambda: not runtime.exists() or runtime.get_instance().is_active_session(session)
        )
    return st.session_state["visit"]


def heading(title: str) -> None:
    """The page's heading, and what the profile means for everything on it."""
    st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>")  # half of the height above it was empty
    st.title(title)
    profile = settings().profile
    for banner in [NOT_STORED] * (not profile.stored) + [NO_EMOTION] * (not profile.expression):
        st.caption(banner)


def page(title: str) -> None:
    """The heading, and what must be known about the workspace: that lessons in it are synthetic, that an earlier one is
    gone."""
    heading(title)
    if queries.choices(workspace()).synthetic:
        st.caption(":material/science: Some lessons here are synthetic: made up, so that the charts can be seen.")
    if not settings().profile.stored and _visit().renewed:
        _visit().renewed = False
        st.info(RENEWED, icon=":material/history_toggle_off:")


def explain(error: Exception) -> bool:
    """Say in words what went wrong on a page; the server's log has the details. True: Streamlit shows nothing more."""
    if isinstance(error, (ConfigurationError, StoreError)):
        st.error(str(error), icon=":material/error:")
    else:
        st.error(
            "This page could not be shown. Reload it; if that does not help, restart CSSAFE. The server's log says "
            "what happened.",
            icon=":material/error:",
        )
    return True
