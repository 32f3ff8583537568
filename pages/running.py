"""What Live and Room show of a lesson: what must be known before, its figures while it runs, what it recorded."""

import math

import pandas as pd
import streamlit as st

from cssafe import ui
from cssafe.frames import LEVELS
from cssafe.labels import ACTIVITIES
from cssafe.live.session import LiveLesson
from cssafe.settings import IDLE_MINUTES, MINIMUM_GROUP, ROOT, Profile
from pages.watching import hint

MARKERS = ("question", "instruction", "demonstration", "quiz", "joke")
"""What a teacher notes with one click, or with one key: 1 for the first, and so on."""

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
    False: "Nothing: figures stay in memory until you close this tab or leave it unused for "
    f"{IDLE_MINUTES} minutes, and each picture is forgotten once analysed.",
}
SEEN = {
    True: "Whoever can open this page",
    False: "You alone, in this tab, and of a class whoever you give the lesson's address for other devices",
}
TRAVELS = (
    "pictures travel from {source} to the computer that runs CSSAFE and no further. "
    f"Of a class, figures appear only from {MINIMUM_GROUP} faces on."
)
ERASED = {
    True: "Delete a lesson on the page Lessons; to leave no trace at all, stop CSSAFE and delete its database file.",
    False: "Close this tab, or delete the lesson on the page Lessons.",
}
AGREE = (
    "Everybody who will be in the picture, and for minors a parent, has agreed to being filmed and analysed like this."
)
HINTS = (
    "A line here when concentration stays low for two minutes, drowsiness or negative expressions rise, or many faces "
    "cannot be read: with its figures and a suggestion, at most one in three minutes, never about one person, never "
    "stored. The switch is remembered."
)
DISAGREE = "Please confirm first that everybody in the picture has agreed: tick the box, then start."


def notice(profile: Profile, source: str) -> str:
    """What everyone in the picture must know. source: where pictures come from."""
    return (
        f"**Measured.** {MEASURED[profile.expression]}\n\n**Stored.** {STORED[profile.stored]}\n\n"
        f"**Seen by.** {SEEN[profile.stored]}; {TRAVELS.format(source=source)}\n\n**Erased.** {ERASED[profile.stored]}"
    )


@st.fragment(run_every=0.5)
def figures(lesson: LiveLesson) -> None:
    """What is said about everybody in the picture, twice a second."""
    from cssafe import formula_charts, readings  # Altair takes half a second, which the form above need not wait for
    from cssafe.live import charts

    view = lesson.view()
    if view.ended:
        st.rerun()
    reading = view.reading
    name = "Class concentration" if lesson.lesson.audience == "class" else "Your concentration"
    value, below = "–", "no figure"
    if not reading.note:
        known = not math.isnan(reading.low)
        interval = f", {reading.low:.2f} to {reading.high:.2f}" if known else ", one face: no interval"
        value, below = f"{reading.concentration:.2f}", LEVELS[reading.level] + interval
    with st.container(horizontal=True):
        st.metric(name, value, below, delta_color="off", delta_arrow="off")
        st.metric("Faces now", reading.faces)
    st.caption(
        reading.note or "Mean of the last two seconds with its 95 % interval over faces; well readable ones weigh more."
    )
    if view.alert:
        hint(lesson, view.alert)
    if view.problem:
        st.error(view.problem, icon=":material/error:")
    ui.chart(
        charts.last_minutes(view.history, lesson.bands),
        readings.last_minutes(view.history),
        view.history,
        key="last_minutes",
    )
    parts = lesson.why()
    ui.chart(formula_charts.parts_now(parts), readings.parts_now(parts), parts, key="parts_now")
    if lesson.profile.expression:
        shares = reading.expression or dict.fromkeys(charts.FERPLUS, 0.0)
        table = pd.DataFrame({"emotion": shares.keys(), "share": shares.values()})
        ui.chart(charts.emotions_now(shares), readings.emotions_now(reading.expression), table, key="emotions_now")


@st.fragment
def activity(lesson: LiveLesson) -> None:
    """What the class is doing, to be switched while it runs."""

    def switch() -> None:
        lesson.switch(st.session_state["activity"])

    st.session_state["activity"] = lesson.activity  # somebody may have switched it elsewhere
    st.segmented_control(
        "What you are doing" if lesson.lesson.audience == "self" else "What the class is doing",
        ACTIVITIES,
        required=True,
        key="activity",
        format_func=str.capitalize,
        on_change=switch,
        help="It sets what counts as attentive: in desk work looking down does. Group work and breaks are not scored.",
    )


@st.fragment
def markers(lesson: LiveLesson) -> None:
    """Buttons to note what happens in the lesson, and whether hints are wanted."""
    with st.container(horizontal=True):
        for key, kind in enumerate(MARKERS, 1):
            if st.button(kind.capitalize(), key=f"marker_{kind}", help="Note this moment", shortcut=str(key)):
                lesson.mark(kind)
                st.toast(f"Noted: {kind}.")
    if lesson.lesson.audience == "class":
        st.toggle("Hints", lesson.hints, key="hints", help=HINTS, on_change=_switch, args=(lesson,))


def _switch(lesson: LiveLesson) -> None:
    """Hints on or off, here and in lessons to come."""
    lesson.hints = st.session_state["hints"]
    lesson.workspace.set("hints", lesson.hints)


def recorded(lesson: LiveLesson) -> None:
    """What an ended lesson left, and where it can be seen."""
    view = lesson.view()
    if view.seconds:
        kept = "" if lesson.profile.stored else " It is kept until you close this tab."
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
