"""What pages share: the workspace of the visitor, the settings, the heading, and words instead of tracebacks."""

import logging
import weakref

import streamlit as st

from cssafe import queries, services
from cssafe import settings as settings_module
from cssafe.settings import ConfigurationError, Settings
from cssafe.store import StoreError, Workspace

log = logging.getLogger(__name__)

BANNERS = {
    "demo": ":material/visibility_off: Demo: nothing is stored. What you record is gone when you close this tab.",
    "attention-only": ":material/visibility: Attention only: no emotion is computed, stored or shown.",
}
"""What a profile changes for everyone who looks at a page."""


class _Visit:
    """A visitor's private database in memory, closed when Streamlit forgets the visit."""

    def __init__(self) -> None:
        self.workspace = Workspace.open(None)
        self._closing = weakref.finalize(self, services.release, self.workspace)


def settings() -> Settings:
    """What the environment chose; a value that cannot be used ends the page with a sentence."""
    try:
        return settings_module.read()
    except ConfigurationError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def workspace() -> Workspace:
    """The one file database; for a profile that stores nothing, one in memory for each visit. If it cannot be opened,
    the page ends with a sentence."""
    try:
        if settings().profile.stored:
            return services.workspace()
        if "visit" not in st.session_state:
            st.session_state["visit"] = _Visit()
        return st.session_state["visit"].workspace
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def page(title: str) -> None:
    """The page's heading, and what must be known about everything on it: the profile, and synthetic lessons."""
    st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>")  # half of the height above it was empty
    st.title(title)
    if banner := BANNERS.get(settings().profile.name):
        st.caption(banner)
    if queries.choices(workspace()).synthetic:
        st.caption(":material/science: Some lessons here are synthetic: made up, so that the charts can be seen.")


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
