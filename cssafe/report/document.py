"""What a report is made of, whether it is shown on a page, as HTML or as PDF."""

from dataclasses import dataclass, field

import altair as alt
import numpy as np
import pandas as pd

from cssafe.language import N_, _

Chart = alt.Chart | alt.LayerChart


@dataclass(frozen=True)
class Figure:
    """A number to be seen from afar. value: already in words. note: its uncertainty, or what it is a number of."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Section:
    """sentences: what the figures say. charts: each with the sentence that reads it out. reading: how to read them. table: the
    figures behind them, with headings and cells for people."""

    title: str
    sentences: tuple[str, ...] = ()
    charts: tuple[tuple[Chart, str], ...] = ()
    reading: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Report:
    """name: of its file, without an ending. about: what it is about, in one line. synthetic: made up, which stands wherever the
    report does."""

    title: str
    name: str
    about: str
    synthetic: bool
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]


SYNTHETIC = N_("Synthetic: made up, so that the report can be seen. It says nothing about any class.")

VALIDITY = N_(
    "A weak hint, never a mark: observers agree on two levels of engagement but hardly on four, scores of this kind tell "
    "attentive from inattentive only moderately well in real classrooms (AUC 0.62 to 0.72), and a scowl often means something "
    "other than anger."
)


def told(mean: float, low: float, high: float, *, signed: bool = False) -> str:
    """A figure with its interval: "0.52 (0.48 to 0.56)"."""
    return each(pd.DataFrame([(mean, low, high)]), signed)[0]


def each(table: pd.DataFrame, signed: bool = False) -> list[str]:
    """The same of every row. table: its first three columns are the figure, low and high."""
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
