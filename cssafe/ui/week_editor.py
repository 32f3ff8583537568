"""Timetable: the school's week, to enter, import and download."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.labels import WEEKDAYS
from cssafe.language import _
from cssafe.names import MAX_NAME_CHARS, clean_text, escape_sentence
from cssafe.school import periods as day
from cssafe.school import week
from cssafe.school.room_timetable import SCHOOL_DAYS
from cssafe.school.week import RESOURCE_NAMES, RESOURCES, School, parse_week
from cssafe.settings import MAX_UPLOAD_MB
from cssafe.store import Workspace
from cssafe.timetable import week_csv, week_ics
from cssafe.timetable.slot_effects import SlotEffects, estimate_effects, lessons_in_slots
from cssafe.ui import common
from cssafe.ui.periods_editor import periods_table

MIN_LESSON_MINUTES = 20
"""Recorded lessons shorter than this are trials, not periods of the school (assumption)."""


def saved_week(workspace: Workspace) -> School | None:
    """The school's week; None, with a warning, where it does not fit the periods any more."""
    try:
        return parse_week(workspace.get("periods", []), **workspace.get("school", {}))
    except ValueError as error:
        st.warning(
            _("{error} The week is not used until then.").format(error=escape_sentence(error)),
            icon=":material/event_busy:",
        )
        return None


def cached_effects(lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict]) -> SlotEffects:
    """slot_effects.effects, cached by its arguments."""
    with st.spinner(_("Comparing the slots of the week …")):
        return _effects(lessons, days, periods, common.current_language())


@st.cache_data(show_spinner=False, max_entries=4)
def _effects(lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict], language: str) -> SlotEffects:
    """language: of the reasons in the result."""
    return estimate_effects(lessons, days, periods)


def save_week(workspace: Workspace, school: School) -> None:
    workspace.set("periods", list(school.periods))
    workspace.set("school", school.to_dict())


def edit_week(workspace: Workspace) -> None:
    """Import, table, download and editor of the week."""
    zone = workspace.get("live", {}).get("time_zone") or st.context.timezone or "UTC"
    plain, periods = workspace.get("school", {}), workspace.get("periods", [])
    if not plain.get("lessons"):
        st.info(
            _(
                "There is no school week yet. Import it from a file, take it from the recorded lessons, or enter it below. "
                "Periods and days alone are enough to see how slots differ."
            ),
            icon=":material/info:",
        )
    _import(workspace, zone, plain)
    school = saved_week(workspace)
    if school is not None and len(school.lessons):
        _show(school)
        with st.container(horizontal=True):
            offer_files("week", school, date.today() - timedelta(days=date.today().weekday()), zone)
    with st.expander(_("Change the week"), expanded=not plain.get("lessons"), icon=":material/edit_calendar:"):
        _edit(workspace, plain, periods)


def _import(workspace: Workspace, zone: str, plain: dict) -> None:
    """Import of the week from a file or from recorded lessons. plain: School.plain of the saved week."""
    with st.expander(_("Import"), expanded=not plain.get("lessons"), icon=":material/upload:"):
        with st.form("bring", clear_on_submit=True, border=False):
            file = st.file_uploader(
                _("CSV or iCalendar file"),
                ["csv", "ics"],
                max_upload_size=min(5, MAX_UPLOAD_MB),
                help=_("The file replaces the week that is saved here. Download the week to see the format."),
            )
            sent = st.form_submit_button(_("Import"), icon=":material/upload:")
        if sent and file is not None:
            try:
                _import_file(workspace, file.name, file.getvalue(), zone, plain)
            except ValueError as error:
                st.error(
                    _("{error} Nothing was imported.").format(error=escape_sentence(error)), icon=":material/error:"
                )
            else:
                st.rerun()
        recorded = queries.lessons(workspace)
        if len(recorded) and st.button(_("Import from the recorded lessons"), icon=":material/history:"):
            with common.saving(ValueError):
                _import_recorded(workspace, recorded)


def _import_file(workspace: Workspace, name: str, content: bytes, zone: str, plain: dict) -> None:
    periods = workspace.get("periods", [])
    with st.spinner(_("Reading the file …")):  # a large calendar takes some seconds
        calendar = name.lower().endswith(".ics")
        new, lessons, away = week_ics.from_ics(content, periods, zone) if calendar else week_csv.from_csv(content)
    used = day.parse_periods(new) if new else periods
    kept = {name: plain[name] for name in ("focus", "most") if name in plain}
    save_week(workspace, parse_week(used, lessons, away, _days_of(lessons), **kept))


def _import_recorded(workspace: Workspace, recorded: pd.DataFrame) -> None:
    """recorded: queries.lessons."""
    ended = recorded[recorded["ended"] - recorded["local"] >= pd.Timedelta(minutes=MIN_LESSON_MINUTES)]
    times = zip(*(ended[name].dt.round("5min").dt.strftime("%H:%M") for name in ("local", "ended")), strict=True)
    periods = workspace.get("periods", []) or week.periods_from_times(set(times))
    rows = week.rows_from_lessons(lessons_in_slots(workspace, periods)) if periods else []
    save_week(
        workspace, parse_week(periods, rows, days=_days_of(rows), most=len(periods) or week.DEFAULT_MAX_DAILY_PERIODS)
    )


