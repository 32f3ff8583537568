"""Live: start a lesson, see it, end it."""

from zoneinfo import available_timezones

import streamlit as st

from cssafe import services, ui
from cssafe.frames import LEVELS
from cssafe.live.camera import camera
from cssafe.live.session import LiveLesson
from cssafe.settings import MINIMUM_GROUP, ROOT
from pages.filters import VALIDITY

AUDIENCES = {"self": "Only me", "class": "A class"}
MARKERS = {"question": "Question", "group work": "Group work", "quiz": "Quiz", "break": "Break"}

# By whether the profile computes emotions, and whether it stores anything.
MEASURED = {
    True: "Where faces are, where they look, whether their eyes are open and which of eight emotions they show; from "
    "these an index of concentration between 0 and 1.",
    False: "Where faces are, where they look and whether their eyes are open; from these an index of concentration "
    "between 0 and 1, which is attention alone. No emotion is computed.",
}
STORED = {
    True: "Those figures, one row for each face and second, in one database file on the computer that runs CSSAFE; "
    "never a picture, a face template or a name.",
    False: "Nothing: figures stay in memory until you close this tab, and each picture is forgotten once analysed.",
}
SEEN = {True: "Whoever can open this page", False: "You alone, in this tab"}
TRAVELS = (
    "pictures travel from this browser to the computer that runs CSSAFE and no further. "
    f"Of a class, figures appear only from {MINIMUM_GROUP} faces on."
)
ERASED = {
    True: "Delete a lesson on the page Lessons; to leave no trace at all, stop CSSAFE and delete its database file.",
    False: "Close this tab, or delete the lesson on the page Lessons.",
}
AGREE = (
    "Everybody who will be in the picture, and for minors a parent, has agreed to being filmed and analysed like this."
)
DISAGREE = "Please confirm first that everybody in the picture has agreed: tick the box, then start."

ui.page("Live")
workspace, profile = ui.workspace(), ui.settings().profile
lesson: LiveLesson | None = st.session_state.get("lesson")
if lesson is not None and lesson.workspace is not workspace:  # it was closed meanwhile, and ui.page has said so
    lesson = None


def start() -> None:
    """Begin the lesson of the form, before the page is drawn again."""
    form = {name: st.session_state[name].strip() for name in ("class_name", "subject", "room")}
    form |= {name: st.session_state[name] for name in ("time_zone", "audience")}
    if st.session_state.get("agreed") is False:
        st.session_state["complaint"] = DISAGREE
        return
    workspace = ui.workspace()
    if "agreed" in st.session_state:
        workspace.set("agreed", True)
    workspace.set("live", form)
    begun = LiveLesson(workspace, profile, **form)
    services.register(begun)
    st.session_state["lesson"] = begun


def before() -> None:
    """The form, and what everyone must know."""
    last = workspace.get("live", {})
    zones = sorted(available_timezones())
    zone = last.get("time_zone") or st.context.timezone
    form, know = st.columns([1, 1], gap="large")
    with form.form("start", enter_to_submit=False):
        st.radio(
            "Who is in the picture?",
            list(AUDIENCES),
            key="audience",
            format_func=AUDIENCES.get,
            index=list(AUDIENCES).index(last.get("audience", "self")),
            horizontal=True,
        )
        first, second = st.columns(2)
        first.text_input("Class", last.get("class_name", ""), key="class_name", placeholder="7b", max_chars=60)
        second.text_input("Subject", last.get("subject", ""), key="subject", placeholder="Mathematics", max_chars=60)
        third, fourth = st.columns(2)
        third.text_input("Room", last.get("room", ""), key="room", placeholder="12", max_chars=60)
        fourth.selectbox("Time zone", zones, zones.index(zone if zone in zones else "UTC"), key="time_zone")
        if profile.name == "consent" and not workspace.get("agreed", False):
            st.checkbox(AGREE, key="agreed")
        if complaint := st.session_state.pop("complaint", ""):
            st.warning(complaint, icon=":material/check_box:")
        st.form_submit_button("Start", type="primary", icon=":material/videocam:", on_click=start, width="stretch")
    with know:
        st.markdown(
            f"**Measured.** {MEASURED[profile.expression]}\n\n**Stored.** {STORED[profile.stored]}\n\n"
            f"**Seen by.** {SEEN[profile.stored]}; {TRAVELS}\n\n**Erased.** {ERASED[profile.stored]}"
        )
        st.caption(VALIDITY)


