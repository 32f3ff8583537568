"""Figures of a network as figures.json may hold them."""

import json

import numpy as np

from cssafe.labels import FER2013, FERPLUS
from cssafe.training.expression.evaluate import classification_figures

LABELS = {"fer2013": FER2013, "ferplus": FERPLUS}


def figures_of_faces(labels: tuple[str, ...], n: int, beside: bool) -> dict:
    """Figures of n faces, two of three named rightly, the last emotion never shown."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(labels) - 1, n)
    logits = rng.normal(size=(n, len(labels))) + 2 * np.eye(len(labels))[truth]
    odds = np.exp(logits)
    sides = {"side": np.array(["left", "right", "few"])[np.minimum(np.arange(n) // 40, 2)]}
    made = classification_figures(odds / odds.sum(axis=1, keepdims=True), truth, labels, np.arange(n) % 5 == 0, sides)
    rows = [("none", 0, ""), ("blur", 0.5, "pixels"), ("blur", 2, "pixels"), ("noise", 5, "grey levels")]
    made["robustness"] = [
        {"change": name, "strength": by, "unit": unit, "accuracy": 0.8 - by / 20, "beside": 0.5 if beside else None}
        for name, by, unit in rows
    ]
    return json.loads(json.dumps(made))


def figures(n: int = 82, beside: bool = True) -> dict:
    """What figures.json may hold, as far as it is drawn."""
    return {name: figures_of_faces(labels, n, beside) for name, labels in LABELS.items()}
