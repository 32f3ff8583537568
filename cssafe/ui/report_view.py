"""Story, Term and Compare: a report on the page, and as a file."""

import streamlit as st

from cssafe.errors import ReportError
from cssafe.language import N_, _
from cssafe.names import MAX_SENTENCE_CHARS, clean_text, escape_markdown, escape_sentence
from cssafe.report.document import SYNTHETIC, VALIDITY, Report, Section
from cssafe.report.files import MIME, file_name, make_file
from cssafe.ui import common

TRUST = N_("[How the score is made, and its limits](concentration)")


def show_report(report: Report) -> None:
    """The report on the page, its files first."""
    st.header(escape_markdown(report.title))
    st.text(clean_text(report.about, MAX_SENTENCE_CHARS))
    if report.synthetic:
        st.caption(":material/science: " + _(SYNTHETIC))
    offer_files(report)
    for column, figure in zip(st.columns(max(1, len(report.figures))), report.figures, strict=False):
        column.metric(figure.label, figure.value, figure.note, delta_color="off", delta_arrow="off")
    for number, section in enumerate(report.sections):
        show_section(section, key=f"{report.name}_{number}")
    st.caption(f"{_(VALIDITY)} {_(TRUST)}")


def show_section(section: Section, key: str) -> None:
    """Sentences, charts, how to read them, and their table, made when it is opened."""
    st.subheader(escape_markdown(section.title))
    for words in section.sentences:
        st.markdown(escape_sentence(words))
    for chart, caption in section.charts:
        st.altair_chart(chart, alt=caption)
    if section.reading:
        st.caption(escape_sentence(section.reading))
    if not section.table.empty:
        behind = st.expander(_("Table"), icon=":material/table:", type="compact", key=key, on_change="rerun")
        if behind.open:
            with behind:
                common.show_table(section.table, key=f"{key}_rows")


def offer_files(report: Report) -> None:
    """Buttons that make the report as files, in some seconds."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for kind, mime in MIME.items():
            asked = f"make_{kind}_{report.name}"
            if not st.button(
                _("Make the report as {kind}").format(kind=kind.upper()), icon=":material/description:", key=asked
            ):
                continue
            try:
                with st.spinner(_("Drawing the charts and pages …")):
                    content = make_file(report, kind, common.current_language())
            except ReportError as error:
                st.error(escape_sentence(error), icon=":material/error:")
                continue
            st.download_button(
                _("Save the {kind}").format(kind=kind.upper()),
                content,
                file_name(report, kind),
                mime,
                on_click="ignore",
                type="primary",
                icon=":material/download:",
            )
