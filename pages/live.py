"""Live: start a lesson, see it, end it."""

from zoneinfo import available_timezones

import streamlit as st

from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.choice import AUTOMATIC, NAMES, Transport, camera_with_fallback
from cssafe.names import escape_sentence
from cssafe.settings import ABSENCE_TIMEOUT_S
from cssafe.ui import common
from cssafe.ui.anonymization_choice import covering
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import AGREE, DASHED, DISAGREE, activity, figures, markers, notice, recorded
from cssafe.ui.shared_views import elsewhere, suggested

AUDIENCES = {"self": N_("Only me"), "class": N_("A class")}
CONNECTION = N_(
    "How pictures travel to CSSAFE. Automatic tries WebSocket, then WebRTC, then single pictures, and says which one is in "
    "use."
)

common.page(_("Live"))
workspace, profile = common.workspace(), common.settings().profile
lesson: LiveLesson | None = st.session_state.get("lesson")
if lesson is not None and lesson.workspace is not workspace:  # it was closed meanwhile, and ui.page has said so
    lesson = None


def start() -> None:
    """Begin the lesson of the form, before the page is drawn again."""
    form = {name: st.session_state[name].strip() for name in ("class_name", "subject", "room")}
    form |= {name: st.session_state[name] for name in ("time_zone", "audience", "connection")}
    if st.session_state.get("agreed") is False:
        st.session_state["complaint"] = _(DISAGREE)
        return
    workspace = common.workspace()
    if "agreed" in st.session_state:
        workspace.set("agreed", True)
    workspace.set("live", form)
    st.session_state["transport"] = Transport.choose(form.pop("connection"))
    begun = LiveLesson.start(workspace, profile, **form)
    services.current().register(begun)
    st.session_state["lesson"] = begun


def before() -> None:
    """The form, and what everyone must know."""
    last = workspace.get("live", {})
    zones = sorted(available_timezones())
    zone = last.get("time_zone") or st.context.timezone
    form, know = st.columns([1, 1], gap="large")
    with form.form("start", enter_to_submit=False):
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
        second.text_input(
            _("Subject"), last.get("subject", ""), key="subject", placeholder=_("Mathematics"), max_chars=60
        )
        third, fourth = st.columns(2)
        third.text_input(_("Room"), last.get("room", ""), key="room", placeholder="12", max_chars=60)
        fourth.selectbox(_("Time zone"), zones, zones.index(zone if zone in zones else "UTC"), key="time_zone")
        connection = list(NAMES).index(last.get("connection", AUTOMATIC))
        st.selectbox(
            _("Camera connection"),
            NAMES,
            connection,
            key="connection",
            format_func=lambda way: _(NAMES[way]),
            help=_(CONNECTION),
        )
        if profile.agreement and not workspace.get("agreed", False):
            st.checkbox(_(AGREE), key="agreed")
        if complaint := st.session_state.pop("complaint", ""):
            st.warning(complaint, icon=":material/check_box:")
        st.form_submit_button(_("Start"), type="primary", icon=":material/videocam:", on_click=start, width="stretch")
    with know:
        st.markdown(notice(profile, "browser"))
        st.caption(_(VALIDITY))


def during(lesson: LiveLesson) -> None:
    """Camera and figures."""
    picture, numbers = st.columns([3, 2], gap="medium")
    with picture:
        video = st.container()
        lesson.way = covering(lesson.lesson.audience)
        with video:
            camera_with_fallback(lesson, services.current().engine())
        activity(lesson)
        markers(lesson)
        st.button(_("End lesson"), type="primary", icon=":material/stop_circle:", on_click=lesson.end, width="stretch")
    with numbers:
        figures(lesson)
        suggested(lesson)
        elsewhere(lesson)
    st.caption(f"{_(DASHED)} {_(VALIDITY)}")


def after(lesson: LiveLesson) -> None:
    """What was recorded, and where to look next."""
    if lesson.expired:
        away = _("The lesson ended by itself: its camera was away for {minutes:.0f} minutes.")
        st.info(away.format(minutes=ABSENCE_TIMEOUT_S / 60), icon=":material/timer_off:")
    recorded(lesson)
    if st.button(_("Another lesson"), icon=":material/replay:"):
        del st.session_state["lesson"]
        st.rerun()


if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif lesson is None:
    before()
elif lesson.ended is None:
    during(lesson)
else:
    after(lesson)
