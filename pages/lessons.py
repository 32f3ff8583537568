"""Lessons: all of them, the course of one, rename, delete, download."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cssafe import charts, queries, sample
from cssafe.charts import captions
from cssafe.exchange.spreadsheet import escape_texts
from cssafe.language import _
from cssafe.names import clean_text, escape_markdown
from cssafe.settings import PROFILES, ROOT
from cssafe.store.summaries import MIN_MINUTE_S
from cssafe.ui import common, filters, marker_responses, score_explanation, seat_map

common.page(_("Lessons"))
workspace, profile = common.workspace(), common.settings().profile
choices = filters.guard(workspace)
which = filters.which(choices)
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.nothing()

ends = pd.Series(charts.intervals(lessons["low"], lessons["high"]), lessons.index)
event = common.show_table(
    lessons.assign(interval=ends.where(lessons["low"].notna(), "")),
    height=320 if len(lessons) > 8 else "content",
    on_select="rerun",
    selection_mode="single-row",
    key="list",
    column_order=[
        "name", "local", "concentration", "interval", "minutes", "faces", "class_name", "subject", "room", "profile",
        "formula", "synthetic",
    ],
    column_config={
        "name": _("Lesson"),
        "local": st.column_config.DatetimeColumn(_("Start"), format=_("D MMM YYYY, HH:mm")),
        "concentration": st.column_config.NumberColumn(_("Concentration"), format="%.2f"),
        "interval": st.column_config.TextColumn(_("95 % interval"), help=_("Over the lesson's faces")),
        "minutes": st.column_config.NumberColumn(_("Minutes"), help=_("Minutes with figures")),
        "faces": st.column_config.NumberColumn(_("Faces"), format="%.0f", help=_("Typical number seen at once")),
        "class_name": _("Class"),
        "subject": _("Subject"),
        "room": _("Room"),
        "profile": _("Profile"),
        "formula": _("Formula"),
        "synthetic": st.column_config.CheckboxColumn(_("Synthetic")),
    },
)  # fmt: skip
st.caption(_("Tick a row to see the lesson.") + " " + _(filters.VALIDITY))

if event.selection.rows and event.selection.rows[0] < len(lessons):
    st.query_params["lesson"] = str(lessons["lesson"].iloc[event.selection.rows[0]])
asked = st.query_params.get("lesson", str(lessons["lesson"].iloc[0]))
found = lessons[lessons["lesson"].astype(str) == asked]
if found.empty:
    st.warning(_("The lesson of this address is deleted, or left out by the filter."), icon=":material/search_off:")
    st.stop()
lesson = found.iloc[0]
number = int(lesson["lesson"])

name = escape_markdown(lesson["name"])
st.subheader(_("{name} (synthetic)").format(name=name) if lesson["synthetic"] else name)
if pd.notna(lesson["ended"]):
    end = f"{lesson['ended']:%H:%M}"
elif unwritten := workspace.unwritten_end(number):
    end = _("{time}, not yet written").format(time=f"{unwritten.astimezone(ZoneInfo(lesson['time_zone'])):%H:%M}")
else:
    end = _("still running")
place = ", ".join(clean_text(part) for part in (lesson["class_name"], lesson["subject"], lesson["room"]) if part)
st.text(
    _("{start} to {end} ({zone}), {place}").format(
        start=lesson["local"].strftime(_("%A %d %B %Y, %H:%M")), end=end, zone=lesson["time_zone"], place=place
    )
)
course = queries.timeline(workspace, number)
if course["concentration"].notna().any():
    if pd.notna(lesson["concentration"]):
        with st.container(horizontal=True):
            known = (
                _("one face, few minutes: no interval")
                if pd.isna(lesson["low"])
                else _("95 % interval {interval}").format(interval=charts.between(lesson["low"], lesson["high"]))
            )
            figures = [(_("Concentration"), f"{lesson['concentration']:.2f}", known)]
            figures += [
                (_("Minutes"), f"{lesson['minutes']}", _("with figures")),
                (_("Faces"), f"{lesson['faces']:.0f}", _("at once")),
            ]
            for title, value, below in figures:
                st.metric(title, value, below, "off", delta_arrow="off", width="content")
    common.chart(
        charts.timeline(course, queries.markers(workspace, number)),
        captions.timeline(course),
        course,
        key="timeline",
        how=_(
            "How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, dashed "
            "lines are your markers. Gaps: too few faces. Formula: {formula}."
        ).format(formula=escape_markdown(lesson["formula"])),
    )
    score_explanation.explain(workspace, lesson)
    marker_responses.respond(workspace, number)
    if pd.notna(lesson["ended"]):
        seat_map.seating(workspace, number, lesson["room"])
elif course.empty:
    st.info(_("No face was seen in this lesson."), icon=":material/info:")
else:
    st.info(filters.no_figures(found), icon=":material/group_off:")

with st.container(horizontal=True):
    st.page_link(
        ROOT / "pages/story.py", label=_("Story"), icon=":material/auto_stories:", query_params={"lesson": str(number)}
    )
    score_explanation.correct(workspace, lesson)
    with st.popover(_("Rename"), icon=":material/edit:"), st.form("rename", border=False):
        name = st.text_input(_("Name"), lesson["name"], max_chars=80)
        if st.form_submit_button(_("Save")):
            if name.strip():
                workspace.rename(number, name)
                st.rerun()
            st.error(_("A lesson needs a name. Type one and save again."), icon=":material/error:")
    for suffix, mime in {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}.items():

        def content(suffix: str = suffix) -> bytes:
            rows = queries.shareable_rows(workspace, number)
            return (
                escape_texts(rows).to_csv(index=False).encode()
                if suffix == "csv"
                else rows.to_parquet(None, index=False)
            )

        st.download_button(
            suffix.upper() if suffix == "csv" else _("Parquet"),
            content,
            f"lesson-{number}{'-synthetic' if lesson['synthetic'] else ''}.{suffix}",
            mime,
            on_click="ignore",
            icon=":material/download:",
        )
    with st.popover(_("Delete"), icon=":material/delete:"):
        st.markdown(
            _(
                "This takes the lesson, its observations and its markers out of every table and chart, for good. Files "
                "that were downloaded stay where they are."
            )
            + " "
            + (
                _(
                    "The database file is then rewritten and backups that hold the lesson are removed, so that no trace of it "
                    "is left; a large one takes a while."
                )
                if profile.stored
                else _("As this workspace is only in memory, nothing remains.")
            )
        )
        if st.button(_("Delete this lesson"), type="primary"):
            with st.spinner(_("Deleting the lesson, and writing the database anew without it …")):
                workspace.delete(number)
            st.query_params.pop("lesson", None)
            st.rerun()
if PROFILES[lesson["profile"]].individuals:
    st.caption(
        _(
            "The files hold one row for each face and second: where it was, where it looked and, if the profile shows them, "
            "its emotions. Faces are numbers, never names, but someone who was in the room can tell whose they are; pass the "
            "files on with care."
        )
    )
else:
    st.caption(
        _(
            "The files hold the means of the class for each minute with at least {seconds} seconds of figures, never a single "
            "face, once the lesson is over."
        ).format(seconds=MIN_MINUTE_S)
    )

if choices.synthetic and st.button(_("Remove the synthetic lessons"), icon=":material/science_off:"):
    sample.remove_term(workspace)
    st.query_params.pop("lesson", None)
    st.rerun()
