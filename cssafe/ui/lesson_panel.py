"""What Live and Room show of a lesson: what must be known before, its figures while it runs, what it recorded."""

import math

import pandas as pd
import streamlit as st

from cssafe.frames import LEVELS
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.language import N_, _
from cssafe.live.lesson import LiveLesson
from cssafe.live.lesson_state import ClassReading
from cssafe.names import escape_markdown, escape_sentence
from cssafe.settings import IDLE_TIMEOUT_MINUTES, MINIMUM_GROUP, ROOT, Profile
from cssafe.store.backups import MAX_BACKUP_DAYS
from cssafe.ui import common
from cssafe.ui.shared_views import hint

MARKERS = {
    N_("question"): N_("Question"),
    N_("instruction"): N_("Instruction"),
    N_("demonstration"): N_("Demonstration"),
    N_("quiz"): N_("Quiz"),
    N_("joke"): N_("Joke"),
}
"""What a teacher notes with one click, or with one key: 1 for the first, and so on. Its name, and that on its button."""

DOING = {
    "front": N_("Front"),
    "screen": N_("Screen"),
    N_("desk work"): N_("Desk work"),
    N_("group work"): N_("Group work"),
    "break": N_("Break"),
}
"""Activities as they are shown."""

# By whether the profile computes emotions, and whether it stores anything.
MEASURED = {
    True: N_(
        "Where faces are, where they look, whether their eyes are open and which of eight emotions they show; from these "
        "an index of concentration between 0 and 1."
    ),
    False: N_(
        "Where faces are, where they look and whether their eyes are open; from these an index of concentration between 0 "
        "and 1, which is attention alone. No emotion is computed."
    ),
}
STORED = {
    True: N_(
        "Those figures, one row for each face and second, in a database on the computer that runs CSSAFE and in its backups "
        "of the last {days} days with lessons; never a picture, a face template or a name."
    ),
    False: N_(
        "Nothing: figures stay in memory until you close this tab or leave it unused for {minutes} minutes, and each "
        "picture is forgotten once analysed."
    ),
}
SEEN = {
    True: N_("Whoever can open this page"),
    False: N_("You alone, in this tab, and of a class whoever you give the lesson's address for other devices"),
}
TRAVELS = {
    "browser": N_(
        "pictures travel from this browser to the computer that runs CSSAFE and no further. Of a class, figures appear "
        "only from {least} faces on."
    ),
    "camera": N_(
        "pictures travel from the camera to the computer that runs CSSAFE and no further. Of a class, figures appear only "
        "from {least} faces on."
    ),
}
ERASED = {
    True: N_(
        "Delete a lesson on the page Lessons; to leave no trace at all, stop CSSAFE and delete its database, the files "
        "beside it whose names begin like its own, and the folder `backups`."
    ),
    False: N_("Close this tab, or delete the lesson on the page Lessons."),
}
DASHED = N_("Dashed: limits of low, medium and high.")
AGREE = N_(
    "Everybody who will be in the picture, and for minors a parent, has agreed to being filmed and analysed like this."
)
HINTS = N_(
    "A line here when concentration stays low for two minutes, drowsiness or negative expressions rise, or many faces "
    "cannot be read: with its figures and a suggestion, at most one in three minutes, never about one person, never "
    "stored. The switch is remembered."
)
LOST = N_(
    "Seconds that are missing from this lesson, because the database could not be written for too long: {seconds}."
)
DISAGREE = N_("Please confirm first that everybody in the picture has agreed: tick the box, then start.")


def notice(profile: Profile, source: str) -> str:
    """What everyone in the picture must know. source: where pictures come from, browser or camera."""
    return _(
        "**Measured.** {measured}\n\n**Stored.** {stored}\n\n**Seen by.** {seen}; {travels}\n\n**Erased.** {erased}"
    ).format(
        measured=_(MEASURED[profile.expression]),
        stored=_(STORED[profile.stored]).format(minutes=IDLE_TIMEOUT_MINUTES, days=MAX_BACKUP_DAYS),
        seen=_(SEEN[profile.stored]),
        travels=_(TRAVELS[source]).format(least=MINIMUM_GROUP),
        erased=_(ERASED[profile.stored]),
    )


