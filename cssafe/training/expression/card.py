"""Figures as Markdown tables, and the part of MODEL_CARD.md that is made of them, so that none is ever written by hand."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cssafe.errors import DataError
from cssafe.expression import Expression
from cssafe.expression.model_metrics import FIGURES
from cssafe.vision.openvino_runtime import processor, sha256

CARD = "MODEL_CARD.md"
BEGIN = "<!-- figures: written by python -m cssafe evaluate --card -->"
END = "<!-- end of figures -->"

NAMES = {"fer2013": "FER2013's labels", "ferplus": "FERPlus' majority"}


def one_file(data: Path) -> Path:
    """The one file that a card is measured on: itself, or the test part in FER2013's folder.

    Raises:
        DataError: neither.
    """
    file = data / "fer2013_valid.parquet" if data.is_dir() else data
    if not file.is_file():
        raise DataError(f"{file}: there is no such file; --card is measured on FER2013's fer2013_valid.parquet.")
    return file


def split(folder: Path) -> tuple[str, str, str]:
    """The model card of a folder: before the figures, the figures, after them; the markers belong to the outer parts.

    Raises:
        DataError: there is no card, or it has no place for figures.
    """
    path = folder / CARD
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


def stamped(
    figures: dict[str, Any],
    in_each: dict[str, dict[str, Any]],
    folder: Path,
    network: Expression,
    data: Path,
    beside: Path | None,
    people: Sequence[str],
) -> dict[str, Any]:
    """The figures of all sets of labels with what they were measured on: what figures.json holds, see
    cssafe.expression.model_metrics.

    Args:
        in_each: precision -> the figures in it.
    """
    words = [data.name, "--card"]
    words += ["--beside", beside.resolve().name] if beside else []
    words += ["--group", ",".join(people)] if people else []
    return {
        "date": date.today().isoformat(),
        "command": " ".join(["python -m cssafe evaluate", *words]),
        "processor": processor(),
        "precision": network.precision,
        "precisions": {name: {labels: _honest(told[labels]) for labels in told} for name, told in in_each.items()},
        "model": _weights(folder),
        "data": {"file": data.name, "sha256": sha256(data)},
        "beside": _weights(beside) if beside else None,
        **_rounded(figures),
    }


def _honest(told: dict[str, Any]) -> float:
    """Accuracy without copies of training pictures, where the data tell which these are."""
    return float(told.get("accuracy_without_duplicates", told["accuracy"]))


def _weights(folder: Path) -> dict[str, str]:
    return {"name": folder.resolve().name, "sha256": sha256(folder / "expression.bin")}


def write(folder: Path, figures: dict[str, Any]) -> None:
    """Write figures.json into the folder and renew its card."""
    before, _, after = split(folder)
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / CARD).write_text(before + render(figures) + after, encoding="utf-8")


def render(figures: dict[str, Any]) -> str:
    """The card's part, from what figures.json holds."""
    beside = figures["beside"]
    text = (
        f"`{figures['command']}`, {figures['date']}, {figures['processor']}, {figures['precision']}. SHA-256 of the weights "
        f"(`expression.bin`) `{figures['model']['sha256']}`, of the data `{figures['data']['sha256']}`"
    )
    if beside:
        text += f", of the network beside it `{beside['sha256']}`"
    told = {labels: figures[labels] for labels in NAMES if labels in figures}
    rows = [[name, *(_percent(right[labels]) for labels in told)] for name, right in figures["precisions"].items()]
    precision = _table(["accuracy in percent", *(NAMES[labels] for labels in told)], rows)
    parts = [text + ".", tables(told, beside["name"] if beside else ""), "### Precision", precision]
    return "\n\n" + "\n\n".join(parts) + "\n\n"


def tables(figures: dict[str, dict[str, Any]], beside: str = "") -> str:
    """The figures of each set of labels for people, as Markdown.

    Args:
        beside: name of the network that robustness is compared with.
    """
    parts = [_accuracy(figures)]
    for labels, told in figures.items():
        parts += [f"### {NAMES[labels]}", _per_class(told), _confusion(told), _reliability(told), _coverage(told)]
    if all("robustness" in told for told in figures.values()):
        parts += ["### Worse pictures", _robustness(figures, beside)]
    parts += ["### Groups of people", _groups(figures)]
    return "\n\n".join(parts)


def _accuracy(figures: dict[str, dict[str, Any]]) -> str:
    rows = []
    for labels, told in figures.items():
        if "n_without_duplicates" in told:
            name = f"{NAMES[labels]}, without copies of training pictures"
            rows.append(
                [name, _count(told["n_without_duplicates"]), *_measured(told, "accuracy_without_duplicates"), *[""] * 3]
            )
        row = [NAMES[labels], _count(told["n"]), *_measured(told, "accuracy"), *_measured(told, "macro_f1")]
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
    others = [f"{NAMES[labels]}, {beside}" for labels in figures if beside]
    return _table(["accuracy in percent", "strength", *(NAMES[labels] for labels in figures), *others], rows)


def _groups(figures: dict[str, dict[str, Any]]) -> str:
    parts = []
    for labels, told in figures.items():
        for column, found in told["groups"].items():
            parts += [
                f"{NAMES[labels]}, by {column}, recall in percent with its 95 % interval:",
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
    """Markdown, the first column to the left and the others to the right, that reads well on a terminal too."""
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(head, *rows, strict=True)]
    lines = [
        [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (head, *rows)
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:]))


def _rounded(value: Any) -> Any:
    """Every number with at most four decimals."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
