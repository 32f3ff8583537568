"""Lessons: one lesson's key figures and the course of its concentration."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import timelines
from cssafe.charts.text import format_interval
from cssafe.language import _
from cssafe.names import clean_text, escape_markdown
from cssafe.store import Workspace
from cssafe.ui import common


def show_title(workspace: Workspace, lesson: pd.Series) -> None:
    """Name, time and place. lesson: a row of queries.lessons, here and below."""
    name = escape_markdown(lesson["name"])
    st.subheader(_("{name} (synthetic)").format(name=name) if lesson["synthetic"] else name)
    if pd.notna(lesson["ended"]):
        end = f"{lesson['ended']:%H:%M}"
    elif unwritten := workspace.unwritten_end(int(lesson["lesson"])):
        end = _("{time}, not yet written").format(time=f"{unwritten.astimezone(ZoneInfo(lesson['time_zone'])):%H:%M}")
    else:
        end = _("still running")
    place = ", ".join(clean_text(part) for part in (lesson["class_name"], lesson["subject"], lesson["room"]) if part)
    st.text(
        _("{start} to {end} ({zone}), {place}").format(
            start=lesson["local"].strftime(_("%A %d %B %Y, %H:%M")), end=end, zone=lesson["time_zone"], place=place
        )
    )


def show_course(workspace: Workspace, lesson: pd.Series, course: pd.DataFrame) -> None:
    """course: queries.timeline of the lesson, with figures."""
    if pd.notna(lesson["concentration"]):
        _show_key_figures(lesson)
    common.show_chart(
        timelines.timeline(course, queries.markers(workspace, int(lesson["lesson"]))),
        timelines.timeline_caption(course),
        course,
        key="timeline",
        how=_(
            "How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, dashed "
            "lines are your markers. Gaps: too few faces. Formula: {formula}."
        ).format(formula=escape_markdown(lesson["formula"])),
    )


def _show_key_figures(lesson: pd.Series) -> None:
    known = (
        _("one face, few minutes: no interval")
        if pd.isna(lesson["low"])
        else _("95 % interval {interval}").format(interval=format_interval(lesson["low"], lesson["high"]))
    )
    figures = [
        (_("Concentration"), f"{lesson['concentration']:.2f}", known),
        (_("Minutes"), f"{lesson['minutes']}", _("with figures")),
        (_("Faces"), f"{lesson['faces']:.0f}", _("at once")),
    ]
    with st.container(horizontal=True):
        for title, value, below in figures:
            st.metric(title, value, below, "off", delta_arrow="off", width="content")
