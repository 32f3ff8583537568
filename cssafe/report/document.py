"""The parts of a report, for the page, HTML and PDF."""

from dataclasses import dataclass, field

import altair as alt
import numpy as np
import pandas as pd

from cssafe.language import N_, _

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


def format_figures(table: pd.DataFrame, signed: bool = False) -> list[str]:
    """`format_figure` of every row. table: its first three columns are the figure, low and high."""
    form, words = ("{:+.2f}" if signed else "{:.2f}"), _("{mean} ({low} to {high})")
    rows = np.round(table.iloc[:, :3].to_numpy(float), 2) + 0.0  # no -0.00
    return [
        "–"
        if np.isnan(mean)
        else form.format(mean)
        if np.isnan(low)
        else words.format(mean=form.format(mean), low=form.format(low), high=form.format(high))
        for mean, low, high in rows
    ]