@st.fragment(run_every=0.5)
def figures(lesson: LiveLesson) -> None:
    """What is said about everybody in the picture, twice a second."""
    from cssafe.live import charts  # Altair takes half a second, which the form above need not wait for

    view = lesson.view()
    if view.ended:
        st.rerun()
    reading = view.reading
    name = "Class concentration" if lesson.lesson.audience == "class" else "Your concentration"
    value, below = "–", "no figure"
    if not reading.note:
        value, below = f"{reading.concentration:.2f}", f"{LEVELS[reading.level]}, ± {reading.spread:.2f}"
    with st.container(horizontal=True):
        st.metric(name, value, below, delta_color="off", delta_arrow="off")
        st.metric("Faces now", reading.faces)
    st.caption(reading.note or "± is the standard deviation over the faces of the last two seconds.")
    if view.problem:
        st.error(view.problem, icon=":material/error:")
    st.altair_chart(charts.last_minutes(view.history, lesson.bands), width="stretch", key="last_minutes")
    if profile.expression:
        shares = reading.expression or dict.fromkeys(charts.FERPLUS, 0.0)
        st.altair_chart(charts.emotions_now(shares), width="stretch", key="emotions_now")


@st.fragment
def markers(lesson: LiveLesson) -> None:
    """Buttons to note what happens in the lesson."""
    with st.container(horizontal=True):
        for kind, title in MARKERS.items():
            if st.button(title, key=f"marker_{kind}", help="Note this moment in the lesson"):
                lesson.mark(kind)
                st.toast(f"Noted: {title.lower()}.")


def during(lesson: LiveLesson) -> None:
    """Camera and figures."""
    picture, numbers = st.columns([3, 2], gap="medium")
    with picture:
        camera(lesson)
        markers(lesson)
        st.button("End lesson", type="primary", icon=":material/stop_circle:", on_click=lesson.end, width="stretch")
    with numbers:
        figures(lesson)
    st.caption(f"Dashed: limits of low, medium and high. {VALIDITY}")


def after(lesson: LiveLesson) -> None:
    """What was recorded, and where to look next."""
    view = lesson.view()
    if lesson.expired:
        st.info("The lesson ended by itself: its camera was away for two minutes.", icon=":material/timer_off:")
    if view.seconds:
        kept = "" if profile.stored else " It is kept until you close this tab."
        st.success(
            f"**{lesson.lesson.name}** is over. Recorded: {view.seconds} seconds with a face in view, "
            f"at most {view.faces} at once, no picture.{kept}",
            icon=":material/check_circle:",
        )
        with st.container(horizontal=True):
            this = {"lesson": str(lesson.number)}
            st.page_link(ROOT / "pages/lessons.py", label="This lesson", icon=":material/list_alt:", query_params=this)
            st.page_link(ROOT / "pages/histograms.py", label="Histograms", icon=":material/bar_chart:")
            st.page_link(ROOT / "pages/weekly.py", label="Weekly", icon=":material/calendar_view_week:")
    else:
        st.info("Nothing was recorded: no face was seen, so the lesson was taken out again.", icon=":material/info:")
    if st.button("Another lesson", icon=":material/replay:"):
        del st.session_state["lesson"]
        st.rerun()


if problem := services.problem():
    st.error(problem, icon=":material/error:")
elif lesson is None:
    before()
elif lesson.ended is None:
    during(lesson)
else:
    after(lesson)
