"""Room: the camera of this computer, its lesson under way, and the timetable that starts lessons by itself."""

import base64
import math
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
import streamlit as st

from cssafe.errors import ConfigurationError
from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.room_camera import HOSTED, CameraReader, check_source, probe_camera
from cssafe.media import MediaError, hidden
from cssafe.names import escape_markdown, escape_sentence
from cssafe.school import room_timetable
from cssafe.store import StoreError
from cssafe.ui import common
from cssafe.ui.anonymization_choice import covering
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import AGREE, DASHED, DISAGREE, activity, figures, markers, notice, recorded
from cssafe.ui.shared_views import elsewhere, suggested

STATES = {
    "connecting": (":material/sync:", N_("Connecting to the camera …")),
    "live": (":material/fiber_manual_record:", N_("Live")),
    "lost": (":material/videocam_off:", N_("The camera is lost. It is tried again; the lesson goes on.")),
    "ended": (":material/stop_circle:", N_("Ended")),
}
RETYPE = N_("A saved password is not shown. To change the address, type all of it again, with its password.")
DAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)

common.page(_("Room"))
workspace, chosen, room = common.workspace(), common.settings(), services.current().room()
if chosen.hosted:
    st.info(_(HOSTED), icon=":material/cloud:")
    st.stop()
saved = workspace.get("room", {"source": "", "time_zone": workspace.get("live", {}).get("time_zone", "")})
agreed = not chosen.profile.agreement or workspace.get("agreed", False)


def camera() -> str:
    """The address in the field; the saved one where it is shown there without its password.

    Raises:
        ConfigurationError, MediaError: it cannot be one.
    """
    typed = st.session_state["source"].strip()
    if typed == hidden(saved["source"]):
        typed = saved["source"]
    elif "***" in typed:
        raise MediaError(RETYPE)
    check_source(chosen, typed)
    return typed


def keep() -> None:
    """Remember camera, time zone and that everybody has agreed.

    Raises:
        ConfigurationError, MediaError, StoreError: one of them cannot be kept, or nobody has agreed.
    """
    source = camera()
    if not agreed and not st.session_state["room_agreed"]:
        raise ConfigurationError(_(DISAGREE))
    if not agreed:
        common.workspace().set("agreed", True)
    common.workspace().set("room", {"source": source, "time_zone": st.session_state["room_zone"]})
    saved["source"] = source
    st.session_state["kept"] = True


def start() -> None:
    """Begin the lesson of the form, before the page is drawn again."""
    form = {name: st.session_state[f"room_{name}"].strip() for name in ("class_name", "subject", "room")}
    zone, end = st.session_state["room_zone"], st.session_state["room_until"]
    now = datetime.now(ZoneInfo(zone))
    until = datetime.combine(now.date(), end, now.tzinfo) if end else None
    try:
        if until and until <= now:
            past = _("{end:%H:%M} is past: it is {now:%H:%M} in {zone}. Choose a later end, or none.")
            raise ConfigurationError(past.format(end=end, now=now, zone=zone))
        keep()
        room.start(common.workspace(), saved["source"], time_zone=zone, until=until, **form)
    except (ConfigurationError, MediaError, StoreError) as error:
        st.session_state["complaint"] = str(error)


def end() -> None:
    try:
        room.end()
    except StoreError as error:
        st.session_state["complaint"] = str(error)


def before() -> None:
    """Which camera, and a lesson to start by hand."""
    st.caption(
        _(
            "A camera in the classroom, read by this computer itself: once a lesson has started, no browser need stay open."
        )
    )
    if st.session_state.pop("kept", False) or "source" not in st.session_state:
        st.session_state["source"] = hidden(saved["source"])
    zones = sorted(available_timezones())
    zone = saved["time_zone"] or st.context.timezone
    address, place, trial = st.columns([5, 3, 2], vertical_alignment="bottom")
    address.text_input(
        _("Camera"),
        key="source",
        placeholder="rtsp://user:password@192.168.1.20/stream",
        help=_(
            "An address that begins with rtsp:// or http://, the number of a camera of this computer (0 is the first), or a "
            "video file, which is played over and over. It is kept in the database of this computer, with its password, and "
            "shown and logged without."
        ),
    )
    place.selectbox(_("Time zone"), zones, zones.index(zone if zone in zones else "UTC"), key="room_zone")
    said = st.container()  # its place is kept, so that nothing below moves with what is said
    if trial.button(_("Test camera"), icon=":material/visibility:", width="stretch"):
        try:
            with said, st.spinner(_("Looking through the camera for three seconds; nothing is kept …")):
                seen = probe_camera(chosen, camera())
        except (ConfigurationError, MediaError) as error:
            said.error(escape_sentence(error), icon=":material/videocam_off:")
        else:
            gives = _("The camera gives {width} x {height} pixels, {rate:.0f} pictures a second.")
            if math.isnan(seen.rate):
                gives = _("The camera gives {width} x {height} pixels, one picture.")
            said.success(gives.format(**seen._asdict()), icon=":material/check_circle:")
    if not agreed:
        st.checkbox(_(AGREE), key="room_agreed")
    if complaint := st.session_state.pop("complaint", ""):
        said.warning(escape_sentence(complaint), icon=":material/error:")
    form, know = st.columns([1, 1], gap="large")
    with form.form("room", enter_to_submit=False):
        first, second = st.columns(2)
        first.text_input(_("Class"), key="room_class_name", placeholder="7b", max_chars=60)
        second.text_input(_("Subject"), key="room_subject", placeholder=_("Mathematics"), max_chars=60)
        third, fourth = st.columns(2)
        third.text_input(_("Room"), key="room_room", placeholder="12", max_chars=60)
        fourth.time_input(_("Ends at (optional)"), None, key="room_until", help=_("Without, it ends when you end it."))
        st.form_submit_button(_("Start"), type="primary", icon=":material/videocam:", on_click=start, width="stretch")
    with know:
        st.markdown(notice(chosen.profile, "camera"))
        st.caption(_(VALIDITY))
    begun()


