"""Figures of the expression network as Markdown tables, and their part of MODEL_CARD.md."""

import json
from collections.abc import Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

from cssafe.errors import DataError
from cssafe.expression import Expression
from cssafe.expression.model_metrics import FIGURES
from cssafe.vision.openvino_runtime import processor_name, sha256

CARD_FILE = "MODEL_CARD.md"
BEGIN = "<!-- figures: written by python -m cssafe evaluate --card -->"
END = "<!-- end of figures -->"

LABEL_TITLES = {"fer2013": "FER2013's labels", "ferplus": "FERPlus' majority"}


def card_data(data: Path) -> Path:
    """The file that a card is measured on: itself, or the test part in FER2013's folder.

    Raises:
        DataError: neither.
    """
    file = data / "fer2013_valid.parquet" if data.is_dir() else data
    if not file.is_file():
        raise DataError(f"{file}: there is no such file; --card is measured on FER2013's fer2013_valid.parquet.")
    return file


def split_card(folder: Path) -> tuple[str, str, str]:
    """Split a folder's model card: before the figures, figures, after; the markers belong to the outer parts.

    Raises:
        DataError: no card, or no place for figures in it.
    """
    path = folder / CARD_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise DataError(
            f"{path}: there is no card that can be read; write one with the lines {BEGIN} and {END}."
        ) from None
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not end:
        raise DataError(
            f"{path}: there is no place for figures in it; add the lines {BEGIN} and {END} where they belong."
        )
    return before + begin, inside, end + after


def with_provenance(
    figures: dict[str, Any],
    in_each: dict[str, dict[str, Any]],
    folder: Path,
    network: Expression,
    data: Path,
    beside: Path | None,
    people: Sequence[str],
) -> dict[str, Any]:
    """The content of figures.json (see cssafe.expression.model_metrics): figures of all sets of labels, with command, weights
    and data.

    Args:
        in_each: precision -> the figures in it.
    """
    words = [data.name, "--card"]
    words += ["--beside", beside.resolve().name] if beside else []
    words += ["--group", ",".join(people)] if people else []
    return {
        "date": date.today().isoformat(),
        "command": " ".join(["python -m cssafe evaluate", *words]),
        "processor": processor_name(),
        "precision": network.precision,
        "precisions": {
            name: {labels: _fair_accuracy(told[labels]) for labels in told} for name, told in in_each.items()
        },
        "model": _weights(folder),
        "data": {"file": data.name, "sha256": sha256(data)},
        "beside": _weights(beside) if beside else None,
        **json.loads(json.dumps(figures), parse_float=lambda digits: round(float(digits), 4)),
    }


def _fair_accuracy(told: dict[str, Any]) -> float:
    """Accuracy without copies of training pictures, where they are known."""
    return float(told.get("accuracy_without_duplicates", told["accuracy"]))


def _weights(folder: Path) -> dict[str, str]:
    return {"name": folder.resolve().name, "sha256": sha256(folder / "expression.bin")}


def write_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write figures.json into the folder and update its card."""
    before, _, after = split_card(folder)
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / CARD_FILE).write_text(before + render_figures(figures) + after, encoding="utf-8")


def render_figures(figures: dict[str, Any]) -> str:
    """The card's part from the content of figures.json."""
    beside = figures["beside"]
    text = (
        f"`{figures['command']}`, {figures['date']}, {figures['processor']}, {figures['precision']}. SHA-256 of the weights "
        f"(`expression.bin`) `{figures['model']['sha256']}`, of the data `{figures['data']['sha256']}`"
    )
    if beside:
        text += f", of the network beside it `{beside['sha256']}`"
    told = {labels: figures[labels] for labels in LABEL_TITLES if labels in figures}
    rows = [[name, *(_percent(right[labels]) for labels in told)] for name, right in figures["precisions"].items()]
    precision = _table(["accuracy in percent", *(LABEL_TITLES[labels] for labels in told)], rows)
    parts = [text + ".", format_tables(told, beside["name"] if beside else ""), "### Precision", precision]
    return "\n\n" + "\n\n".join(parts) + "\n\n"


def format_tables(figures: dict[str, dict[str, Any]], beside: str = "") -> str:
    """Markdown tables of the figures of each set of labels.

    Args:
        beside: name of the network compared in robustness.
    """
    parts = [_accuracy(figures)]
    for labels, told in figures.items():
        parts += [
            f"### {LABEL_TITLES[labels]}",
            _per_class(told),
            _confusion(told),
            _reliability(told),
            _coverage(told),
        ]
    if all("robustness" in told for told in figures.values()):
        parts += ["### Worse pictures", _robustness(figures, beside)]
    parts += ["### Groups of people", _groups(figures)]
    return "\n\n".join(parts)


