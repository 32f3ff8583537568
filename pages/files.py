"""Files: analyse images and videos, look at them, keep them as a lesson or not."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from cssafe.labels import FIRST
from cssafe.language import N_, _
from cssafe.live import services
from cssafe.live.upload import Analysis, AnalysisHandle, Upload
from cssafe.names import escape_markdown, escape_sentence
from cssafe.recording import join
from cssafe.scoring.formula import chosen
from cssafe.settings import MAX_UPLOAD_FILES, MAX_UPLOAD_MB, MINIMUM_GROUP, ROOT
from cssafe.store import NO_CLASS, NO_SUBJECT, Lesson
from cssafe.store.backups import MAX_BACKUP_DAYS
from cssafe.ui import common, picture_cards
from cssafe.ui.anonymization_choice import covering, way_for
from cssafe.ui.filters import VALIDITY
from cssafe.ui.lesson_panel import MEASURED

AUDIENCES = {"self": N_("Only me"), "class": N_("A class")}
MB = 1024 * 1024

# By whether the profile stores anything.
STORED = {
    True: N_(
        "Nothing, unless you keep the result as a lesson: then those figures, one row for each face and second, in a "
        "database on the computer that runs CSSAFE and in its backups of the last {days} days with lessons; never a picture, "
        "a face template or a name."
    ),
    False: N_("Nothing: files and figures stay in memory until you close this tab."),
}
DISAGREE = N_("Please confirm first that everybody in the pictures has agreed: tick the box, then analyse.")

common.page(_("Files"))
settings = common.settings()
workspace, profile = common.workspace(), settings.profile
held: AnalysisHandle | None = st.session_state.get("files")


def before() -> None:
    """What to analyse, and what everyone must know."""
    choose, know = st.columns([1, 1], gap="large")
    with choose:
        taken = _(
            "Images (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF) and videos (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, Ogg): up to "
            "{files} files of at most {limit} MB each."
        )
        if settings.hosted:
            taken = _(
                "Images (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF) and videos (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, Ogg): up to "
                "{files} files of at most {limit} MB each, together {limit} MB."
            )
        files = st.file_uploader(
            taken.format(files=MAX_UPLOAD_FILES, limit=MAX_UPLOAD_MB),
            accept_multiple_files=True,
            key="uploads",
        )
        if not settings.hosted:
            st.caption(_("Larger recordings are read from the disk: `python -m cssafe analyze FILE --lesson NAME`."))
        audience = st.radio(
            _("Who is in the pictures?"),
            list(AUDIENCES),
            key="audience",
            format_func=lambda audience: _(AUDIENCES[audience]),
            index=list(AUDIENCES).index(workspace.get("live", {}).get("audience", "self")),
            horizontal=True,
        )
        covering(audience)
        if profile.agreement and not workspace.get("agreed", False):
            st.markdown(_(picture_cards.AGREE))  # as a checkbox's label it would be cut off
            st.checkbox(_("Yes, they have agreed"), key="agreed")
        complaint = st.session_state.pop("files_complaint", "") or too_much(files)
        if complaint:
            st.warning(complaint, icon=":material/check_box:")
        st.button(
            _("Analyse"),
            type="primary",
            icon=":material/search:",
            on_click=begin,
            width="stretch",
            disabled=not files or bool(too_much(files)),
            help=None if files else _("Choose files first."),
        )
    with know:
        st.markdown(
            _(
                "**Measured.** {measured}\n\n**Stored.** {stored}\n\n**Seen by.** You alone, in this tab; files travel from "
                "this browser to the computer that runs CSSAFE and no further. Of a class, figures appear only from {least} "
                "faces on."
            ).format(
                measured=_(MEASURED[profile.expression]),
                stored=_(STORED[profile.stored]).format(days=MAX_BACKUP_DAYS),
                least=MINIMUM_GROUP,
            )
        )
        st.caption(_(VALIDITY))


def too_much(files: list) -> str:
    """Why these files are too many or too large together; empty if they are not."""
    size = sum(file.size for file in files) / MB
    if len(files) > MAX_UPLOAD_FILES:
        many = _("These are {n} files; at most {most} can be analysed at once. Take some out.")
        return many.format(n=len(files), most=MAX_UPLOAD_FILES)
    if settings.hosted and size > MAX_UPLOAD_MB:
        large = _("These files have {size:.0f} MB together; at most {limit} MB are taken at once. Take some out.")
        return large.format(size=size, limit=MAX_UPLOAD_MB)
    return ""


def begin() -> None:
    """Start the analysis, before the page is drawn again."""
    if st.session_state.get("agreed") is False:
        st.session_state["files_complaint"] = _(DISAGREE)
        return
    if "agreed" in st.session_state:
        workspace.set("agreed", True)
    files = st.session_state["uploads"]
    audience = st.session_state["audience"]
    formula = chosen(workspace.get("formula"), profile.expression)
    analysis = Analysis(services.current().engine(), files, profile, audience, way_for(audience), formula)
    st.session_state["files"] = AnalysisHandle(analysis.start())


def again() -> None:
    """Forget these files."""
    st.session_state["files"].analysis.stop()
    common.forget_uploads()
    for key in ("files", "kept"):
        st.session_state.pop(key, None)


@st.fragment(run_every=0.5)
def during(analysis: Analysis) -> None:
    """How far it is, twice a second, and how to end it."""
    if analysis.done.is_set():
        st.rerun()
    progress = analysis.progress
    if progress is None:
        st.progress(0.0, _("Preparing …"))
    else:
        told = _("{name} · file {n} of {files}").format(
            name=escape_markdown(progress.name), n=progress.number, files=progress.files
        )
        if progress.left is not None:
            told += " · " + duration(progress.left)
        st.progress(progress.share, told)
    stays = _("What is analysed stays")
    if st.button(_("Stop"), icon=":material/stop_circle:", disabled=analysis.stopped, help=stays):
        analysis.stop()
        st.rerun(scope="fragment")


def duration(seconds: float) -> str:
    """How long it still takes, rounded as far as it can be known."""
    if seconds < 90:
        return _("about {n:.0f} s left").format(n=seconds)
    return _("about {n:.0f} min left").format(n=seconds / 60)


def after(analysis: Analysis) -> None:
    """What was seen, and whether to keep it."""
    if analysis.problem:
        st.error(escape_sentence(analysis.problem), icon=":material/error:")
    if analysis.stopped:
        st.info(_("Stopped. What was analysed up to then is below."), icon=":material/stop_circle:")
    for upload in analysis.uploads:
        if upload.problem:
            st.warning(escape_sentence(upload.problem), icon=":material/broken_image:")
    seen = [upload for upload in analysis.uploads if upload.moments]
    if seen:
        keep(analysis, seen)
    else:
        st.info(_("There is nothing to show. Choose other files."), icon=":material/info:")
    st.button(_("Other files"), icon=":material/replay:", on_click=again)
    images = st.columns(2, gap="medium")
    for i, upload in enumerate(upload for upload in seen if upload.about.still):
        with images[i % 2], st.container(border=True):
            picture_cards.image(upload, profile, analysis.audience, analysis.formula)
    for i, upload in enumerate(analysis.uploads):
        if upload.moments and not upload.about.still:
            with st.container(border=True):
                picture_cards.video(upload, analysis, i)
    if seen:
        st.caption(_(VALIDITY))


def keep(analysis: Analysis, seen: list[Upload]) -> None:
    """Keep the figures as a lesson, or not."""
    if number := st.session_state.get("kept"):
        kept = _("The figures are kept as a lesson, without any picture.")
        if not profile.stored:
            kept += " " + _("They stay until you close this tab.")
        st.success(kept, icon=":material/check_circle:")
        this = {"lesson": str(number)}
        st.page_link(ROOT / "pages/lessons.py", label=_("This lesson"), icon=":material/list_alt:", query_params=this)
        return
    if not any(upload.recording.most for upload in seen):
        st.info(_("No face was found, so there is nothing to keep."), icon=":material/info:")
        return
    last = workspace.get("live", {})
    zones = sorted(available_timezones())
    zone = last.get("time_zone") or st.context.timezone
    zone = zone if zone in zones else "UTC"
    began = min(upload.recording.began for upload in seen).astimezone(ZoneInfo(zone))
    with (
        st.expander(_("Keep the figures as a lesson"), icon=":material/save:", expanded=False),
        st.form("keep", border=False),
    ):
        names = st.columns(3)
        fields = {
            name: column.text_input(title, last.get(name, ""), placeholder=example, max_chars=60).strip()
            for column, name, title, example in zip(
                names,
                ("class_name", "subject", "room"),
                (_("Class"), _("Subject"), _("Room")),
                ("7b", _("Mathematics"), "12"),
                strict=True,
            )
        }
        first, second, third = st.columns(3)
        day = first.date_input(_("Date"), began.date())
        clock = second.time_input(_("Start"), began.time().replace(second=0, microsecond=0), step=60)
        chosen = third.selectbox(_("Time zone"), zones, zones.index(zone))
        if not any(upload.about.recorded for upload in seen):
            st.caption(_("The files do not say when they were recorded: this is the time of the analysis."))
        if st.form_submit_button(_("Keep as a lesson"), type="primary", icon=":material/save:"):
            start = datetime.combine(day, clock, ZoneInfo(chosen)) - began.replace(second=0)
            st.session_state["kept"] = save(analysis, seen, chosen, start, **fields)
            st.rerun()


def save(
    analysis: Analysis, seen: list[Upload], zone: str, shift: timedelta, *, class_name: str, subject: str, room: str
) -> int:
    """Write the lesson; its number."""
    rows, start, end = join([upload.recording for upload in seen], shift)
    lesson = Lesson(
        name=" ".join(part for part in (subject, class_name) if part) or N_("Lesson"),
        class_name=class_name or NO_CLASS,
        subject=subject or NO_SUBJECT,
        room=room,
        time_zone=zone,
        profile=profile.name,
        formula=str(analysis.formula),
        source="file",
        audience=analysis.audience,
        started=start,
        activity=FIRST[analysis.audience],
    )
    return workspace.add([lesson], [end], rows)[0]


if problem := services.current().problem():
    st.error(escape_sentence(problem), icon=":material/error:")
elif held is None:
    before()
elif not held.analysis.done.is_set():
    during(held.analysis)
else:
    after(held.analysis)
