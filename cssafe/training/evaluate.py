"""How well the served expression network does on labelled faces: `python -m cssafe evaluate`.

Faces go through the same crop and the same exported graph as live ones, and unmirrored. The metrics are written out in
NumPy; where a denominator is zero a metric is 0.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cssafe import media, settings
from cssafe.expression import Expression, place_boxes
from cssafe.labels import FER2013, FERPLUS, FERPLUS_VOTES
from cssafe.vision.crops import crop, grey

LABELS = {"fer2013": FER2013, "ferplus": FERPLUS}

BINS = 15
"""Equal-width bins of the calibration error, the usual number (Guo et al. 2017)."""

BATCH = 256
"""Crops in the network at once: bounds the memory."""


class DataError(Exception):
    """Labelled data that cannot be read; the message says what was expected."""


@dataclass(frozen=True)
class Labelled:
    """n labelled faces. crops: uint8 (n, size, size) grey. truth: int (n,), index into the labels.
    duplicate: bool (n,) or None where the data does not say."""

    crops: np.ndarray
    truth: np.ndarray
    duplicate: np.ndarray | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data", type=Path, help="a parquet file (image, label), a fer2013.csv, or a folder of class folders"
    )
    parser.add_argument("--labels", choices=tuple(LABELS), default="fer2013", help="which labels (default: fer2013)")
    parser.add_argument("--model", type=Path, help="folder of the network (default: the one that is served)")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def main(args: argparse.Namespace) -> int:
    expression = Expression(args.model or settings.read().model)
    data = read(args.data, args.labels, expression.size)
    run = expression.ferplus if args.labels == "ferplus" else expression.fer2013
    parts = [run(data.crops[i : i + BATCH]) for i in range(0, len(data.crops), BATCH)]
    probabilities = np.concatenate(parts) if parts else np.zeros((0, len(LABELS[args.labels])), np.float32)
    figures = evaluate(probabilities, data.truth, LABELS[args.labels], data.duplicate)
    print(json.dumps(figures) if args.json else table(figures))
    return 0


def evaluate(
    probabilities: np.ndarray, truth: np.ndarray, labels: tuple[str, ...], duplicate: np.ndarray | None = None
) -> dict[str, Any]:
    """The figures of the command line's contract.

    Args:
        probabilities: (n, k), rows sum to 1. truth: int (n,), index into the k labels.
        duplicate: bool (n,), rows that also stand in the training data.
    """
    guess = probabilities.argmax(axis=1)
    counts = confusion(truth, guess, len(labels))
    precision, recall, f1 = per_class(counts)
    figures: dict[str, Any] = {"n": len(truth), "accuracy": accuracy(counts), "macro_f1": float(f1.mean())}
    if duplicate is not None:
        fresh = ~duplicate
        figures["accuracy_without_duplicates"] = accuracy(confusion(truth[fresh], guess[fresh], len(labels)))
    figures["expected_calibration_error"] = calibration_error(probabilities, truth)
    figures["per_class"] = {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(counts[i].sum()),
        }
        for i, name in enumerate(labels)
    }
    return figures | {"labels": list(labels), "confusion": counts.tolist()}


def confusion(truth: np.ndarray, guess: np.ndarray, k: int) -> np.ndarray:
    """Counts int (k, k): rows are the true class, columns the guess."""
    return np.bincount(truth * k + guess, minlength=k * k).reshape(k, k)


def accuracy(counts: np.ndarray) -> float:
    """Share on the diagonal of a confusion matrix, in [0, 1]."""
    return float(_over(np.trace(counts), counts.sum()))


def per_class(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1, (k,) each in [0, 1]."""
    right = np.diag(counts)
    guessed, true = counts.sum(axis=0), counts.sum(axis=1)
    return _over(right, guessed), _over(right, true), _over(2 * right, guessed + true)


def calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance between the confidence of the guess and how often it is right, over BINS bins of confidence,
    weighted by their rows (expected calibration error, Naeini et al. 2015)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=BINS)
    return float(_over(np.abs(gaps).sum(), len(truth)))


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of n independent cases (Wilson 1927); all of [0, 1] where n is 0."""
    if n == 0:
        return 0.0, 1.0
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(max(0, middle - reach)), float(min(1, middle + reach))


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    low, high = wilson(figures["accuracy"], figures["n"])
    lines = [
        f"faces                        {figures['n']}",
        f"accuracy                     {figures['accuracy']:.3f}   (95 % interval {low:.3f} to {high:.3f})",
    ]
    if "accuracy_without_duplicates" in figures:
        lines.append(f"without duplicates           {figures['accuracy_without_duplicates']:.3f}")
    lines += [
        f"macro F1                     {figures['macro_f1']:.3f}",
        f"expected calibration error   {figures['expected_calibration_error']:.3f}   ({BINS} equal-width bins)",
        "",
        "            precision  recall     F1  faces",
    ]
    lines += [
        f"{name:<12}{row['precision']:9.3f}{row['recall']:8.3f}{row['f1']:7.3f}{row['support']:7d}"
        for name, row in figures["per_class"].items()
    ]
    lines += ["", "confusion (rows true)", " " * 12 + "".join(f"{name[:8]:>9}" for name in figures["labels"])]
    for name, row in zip(figures["labels"], figures["confusion"], strict=True):
        lines.append(f"{name:<12}" + "".join(f"{count:9d}" for count in row))
    return "\n".join(lines)


def read(path: Path, labels: str, size: int) -> Labelled:
    """Labelled faces of a parquet file, a fer2013.csv or a folder of class folders, cropped to `size` pixels.

    Raises:
        DataError: no such file, another kind of file, columns or labels missing, a picture that cannot be read.
    """
    if path.is_dir():
        return _folder(path, LABELS[labels], size)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.")
    if path.suffix.lower() == ".csv":
        return _csv(path, labels, size)
    try:
        rows = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: this is no parquet file ({_line(error)}); expected a parquet file with image and label, a "
            "fer2013.csv, or a folder of class folders."
        ) from None
    return _parquet(path, rows, labels, size)


def ferplus_majority(votes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Majority over the eight emotions, int (n,) (the first of equal ones), and whether the row counts, bool (n,): not
    where there are no votes, nor where "unknown" or "not a face" has more votes than the leading emotion."""
    emotions = votes[[f"fp_{FERPLUS_VOTES[name]}" for name in FERPLUS]].fillna(0).to_numpy(float)
    others = votes[["fp_unknown", "fp_NF"]].fillna(0).to_numpy(float)
    most = emotions.max(axis=1, initial=0)
    return emotions.argmax(axis=1), (most > 0) & (most >= others.max(axis=1, initial=0))