@st.fragment(run_every=0.5)
def figures(lesson: LiveLesson) -> None:
    """What is said about everybody in the picture, twice a second."""
    from cssafe.charts import (  # Altair takes half a second, which the form above need not wait for
        captions,
        formulas,
        live,
    )

    view = lesson.state()
    if view.ended:
        st.rerun()
    reading = view.reading
    name = _("Class concentration") if lesson.lesson.audience == "class" else _("Your concentration")
    value, below = "–", _("no figure")
    if not reading.note:
        value, below = f"{reading.concentration:.2f}", banded(reading)
    with st.container(horizontal=True):
        st.metric(name, value, below, delta_color="off", delta_arrow="off")
        st.metric(_("Faces now"), reading.faces)
    st.caption(
        reading.note
        or _("Mean of the last two seconds with its 95 % interval over faces; well readable ones weigh more.")
    )
    if view.alert:
        hint(lesson, view.alert)
    if view.problem and not st.session_state["unwritten_shown"]:  # once on a page is enough
        st.error(escape_sentence(view.problem), icon=":material/error:")
    if view.lost:
        st.warning(_(LOST).format(seconds=view.lost), icon=":material/history_toggle_off:")
    common.chart(
        live.last_minutes(view.history, lesson.bands, view.now),
        captions.last_minutes(view.history),
        view.history,
        key="last_minutes",
    )
    parts = lesson.explain_score()
    common.chart(formulas.parts_now(parts), captions.parts_now(parts), parts, key="parts_now")
    if lesson.profile.expression:
        shares = reading.expression or dict.fromkeys(FERPLUS, 0.0)
        table = pd.DataFrame({"emotion": [_(name) for name in shares], "share": shares.values()})
        common.chart(live.emotions_now(shares), captions.emotions_now(reading.expression), table, key="emotions_now")


def banded(reading: ClassReading) -> str:
    """The level and its interval."""
    level = _(LEVELS[reading.level])
    if math.isnan(reading.low):
        return _("{level}, one face: no interval").format(level=level)
    return _("{level}, {low:.2f} to {high:.2f}").format(level=level, low=reading.low, high=reading.high)


@st.fragment
def activity(lesson: LiveLesson) -> None:
    """What the class is doing, to be switched while it runs."""

    def switch() -> None:
        lesson.switch_activity(st.session_state["activity"])

    st.session_state["activity"] = lesson.activity  # somebody may have switched it elsewhere
    st.segmented_control(
        _("What you are doing") if lesson.lesson.audience == "self" else _("What the class is doing"),
        ACTIVITIES,
        required=True,
        key="activity",
        format_func=lambda activity: _(DOING[activity]),
        on_change=switch,
        help=_(
            "It sets what counts as attentive: in desk work looking down does. Group work and breaks are not scored."
        ),
    )


@st.fragment
def markers(lesson: LiveLesson) -> None:
    """Buttons to note what happens in the lesson, and whether hints are wanted."""
    with st.container(horizontal=True):
        for key, (kind, title) in enumerate(MARKERS.items(), 1):
            if st.button(_(title), key=f"marker_{kind}", help=_("Note this moment"), shortcut=str(key)):
                lesson.add_marker(kind)
                st.toast(_("Noted: {marker}.").format(marker=escape_markdown(_(kind))))
    if lesson.lesson.audience == "class":
        st.toggle(_("Hints"), lesson.hints, key="hints", help=_(HINTS), on_change=_switch, args=(lesson,))


def _switch(lesson: LiveLesson) -> None:
    """Hints on or off, here and in lessons to come."""
    lesson.hints = st.session_state["hints"]
    lesson.workspace.set("hints", lesson.hints)


def recorded(lesson: LiveLesson) -> None:
    """What an ended lesson left, and where it can be seen."""
    view = lesson.state()
    if view.seconds:
        told = _(
            "**{name}** is over. Recorded: {seconds} seconds with a face in view, at most {most} at once, no picture."
        ).format(name=escape_markdown(lesson.lesson.name), seconds=view.seconds - view.lost, most=view.faces)
        if view.lost:
            told += " " + _(LOST).format(seconds=view.lost)
        if not lesson.profile.stored:
            told += " " + _("It is kept until you close this tab.")
        st.success(told, icon=":material/check_circle:")
        with st.container(horizontal=True):
            this = {"lesson": str(lesson.number)}
            st.page_link(
                ROOT / "pages/lessons.py", label=_("This lesson"), icon=":material/list_alt:", query_params=this
            )
            st.page_link(ROOT / "pages/histograms.py", label=_("Histograms"), icon=":material/bar_chart:")
            st.page_link(ROOT / "pages/weekly.py", label=_("Weekly"), icon=":material/calendar_view_week:")
    else:
        st.info(_("Nothing was recorded: no face was seen, so the lesson was taken out again."), icon=":material/info:")
