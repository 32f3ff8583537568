"""Live and Room: the privacy notice, figures and controls of a running lesson, and the result of an ended one."""

import pandas as pd
import streamlit as st

from cssafe.labels import ACTIVITIES, FERPLUS, LEVELS, MARKERS, REASONS
from cssafe.language import N_, _
from cssafe.live.lesson import LiveLesson
from cssafe.live.lesson_state import ClassReading
from cssafe.names import escape_markdown, escape_sentence
from cssafe.presence import figure_text
from cssafe.presence.still_faces import describe_still
from cssafe.settings import IDLE_TIMEOUT_MINUTES, MINIMUM_GROUP, ROOT, Profile
from cssafe.store.backups import MAX_BACKUP_DAYS
from cssafe.store.lesson import MAX_EXPECTED
from cssafe.ui import common
from cssafe.ui.shared_views import show_hint

AUDIENCES = {"self": N_("Only me"), "class": N_("A class")}

ACTIVITY_TITLES = {
    "front": N_("Front"),
    "screen": N_("Screen"),
    N_("desk work"): N_("Desk work"),
    N_("group work"): N_("Group work"),
    "break": N_("Break"),
}
"""Activity -> title of its button."""

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
    True: N_("Everybody who can open this page"),
    False: N_("You alone, in this tab, and for a class those with whom you share the address for other devices"),
}
DATA_PATH = {
    "browser": N_(
        "pictures travel from this browser to the computer that runs CSSAFE and no further. Figures of a class need at least "
        "{least} faces."
    ),
    "camera": N_(
        "pictures travel from the camera to the computer that runs CSSAFE and no further. Figures of a class need at least "
        "{least} faces."
    ),
}
ERASED = {
    True: N_(
        "Delete a lesson on the page Lessons; to leave no trace at all, stop CSSAFE and delete its database, the files "
        "beside it with the same beginning of the name, and the folder `backups`."
    ),
    False: N_("Close this tab, or delete the lesson on the page Lessons."),
}
DASHED = N_("Dashed: limits of low, medium and high.")
CONSENT = N_(
    "Everybody who will be in the picture, and for minors a parent, has agreed to be filmed and analysed like this."
)
HINTS = N_(
    "A hint appears when concentration stays low for two minutes, drowsiness or negative expressions rise, or many faces "
    "cannot be read. It has figures and a suggestion, appears at most once in three minutes, is never about one person and "
    "never stored. The switch is remembered."
)
LOST = N_("Seconds missing from this lesson, because the database could not be written: {seconds}.")
CONSENT_MISSING = N_("Please confirm first that everybody in the picture has agreed: tick the box, then start.")


def expected_field(key: str) -> None:
    """The field of the number of people expected in a class; None in the session state while it is empty."""
    st.number_input(
        _("People expected (optional)"),
        0,
        MAX_EXPECTED,
        None,
        key=key,
        help=_(
            "Those who cannot be seen count in the figure of the class. The number is remembered for the class: leave the "
            "field empty to use the last one, or type 0 if it is unknown."
        ),
    )


def privacy_notice(profile: Profile, source: str) -> str:
    """The notice for everybody in the picture. source: of the pictures, browser or camera."""
    return _(
        "**Measured.** {measured}\n\n**Stored.** {stored}\n\n**Seen by.** {seen}; {travels}\n\n**Erased.** {erased}"
    ).format(
        measured=_(MEASURED[profile.expression]),
        stored=_(STORED[profile.stored]).format(minutes=IDLE_TIMEOUT_MINUTES, days=MAX_BACKUP_DAYS),
        seen=_(SEEN[profile.stored]),
        travels=_(DATA_PATH[source]).format(least=MINIMUM_GROUP),
        erased=_(ERASED[profile.stored]),
    )


@st.fragment(run_every=0.5)
def show_figures(lesson: LiveLesson) -> None:
    """Concentration, faces and emotions at this moment, twice a second."""
    from cssafe.charts import live, scores  # Altair takes half a second, which the form above need not wait for

    view = lesson.state()
    if view.ended:
        st.rerun()
    reading = view.reading
    _show_reading(reading, lesson.lesson.audience, lesson.bands)
    if view.still:
        st.caption(describe_still(view.still))
    if view.alert:
        show_hint(lesson, view.alert)
    if view.problem and not st.session_state["unwritten_shown"]:  # start_page shows it already
        st.error(escape_sentence(view.problem), icon=":material/error:")
    if view.lost:
        st.warning(_(LOST).format(seconds=view.lost), icon=":material/history_toggle_off:")
    common.show_chart(
        live.last_minutes(view.history, lesson.bands, view.now),
        live.last_minutes_caption(view.history),
        view.history,
        key="last_minutes",
    )
    parts = lesson.explain_score()
    common.show_chart(scores.parts_now(parts), scores.parts_now_caption(parts), parts, key="parts_now")
    if lesson.profile.expression:
        shares = reading.expression or dict.fromkeys(FERPLUS, 0.0)
        table = pd.DataFrame({"emotion": [_(name) for name in shares], "share": shares.values()})
        common.show_chart(
            live.emotions_now(shares), live.emotions_now_caption(reading.expression), table, key="emotions_now"
        )


