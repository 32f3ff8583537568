"""Evaluation of an expression network on labelled faces: `python -m cssafe evaluate`.

Faces go unmirrored through the crop and the exported graph of live faces.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from cssafe import settings
from cssafe.errors import DataError
from cssafe.expression import Expression
from cssafe.expression.network import precisions
from cssafe.training.expression import card, metrics, robustness
from cssafe.training.expression.data import LABELS, EvaluationSet, read_evaluation_set
from cssafe.training.progress import with_progress

PROGRESS_CROPS = 256
"""Crops between two progress lines."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        type=Path,
        help="a parquet file (image, label), a fer2013.csv, or a folder: class folders, AffectNet, RAF-DB (data/README.md)",
    )
    sets = parser.add_mutually_exclusive_group()
    sets.add_argument("--labels", choices=tuple(LABELS), default="fer2013", help="which labels (default: fer2013)")
    sets.add_argument(
        "--card",
        action="store_true",
        help="by both sets of labels and with --robustness, into figures.json and MODEL_CARD.md of the network's folder; "
        "takes FER2013 with FERPlus' votes as one parquet file, or its folder",
    )
    parser.add_argument("--model", type=Path, help="folder of the network (default: the one that is served)")
    parser.add_argument(
        "--robustness", action="store_true", help="also on worse pictures: dark, blurred, hidden... (42 runs)"
    )
    parser.add_argument(
        "--beside", type=Path, metavar="DIR", help="folder of a network to compare --robustness with (switches it on)"
    )
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="COLUMN",
        help="also by groups of people, as a column tells them (RAF-DB: gender, race, age); several by commas",
    )
    parser.add_argument(
        "--no-mirror", action="store_true", help="without each crop's mirror image, as in a recorded class"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def main(args: argparse.Namespace) -> int:
    folder = args.model or settings.load().model
    data = card.card_data(args.data) if args.card else args.data
    if args.card:
        card.split_card(folder)  # a card that cannot be written is reported before the work
    network = Expression(folder)
    others = [Expression(args.beside)] if args.beside else []
    if any(other.size != network.size for other in others):
        raise DataError(
            f"{args.beside}: its crops are {others[0].size} pixels wide; expected {network.size} as beside it."
        )
    people = [name.strip() for names in args.group for name in names.split(",") if name.strip()]

    exam = read_evaluation_set(data, tuple(LABELS) if args.card else (args.labels,), network.size, people)
    figures = label_set_figures(predict_all(network, exam.crops, args.card or not args.no_mirror), exam)
    if args.robustness or args.card or args.beside:
        networks = [other.probabilities for other in (network, *others)]
        for labels, rows in robustness.measure_robustness(networks, exam.crops, exam.truth).items():
            figures[labels]["robustness"] = rows

    if args.card:
        in_each = {
            name: label_set_figures(predict_all(Expression(folder, name), exam.crops), exam)
            for name in precisions(network.card)
        }
        figures = card.with_provenance(figures, in_each, folder, network, data, args.beside, people)
        card.write_card(folder, figures)
    if args.json:
        print(json.dumps(figures if args.card else figures[args.labels]))
    else:
        print(
            card.format_tables(
                {labels: figures[labels] for labels in exam.truth}, args.beside.name if args.beside else ""
            )
        )
    return 0


def predict_all(network: Expression, crops: np.ndarray, mirror: bool = True) -> dict[str, np.ndarray]:
    """Set of labels -> probabilities (n, k) of the crops uint8 (n, size, size). mirror: see Expression.probabilities."""
    starts = range(0, max(1, len(crops)), PROGRESS_CROPS)
    parts = [
        network.probabilities(crops[i : i + PROGRESS_CROPS], mirror)
        for i in with_progress(starts, len(starts), f"parts of {PROGRESS_CROPS} faces")
    ]
    return {labels: np.concatenate([part[labels] for part in parts]) for labels in LABELS}


def label_set_figures(probabilities: dict[str, np.ndarray], exam: EvaluationSet) -> dict[str, dict[str, Any]]:
    """Set of labels -> its figures, over the faces with one of these labels."""
    figures = {}
    for labels, truth in exam.truth.items():
        counted = truth >= 0
        figures[labels] = classification_figures(
            probabilities[labels][counted],
            truth[counted],
            LABELS[labels],
            None if exam.duplicate is None else exam.duplicate[counted],
            {name: values[counted] for name, values in exam.people.items()},
        )
    return figures


def classification_figures(
    probabilities: np.ndarray,
    truth: np.ndarray,
    labels: tuple[str, ...],
    duplicate: np.ndarray | None = None,
    people: dict[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Figures of one set of labels, in the form of cssafe.expression.model_metrics.

    Args:
        probabilities: (n, k), rows sum to 1. truth: int (n,), index into the k labels.
        duplicate: bool (n,), rows that are also in the training data.
        people: column -> str (n,), the group of each face.
    """
    guess = probabilities.argmax(axis=1)
    counts = metrics.confusion(truth, guess, len(labels))
    figures: dict[str, Any] = {"n": len(truth), **_with_interval("accuracy", counts, metrics.accuracy)}
    if duplicate is not None:
        fresh = metrics.confusion(truth[~duplicate], guess[~duplicate], len(labels))
        figures |= _with_interval("accuracy_without_duplicates", fresh, metrics.accuracy)
        figures["n_without_duplicates"] = int(fresh.sum())
    figures |= _with_interval("macro_f1", counts, metrics.macro_f1)
    figures["expected_calibration_error"] = metrics.calibration_error(probabilities, truth)
    figures["per_class"] = _per_class(counts, labels)
    return figures | {
        "labels": list(labels),
        "confusion": counts.tolist(),
        "confusion_normalised": metrics.normalised(counts).tolist(),
        "reliability": _reliability(probabilities, truth),
        "coverage": [
            {"coverage": float(share), "confidence": float(least), "accuracy": float(right)}
            for share, least, right in zip(*metrics.coverage(probabilities, truth), strict=True)
        ],
        "groups": {
            name: metrics.group_figures(truth, guess, values, labels) for name, values in (people or {}).items()
        },
    }


def _per_class(counts: np.ndarray, labels: tuple[str, ...]) -> dict[str, Any]:
    precision, recall, f1 = metrics.per_class(counts)
    support = counts.sum(axis=1)
    return {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "recall_interval": list(metrics.wilson(counts[i, i], support[i])),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, name in enumerate(labels)
    }


def _with_interval(name: str, counts: np.ndarray, metric: metrics.Metric) -> dict[str, Any]:
    return {name: float(metric(counts)), f"{name}_interval": list(metrics.bootstrap(counts, metric))}


def _reliability(probabilities: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    edges = np.linspace(0, 1, metrics.BINS + 1)
    rows = zip(edges[:-1], edges[1:], *metrics.reliability(probabilities, truth), strict=True)
    return [
        {
            "from": float(low),
            "to": float(high),
            "count": int(faces),
            "confidence": float(confidence) if faces else None,
            "accuracy": float(right) if faces else None,
        }
        for low, high, faces, confidence, right in rows
    ]
