"""The parts of a report, for the page, HTML and PDF."""

from dataclasses import dataclass, field

import altair as alt
import numpy as np
import pandas as pd

from cssafe.language import N_, _
from cssafe.presence.figure_text import format_range

Chart = alt.Chart | alt.LayerChart


@dataclass(frozen=True)
class Figure:
    """A key figure. value: formatted. note: its uncertainty or its unit."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Section:
    """A section. sentences: the findings. charts: each with its alt text. reading: how to read them. table: their figures, with
    translated headings and formatted cells."""

    title: str
    sentences: tuple[str, ...] = ()
    charts: tuple[tuple[Chart, str], ...] = ()
    reading: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Report:
    """A report. name: of its file, without ending. about: one line on its lessons. synthetic: of made-up lessons, which every
    page says."""

    title: str
    name: str
    about: str
    synthetic: bool
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]


SYNTHETIC = N_("Synthetic: made up, to show what a report looks like. It says nothing about any class.")

VALIDITY = N_(
    "A weak hint, never a mark: observers agree on two levels of engagement but hardly on four, scores of this kind tell "
    "attentive from inattentive only moderately well in real classrooms (AUC 0.62 to 0.72), and a scowl often means something "
    "other than anger."
)


def format_figure(mean: float, low: float, high: float, *, signed: bool = False) -> str:
    """A figure with its interval: "0.52 (0.48 to 0.56)"."""
    return format_figures(pd.DataFrame([(mean, low, high)]), signed)[0]


def format_figures(table: pd.DataFrame, signed: bool = False, digits: int = 2) -> list[str]:
    """`format_figure` of every row. table: its first three columns are the figure, low and high."""
    form, words = f"{{:{'+' if signed else ''}.{digits}f}}", _("{mean} ({low} to {high})")
    rows = np.round(table.iloc[:, :3].to_numpy(float), digits) + 0.0  # no -0.00
    return [
        "–"
        if np.isnan(mean)
        else form.format(mean)
        if np.isnan(low)
        else words.format(mean=form.format(mean), low=form.format(low), high=form.format(high))
        for mean, low, high in rows
    ]


def format_headlines(table: pd.DataFrame) -> list[str]:
    """Class figures with their intervals, from 0 to 100: "62 (58 to 66)". table: as in format_figures."""
    return format_figures(100 * table.iloc[:, :3].astype(float), digits=0)


def format_ranges(table: pd.DataFrame) -> list[str]:
    """The ranges of class figures. table: `lowest` and `highest`."""
    return [format_range(*row) or "–" for row in table[["lowest", "highest"]].to_numpy(float)]


def format_changes(table: pd.DataFrame) -> list[str]:
    """Differences of class figures with their intervals, in points of 100: "+4.2 (+1.0 to +7.4)".

    table: as in format_figures.
    """
    return format_figures(100 * table.iloc[:, :3].astype(float), signed=True, digits=1)


def format_change(change: float, low: float, high: float) -> str:
    return format_changes(pd.DataFrame([(change, low, high)]))[0]
