"""Data: take everything out of the workspace as one file, bring such a file in, restore a backup."""

from io import BytesIO

import streamlit as st

from cssafe import queries
from cssafe.exchange import FORMATS, exporter, importer
from cssafe.language import _
from cssafe.live import services
from cssafe.names import escape_sentence
from cssafe.settings import ROOT
from cssafe.store import StoreError
from cssafe.store.backups import MAX_BACKUP_DAYS, Backup, delete_replaced, list_backups
from cssafe.store.database import MAX_MEMORY_SHARE
from cssafe.ui import common

NAMES = {"parquet": _("Parquet"), "csv": "CSV", "json": "JSON"}

LARGEST = 1_000_000  # observations: the file is held in memory, and so many make about 90 MB of it


def offer_backups() -> None:
    """List the backups of the database file; the chosen one can be restored, or deleted if it is a replaced database."""
    st.subheader(_("Backups"))
    if done := st.session_state.pop("backup_done", ""):
        st.success(done, icon=":material/settings_backup_restore:")
    try:
        found = list_backups(common.settings().database)
    except StoreError as error:
        st.error(escape_sentence(error), icon=":material/backup:")
        return
    if found:
        chosen = st.radio(_("Backup of"), found, format_func=describe, key="backup")
        with st.container(horizontal=True):
            offer_restore(chosen)
            if chosen.replaced:
                offer_deletion(chosen)
    st.caption(
        _(
            "A backup is made by itself on every day on which a lesson ends, and kept until there are {days} newer ones. "
            "Deleting a lesson also removes the backups that hold it, and makes a new one without it. The files are in the "
            "folder `backups` beside the database."
        ).format(days=MAX_BACKUP_DAYS)
    )


def offer_restore(backup: Backup) -> None:
    with st.popover(_("Restore"), icon=":material/settings_backup_restore:"):
        st.markdown(
            _(
                "All lessons and settings become those of this backup. What has come since is no longer shown. The "
                "database of now is kept among the backups, so that you can go back."
            )
        )
        if st.button(_("Restore this backup"), type="primary"):
            restore(backup)


def offer_deletion(backup: Backup) -> None:
    with st.popover(_("Delete"), icon=":material/delete:"):
        st.markdown(_("This database was replaced by a backup. Lessons that it alone holds are gone for good."))
        if st.button(_("Delete this database"), type="primary"):
            try:
                delete_replaced(backup)
            except StoreError as error:
                st.error(escape_sentence(error), icon=":material/error:")
                return
            finish(_("Deleted: {backup}.").format(backup=describe(backup)))


def describe(backup: Backup) -> str:
    lessons = _("cannot be read") if backup.lessons is None else _("lessons: {n}").format(n=backup.lessons)
    day = backup.day
    if backup.replaced:
        day = _("The database before the restore at {time} on {day}").format(time=backup.replaced, day=backup.day)
    return _("{day}, {lessons}, {size:.1f} MB").format(day=day, lessons=lessons, size=backup.size / 1e6)


def restore(backup: Backup) -> None:
    """Restore the backup and show the page again."""
    try:
        with st.spinner(_("Restoring the backup …")):
            services.current().restore(backup.path)
    except StoreError as error:
        st.error(escape_sentence(error), icon=":material/error:")
        return
    finish(_("Restored: {backup}.").format(backup=describe(backup)))


def finish(done: str) -> None:
    """Show the page again, with what was done above the backups that there are now."""
    st.session_state["backup_done"] = done
    for key in ("prepared", "backup"):
        st.session_state.pop(key, None)
    st.rerun()


if common.settings().profile.stored:
    try:
        services.current().workspace()
    except StoreError as error:  # the backups are most needed where the database cannot be opened
        common.heading(_("Data"))
        st.error(escape_sentence(error), icon=":material/error:")
        offer_backups()
        st.stop()
common.page(_("Data"))
workspace, profile = common.workspace(), common.settings().profile
choices = queries.choices(workspace)

st.subheader(_("Take out"))
with st.container(horizontal=True):
    st.metric(_("Lessons"), choices.real + choices.synthetic, width=160)
    st.metric(_("Observations"), f"{choices.observations:,}", width=160)
    if workspace.in_memory:
        limit = _("From {share:.0%} on no further lesson begins.").format(share=MAX_MEMORY_SHARE)
        st.metric(_("Memory in use"), f"{workspace.used():.0%}", width=160, help=limit)
if not choices.real and not choices.synthetic:
    st.info(_("There is no lesson yet, so nothing to take out. Record one on the page Live."), icon=":material/info:")
    st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
elif choices.observations > LARGEST:
    st.info(
        _(
            "This workspace is too large to be handed over by a page (more than {most:,} observations). Stop CSSAFE and run "
            "`python -m cssafe export lessons.zip` on this computer."
        ).format(most=LARGEST),
        icon=":material/terminal:",
    )
else:
    form = st.segmented_control(
        _("Format"),
        FORMATS,
        default=FORMATS[0],
        required=True,
        format_func=NAMES.get,
        key="format",
        bind="query-params",
    )
    if st.button(_("Prepare the file"), icon=":material/inventory_2:"):
        bar = st.progress(0.0, _("Writing the tables …"))
        file = BytesIO()
        contents = exporter.export_file(workspace, file, form, bar.progress)
        bar.empty()
        st.session_state["prepared"] = ((form, choices), file.getvalue(), contents)
    if (prepared := st.session_state.get("prepared")) and prepared[0] == (form, choices):
        _key, content, contents = prepared
        st.download_button(
            _("Download as {form} ({size:.1f} MB)").format(form=NAMES[form], size=len(content) / 1e6),
            content,
            f"cssafe-{form}.zip",
            "application/zip",
            type="primary",
            on_click="ignore",
            icon=":material/download:",
        )
        if contents.withheld:
            st.caption(
                _(
                    "Lessons of which the file holds the means of the class for each minute, and no single faces, as their "
                    "profile does not show them: {n}."
                ).format(n=contents.withheld)
            )
    st.caption(
        _(
            "One ZIP with a table each: lessons, observations (one row for each face and second, with the activity), "
            "minutes, markers, activities, ratings, settings and what is made from them; docs/data.md explains every "
            "column. Lessons that still run are left out. Faces are numbers, never names, but someone who was in the room can "
            "tell from a row where each student looked in each second: the file is meant for moving your own workspace. "
            "[What the scores mean](concentration)"
        )
    )

st.subheader(_("Bring in"))
if told := st.session_state.pop("taken", ""):
    st.success(told, icon=":material/check_circle:")
given = st.file_uploader(
    _("A file that CSSAFE has exported"), type="zip", key=f"given_{st.session_state.get('imports', 0)}"
)
if given is not None and st.button(_("Import"), type="primary", icon=":material/upload:"):
    bar = st.progress(0.0, _("Reading the file …"))
    try:
        taken = importer.import_file(workspace, given, profile, bar.progress)
    except StoreError as error:
        bar.empty()
        st.error(_("{problem} Nothing was imported.").format(problem=escape_sentence(error)), icon=":material/error:")
    else:
        st.session_state["taken"] = importer.describe_import(taken)
        st.session_state["imports"] = st.session_state.get("imports", 0) + 1  # the file is not offered again
        st.session_state.pop("prepared", None)
        st.rerun()
st.caption(
    _(
        "What is here stays as it is: lessons that are here already are passed over, and settings made here are kept. A "
        "file that cannot be read whole changes nothing."
    )
)

if not workspace.in_memory:
    offer_backups()
    if workspace.backup_problem:
        st.warning(escape_sentence(workspace.backup_problem), icon=":material/backup:")