@st.fragment(run_every=2)
def begun() -> None:
    """Show a lesson that the timetable, or another browser, has started meanwhile."""
    if room.running() is not None:
        st.rerun()


@st.fragment(run_every=1)
def picture(capture: CameraReader) -> None:
    """What the camera sees, once a second, and how it is."""
    icon, words = STATES[capture.state]
    st.markdown(f"{icon} {_(words)}")
    if capture.problem:
        st.warning(escape_sentence(capture.problem), icon=":material/videocam_off:")
    if preview := capture.preview():
        # As part of the page: Streamlit would keep pictures of its own until the page is loaded anew.
        st.image("data:image/jpeg;base64," + base64.b64encode(preview).decode(), width="stretch")


def during(capture: CameraReader) -> None:
    """The lesson under way, for whoever opens the page."""
    left, right = st.columns([3, 2], gap="medium")
    lesson = capture.lesson
    with left:
        st.markdown(f"**{escape_markdown(lesson.lesson.name)}**")
        st.text(hidden(capture.source))
        if complaint := st.session_state.pop("complaint", ""):
            st.error(escape_sentence(complaint), icon=":material/error:")
        picture(capture)
        lesson.way = covering("class")
        activity(lesson)
        markers(lesson)
        st.button(_("End lesson"), type="primary", icon=":material/stop_circle:", on_click=end, width="stretch")
        if until := room.ends_at():
            zone = lesson.lesson.time_zone
            ends = _("Ends by itself at {end:%H:%M} ({zone}), with or without this page.")
            st.caption(ends.format(end=until.astimezone(ZoneInfo(zone)), zone=zone))
        else:
            st.caption(_("Goes on until somebody ends it, with or without this page."))
    with right:
        figures(lesson)
        suggested(lesson)
        elsewhere(lesson, "room")
    st.caption(f"{_(DASHED)} {_(VALIDITY)}")


def table() -> None:
    """The timetable, to be read and changed."""
    st.subheader(_("Timetable"))
    entries = workspace.get("timetable", [])
    if not entries:
        st.info(
            _(
                "There is no lesson in the timetable yet. Add rows below and save them: their lessons start and end by "
                "themselves while CSSAFE runs on this computer, also with no browser open."
            ),
            icon=":material/calendar_month:",
        )
    if room.problem:
        stuck = _("The timetable cannot be followed: {problem}").format(problem=escape_sentence(room.problem))
        st.warning(stuck, icon=":material/error:")
    times = [{end: time.fromisoformat(entry[end]) for end in ("start", "end")} for entry in entries]
    rows = [entry | clock for entry, clock in zip(entries, times, strict=True)]
    columns = ["days", "start", "end", "class_name", "subject", "room"]
    edited = common.edit_table(
        pd.DataFrame(rows, columns=columns, dtype=object),
        num_rows="dynamic",
        key="timetable",
        column_config={
            # None is marked as required: rows that lack something would be left out without a word.
            "days": st.column_config.MultiselectColumn(
                _("Days"),
                options=room_timetable.DAYS,
                default=room_timetable.SCHOOL_DAYS,
                width="medium",
                format_func=_,
            ),
            "start": st.column_config.TimeColumn(_("Start"), format="HH:mm"),
            "end": st.column_config.TimeColumn(_("End"), format="HH:mm"),
            "class_name": st.column_config.TextColumn(_("Class"), max_chars=60),
            "subject": st.column_config.TextColumn(_("Subject"), max_chars=60),
            "room": st.column_config.TextColumn(_("Room"), max_chars=60),
        },
    )
    if st.button(_("Save timetable"), icon=":material/save:"):
        try:
            read = room_timetable.parse_timetable(edited.to_dict("records"))
            if room.running() is None:
                keep()
            common.workspace().set("timetable", read)
            room.reload()
        except (ConfigurationError, MediaError, StoreError, ValueError) as error:
            st.error(escape_sentence(error), icon=":material/error:")
        else:
            st.rerun()
    now = datetime.now(UTC)
    if entries and (following := room_timetable.next_lesson(entries, now, saved["time_zone"])):
        when, entry = following
        name = " ".join(part for part in (entry["subject"], entry["class_name"]) if part) or _("Lesson")
        following = _("Next: {day}, {when:%H:%M} ({zone}), {name}.")
        st.caption(
            following.format(
                day=_(DAYS[when.weekday()]), when=when, zone=saved["time_zone"], name=escape_markdown(name)
            )
        )


capture = room.running()
if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif capture is not None and (chosen.profile.stored or capture.lesson.workspace is workspace):
    during(capture)
elif capture is not None:
    st.info(
        _("Another visit uses the room camera just now. Wait until its lesson is over."), icon=":material/hourglass:"
    )
else:
    if room.reader is not None and (chosen.profile.stored or room.reader.lesson.workspace is workspace):
        recorded(room.reader.lesson)
    before()
if chosen.profile.stored:
    table()
