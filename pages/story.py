"""Story: what one lesson's figures say, in order, to be read, printed or kept."""

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.language import _
from cssafe.names import MAX_NAME_CHARS, clean_text
from cssafe.queries import notes
from cssafe.report.lesson_report import story
from cssafe.settings import ROOT
from cssafe.ui import common, filters, report_view

common.page(_("Story"))
workspace = common.workspace()
choices = filters.guard(workspace)
lessons = queries.lessons(workspace, filters.which(choices))
if lessons.empty:
    filters.nothing()
day = _("%d %b %Y")
names = dict(
    zip(
        lessons["lesson"].astype(str),
        lessons["name"].map(clean_text) + ", " + lessons["local"].dt.strftime(f"{day} %H:%M"),
        strict=True,
    )
)
asked = st.query_params.get("lesson", next(iter(names)))
picked = st.selectbox(_("Lesson"), names, list(names).index(asked) if asked in names else None, format_func=names.get)
if picked is None:
    st.warning(
        _("The lesson of this address is deleted, or left out by the filter. Choose one."), icon=":material/search_off:"
    )
    st.stop()
st.query_params["lesson"] = picked
lesson = lessons[lessons["lesson"].astype(str) == picked].iloc[0]
number = int(lesson["lesson"])

if pd.isna(lesson["ended"]):
    st.info(
        _("This lesson is over, but its end is not written yet. Its story is told once it is.")
        if workspace.unwritten_end(number)
        else _("This lesson is still running. Its story is told once it is over."),
        icon=":material/hourglass:",
    )
    st.stop()
if pd.isna(lesson["concentration"]):
    st.info(filters.no_figures(lesson.to_frame().T), icon=":material/group_off:")
else:
    with st.spinner(_("Reading the lesson …")):
        report = story(workspace, lesson, common.settings().profile)
    report_view.tell(report)

st.subheader(_("Note and tags"))
tags = notes.tags(workspace)
with st.form(f"notes_{number}"):
    note = st.text_area(
        _("Note"), notes.note(workspace, number), max_chars=2000, help=_("Yours alone; it goes into the report.")
    )
    chosen = st.multiselect(
        _("Tags"),
        sorted(tags["tag"].unique()),
        tags.loc[tags["lesson"] == number, "tag"].tolist(),
        format_func=clean_text,
        accept_new_options=True,
        placeholder=_("Such as: partner quiz, windows open, after sports"),
        help=_("Lessons with a tag can be compared with lessons without it, on the page Compare."),
    )
    if st.form_submit_button(_("Save note and tags"), icon=":material/save:"):
        if all(len(tag) <= MAX_NAME_CHARS for tag in chosen):
            workspace.annotate(number, note, chosen)
            st.rerun()
        st.error(
            _("A tag has at most {most} characters. Shorten it and save again.").format(most=MAX_NAME_CHARS),
            icon=":material/error:",
        )
st.caption(_("Write no names of students: notes and tags stay in the database until the lesson is deleted."))
with st.container(horizontal=True):
    st.page_link(
        ROOT / "pages/lessons.py", label=_("Lessons"), icon=":material/list_alt:", query_params={"lesson": str(number)}
    )
