"""Room: the form that chooses the camera and starts a lesson by hand."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cssafe.errors import ConfigurationError
from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.room_camera import check_source, probe_camera
from cssafe.media import MediaError, hide_password
from cssafe.names import escape_sentence
from cssafe.store import StoreError, Workspace
from cssafe.ui import common
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import CONSENT, CONSENT_MISSING, expected_field, privacy_notice

RETYPE = N_("A saved password is not shown. To change the address, type all of it again, with its password.")


def saved_camera(workspace: Workspace) -> dict[str, str]:
    """source: address with its password, empty if none is saved. time_zone: may be empty."""
    return workspace.get("room", {"source": "", "time_zone": workspace.get("live", {}).get("time_zone", "")})


def room_form(workspace: Workspace) -> None:
    st.caption(
        _("This computer reads a camera in the classroom. Once a lesson has started, no browser needs to stay open.")
    )
    messages = _camera_fields(workspace)
    if not _agreed(workspace):
        st.checkbox(_(CONSENT), key="room_agreed")
    if complaint := st.session_state.pop("complaint", ""):
        messages.warning(escape_sentence(complaint), icon=":material/error:")
    form, know = st.columns([1, 1], gap="large")
    with form.form("room", enter_to_submit=False):
        first, second = st.columns(2)
        first.text_input(_("Class"), key="room_class_name", placeholder="7b", max_chars=60)
        second.text_input(_("Subject"), key="room_subject", placeholder=_("Mathematics"), max_chars=60)
        expected_field("room_expected")
        third, fourth = st.columns(2)
        third.text_input(_("Room"), key="room_room", placeholder="12", max_chars=60)
        fourth.time_input(
            _("Ends at (optional)"), None, key="room_until", help=_("Without a time, it ends when you end it.")
        )
        st.form_submit_button(
            _("Start"), type="primary", icon=":material/videocam:", on_click=_start_lesson, width="stretch"
        )
    with know:
        st.markdown(privacy_notice(common.settings().profile, "camera"))
        st.caption(_(VALIDITY))
    _wait_for_lesson()


def save_camera() -> str:
    """Save camera, time zone and consent of the form; the camera's address.

    Raises:
        ConfigurationError, MediaError, StoreError: one of them cannot be saved, or the consent is missing.
    """
    source, workspace = _typed_source(), common.workspace()
    if not _agreed(workspace):
        if not st.session_state["room_agreed"]:
            raise ConfigurationError(CONSENT_MISSING)
        workspace.set("agreed", True)
    workspace.set("room", {"source": source, "time_zone": st.session_state["room_zone"]})
    st.session_state["kept"] = True
    return source


def _agreed(workspace: Workspace) -> bool:
    return not common.settings().profile.agreement or workspace.get("agreed", False)


def _camera_fields(workspace: Workspace) -> DeltaGenerator:
    """Address, time zone and test of the camera; the container of messages about them."""
    saved = saved_camera(workspace)
    if st.session_state.pop("kept", False) or "source" not in st.session_state:
        st.session_state["source"] = hide_password(saved["source"])
    address, time_zone, test = st.columns([5, 3, 2], vertical_alignment="bottom")
    address.text_input(
        _("Camera"),
        key="source",
        placeholder="rtsp://user:password@192.168.1.20/stream",
        help=_(
            "An address that begins with rtsp:// or http://, the number of a camera of this computer (0 is the first), or a "
            "video file, which is played in a loop. It is saved in the database of this computer with its password, and shown "
            "and logged without."
        ),
    )
    time_zone.selectbox(_("Time zone"), *common.time_zones(saved["time_zone"]), key="room_zone")
    messages = st.container()  # reserved here, so that nothing below moves when a message comes
    if test.button(_("Test camera"), icon=":material/visibility:", width="stretch"):
        _test_camera(messages)
    return messages


def _test_camera(messages: DeltaGenerator) -> None:
    try:
        with messages, st.spinner(_("Reading the camera for three seconds; nothing is saved …")):
            seen = probe_camera(common.settings(), _typed_source())
    except (ConfigurationError, MediaError) as error:
        messages.error(escape_sentence(error), icon=":material/videocam_off:")
        return
    result = _("The camera gives {width} x {height} pixels, {rate:.0f} pictures a second.")
    if math.isnan(seen.rate):
        result = _("The camera gives {width} x {height} pixels, one picture.")
    messages.success(result.format(**seen._asdict()), icon=":material/check_circle:")


def _typed_source() -> str:
    """The address in the field; the saved one where it is shown there without its password.

    Raises:
        ConfigurationError, MediaError: it is no address of a camera.
    """
    typed, saved = st.session_state["source"].strip(), saved_camera(common.workspace())["source"]
    if typed == hide_password(saved):
        typed = saved
    elif "***" in typed:
        raise MediaError(RETYPE)
    check_source(common.settings(), typed)
    return typed


def _start_lesson() -> None:
    """Start the lesson of the form, before the page is drawn again."""
    form = {name: st.session_state[f"room_{name}"].strip() for name in ("class_name", "subject", "room")}
    zone, end = st.session_state["room_zone"], st.session_state["room_until"]
    now = datetime.now(ZoneInfo(zone))
    until = datetime.combine(now.date(), end, now.tzinfo) if end else None
    try:
        if until and until <= now:
            past = _("{end:%H:%M} is past: it is {now:%H:%M} in {zone}. Choose a later end, or none.")
            raise ConfigurationError(past.format(end=end, now=now, zone=zone))
        source = save_camera()
        expected = st.session_state["room_expected"]
        services.current().room().start(
            common.workspace(), source, time_zone=zone, expected=expected, until=until, **form
        )
    except (ConfigurationError, MediaError, StoreError) as error:
        st.session_state["complaint"] = str(error)


@st.fragment(run_every=2)
def _wait_for_lesson() -> None:
    """Show a lesson that the timetable or another browser has started meanwhile."""
    if services.current().room().running() is not None:
        st.rerun()
