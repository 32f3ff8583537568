"""Labelled faces as arrays: any layout of datasets.py decoded, split, with its truth. No framework."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cssafe import media
from cssafe.errors import DataError
from cssafe.expression import box_crop_poses
from cssafe.labels import FER2013, FERPLUS
from cssafe.training import datasets, progress
from cssafe.vision.crops import crop, grey

SIZE = 48
"""Side of a FER2013 picture and of the network's input, pixels."""

LABELS = {"fer2013": FER2013, "ferplus": FERPLUS}

MAX_GROUPS = 20
"""Largest number of values in a column of groups of people."""


@dataclass(frozen=True)
class Labelled:
    """n pictures of faces with both kinds of label, to learn from.

    images: uint8 (n, 48, 48) grey. fer2013: int (n,), index into FER2013 or -1. ferplus: float32 (n, 8), shares of the votes
    over the eight emotions, rows sum to 1, or all 0 without usable votes.
    """

    images: np.ndarray
    fer2013: np.ndarray
    ferplus: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | np.ndarray) -> "Labelled":
        return Labelled(self.images[rows], self.fer2013[rows], self.ferplus[rows])

    def __add__(self, other: "Labelled") -> "Labelled":
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Labelled(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class EvaluationSet:
    """n labelled faces to evaluate a network on.

    crops: uint8 (n, size, size) grey. truth: name in LABELS -> int (n,), index into those labels or -1. duplicate: bool (n,),
    also in the training data; None where unknown. people: column -> str (n,), the group of each face, "" where unknown.
    """

    crops: np.ndarray
    truth: dict[str, np.ndarray]
    duplicate: np.ndarray | None
    people: dict[str, np.ndarray]


def read_training(path: Path) -> tuple[Labelled, Labelled]:
    """Read the training part of a data set in any layout (data/README.md), all of it where it has no parts, and split it.

    Left out: rows of FERPlus without votes (not faces), repeated pictures, and pictures of the test part, so that no figure
    on that part comes from memory.

    Returns:
        (nine tenths to learn from, one tenth to choose and calibrate on), by hash of the pixels: the same on every machine.

    Raises:
        DataError: unusable data.
    """
    rows = datasets.read_dataset(path).rows
    learn, test = rows[rows["part"] != "test"], rows[rows["part"] == "test"]
    if learn.empty:
        raise DataError(
            f"{path}: there are no pictures to learn from in it; expected a training part (data/README.md)."
        )
    if "fp_neutral" in rows:
        learn = learn[learn["fp_neutral"].notna()]
    if "md5" in rows:
        learn = learn[~learn["md5"].isin(test["md5"])].drop_duplicates("md5")
        data, digests = decode_labelled(learn, path), learn["md5"].reset_index(drop=True)
    else:
        data = decode_labelled(learn, path)
        digests = pd.Series(_digests(data.images))
        fresh = ~(digests.isin(_digests(crop_faces(path, test, SIZE))) | digests.duplicated())
        data, digests = data[fresh.to_numpy()], digests[fresh]
    held_back = np.array([int(digest, 16) % 10 == 0 for digest in digests], bool)
    return data[~held_back], data[held_back]


def decode_labelled(rows: pd.DataFrame, path: Path = Path("rows")) -> Labelled:
    """Decode the rows of a data set; its labels count for every set of labels that has them, unless there are votes.

    Raises:
        DataError: an unknown word, a picture that cannot be read.
    """
    if "fp_neutral" not in rows:
        datasets.require_columns(path, rows, ["image", "label"])
    words = _words(path, rows["label"]) if "label" in rows else pd.Series(None, rows.index, object)
    shares = vote_shares(rows) if "fp_neutral" in rows else _one_hot(_indices(words, FERPLUS), len(FERPLUS))
    return Labelled(crop_faces(path, rows, SIZE), _indices(words, FER2013), shares)


def vote_shares(rows: pd.DataFrame) -> np.ndarray:
    """FERPlus votes -> float32 (n, 8) shares; all 0 where there are no votes or 'unknown' or 'not a face' leads.

    Single votes are dropped as slips, as in FERPlus' own recipe (Barsoum et al. 2016, section 3).
    """
    votes, others = np.split(rows[list(datasets.VOTES)].fillna(0).to_numpy(np.float32), [len(FERPLUS)], axis=1)
    usable = votes.max(axis=1, initial=0) > others.max(axis=1, initial=0)
    votes = np.where(votes <= 1, 0, votes) * usable[:, None]
    total = votes.sum(axis=1, keepdims=True)
    return np.divide(votes, total, out=np.zeros_like(votes), where=total > 0)


def ferplus_majority(rows: pd.DataFrame) -> np.ndarray:
    """FERPlus votes -> int (n,), the emotion with most votes (first of equals); -1 without votes, or where 'unknown' or 'not a
    face' has more."""
    votes, others = np.split(rows[list(datasets.VOTES)].fillna(0).to_numpy(float), [len(FERPLUS)], axis=1)
    most = votes.max(axis=1, initial=0)
    counted = (most > 0) & (most >= others.max(axis=1, initial=0))
    return np.where(counted, votes.argmax(axis=1), -1)


def read_evaluation_set(
    path: Path, labels: Sequence[str], size: int = SIZE, people: Sequence[str] = ()
) -> EvaluationSet:
    """Read the test part of a data set in any layout, all of it where it has no parts.

    Only faces with a label in at least one of the sets `labels` (names in LABELS) are read.

    Args:
        size: side of the crops, pixels. people: columns with groups of people.

    Raises:
        DataError: unusable data.
    """
    listed = datasets.read_dataset(path, people)
    rows = listed.rows
    learned = rows["part"] == "train"
    if learned.any() and not learned.all():
        print(f"{path}: pictures for training, left out: {learned.sum()}.", file=sys.stderr)
        rows = rows[~learned]
    truth = {name: _truth(path, listed.layout, rows, name) for name in labels}
    datasets.require_columns(path, rows, people)
    counted = np.any([indices >= 0 for indices in truth.values()], axis=0)
    rows = rows[counted]
    return EvaluationSet(
        crop_faces(path, rows, size),
        {name: indices[counted] for name, indices in truth.items()},
        rows["dup"].fillna(False).to_numpy(bool) if "dup" in rows else None,
        {name: _groups(path, rows[name]) for name in people},
    )


def _truth(path: Path, layout: str, rows: pd.DataFrame, labels: str) -> np.ndarray:
    # FER2013's own labels often contradict FERPlus' majority, so they do not stand in for the votes.
    if labels == "ferplus" and ("fp_neutral" in rows or layout in ("parquet", "fer2013.csv")):
        datasets.require_columns(path, rows, ["image", *datasets.VOTES])
        return ferplus_majority(rows)
    datasets.require_columns(path, rows, ["image", "label"])
    indices = _indices(_words(path, rows["label"]), LABELS[labels])
    if (indices < 0).any():
        print(f"{path}: faces of emotions that {labels} lacks, left out: {(indices < 0).sum()}.", file=sys.stderr)
    return indices


def crop_faces(path: Path, rows: pd.DataFrame, size: int) -> np.ndarray:
    """Decode and crop the pictures of a data set's rows: uint8 (n, size, size) grey."""
    boxes = rows[list("xywh")].to_numpy(float) if set("xywh") <= set(rows.columns) else np.full((len(rows), 4), np.nan)
    crops = np.empty((len(rows), size, size), np.uint8)
    told_rows = progress.with_progress(rows["image"].items(), len(rows), f"{path}: reading pictures")
    for i, (row, image) in enumerate(told_rows):
        crops[i] = crop_face(_decode(path, row, image), None if np.isnan(boxes[i]).any() else boxes[i], size)
    return crops


def crop_face(image: np.ndarray, box: np.ndarray | None, size: int) -> np.ndarray:
    """The network's crop, uint8 (size, size) grey: around the box (x, y, w, h in pixels, forehead to chin) like live faces, or
    the whole picture without a box."""
    picture = grey(image)
    if box is not None:
        x, y, w, h = box
        (middle,), (side,), (roll,) = box_crop_poses(np.array([[x, y, x + w, y + h]], float))
        return crop(picture, middle, side, roll, size)
    h, w = picture.shape
    if (h, w) == (size, size):
        return picture
    return crop(picture, np.array([(w - 1) / 2, (h - 1) / 2]), max(h, w), 0.0, size)


def _decode(path: Path, row: Any, image: Any) -> np.ndarray:
    try:
        if isinstance(image, str):
            return np.array(image.split(), np.uint8).reshape(SIZE, SIZE)
        return media.decode_image(image.read_bytes() if isinstance(image, Path) else image)
    except (media.MediaError, OSError, ValueError, OverflowError, TypeError) as error:
        if isinstance(image, str):
            said = f"{path}: row {row} of the column pixels does not hold 2304 numbers from 0 to 255."
        elif isinstance(image, Path):
            reason = error if image.is_file() else f"this picture is missing, though {path} names it."
            said = f"{image}: {reason}"
        else:
            said = f"{path}: the image of row {row} cannot be read ({datasets.first_line(error)})"
        raise DataError(said) from None


def _words(path: Path, said: pd.Series) -> pd.Series:
    """Emotions in any wording -> names in labels.py."""
    words = said.map(lambda word: datasets.EMOTION_WORDS.get(str(word).strip().lower()))
    if words.isna().any():
        unknown = said[words.isna()].iloc[0]
        raise DataError(f"{path}: the column label holds {', '.join(FERPLUS)}; {unknown!r} is none of them.")
    return words


def _indices(words: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    places = {name: i for i, name in enumerate(labels)}
    return np.array([places.get(word, -1) for word in words], int)


def _one_hot(indices: np.ndarray, k: int) -> np.ndarray:
    return (indices[:, None] == np.arange(k)).astype(np.float32)


def _groups(path: Path, values: pd.Series) -> np.ndarray:
    words = values.astype(str).where(values.notna(), "").to_numpy(str)
    if (found := len(set(words) - {""})) > MAX_GROUPS:
        raise DataError(
            f"{path}: the column {values.name} has {found} different values; expected at most {MAX_GROUPS} groups of "
            "people: sort them into ranges first."
        )
    return words


def pixel_digest(data: Labelled) -> str:
    """SHA-256 of the pictures."""
    return hashlib.sha256(data.images.tobytes()).hexdigest()


def _digests(images: np.ndarray) -> list[str]:
    """The first 16 hex digits of the MD5 of each picture's pixels, as in fer2013_*.parquet."""
    return [hashlib.md5(image.tobytes()).hexdigest()[:16] for image in images]