def _accuracy(figures: dict[str, dict[str, Any]]) -> str:
    rows = []
    for labels, told in figures.items():
        if "n_without_duplicates" in told:
            name = f"{LABEL_TITLES[labels]}, without copies of training pictures"
            rows.append(
                [name, _count(told["n_without_duplicates"]), *_measured(told, "accuracy_without_duplicates"), *[""] * 3]
            )
        row = [LABEL_TITLES[labels], _count(told["n"]), *_measured(told, "accuracy"), *_measured(told, "macro_f1")]
        rows.append([*row, _percent(told["expected_calibration_error"])])
    head = ["percent", "faces", "accuracy", "95 % interval", "macro F1", "95 % interval", "calibration error"]
    return _table(head, rows)


def _per_class(told: dict[str, Any]) -> str:
    rows = []
    for name, one in told["per_class"].items():
        row = [name, _count(one["support"]), _percent(one["precision"]), *_measured(one, "recall"), _percent(one["f1"])]
        rows.append(row)
    return _table(["percent", "faces", "precision", "recall", "95 % interval", "F1"], rows)


def _confusion(told: dict[str, Any]) -> str:
    rows = [
        [name, *(f"{100 * share:.0f}" for share in row)]
        for name, row in zip(told["labels"], told["confusion_normalised"], strict=True)
    ]
    return "Of the faces that show (row), percent that are named (column):\n\n" + _table(["", *told["labels"]], rows)


def _reliability(told: dict[str, Any]) -> str:
    rows = []
    for one in (one for one in told["reliability"] if one["count"]):
        bounds = f"{100 * one['from']:.0f} to {100 * one['to']:.0f}"
        rows.append([bounds, _count(one["count"]), _percent(one["confidence"]), _percent(one["accuracy"])])
    said = "How sure the network is, and how often it is right then:\n\n"
    return said + _table(["percent sure", "faces", "mean", "right"], rows)


def _coverage(told: dict[str, Any]) -> str:
    tenths = told["coverage"][::-1][::4][::-1]
    rows = [[_percent(one["coverage"]), _percent(one["confidence"]), _percent(one["accuracy"])] for one in tenths]
    said = "If it answers only where it is surest:\n\n"
    return said + _table(["percent answered", "at least so sure", "accuracy"], rows)


def _robustness(figures: dict[str, dict[str, Any]], beside: str) -> str:
    rows = []
    for same in zip(*(told["robustness"] for told in figures.values()), strict=True):
        change, strength, unit = (same[0][key] for key in ("change", "strength", "unit"))
        accuracies = [one["accuracy"] for one in same] + [one["beside"] for one in same if beside]
        rows.append([change, f"{strength:g} {unit}" if unit else "", *map(_percent, accuracies)])
    others = [f"{LABEL_TITLES[labels]}, {beside}" for labels in figures if beside]
    return _table(["accuracy in percent", "strength", *(LABEL_TITLES[labels] for labels in figures), *others], rows)


def _groups(figures: dict[str, dict[str, Any]]) -> str:
    parts = []
    for labels, told in figures.items():
        for column, found in told["groups"].items():
            parts += [
                f"{LABEL_TITLES[labels]}, by {column}, recall in percent with its 95 % interval:",
                _by_group(told, found),
            ]
            unknown = f" Faces without {column}: {_count(found['unknown'])}." if found["unknown"] else ""
            parts += [
                "p: how likely groups that do not differ would differ so much by chance (permutation test, for recall raised "
                f"by Holm's rule); too small: fewer than {found['smallest']} faces.{unknown}"
            ]
    return "\n\n".join(parts) or "Skin tone, age, gender, glasses, culture: not measured; the data say nothing of them."


def _by_group(told: dict[str, Any], found: dict[str, Any]) -> str:
    groups = list(found["groups"].values())
    rows = [["faces", *(_count(one["n"]) for one in groups), ""]]
    rows += [["accuracy", *(_in_group(one, "accuracy", one["n"]) for one in groups), _p(found["p_accuracy"])]]
    for label in told["labels"]:
        ones = [one["per_class"][label] for one in groups]
        rows += [[label, *(_in_group(one, "recall", one["support"]) for one in ones), _p(found["p_recall"][label])]]
    return _table(["", *found["groups"], "p"], rows)


def _in_group(one: dict[str, Any], name: str, n: int) -> str:
    if one[name] is None:
        return f"too small ({n})"
    share, interval = _measured(one, name)
    return f"{share} ({interval})"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _measured(told: dict[str, Any], name: str) -> list[str]:
    low, high = told[f"{name}_interval"]
    return [_percent(told[name]), f"{100 * low:.1f} to {100 * high:.1f}"]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _count(n: int) -> str:
    return f"{n:,}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown table, aligned for terminals: first column left, others right."""
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    form = " | ".join(["{:<{}}", *["{:>{}}"] * (len(head) - 1)])
    lines = (form.format(*chain.from_iterable(zip(row, widths, strict=True))) for row in (head, rule, *rows))
    return "\n".join(f"| {line} |" for line in lines)
