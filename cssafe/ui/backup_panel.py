"""Data: the backups of the database file, to restore and to delete."""

import streamlit as st

from cssafe.language import _
from cssafe.live import services
from cssafe.names import escape_sentence
from cssafe.store import StoreError
from cssafe.store.backups import MAX_BACKUP_DAYS, Backup, delete_replaced, list_backups
from cssafe.ui import common


def backup_panel() -> None:
    """The backups; the chosen one can be restored, or deleted if it is a replaced database."""
    st.subheader(_("Backups"))
    if done := st.session_state.pop("backup_done", ""):
        st.success(done, icon=":material/settings_backup_restore:")
    try:
        found = list_backups(common.settings().database)
    except StoreError as error:
        st.error(escape_sentence(error), icon=":material/backup:")
        return
    if found:
        chosen = st.radio(_("Backup of"), found, format_func=_describe, key="backup")
        with st.container(horizontal=True):
            _offer_restore(chosen)
            if chosen.replaced:
                _offer_deletion(chosen)
    st.caption(
        _(
            "CSSAFE makes a backup on every day on which a lesson ends, and keeps it until there are {days} newer ones. "
            "Deleting a lesson also deletes the backups with that lesson, and makes a new one without it. The files are in the "
            "folder `backups` beside the database."
        ).format(days=MAX_BACKUP_DAYS)
    )


def _offer_restore(backup: Backup) -> None:
    with st.popover(_("Restore"), icon=":material/settings_backup_restore:"):
        st.markdown(
            _(
                "All lessons and settings become those of this backup. Newer ones are no longer shown. The present database "
                "is kept among the backups, so that you can go back."
            )
        )
        if st.button(_("Restore this backup"), type="primary"):
            _restore(backup)


def _offer_deletion(backup: Backup) -> None:
    with st.popover(_("Delete"), icon=":material/delete:"):
        st.markdown(_("This database was replaced by a backup. Lessons that only it holds are lost for good."))
        if st.button(_("Delete this database"), type="primary"):
            try:
                delete_replaced(backup)
            except StoreError as error:
                st.error(escape_sentence(error), icon=":material/error:")
                return
            _finish(_("Deleted: {backup}.").format(backup=_describe(backup)))


def _describe(backup: Backup) -> str:
    lessons = _("cannot be read") if backup.lessons is None else _("lessons: {n}").format(n=backup.lessons)
    day = backup.day
    if backup.replaced:
        day = _("The database before the restore at {time} on {day}").format(time=backup.replaced, day=backup.day)
    return _("{day}, {lessons}, {size:.1f} MB").format(day=day, lessons=lessons, size=backup.size / 1e6)


def _restore(backup: Backup) -> None:
    try:
        with st.spinner(_("Restoring the backup …")):
            services.current().restore(backup.path)
    except StoreError as error:
        st.error(escape_sentence(error), icon=":material/error:")
        return
    _finish(_("Restored: {backup}.").format(backup=_describe(backup)))


def _finish(done: str) -> None:
    """Draw the page again with a message above the backups."""
    st.session_state["backup_done"] = done
    for key in ("prepared", "backup"):
        st.session_state.pop(key, None)
    st.rerun()