def _days_of(lessons: list[dict]) -> list[str]:
    """School days, and further days with lessons."""
    return [name for name in WEEKDAYS if name in SCHOOL_DAYS or name in {row["day"] for row in lessons}]


def _show(school: School) -> None:
    """The week of one class, teacher or room."""
    there = [who for who in RESOURCES if school.lessons[who].any()]
    left, right = st.columns(2)
    who = left.selectbox(_("The week of a"), there, format_func=lambda who: _(RESOURCE_NAMES[str(who)]), key="week_who")
    name = right.selectbox(
        _("Which"), sorted(filter(None, school.lessons[who].unique())), key="week_name", format_func=clean_text
    )
    grid = pd.DataFrame("", index=school.names, columns=list(school.days))
    for row in school.lessons[school.lessons[who] == name].itertuples():
        first = school.names.index(row.period)
        parts = [row.subject, *(getattr(row, other) for other in RESOURCES if other != who)]
        for period in school.names[first : first + row.length]:
            grid.loc[period, row.day] = ", ".join(filter(None, parts))
    common.show_table(grid.rename(columns=_).rename_axis(_("Period")).reset_index(), key="week_grid")


def offer_files(name: str, school: School, monday: date, zone: str) -> None:
    """Download buttons for CSV and iCalendar. monday: of the first week in the calendar."""
    files: dict[str, tuple[Callable[[], bytes], str, str]] = {
        "CSV": (lambda: week_csv.to_csv(school).encode("utf-8-sig"), "csv", "download"),
        "iCalendar": (lambda: week_ics.to_ics(school, monday, zone), "ics", "calendar_month"),
    }
    for title, (content, ending, icon) in files.items():
        mime = "text/csv" if ending == "csv" else "text/calendar"
        icon = f":material/{icon}:"
        key = f"{name}-{ending}"
        st.download_button(title, content, f"{name}.{ending}", mime, on_click="ignore", icon=icon, key=key)


def _edit(workspace: Workspace, plain: dict, periods: list[dict]) -> None:
    """Tables to fill in. plain: School.to_dict. No column is marked as required: Streamlit drops incomplete rows silently."""
    chosen = st.multiselect(_("Days"), WEEKDAYS, plain.get("days", SCHOOL_DAYS), format_func=_, key="week_days")
    most = st.number_input(
        _("Most periods of one subject for a class on one day"),
        1,
        200,
        plain.get("most", week.DEFAULT_MAX_DAILY_PERIODS),
    )
    st.markdown(_("**Periods**"))
    rows = periods_table(periods, "week_periods")
    names = [period["name"] for period in periods]
    when = {
        "day": st.column_config.SelectboxColumn(_("Day"), options=WEEKDAYS, format_func=lambda day: _(str(day))),
        "period": st.column_config.SelectboxColumn(_("Period"), options=names) if names else _text(_("Period")),
    }
    st.markdown(_("**Lessons**"))
    lessons = _edit_lessons(plain.get("lessons", []), when)
    st.markdown(_("**Absences** (without a period: the whole day)"))
    away = common.edit_table(
        pd.DataFrame(plain.get("away", []), columns=week.AWAY_COLUMNS, dtype=object),
        num_rows="dynamic",
        key="week_away",
        column_config=when
        | {
            "who": st.column_config.SelectboxColumn(
                _("Who"), options=RESOURCES, format_func=lambda who: _(RESOURCE_NAMES[str(who)])
            ),
            "name": _text(_("Name")),
        },
    )
    if st.button(_("Save the week"), type="primary", icon=":material/save:"):
        with common.saving(ValueError):
            used, given, free = (table.to_dict("records") for table in (rows, lessons, away))
            school = parse_week(day.parse_periods(used), given, free, chosen, plain.get("focus"), int(most))
            save_week(workspace, school)


def _edit_lessons(lessons: list[dict], when: dict[str, Any]) -> pd.DataFrame:
    """when: configuration of the columns day and period."""
    return common.edit_table(
        pd.DataFrame(lessons, columns=week.LESSON_COLUMNS, dtype=object),
        num_rows="dynamic",
        key="week_lessons",
        column_config=when
        | {"subject": _text(_("Subject")), "teacher": _text(_("Teacher")), "room": _text(_("Room"))}
        | {"class_name": _text(_("Class"))}
        | {"length": st.column_config.NumberColumn(_("Periods in a row"), min_value=1, step=1, default=1)}
        | {"fixed": st.column_config.CheckboxColumn(_("Fixed"), help=_("Must not move"), default=False)},
    )


def _text(title: str) -> Any:
    return st.column_config.TextColumn(title, max_chars=MAX_NAME_CHARS)
