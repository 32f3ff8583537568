"""Live: the form that starts a lesson, and the notice about its data."""

import streamlit as st

from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.choice import AUTOMATIC, NAMES, Transport
from cssafe.store import Workspace
from cssafe.ui import common
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import AUDIENCES, CONSENT, CONSENT_MISSING, expected_field, privacy_notice

CONNECTION = N_(
    "How pictures travel to CSSAFE. Automatic tries WebSocket, then WebRTC, then single pictures, and shows which one is in "
    "use."
)


def live_form(workspace: Workspace) -> None:
    form, know = st.columns([1, 1], gap="large")
    with form.form("start", enter_to_submit=False):
        _lesson_fields(workspace.get("live", {}))
        if common.settings().profile.agreement and not workspace.get("agreed", False):
            st.checkbox(_(CONSENT), key="agreed")
        if complaint := st.session_state.pop("complaint", ""):
            st.warning(complaint, icon=":material/check_box:")
        st.form_submit_button(
            _("Start"), type="primary", icon=":material/videocam:", on_click=_start_lesson, width="stretch"
        )
    with know:
        st.markdown(privacy_notice(common.settings().profile, "browser"))
        st.caption(_(VALIDITY))


def _lesson_fields(last: dict[str, str]) -> None:
    """last: the fields of the lesson before."""
    st.radio(
        _("Who is in the picture?"),
        list(AUDIENCES),
        key="audience",
        format_func=lambda audience: _(AUDIENCES[audience]),
        index=list(AUDIENCES).index(last.get("audience", "self")),
        horizontal=True,
    )
    first, second = st.columns(2)
    first.text_input(_("Class"), last.get("class_name", ""), key="class_name", placeholder="7b", max_chars=60)
    second.text_input(_("Subject"), last.get("subject", ""), key="subject", placeholder=_("Mathematics"), max_chars=60)
    expected_field("expected")
    third, fourth = st.columns(2)
    third.text_input(_("Room"), last.get("room", ""), key="room", placeholder="12", max_chars=60)
    fourth.selectbox(_("Time zone"), *common.time_zones(last.get("time_zone")), key="time_zone")
    st.selectbox(
        _("Camera connection"),
        NAMES,
        list(NAMES).index(last.get("connection", AUTOMATIC)),
        key="connection",
        format_func=lambda transport: _(NAMES[transport]),
        help=_(CONNECTION),
    )


def _start_lesson() -> None:
    """Start the lesson of the form, before the page is drawn again."""
    form = {name: st.session_state[name].strip() for name in ("class_name", "subject", "room")}
    form |= {name: st.session_state[name] for name in ("time_zone", "audience", "connection")}
    if st.session_state.get("agreed") is False:
        st.session_state["complaint"] = _(CONSENT_MISSING)
        return
    workspace = common.workspace()
    if "agreed" in st.session_state:
        workspace.set("agreed", True)
    workspace.set("live", form)
    st.session_state["transport"] = Transport.choose(form.pop("connection"))
    expected = st.session_state["expected"]
    lesson = LiveLesson.start(workspace, common.settings().profile, expected=expected, **form)
    services.current().register(lesson)
    st.session_state["lesson"] = lesson
