"""A report as an HTML or PDF file, rendered in its own process.

Rendering takes 170 MB (HTML) or 200 MB (PDF); a process gives them back. Reports are rendered one at a time, so that visitors
of a small host do not take this memory several times.
"""

import json
import logging
import subprocess
import sys
from threading import Lock

import altair as alt
import pandas as pd

from cssafe.errors import ReportError
from cssafe.language import N_, _
from cssafe.names import MAX_SENTENCE_CHARS, clean_text
from cssafe.report.document import SYNTHETIC, VALIDITY, Report
from cssafe.settings import ROOT

RENDER_TIMEOUT_S = 120
"""Longest time of a rendering: it takes two to four seconds on two cores."""

log = logging.getLogger(__name__)

MIME = {"html": "text/html", "pdf": "application/pdf"}

CHART_WIDTH_PX = 700
"""Width of a chart on a page of A4."""

AUTOSIZE = alt.AutoSizeParams(type="fit", contains="padding")
"""Height and width with axes and legend, as on the pages."""

_ONE_AT_A_TIME = Lock()


def make_file(report: Report, kind: str, language: str = "en") -> bytes:
    """The report as a file. kind: of MIME. language: of its words.

    Raises:
        ReportError: the rendering failed.
    """
    with _ONE_AT_A_TIME:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "cssafe.report.render", kind],
                input=json.dumps(to_json(report, language)).encode(),
                cwd=ROOT,
                capture_output=True,
                timeout=RENDER_TIMEOUT_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            log.error("cssafe.report.render: %s: %s", type(error).__name__, getattr(error, "stderr", None))
            raise ReportError(
                N_(
                    "The report could not be made as {kind}. Try again; if that does not help, try the other kind of file, or "
                    "print the page from the browser. The server's log says what happened."
                ),
                kind=kind.upper(),
            ) from error
    return done.stdout


def file_name(report: Report, kind: str) -> str:
    return f"{report.name}{'-synthetic' if report.synthetic else ''}.{kind}"


def to_json(report: Report, language: str = "en") -> dict:
    """The report for json.dumps, charts as Vega-Lite."""
    alt.data_transformers.disable_max_rows()
    return {
        "language": language,
        "title": clean_text(report.title),
        "about": clean_text(report.about, MAX_SENTENCE_CHARS),
        "notice": _(SYNTHETIC) if report.synthetic else "",
        "validity": _(VALIDITY),
        "figures": [vars(figure) for figure in report.figures],
        "sections": [
            {
                "title": clean_text(section.title),
                "sentences": [clean_text(words, MAX_SENTENCE_CHARS) for words in section.sentences],
                "charts": [
                    {"spec": chart.properties(width=CHART_WIDTH_PX, autosize=AUTOSIZE).to_dict(), "alt": words}
                    for chart, words in section.charts
                ],
                "reading": section.reading,
                "table": _rows(section.table),
                "behind": _("{section}: the figures").format(section=clean_text(section.title)),
            }
            for section in report.sections
        ],
    }


def _rows(table: pd.DataFrame) -> list[list[str]]:
    """Headings and rows as text; [] of an empty table."""
    return [] if table.empty else [list(table.columns), *table.astype(str).to_numpy().tolist()]