def _parquet(path: Path, rows: pd.DataFrame, labels: str, size: int) -> Labelled:
    votes = [f"fp_{FERPLUS_VOTES[name]}" for name in FERPLUS] + ["fp_unknown", "fp_NF"]
    _need(path, rows, ["image", *(votes if labels == "ferplus" else ["label"])])
    if labels == "ferplus":
        truth, counted = ferplus_majority(rows)
        rows, truth = rows[counted], truth[counted]
    else:
        truth = _indices(path, rows["label"], FER2013)
    boxes = rows[list("xywh")].to_numpy(float) if set("xywh") <= set(rows.columns) else [None] * len(rows)
    crops = []
    for i, (data, box) in enumerate(zip(rows["image"], boxes, strict=True)):
        try:
            crops.append(face(media.decode(data), box, size))
        except (media.MediaError, TypeError) as error:
            raise DataError(f"{path}: the image of row {i} cannot be read ({_line(error)})") from None
    duplicate = rows["dup"].fillna(False).to_numpy(bool) if "dup" in rows else None
    return Labelled(_stack(crops, size), truth, duplicate)


def _csv(path: Path, labels: str, size: int) -> Labelled:
    """fer2013.csv: emotion 0-6, pixels as 2,304 numbers; of a whole file only the rows that are not for training."""
    if labels == "ferplus":
        raise DataError(
            f"{path}: a fer2013.csv has no FERPlus votes; use --labels fer2013, or a parquet file with fp_*."
        )
    try:
        rows = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: this is no table that can be read ({_line(error)}).") from None
    _need(path, rows, ["emotion", "pixels"])
    learned = rows["Usage"].eq("Training") if "Usage" in rows else pd.Series(False, rows.index)
    if learned.any() and not learned.all():
        print(f"{path}: {learned.sum()} rows of usage Training are left out.", file=sys.stderr)
        rows = rows[~learned]
    if not rows["emotion"].isin(range(len(FER2013))).all():
        raise DataError(
            f"{path}: the column emotion holds numbers from 0 to {len(FER2013) - 1}, in fer2013.csv's order."
        )
    try:
        images = [np.array(text.split(), np.uint8).reshape(48, 48) for text in rows["pixels"]]
    except (ValueError, OverflowError, AttributeError):
        raise DataError(f"{path}: the column pixels holds 2304 numbers from 0 to 255 in each row.") from None
    return Labelled(_stack([face(image, None, size) for image in images], size), rows["emotion"].to_numpy(int), None)


def _folder(path: Path, labels: tuple[str, ...], size: int) -> Labelled:
    """One folder a class, named as the label; files in it that are no images are passed over."""
    classes = [i for i, name in enumerate(labels) if (path / name).is_dir()]
    if not classes:
        raise DataError(f"{path}: expected folders named after the labels ({', '.join(labels)}); there is none.")
    pairs = [(face(image, None, size), i) for i in classes for image in _images(path / labels[i])]
    return Labelled(_stack([c for c, _ in pairs], size), np.array([i for _, i in pairs], int), None)


def _images(folder: Path) -> Iterator[np.ndarray]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            try:
                yield media.decode(file.read_bytes())
            except media.MediaError as error:
                if media.named_as_media(str(file)):
                    raise DataError(f"{file}: {error}") from None


def face(image: np.ndarray, box: np.ndarray | None, size: int) -> np.ndarray:
    """The crop that the network sees, uint8 (size, size) grey: around the box (x, y, w, h in pixels, forehead to chin)
    as live faces are cut, or, without one, the whole picture, which then is a crop already."""
    picture = grey(image)
    if box is not None:
        x, y, w, h = box
        (middle,), (side,), (roll,) = place_boxes(np.array([[x, y, x + w, y + h]], float))
        return crop(picture, middle, side, roll, size)
    h, w = picture.shape
    if (h, w) == (size, size):
        return picture
    return crop(picture, np.array([(w - 1) / 2, (h - 1) / 2]), max(h, w), 0.0, size)


def _indices(path: Path, names: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    unknown = sorted(set(names.astype(str)) - set(labels))
    if unknown:
        raise DataError(f"{path}: the column label holds {', '.join(labels)}; {unknown[0]!r} is none of them.")
    return names.map({name: i for i, name in enumerate(labels)}).to_numpy(int)


def _need(path: Path, rows: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise DataError(
            f"{path}: the columns {', '.join(missing)} are missing; expected {', '.join(columns)}, "
            f"found {', '.join(map(str, rows.columns)) or 'none'}."
        )


def _stack(crops: list[np.ndarray], size: int) -> np.ndarray:
    return np.stack(crops) if crops else np.zeros((0, size, size), np.uint8)


def _over(top: Any, bottom: Any) -> Any:
    return np.divide(top, bottom, out=np.zeros(np.shape(top)), where=np.asarray(bottom) > 0)


def _line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
