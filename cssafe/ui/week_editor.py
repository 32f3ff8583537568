"""The school's week, to be entered, imported and downloaded: a part of the page Timetable."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from functools import partial

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.language import _
from cssafe.names import MAX_NAME_CHARS, clean_text, escape_sentence
from cssafe.school import periods as day
from cssafe.school.room_timetable import DAYS, SCHOOL_DAYS
from cssafe.school.week import (
    AWAY_COLUMNS,
    DEFAULT_MAX_DAILY_PERIODS,
    LESSON_COLUMNS,
    RESOURCE_NAMES,
    RESOURCES,
    School,
    parse_week,
    periods_from_times,
    rows_from_lessons,
)
from cssafe.settings import MAX_UPLOAD_MB
from cssafe.store import Workspace
from cssafe.timetable import week_csv, week_ics
from cssafe.timetable.slot_effects import SlotEffects, estimate_effects, lessons_in_slots
from cssafe.ui import common

SHORTEST = 20
"""Minutes below which a recorded lesson is a trial, and no period of the school (assumption)."""


def saved(workspace: Workspace) -> School | None:
    """The school's week; None where none is saved, or periods were changed since so that it fits no more."""
    try:
        return parse_week(workspace.get("periods", []), **workspace.get("school", {}))
    except ValueError as error:
        st.warning(
            _("{error} The week is not used until then.").format(error=escape_sentence(error)),
            icon=":material/event_busy:",
        )
        return None


def compare(lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict]) -> SlotEffects:
    """effects.effects, kept by what was recorded, so that it is not worked out anew at every click."""
    with st.spinner(_("Comparing the slots of the week …")):
        return _compared(lessons, days, periods, common.spoken())


@st.cache_data(show_spinner=False, max_entries=4)
def _compared(lessons: pd.DataFrame, days: Sequence[str], periods: Sequence[dict], language: str) -> SlotEffects:
    """language: that of the reasons in it."""
    return estimate_effects(lessons, days, periods)


def keep(workspace: Workspace, school: School) -> None:
    workspace.set("periods", list(school.periods))
    workspace.set("school", school.plain())


def week(workspace: Workspace) -> None:
    """All of it, below each other."""
    zone = workspace.get("live", {}).get("time_zone") or st.context.timezone or "UTC"
    plain, periods = workspace.get("school", {}), workspace.get("periods", [])
    if not plain.get("lessons"):
        st.info(
            _(
                "The school's week is not known yet. Import it from a file, take it from the lessons recorded so far, or enter "
                "it below. Periods and days alone are enough to see how slots differ."
            ),
            icon=":material/info:",
        )
    _bring(workspace, zone, plain)
    school = saved(workspace)
    if school is not None and len(school.lessons):
        _show(school)
        _take(school, zone)
    with st.expander(_("Change the week"), expanded=not plain.get("lessons"), icon=":material/edit_calendar:"):
        _change(workspace, plain, periods)


def _bring(workspace: Workspace, zone: str, plain: dict) -> None:
    """In from a file, or from what was recorded."""
    with st.expander(_("Import"), expanded=not plain.get("lessons"), icon=":material/upload:"):
        with st.form("bring", clear_on_submit=True, border=False):
            file = st.file_uploader(
                _("CSV or iCalendar file"),
                ["csv", "ics"],
                max_upload_size=min(5, MAX_UPLOAD_MB),
                help=_("The file takes the place of the week that is saved here. Download the week to see the form."),
            )
            sent = st.form_submit_button(_("Import"), icon=":material/upload:")
        if sent and file is not None:
            try:
                periods = workspace.get("periods", [])
                new, lessons, away = _read_file(file.name, file.getvalue(), periods, zone)
                used = day.parse_periods(new) if new else periods
                kept = {name: plain[name] for name in ("focus", "most") if name in plain}
                days = [name for name in DAYS if name in SCHOOL_DAYS or name in {row["day"] for row in lessons}]
                keep(workspace, parse_week(used, lessons, away, days, **kept))
            except ValueError as error:
                st.error(
                    _("{error} Nothing was imported.").format(error=escape_sentence(error)), icon=":material/error:"
                )
            else:
                st.rerun()
        recorded = queries.lessons(workspace)
        if len(recorded) and st.button(_("Take it from the recorded lessons"), icon=":material/history:"):
            ended = recorded[recorded["ended"] - recorded["local"] >= pd.Timedelta(minutes=SHORTEST)]
            times = zip(
                *(ended[name].dt.round("5min").dt.strftime("%H:%M") for name in ("local", "ended")), strict=True
            )
            periods = workspace.get("periods", []) or periods_from_times(set(times))
            try:
                rows = rows_from_lessons(lessons_in_slots(workspace, periods)) if periods else []
                days = [name for name in DAYS if name in SCHOOL_DAYS or name in {row["day"] for row in rows}]
                keep(workspace, parse_week(periods, rows, days=days, most=len(periods) or DEFAULT_MAX_DAILY_PERIODS))
            except ValueError as error:
                st.error(escape_sentence(error), icon=":material/error:")
            else:
                st.rerun()


