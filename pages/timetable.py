"""Timetable: differences between the slots of the week, a better week, and the week itself."""

import streamlit as st

from cssafe.language import _
from cssafe.ui import common, slot_differences, week_editor, week_proposal

common.start_page(_("Timetable"))
workspace = common.workspace()
known = bool(workspace.get("periods", []))

parts = {"slots": _("How slots differ"), "proposal": _("A better week"), "week": _("The school's week")}
part = common.choose(_("Part"), parts, "slots" if known else "week", "part")
if part == "week":
    week_editor.edit_week(workspace)
elif not known:
    st.info(
        _("Enter or import the school's periods first, under “The school's week”."), icon=":material/edit_calendar:"
    )
elif (school := week_editor.saved_week(workspace)) is not None:
    show = slot_differences.show_slot_differences if part == "slots" else week_proposal.show_week_proposal
    show(workspace, school)
