"""Figures and curves of a face detector's MODEL_CARD.md, written by the evaluation."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from cssafe.colours import COLOURS
from cssafe.errors import DataError
from cssafe.training.expression.card import CARD_FILE, split_card
from cssafe.vision.openvino_runtime import processor_name, sha256

CURVES_FILE = "curves.svg"

PANEL_BANDS = ("20-39", "40-79", "80 up")
"""Bands of curves.BANDS with a panel of their own."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""Line style of each detector: two colours are alike in grey."""


def check_card(folder: Path) -> None:
    """Check that a card can be written, before the work.

    Raises:
        DataError: no detector, no card, or no place for figures in the card.
    """
    if not (folder / "model.json").is_file():
        raise DataError(f"{folder}: there is no detector whose card could be renewed; --model names its folder.")
    split_card(folder)


def write_card(folder: Path, figures: dict[str, dict[str, Any]], tables: str, command: str) -> None:
    """Update the figures in the card and draw the curves beside it.

    Args:
        folder: checked by `check_card`.
        figures: of each detector, from evaluate.main. tables: the same as Markdown. command: that measured them.
    """
    before, _, after = split_card(folder)
    threshold = json.loads((folder / "model.json").read_text(encoding="utf-8"))["threshold"]
    said = (
        f"`{command}`, {date.today().isoformat()}, {processor_name()}. SHA-256 of the weights (`detector.bin`) "
        f"`{sha256(folder / 'detector.bin')}`; served from a score of {threshold} on."
    )
    curve_chart(figures).save(folder / CURVES_FILE)
    shown = f"![Precision against recall, by height of the face]({CURVES_FILE})"
    (folder / CARD_FILE).write_text(f"{before}\n\n{said}\n\n{shown}\n\n{tables}\n\n{after}", encoding="utf-8")


def curve_chart(figures: dict[str, dict[str, Any]]) -> alt.HConcatChart:
    """Precision against recall over all thresholds, a panel for each height of faces, a line for each detector."""
    rows = curve_points(figures)
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
        for i, band in enumerate(PANEL_BANDS)
    ]
    return alt.hconcat(*panels, background="white").configure_legend(orient="bottom", symbolSize=400)


def curve_points(figures: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """The curves as rows: detector, height, recall, precision, and their order by falling threshold."""
    parts = [
        pd.DataFrame(figure["curves"][band]).assign(detector=name, height=band)
        for name, figure in figures.items()
        for band in PANEL_BANDS
    ]
    columns = ["recall", "precision", "detector", "height"]
    rows = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    return rows.rename_axis("order").reset_index()
