"""A class's lesson on other devices: how to get there, which lesson a device may show, and what its own lessons suggest."""

from urllib.parse import urlsplit

import pandas as pd
import segno
import streamlit as st

from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.alerts import Alert
from cssafe.live.lesson import LiveLesson
from cssafe.names import escape_emphasized, escape_markdown
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
    "Whoever has this address can do the same until the lesson is over; do not show it to the class."
)
LOCAL = N_(
    "The address names this computer alone (localhost), so no other device can open it. Start CSSAFE with "
    "`--server.address=0.0.0.0` and open this page by the computer's name or number in your network."
)
OVER = N_(
    "No lesson runs at this address: it is over, or a part of the address is missing. Addresses hold for one lesson. "
    "Open “On other devices” beside the running lesson, on the page Live or Room, for the one of today."
)
WAITING = N_(
    "No lesson of a class is running. Start one on the page Live, as “A class”, or on the page Room; it then appears here "
    "by itself."
)
SUGGESTED = N_(
    "From this class's own lessons: minutes after a marker against other moments that began alike; what happened in these "
    "minutes need not be the marker's work. The intervals of all kinds hold together in 19 of 20 classes. "
    "[More about it](concentration)"
)


def lesson(view: str) -> LiveLesson:
    """The lesson that this page may show: the one its address has the key of, or that of the visitor's own workspace. Where
    there is none, the page says what to do and ends."""
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


def elsewhere(lesson: LiveLesson, page: str = "") -> None:
    """Where the lesson can be watched from other devices; only of a class, for one person's figures are hers alone. page: the
    path of the page that is open."""
    if lesson.lesson.audience != "class":
        return
    with st.popover(_("On other devices"), icon=":material/devices:"):
        here = (st.context.url or "").removesuffix(f"/{page}")
        projector, phone = (f"{here}/{address(lesson, view)}" for view in ("projector", "phone"))
        st.markdown(_(PROJECTOR))
        st.link_button(_("Open the projector's view"), projector, icon=":material/present_to_all:")
        st.code(projector, language=None, wrap_lines=True)
        st.markdown(_(PHONE))
        st.image(segno.make(phone, micro=False).png_data_uri(scale=5, border=3))
        st.code(phone, language=None, wrap_lines=True)
        if urlsplit(phone).hostname in ("localhost", "127.0.0.1", "::1"):
            st.caption(_(LOCAL))


def address(lesson: LiveLesson, view: str) -> str:
    """Where that view is, from the app's own address on. Embedded, Streamlit takes a theme from the address."""
    return f"{view}?key={lesson.keys[view]}&embed=true" + "&embed_options=dark_theme" * (view == "phone")


def hint(lesson: LiveLesson, alert: Alert) -> None:
    """A hint. Where concentration is low, it ends with what has worked with this very class, if its lessons tell."""
    own = worked(lesson)
    own = own[~own["synthetic"]]
    low = alert.kind in ("low", "falling")
    advice = describe_suggestion(own.iloc[0]) if low and len(own) else _(alert.suggestion)
    st.info(f"{alert.reason} {escape_emphasized(advice)}", icon=":material/lightbulb:")


def worked(lesson: LiveLesson) -> pd.DataFrame:
    """What the class's past lessons suggest, looked up once a lesson."""
    key = f"worked {lesson.token}"
    if key not in st.session_state:
        st.session_state[key] = suggestions(lesson.workspace, lesson.lesson.class_name)
    return st.session_state[key]


def suggested(lesson: LiveLesson) -> None:
    """What the class's own past lessons show to work; in words why nothing is, where nothing is."""
    if lesson.lesson.audience != "class":
        return
    with st.expander(_("What has worked with this class"), icon=":material/tips_and_updates:"):
        found = worked(lesson)
        for _number, row in found.iterrows():
            st.markdown(escape_emphasized(describe_suggestion(row)))
        if len(found):
            st.caption(_(SUGGESTED))
            if found["synthetic"].any():
                st.caption(":material/science: " + _("These lessons are synthetic: made up, so that this can be seen."))
        elif lesson.lesson.class_name == NO_CLASS:
            st.markdown(_("This lesson has no class, so it has no past lessons. Name the class when you start one."))
        else:
            most = max([0, *marker_effects(lesson.workspace, lesson.lesson.class_name)["lessons"]])
            st.markdown(
                _(
                    "Nothing yet. A suggestion needs one kind of marker in at least {least} of the class's past lessons "
                    "(there are {most} now), and a rise that chance does not explain. Mark questions, quizzes and so on "
                    "while lessons run."
                ).format(least=MIN_LESSONS, most=most)
            )
