"""The figures of a face detector's MODEL_CARD.md, and the picture of its curves, so that none is ever written by hand."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from cssafe.colours import COLOURS
from cssafe.errors import DataError
from cssafe.training.expression.card import CARD, split
from cssafe.vision.openvino_runtime import processor, sha256

PICTURE = "curves.svg"

SHOWN = ("20-39", "40-79", "80 up")
"""Heights of faces, in pixels, that have a panel each; see curves.BANDS."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""One a detector beside its colour, for two colours are alike in grey."""


def check(folder: Path) -> None:
    """Tell before the work that a card could not be written.

    Raises:
        DataError: the folder has no detector, no card, or the card no place for figures.
    """
    if not (folder / "model.json").is_file():
        raise DataError(f"{folder}: there is no detector whose card could be renewed; --model names its folder.")
    split(folder)


def write(folder: Path, figures: dict[str, dict[str, Any]], tables: str, command: str) -> None:
    """Renew the part of the card that is figures, and draw the curves beside it.

    Args:
        folder: that `check` found good.
        figures: of each detector, as evaluate.main has them. tables: the same as Markdown. command: that measured them.
    """
    before, _, after = split(folder)
    threshold = json.loads((folder / "model.json").read_text(encoding="utf-8"))["threshold"]
    said = (
        f"`{command}`, {date.today().isoformat()}, {processor()}. SHA-256 of the weights (`detector.bin`) "
        f"`{sha256(folder / 'detector.bin')}`; served from a score of {threshold} on."
    )
    drawn(figures).save(folder / PICTURE)
    shown = f"![Precision against recall, by height of the face]({PICTURE})"
    (folder / CARD).write_text(f"{before}\n\n{said}\n\n{shown}\n\n{tables}\n\n{after}", encoding="utf-8")


def drawn(figures: dict[str, dict[str, Any]]) -> alt.HConcatChart:
    """Precision against recall over all thresholds, a panel for each height of faces, a line for each detector."""
    rows = points(figures)
    names = list(figures)
    colour = alt.Color(
        "detector:N", scale=alt.Scale(domain=names, range=COLOURS[: len(names)]), sort=names, title="Detector"
    )
    dash = alt.StrokeDash("detector:N", scale=alt.Scale(domain=names, range=DASHES[: len(names)]), sort=names)
    panels = [
        alt.Chart(rows[rows["height"] == band], title=f"faces of {band} px", width=210, height=210)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("recall:Q", title="Recall", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("precision:Q", title="Precision" if i == 0 else None, scale=alt.Scale(domain=[0, 1])),
            order="order:Q",
            color=colour,
            strokeDash=dash,
        )
        for i, band in enumerate(SHOWN)
    ]
    return alt.hconcat(*panels, background="white").configure_legend(orient="bottom", symbolSize=400)


def points(figures: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """The curves as rows: detector, height, recall, precision, and their order by falling threshold."""
    parts = [
        pd.DataFrame(figure["curves"][band]).assign(detector=name, height=band)
        for name, figure in figures.items()
        for band in SHOWN
    ]
    columns = ["recall", "precision", "detector", "height"]
    rows = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    return rows.rename_axis("order").reset_index()
