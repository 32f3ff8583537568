"""A running lesson on other devices: its addresses, access by key, and suggestions from the class's past lessons."""

from urllib.parse import urlsplit

import pandas as pd
import segno
import streamlit as st

from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.alerts import Alert
from cssafe.live.lesson import LiveLesson
from cssafe.names import escape_emphasized, escape_markdown, escape_sentence
from cssafe.queries import Filter, describe_left_out
from cssafe.queries.suggestions import MIN_LESSONS, describe_suggestion, marker_effects, suggestions
from cssafe.settings import ROOT
from cssafe.store import NO_CLASS
from cssafe.ui import common

NAMES = {"projector": N_("Projector"), "phone": N_("Phone")}
PROJECTOR = N_(
    "**For the class**, on a projector or a second screen: figures of the whole class in large type, no picture."
)
PHONE = N_(
    "**For you**, on a phone: dark and small, with hints, activity and markers. Point the phone's camera at the code. "
    "Everybody with this address can do the same until the lesson is over; do not show it to the class."
)
LOCAL = N_(
    "Only this computer can open this address (localhost). Start CSSAFE with `--server.address=0.0.0.0` and open this page by "
    "the computer's name or number in your network."
)
OVER = N_(
    "No lesson runs at this address: it is over, or a part of the address is missing. An address is valid for one lesson. "
    "For a new one, open “On other devices” beside the running lesson, on the page Live or Room."
)
WAITING = N_(
    "No lesson of a class is running. Start one on the page Live, as “A class”, or on the page Room; it then appears here "
    "by itself."
)
SUGGESTED = N_(
    "From past lessons of this class: minutes after a marker compared with similar moments without one. A change need not be "
    "caused by the marker. The intervals of all kinds hold together in 19 of 20 classes. "
    "[More about it](concentration)"
)


def require_lesson(view: str) -> LiveLesson:
    """The lesson with the key in the address, or the running one of the visitor's workspace; without any, the page says what to
    do and ends. view: of NAMES."""
    if key := st.query_params.get("key", ""):
        if (found := services.current().find_shared(view, key)) is not None:
            return found
        st.title(_(NAMES[view]))
        st.info(_(OVER), icon=":material/hourglass_disabled:")
        st.stop()
    own = services.current().classes(common.workspace())
    if len(own) == 1:
        return own[0]
    st.title(_(NAMES[view]))
    if own:
        st.markdown(_("Several lessons run. Choose one:"))
        for running in own:
            chosen = {"key": running.keys[view]}
            st.page_link(ROOT / f"pages/{view}.py", label=escape_markdown(running.lesson.name), query_params=chosen)
        st.stop()
    st.info(_(WAITING), icon=":material/hourglass:")
    with st.container(horizontal=True):
        st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
        if not common.settings().hosted:
            st.page_link(ROOT / "pages/room.py", label=_("Room"), icon=":material/nest_cam_indoor:")
    _wait()
    st.stop()


@st.fragment(run_every=2)
def _wait() -> None:
    if services.current().classes(common.workspace()):
        st.rerun()


def other_devices(lesson: LiveLesson, page: str = "") -> None:
    """The addresses of the lesson for other devices; only of a class, because one person's figures are private. page: path of
    the open page."""
    if lesson.lesson.audience != "class":
        return
    with st.popover(_("On other devices"), icon=":material/devices:"):
        here = (st.context.url or "").removesuffix(f"/{page}")
        projector, phone = (f"{here}/{view_address(lesson, view)}" for view in ("projector", "phone"))
        st.markdown(_(PROJECTOR))
        st.link_button(_("Open the projector's view"), projector, icon=":material/present_to_all:")
        st.code(projector, language=None, wrap_lines=True)
        st.markdown(_(PHONE))
        st.image(segno.make(phone, micro=False).png_data_uri(scale=5, border=3))
        st.code(phone, language=None, wrap_lines=True)
        if urlsplit(phone).hostname in ("localhost", "127.0.0.1", "::1"):
            st.caption(_(LOCAL))


def view_address(lesson: LiveLesson, view: str) -> str:
    """The address of a view, relative to the app. With embed, Streamlit takes the theme from the address."""
    return f"{view}?key={lesson.keys[view]}&embed=true" + "&embed_options=dark_theme" * (view == "phone")


def show_hint(lesson: LiveLesson, alert: Alert) -> None:
    """A hint. Where concentration is low, its advice comes from the class's past lessons, if they suggest something."""
    own = past_suggestions(lesson)
    own = own[~own["synthetic"]]
    low = alert.kind in ("low", "falling")
    advice = describe_suggestion(own.iloc[0]) if low and len(own) else _(alert.suggestion)
    st.info(f"{alert.reason} {escape_emphasized(advice)}", icon=":material/lightbulb:")


def past_suggestions(lesson: LiveLesson) -> pd.DataFrame:
    """Suggestions from the class's past lessons, queried once for each lesson."""
    key = f"worked {lesson.token}"
    if key not in st.session_state:
        st.session_state[key] = suggestions(lesson.workspace, lesson.lesson.class_name)
    return st.session_state[key]


def show_suggestions(lesson: LiveLesson) -> None:
    """Suggestions from the class's past lessons, or the reason why there are none."""
    if lesson.lesson.audience != "class":
        return
    with st.expander(_("What has worked with this class"), icon=":material/tips_and_updates:"):
        found = past_suggestions(lesson)
        for sentence in describe_left_out(lesson.workspace, Filter(classes=[lesson.lesson.class_name])):
            st.caption(escape_sentence(sentence))
        for _number, row in found.iterrows():
            st.markdown(escape_emphasized(describe_suggestion(row)))
        if len(found):
            st.caption(_(SUGGESTED))
            if found["synthetic"].any():
                st.caption(
                    ":material/science: "
                    + _("These lessons are synthetic: made up, to show what suggestions look like.")
                )
        elif lesson.lesson.class_name == NO_CLASS:
            st.markdown(
                _("This lesson has no class, so there are no past lessons. Enter the class when you start one.")
            )
        else:
            most = max([0, *marker_effects(lesson.workspace, lesson.lesson.class_name)["lessons"]])
            st.markdown(
                _(
                    "Nothing yet. A suggestion needs one kind of marker in at least {least} of the class's past lessons "
                    "(there are {most} now), and a rise that chance does not explain. Mark questions, quizzes and so on "
                    "while lessons run."
                ).format(least=MIN_LESSONS, most=most)
            )
