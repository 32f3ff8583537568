"""Room: the timetable whose lessons start and end by themselves."""

from datetime import UTC, datetime, time

import pandas as pd
import streamlit as st

from cssafe.errors import ConfigurationError
from cssafe.labels import WEEKDAY_NAMES, WEEKDAYS
from cssafe.language import _
from cssafe.live import services
from cssafe.media import MediaError
from cssafe.names import escape_markdown, escape_sentence
from cssafe.school import room_timetable
from cssafe.store import StoreError, Workspace
from cssafe.ui import common
from cssafe.ui.room_form import save_camera, saved_camera

COLUMNS = ["days", "start", "end", "class_name", "subject", "room"]


def edit_room_timetable(workspace: Workspace) -> None:
    st.subheader(_("Timetable"))
    entries = workspace.get("timetable", [])
    if not entries:
        st.info(
            _(
                "There is no lesson in the timetable yet. Add rows below and save them: their lessons start and end by "
                "themselves while CSSAFE runs on this computer, also with no browser open."
            ),
            icon=":material/calendar_month:",
        )
    if problem := services.current().room().problem:
        stuck = _("The timetable cannot be followed: {problem}").format(problem=escape_sentence(problem))
        st.warning(stuck, icon=":material/error:")
    edited = _entries_table(entries)
    if st.button(_("Save timetable"), icon=":material/save:"):
        with common.saving(ConfigurationError, MediaError, StoreError, ValueError):
            read = room_timetable.parse_timetable(edited.to_dict("records"))
            if services.current().room().running() is None:
                save_camera()
            common.workspace().set("timetable", read)
            services.current().room().reload()
    zone = saved_camera(workspace)["time_zone"]
    if entries and (upcoming := room_timetable.next_lesson(entries, datetime.now(UTC), zone)):
        when, entry = upcoming
        name = " ".join(part for part in (entry["subject"], entry["class_name"]) if part) or _("Lesson")
        following = _("Next: {day}, {when:%H:%M} ({zone}), {name}.")
        st.caption(
            following.format(day=_(WEEKDAY_NAMES[when.weekday()]), when=when, zone=zone, name=escape_markdown(name))
        )


def _entries_table(entries: list[dict]) -> pd.DataFrame:
    times = [{end: time.fromisoformat(entry[end]) for end in ("start", "end")} for entry in entries]
    rows = [entry | clock for entry, clock in zip(entries, times, strict=True)]
    return common.edit_table(
        pd.DataFrame(rows, columns=COLUMNS, dtype=object),
        num_rows="dynamic",
        key="timetable",
        column_config={
            # No column is marked as required: Streamlit drops incomplete rows silently.
            "days": st.column_config.MultiselectColumn(
                _("Days"), options=WEEKDAYS, default=room_timetable.SCHOOL_DAYS, width="medium", format_func=_
            ),
            "start": st.column_config.TimeColumn(_("Start"), format="HH:mm"),
            "end": st.column_config.TimeColumn(_("End"), format="HH:mm"),
            "class_name": st.column_config.TextColumn(_("Class"), max_chars=60),
            "subject": st.column_config.TextColumn(_("Subject"), max_chars=60),
            "room": st.column_config.TextColumn(_("Room"), max_chars=60),
        },
    )
