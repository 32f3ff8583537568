"""A report as one file, HTML that prints well or PDF, made in a process of its own.

What draws charts and sets pages takes 170 MB (HTML) or 200 MB (PDF) while it works (printing.py). In a process of its own that
is given back after some seconds; and one at a time, so that many visitors of a small host do not take it many times over.
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

PATIENCE = 120
"""Seconds after which making a file is given up: it takes two to four on two cores."""

log = logging.getLogger(__name__)

MIME = {"html": "text/html", "pdf": "application/pdf"}

WIDTH = 700
"""Pixels of a chart, as it stands on a page of A4."""

FIT = alt.AutoSizeParams(type="fit", contains="padding")
"""Height and width with axes and legend, as on the pages."""

_ONE_AT_A_TIME = Lock()


def make(report: Report, kind: str, language: str = "en") -> bytes:
    """The report as a file. kind: of MIME. language: the one that its words are in.

    Raises:
        ReportError: the process that makes it failed.
    """
    with _ONE_AT_A_TIME:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "cssafe.report.render", kind],
                input=json.dumps(plain(report, language)).encode(),
                cwd=ROOT,
                capture_output=True,
                timeout=PATIENCE,
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


def filename(report: Report, kind: str) -> str:
    return f"{report.name}{'-synthetic' if report.synthetic else ''}.{kind}"


def plain(report: Report, language: str = "en") -> dict:
    """The report as what JSON can hold; charts as Vega-Lite."""
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
                    {"spec": chart.properties(width=WIDTH, autosize=FIT).to_dict(), "alt": words}
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
    """Headings and rows as text; nothing of an empty table."""
    return [] if table.empty else [list(table.columns), *table.astype(str).to_numpy().tolist()]
