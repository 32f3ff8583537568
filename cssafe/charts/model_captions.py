"""What was measured of the network -> the sentence that reads a chart of charts/model.py out, of the same name."""

from typing import Any

import numpy as np

from cssafe.charts.captions import extremes, nothing
from cssafe.charts.model import NAMES
from cssafe.language import _


def accuracy(figures: dict[str, Any]) -> str:
    """How often it is right by each set of labels. figures: all of figures.json."""
    told = [
        _(
            "By the labels of {labels}, {share:.1f} % are right (95 % interval {low:.1f} to {high:.1f}, {n} faces)."
        ).format(
            labels=name,
            share=100 * figures[labels]["accuracy"],
            low=100 * figures[labels]["accuracy_interval"][0],
            high=100 * figures[labels]["accuracy_interval"][1],
            n=f"{figures[labels]['n']:,}",
        )
        for labels, name in NAMES.items()
        if labels in figures
    ]
    return " ".join(told) or nothing()


def recall(told: dict[str, Any]) -> str:
    """Which emotion it finds best, and which least. told: of one set of labels."""
    rows = told["per_class"]
    return _extremes([(_(name), one["recall"], one["recall_interval"]) for name, one in rows.items() if one["support"]])


def groups(found: dict[str, Any]) -> str:
    """For whom it is right most often, and least. found: of one column."""
    rows = found["groups"]
    return _extremes(
        [(n, one["accuracy"], one["accuracy_interval"]) for n, one in rows.items() if one["accuracy"] is not None]
    )


def confusion(told: dict[str, Any]) -> str:
    """The most frequent mistake. told: of one set of labels."""
    shares, labels = np.array(told["confusion_normalised"], float), told["labels"]
    np.fill_diagonal(shares, 0)
    shown, named = np.unravel_index(np.nan_to_num(shares).argmax(), shares.shape)
    return _("The most frequent mistake: of {n} faces that show {shown}, {share:.0f} % are named {named}.").format(
        n=sum(told["confusion"][shown]),
        shown=_(labels[shown]),
        named=_(labels[named]),
        share=100 * shares[shown, named],
    )


def reliability(told: dict[str, Any]) -> str:
    """How far what it says of itself is off. told: of one set of labels."""
    return _("On average, how sure it is and how often it is right lie {points:.1f} percentage points apart.").format(
        points=100 * told["expected_calibration_error"]
    )


def coverage(told: dict[str, Any]) -> str:
    """How much better the surest half is. told: of one set of labels."""
    if not told["coverage"]:
        return nothing()
    half = min(told["coverage"], key=lambda one: abs(one["coverage"] - 0.5))
    return _("Of all faces {all:.1f} % are named rightly, of the surest {share:.0f} % of them {right:.1f} %.").format(
        all=100 * told["accuracy"], share=100 * half["coverage"], right=100 * half["accuracy"]
    )


def robustness(rows: list[dict[str, Any]]) -> str:
    """What takes most. rows: of one change."""
    if not rows:
        return nothing()
    worst = min(rows, key=lambda one: one["accuracy"])
    unit = worst["unit"]
    return _("At worst {right:.0f} % right, at {strength:g} {unit}.").format(
        right=100 * worst["accuracy"], strength=worst["strength"], unit=_(unit)
    )


def probabilities(shares: dict[str, float]) -> str:
    """The two most probable emotions. shares: emotion -> in [0, 1]."""
    first, second, *_others = sorted(shares, key=shares.__getitem__, reverse=True)
    return _("{first} {one:.0f} %, then {second} {two:.0f} %.").format(
        first=_(first), one=100 * shares[first], second=_(second), two=100 * shares[second]
    )


def affect(values: np.ndarray, spreads: np.ndarray) -> str:
    """Valence and arousal. values, spreads: (5,) as in cssafe.scoring.affect."""
    return _("Valence {valence:+.2f} ± {one:.2f}, arousal {arousal:+.2f} ± {two:.2f}.").format(
        valence=values[0], one=spreads[0], arousal=values[1], two=spreads[1]
    )


def _extremes(rows: list[tuple[str, float, list[float]]]) -> str:
    """rows: name, share and its interval, in [0, 1]; told in percent."""
    means, lows, highs = 100 * np.array([(mean, *ends) for _name, mean, ends in rows], float).reshape(-1, 3).T
    return extremes(means, lows, highs, [name for name, *_rest in rows], 1, " %")