def _show_reading(reading: ClassReading, audience: str, bands: dict[str, float]) -> None:
    """Concentration and faces of this moment, or why there is no figure."""
    name = _("Class concentration") if audience == "class" else _("Your concentration")
    value, below = format_reading(reading, bands)
    with st.container(horizontal=True):
        st.metric(name, value, below, delta_color="off", delta_arrow="off")
        st.metric(_("Faces now"), reading.faces)
    st.caption(reading.note or describe_reading(reading))
    if reading.reason not in ("", "not_scored"):  # of the activity the note above tells already
        st.caption(_(REASONS[reading.reason]))


def format_reading(reading: ClassReading, bands: dict[str, float]) -> tuple[str, str]:
    """The concentration, 0 to 100, and its level in words: of a class that at both ends of range and interval."""
    if reading.note:
        return "–", _("no figure")
    figures = (reading.concentration, reading.lowest, reading.highest, reading.low, reading.high)
    level = figure_text.name_level(figure_text.verdict_ends(*figures), bands) or _(LEVELS[reading.level])
    return figure_text.format_headline(reading.concentration), level


def describe_reading(reading: ClassReading) -> str:
    """The figure of this moment in a sentence."""
    seen = reading.present - reading.unseen
    figure = figure_text.describe_figure(reading.concentration, reading.lowest, reading.highest, reading.present, seen)
    return _("{figure}, over the last two seconds.").format(figure=figure)


@st.fragment
def activity_switch(lesson: LiveLesson) -> None:
    """The switch of the activity."""

    def switch() -> None:
        lesson.switch_activity(st.session_state["activity"])

    st.session_state["activity"] = lesson.activity  # it may have been switched on another device
    st.segmented_control(
        _("What you are doing") if lesson.lesson.audience == "self" else _("What the class is doing"),
        ACTIVITIES,
        required=True,
        key="activity",
        format_func=lambda activity: _(ACTIVITY_TITLES[activity]),
        on_change=switch,
        help=_(
            "It sets what counts as attentive, such as looking down in desk work. Group work and breaks are not scored."
        ),
    )


@st.fragment
def marker_buttons(lesson: LiveLesson) -> None:
    """Buttons for markers, and the switch of hints."""
    with st.container(horizontal=True):
        for key, (kind, title) in enumerate(MARKERS.items(), 1):
            if st.button(_(title), key=f"marker_{kind}", help=_("Note this moment"), shortcut=str(key)):
                lesson.add_marker(kind)
                st.toast(_("Noted: {marker}.").format(marker=escape_markdown(_(kind))))
    if lesson.lesson.audience == "class":
        st.toggle(_("Hints"), lesson.hints, key="hints", help=_(HINTS), on_change=_switch, args=(lesson,))


def _switch(lesson: LiveLesson) -> None:
    """Switch hints on or off, also for lessons to come."""
    lesson.hints = st.session_state["hints"]
    lesson.workspace.set("hints", lesson.hints)


def show_recorded(lesson: LiveLesson) -> None:
    """The result of an ended lesson, with links to its figures."""
    view = lesson.state()
    if view.seconds:
        words = _(
            "**{name}** is over. Recorded: {seconds} seconds with a face in view, at most {most} at once, no picture."
        ).format(name=escape_markdown(lesson.lesson.name), seconds=max(0, view.seconds - view.lost), most=view.faces)
        if view.lost:
            words += " " + _(LOST).format(seconds=view.lost)
        if not lesson.profile.stored:
            words += " " + _("It is kept until you close this tab.")
        st.success(words, icon=":material/check_circle:")
        with st.container(horizontal=True):
            this = {"lesson": str(lesson.number)}
            st.page_link(
                ROOT / "pages/lessons.py", label=_("This lesson"), icon=":material/list_alt:", query_params=this
            )
            st.page_link(ROOT / "pages/histograms.py", label=_("Histograms"), icon=":material/bar_chart:")
            st.page_link(ROOT / "pages/weekly.py", label=_("Weekly"), icon=":material/calendar_view_week:")
    else:
        st.info(_("Nothing was recorded: no face was seen, so the lesson was removed."), icon=":material/info:")
