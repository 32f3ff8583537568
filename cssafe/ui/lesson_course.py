"""Lessons: one lesson's key figures and the course of its concentration."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import composition, timelines
from cssafe.charts.text import format_intervals
from cssafe.language import _, ngettext
from cssafe.names import clean_text, escape_markdown
from cssafe.presence.figure_text import describe_figure, format_headline, format_range, format_seen
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


def in_words(lessons: pd.DataFrame) -> pd.DataFrame:
    """Rows of queries.lessons for a table: concentration of 0 to 100, `range`, `interval` and `seen_words` as text."""
    ends = format_intervals(100 * lessons["low"], 100 * lessons["high"], 0)
    return lessons.assign(
        concentration=100 * lessons["concentration"],
        range=[format_range(*row) for row in lessons[["lowest", "highest"]].to_numpy(float)],
        seen_words=[format_seen(*row) for row in lessons[["present", "seen"]].to_numpy(float)],
        interval=pd.Series(ends, lessons.index, dtype=str).where(lessons["low"].notna(), ""),
    )


def show_course(workspace: Workspace, lesson: pd.Series, course: pd.DataFrame) -> None:
    """course: queries.timeline of the lesson, with figures."""
    if pd.notna(lesson["concentration"]) or lesson["too_small"]:
        _show_key_figures(workspace, lesson)
    common.show_chart(
        timelines.timeline(course, queries.markers(workspace, int(lesson["lesson"]))),
        timelines.timeline_caption(course),
        course,
        key="timeline",
        how=_(
            "How to read it: the line is the figure of the class in each minute. The band is its range: at its lower edge "
            "those who cannot be seen do not attend, at its upper edge they attend like the rest. Dashed lines are your "
            "markers. Gaps: too few faces. Formula: {formula}."
        ).format(formula=escape_markdown(lesson["formula"])),
    )
    if lesson["audience"] == "class" and course["present"].notna().any():
        _show_composition(course)


def _show_composition(course: pd.DataFrame) -> None:
    """States and levels of the people over the lesson."""
    common.show_chart(
        composition.composition(course),
        composition.composition_caption(course),
        course[["minute", "present", *composition.STATE_NAMES]],
        key="composition",
        how=_(
            "How to read it: everybody known to be there, in each minute. Not readable: a face is found, but too small, turned "
            "away or covered. Not visible: no face is found, such as of a head on the desk, or behind somebody."
        ),
    )
    blocks = composition.level_blocks(course)
    if len(blocks):
        common.show_chart(
            composition.levels(blocks),
            composition.levels_caption(blocks),
            blocks,
            key="levels",
            how=_(
                "How to read it: the people who can be read, by level, as the mean of every {n} minutes. Those who cannot be "
                "read or seen have no level."
            ).format(n=composition.BLOCK_MINUTES),
        )


def _show_key_figures(workspace: Workspace, lesson: pd.Series) -> None:
    headline, lowest, highest, present, seen = lesson[["concentration", "lowest", "highest", "present", "seen"]].astype(
        float
    )
    figures = [
        (_("Concentration (0 to 100)"), format_headline(headline), format_range(lowest, highest)),
        (_("Minutes"), f"{lesson['minutes']}", _("with figures")),
        (_("Faces"), f"{lesson['faces']:.0f}", _("at once")),
    ]
    with st.container(horizontal=True):
        for title, value, below in figures:
            st.metric(title, value, below or None, "off", delta_arrow="off", width="content")
    st.text(describe_figure(headline, lowest, highest, present, seen) + ".")
    if lesson["audience"] == "class" and pd.notna(lesson["ended"]):
        st.caption(_count_people(workspace, lesson))


def _count_people(workspace: Workspace, lesson: pd.Series) -> str:
    """How many people are known; who has left for good is not known where the teacher gave the number."""
    known, gone = queries.count_people(workspace, int(lesson["lesson"]))
    if pd.notna(lesson["expected"]):
        return _("{known} people known, {expected} expected.").format(known=known, expected=lesson["expected"])
    return ngettext(
        "{known} people known, {n} of them counted as gone for good at the end. If that is wrong, enter how many people are "
        "expected.",
        "{known} people known, {n} of them counted as gone for good at the end. If that is wrong, enter how many people are "
        "expected.",
        gone,
    ).format(known=known, n=gone)
