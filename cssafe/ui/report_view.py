"""How the pages Story, Term and Compare show a report, and give it as a file."""

import streamlit as st

from cssafe.errors import ReportError
from cssafe.language import N_, _
from cssafe.names import MAX_SENTENCE_CHARS, clean_text, escape_markdown, escape_sentence
from cssafe.report.document import SYNTHETIC, VALIDITY, Report, Section
from cssafe.report.files import MIME, filename, make
from cssafe.ui import common

TRUST = N_("[How the score comes about, and how far to trust it](concentration)")


def tell(report: Report) -> None:
    """The report on the page, its files first."""
    st.header(escape_markdown(report.title))
    st.text(clean_text(report.about, MAX_SENTENCE_CHARS))
    if report.synthetic:
        st.caption(":material/science: " + _(SYNTHETIC))
    download(report)
    for column, figure in zip(st.columns(max(1, len(report.figures))), report.figures, strict=False):
        column.metric(figure.label, figure.value, figure.note, delta_color="off", delta_arrow="off")
    for number, section in enumerate(report.sections):
        show(section, key=f"{report.name}_{number}")
    st.caption(f"{_(VALIDITY)} {_(TRUST)}")


def show(section: Section, key: str) -> None:
    """Sentences, charts, how to read them, and the table behind them, made when it is opened."""
    st.subheader(escape_markdown(section.title))
    for words in section.sentences:
        st.markdown(escape_sentence(words))
    for chart, said in section.charts:
        st.altair_chart(chart, alt=said)
    if section.reading:
        st.caption(escape_sentence(section.reading))
    if not section.table.empty:
        behind = st.expander(_("Table"), icon=":material/table:", type="compact", key=key, on_change="rerun")
        if behind.open:
            with behind:
                common.show_table(section.table, key=f"{key}_rows")


def download(report: Report) -> None:
    """The report as files. They are made when asked for, which takes some seconds."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for kind, mime in MIME.items():
            asked = f"make_{kind}_{report.name}"
            if not st.button(
                _("Make the report as {kind}").format(kind=kind.upper()), icon=":material/description:", key=asked
            ):
                continue
            try:
                with st.spinner(_("Drawing the charts and setting the pages …")):
                    content = make(report, kind, common.spoken())
            except ReportError as error:
                st.error(escape_sentence(error), icon=":material/error:")
                continue
            st.download_button(
                _("Save the {kind}").format(kind=kind.upper()),
                content,
                filename(report, kind),
                mime,
                on_click="ignore",
                type="primary",
                icon=":material/download:",
            )
