"""Data: export and import the workspace, restore a backup."""

import streamlit as st

from cssafe.language import _
from cssafe.live import services
from cssafe.names import escape_sentence
from cssafe.store import StoreError
from cssafe.ui import backup_panel, common, exchange_panels

if common.settings().profile.stored:
    try:
        services.current().workspace()
    except StoreError as error:  # the backups are most needed where the database cannot be opened
        common.show_heading(_("Data"))
        st.error(escape_sentence(error), icon=":material/error:")
        backup_panel.backup_panel()
        st.stop()
common.start_page(_("Data"))
workspace = common.workspace()
exchange_panels.export_panel(workspace)
exchange_panels.import_panel(workspace)
if not workspace.in_memory:
    backup_panel.backup_panel()
    if workspace.backup_problem:
        st.warning(escape_sentence(workspace.backup_problem), icon=":material/backup:")