def _read_file(name: str, content: bytes, periods: list[dict], zone: str) -> tuple[list, list, list]:
    """Periods, lessons and absences of a CSV or iCalendar file; a large calendar takes some seconds."""
    with st.spinner(_("Reading the file …")):
        if name.lower().endswith(".ics"):
            return week_ics.from_ics(content, periods, zone)
        return week_csv.from_csv(content)


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


def _take(school: School, zone: str) -> None:
    """Out as a file."""
    monday = date.today() - timedelta(days=date.today().weekday())
    with st.container(horizontal=True):
        download("week", school, monday, zone)


def download(name: str, school: School, monday: date, zone: str) -> None:
    """Buttons for both kinds of file."""
    st.download_button(
        "CSV",
        lambda: week_csv.to_csv(school).encode("utf-8-sig"),
        f"{name}.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
        key=f"{name}-csv",
    )
    st.download_button(
        "iCalendar",
        lambda: week_ics.to_ics(school, monday, zone),
        f"{name}.ics",
        "text/calendar",
        on_click="ignore",
        icon=":material/calendar_month:",
        key=f"{name}-ics",
    )


def _change(workspace: Workspace, plain: dict, periods: list[dict]) -> None:
    """Tables to fill in. None of a table's columns is marked as required: rows that lack something would be left out."""
    chosen = st.multiselect(_("Days"), DAYS, plain.get("days", SCHOOL_DAYS), format_func=_, key="week_days")
    most = st.number_input(
        _("Periods of one subject that a class has on a day at most"),
        1,
        200,
        plain.get("most", DEFAULT_MAX_DAILY_PERIODS),
    )
    st.markdown(_("**Periods**"))
    table = pd.DataFrame(periods or [{"name": "1", "start": "08:00", "end": "08:45"}])
    for end in ("start", "end"):
        table[end] = [time.fromisoformat(value) for value in table[end]]
    text, names = partial(st.column_config.TextColumn, max_chars=MAX_NAME_CHARS), [period["name"] for period in periods]
    clock = {
        end: st.column_config.TimeColumn(word, format="HH:mm")
        for end, word in (("start", _("Start")), ("end", _("End")))
    }
    rows = common.edit_table(
        table,
        num_rows="dynamic",
        key="week_periods",
        column_config={"name": text(_("Period"))} | clock,
    )
    st.markdown(_("**Lessons**"))
    when = {
        "day": st.column_config.SelectboxColumn(_("Day"), options=DAYS, format_func=lambda day: _(str(day))),
        "period": st.column_config.SelectboxColumn(_("Period"), options=names) if names else text(_("Period")),
    }
    lessons = common.edit_table(
        pd.DataFrame(plain.get("lessons", []), columns=LESSON_COLUMNS, dtype=object),
        num_rows="dynamic",
        key="week_lessons",
        column_config=when
        | {"subject": text(_("Subject")), "teacher": text(_("Teacher")), "room": text(_("Room"))}
        | {"class_name": text(_("Class"))}
        | {"length": st.column_config.NumberColumn(_("Periods in a row"), min_value=1, step=1, default=1)}
        | {"fixed": st.column_config.CheckboxColumn(_("Fixed"), help=_("Must not move"), default=False)},
    )
    st.markdown(_("**Who is away when** (without a period: the whole day)"))
    away = common.edit_table(
        pd.DataFrame(plain.get("away", []), columns=AWAY_COLUMNS, dtype=object),
        num_rows="dynamic",
        key="week_away",
        column_config=when
        | {
            "who": st.column_config.SelectboxColumn(
                _("Who"), options=RESOURCES, format_func=lambda who: _(RESOURCE_NAMES[str(who)])
            ),
            "name": text(_("Name")),
        },
    )
    if st.button(_("Save the week"), type="primary", icon=":material/save:"):
        try:
            parts = (lessons.to_dict("records"), away.to_dict("records"))
            keep(
                workspace,
                parse_week(day.parse_periods(rows.to_dict("records")), *parts, chosen, plain.get("focus"), int(most)),
            )
        except ValueError as error:
            st.error(escape_sentence(error), icon=":material/error:")
        else:
            st.rerun()
