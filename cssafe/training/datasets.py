"""The layouts in which labelled faces are handed around, each read into the same table. No picture is decoded here.

data/README.md shows each layout as a tree of files.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cssafe import media
from cssafe.errors import DataError
from cssafe.labels import FER2013, FERPLUS, FERPLUS_VOTES
from cssafe.media.images import is_image
from cssafe.training.progress import told

WORDS = (
    {name: name for name in FERPLUS}
    | {voted: name for name, voted in FERPLUS_VOTES.items()}
    | {"surprised": "surprise", "disgusted": "disgust", "fearful": "fear"}
)
"""What the emotions are called in folders and columns -> our words."""

VOTES = (*(f"fp_{FERPLUS_VOTES[name]}" for name in FERPLUS), "fp_unknown", "fp_NF")
"""The columns of FERPlus' votes: the eight emotions in our order, then 'unknown' and 'not a face'."""

PARTS = {
    "train": "train", "training": "train",
    "test": "test", "val": "test", "valid": "test", "validation": "test", "publictest": "test", "privatetest": "test",
}  # fmt: skip
"""What the parts of data sets are called -> whether one learns from it or is judged on it."""

AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
"""By AffectNet's numbers (Mollahosseini et al. 2017); 8 to 10 are none, uncertain and no face."""

AFFECTNET_LAST = 10
AFFECTNET_COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
                     "expression", "valence", "arousal")  # fmt: skip

RAFDB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
"""By RAF-DB's numbers less one (Li et al. 2017)."""

RAFDB_PEOPLE = {
    "gender": ("male", "female", "unsure"),
    "race": ("Caucasian", "African-American", "Asian"),
    "age": ("0-3", "4-19", "20-39", "40-69", "70+"),
}
"""The last three lines of RAF-DB's Annotation/manual/*_manu_attri.txt, by number, in its own words."""


@dataclass(frozen=True)
class Listed:
    """A data set, not decoded.

    layout: "parquet", "fer2013.csv", "AffectNet", "RAF-DB" or "class folders".
    rows: one a face, with the columns
        image: bytes of an encoded picture, the Path of one, or the text of fer2013.csv's pixels;
        label: an emotion, one of WORDS (of parquet files: as it stands there);
        part: "train", "test", or "" where the data set does not say;
        and where the data set has them x, y, w, h of the face in the picture (pixels), VOTES, md5 (hex, of the pixels), dup
        (also stands in the training part), and whatever else a parquet file or a csv brings.
    """

    layout: str
    rows: pd.DataFrame


def read(path: Path, people: Iterable[str] = ()) -> Listed:
    """The faces of a data set in any layout that is known.

    Args:
        people: columns about the people that are wanted; RAF-DB has them in a file for each face, so they are read only
            when asked for.

    Raises:
        DataError: no such file or folder, no layout that is known, columns missing, numbers that stand for no emotion.
    """
    if path.is_dir():
        return _folder(path, set(people))
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.")
    if path.suffix.lower() == ".csv":
        return _csv(path)
    return Listed("parquet", _parquet(path).assign(part=""))


def need(path: Path, rows: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raises DataError where columns are missing."""
    columns = list(columns)
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise DataError(
            f"{path}: the columns {', '.join(missing)} are missing; expected {', '.join(columns)}, "
            f"found {', '.join(str(name) for name in rows.columns if name != 'part') or 'none'}."
        )


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _folder(path: Path, people: set[str]) -> Listed:
    if list(path.glob("fer2013_*.parquet")):
        return Listed("parquet", _parquet_folder(path))
    if (path / "fer2013.csv").is_file():
        return _csv(path / "fer2013.csv")
    if (path / "EmoLabel").is_dir():
        return Listed("RAF-DB", _rafdb(path, people))
    if any((path / name).is_dir() for name in ("train_set", "val_set", "annotations")):
        return Listed("AffectNet", _affectnet(path))
    near = (path, path / "Manually_Annotated_file_lists")
    lists = [folder / name for folder in near for name in ("training.csv", "validation.csv")]
    lists = [file for file in lists if file.is_file()]
    if lists:
        return Listed("AffectNet", pd.concat([_csv(file).rows for file in lists], ignore_index=True))
    return Listed("class folders", _class_folders(path))


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: this is no parquet file ({first_line(error)}); expected a parquet file with image and label, a "
            "fer2013.csv, or a folder in one of the layouts of data/README.md."
        ) from None


def _parquet_folder(path: Path) -> pd.DataFrame:
    """fer2013_train_*.parquet and fer2013_valid.parquet, without which copies of test pictures could not be left out."""
    test = path / "fer2013_valid.parquet"
    if not test.is_file():
        raise DataError(
            f"{test}: this file is missing; its pictures must be known so that none of them is learned from."
        )
    parts = [_parquet(file).assign(part="train") for file in sorted(path.glob("fer2013_train_*.parquet"))]
    return pd.concat([*parts, _parquet(test).assign(part="test")], ignore_index=True)


def _csv(path: Path) -> Listed:
    """fer2013.csv (emotion 0-6, pixels as 2,304 numbers, Usage) or one of AffectNet's lists."""
    try:
        rows = pd.read_csv(path, low_memory=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: this is no table that can be read ({first_line(error)}).") from None
    rows.columns = rows.columns.str.strip()  # icml_face_data.csv, the same table, has blanks before the names
    if len(rows.columns) == len(AFFECTNET_COLUMNS) and "/" in rows.columns[0]:  # handed around without names, too
        rows = pd.read_csv(path, names=AFFECTNET_COLUMNS, low_memory=False)
    if AFFECTNET_COLUMNS[0] in rows:
        return Listed("AffectNet", _affectnet_list(path, rows))
    need(path, rows, ["emotion", "pixels"])
    if not rows["emotion"].isin(range(len(FER2013))).all():
        raise DataError(
            f"{path}: the column emotion holds numbers from 0 to {len(FER2013) - 1}, in fer2013.csv's order."
        )
    usage = rows["Usage"] if "Usage" in rows else pd.Series("", rows.index)
    return Listed(
        "fer2013.csv",
        rows.drop(columns="pixels").assign(
            image=rows["pixels"],
            label=rows["emotion"].map(dict(enumerate(FER2013))),
            part=usage.astype(str).str.lower().map(PARTS).fillna(""),
        ),
    )


def _affectnet(path: Path) -> pd.DataFrame:
    """train_set/ and val_set/, or one of them by itself: images/N.jpg with annotations/N_exp.npy."""
    parts = {"train": path / "train_set", "test": path / "val_set", "": path}
    found = []
    for part, folder in parts.items():
        files = sorted((folder / "annotations").glob("*_exp.npy"))
        for file in told(files, len(files), f"{folder}: reading annotations"):
            number = _affectnet_number(file)
            if number < len(AFFECTNET):
                image = folder / "images" / f"{file.name.removesuffix('_exp.npy')}.jpg"
                found.append((image, AFFECTNET[number], part))
    if not found:
        raise DataError(
            f"{path}: expected AffectNet's train_set/ or val_set/ with images/N.jpg and annotations/N_exp.npy; "
            "there is no annotation of an emotion."
        )
    return pd.DataFrame(found, columns=["image", "label", "part"])


def _affectnet_number(file: Path) -> int:
    try:
        number = int(np.load(file, allow_pickle=False).item())
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: expected one number ({first_line(error)}).") from None
    if not 0 <= number <= AFFECTNET_LAST:
        raise DataError(f"{file}: expected an expression from 0 to {AFFECTNET_LAST}, found {number}.")
    return number


def _affectnet_list(path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    need(path, rows, (*AFFECTNET_COLUMNS[:5], "expression"))
    if not rows["expression"].isin(range(AFFECTNET_LAST + 1)).all():
        raise DataError(
            f"{path}: the column expression holds numbers from 0 to {AFFECTNET_LAST}, as AffectNet has them."
        )
    rows = rows[rows["expression"] < len(AFFECTNET)]
    names = dict(zip(AFFECTNET_COLUMNS[1:5], "xywh", strict=True))
    boxes = rows[list(names)].apply(pd.to_numeric, errors="coerce").rename(columns=names)
    if not (boxes[["w", "h"]] > 0).all(axis=None):
        raise DataError(
            f"{path}: face_x, face_y, face_width and face_height hold the face's box in pixels, in each row."
        )
    images = _affectnet_images(path, rows["subDirectory_filePath"])
    part = PARTS.get(path.stem.lower(), "")
    return rows.assign(image=images, label=rows["expression"].map(dict(enumerate(AFFECTNET))), part=part, **boxes)


def _affectnet_images(path: Path, names: pd.Series) -> list[Path]:
    """The pictures lie beside the list, or in Manually_Annotated_Images near it; the first picture tells."""
    inside = ("", "Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
    folders = [near / name for near in (path.parent, path.parent.parent) for name in inside]
    for folder in folders:
        if len(names) == 0 or (folder / names.iloc[0]).is_file():
            return [folder / name for name in names]
    raise DataError(
        f"{path}: its first picture {names.iloc[0]} was looked for in {', '.join(map(str, folders))} and not found."
    )


def _rafdb(path: Path, people: set[str]) -> pd.DataFrame:
    """RAF-DB's basic part: EmoLabel/list_patition_label.txt (so it is spelt) and Image/aligned/."""
    file = path / "EmoLabel" / "list_patition_label.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise DataError(f"{file}: expected RAF-DB's list of pictures and labels, which cannot be read.") from None
    names, labels = [], []
    for i, line in enumerate(lines, start=1):
        match line.split():
            case []:
                continue
            case [name, number] if number.isdecimal() and 1 <= int(number) <= len(RAFDB):
                names.append(Path(name).stem)
                labels.append(RAFDB[int(number) - 1])
            case _:
                raise DataError(f"{file}: line {i} is {line!r}; expected such as 'train_00001.jpg 5', with 1 to 7.")
    rows = pd.DataFrame({"label": labels, "part": [PARTS.get(name.split("_")[0], "") for name in names]}, dtype=object)
    rows["image"] = [path / "Image" / "aligned" / f"{name}_aligned.jpg" for name in names]
    if wanted := people & RAFDB_PEOPLE.keys():
        found = [_rafdb_person(path, name) for name in told(names, len(names), f"{path}: reading {', '.join(wanted)}")]
        for column in wanted:
            rows[column] = [person[column] for person in found]
    return rows


def _rafdb_person(path: Path, name: str) -> dict[str, str]:
    file = path / "Annotation" / "manual" / f"{name}_manu_attri.txt"
    try:
        numbers = file.read_text(encoding="utf-8").split()[-len(RAFDB_PEOPLE) :]
        return {column: words[int(n)] for (column, words), n in zip(RAFDB_PEOPLE.items(), numbers, strict=True)}
    except (OSError, ValueError, IndexError):
        raise DataError(f"{file}: expected five points, then gender, race and age as numbers, a line each.") from None


def _class_folders(path: Path) -> pd.DataFrame:
    """A folder for each emotion, or such folders in train/ and test/ or val/; files that are no pictures are passed over."""
    parts = [(folder, PARTS[folder.name.lower()]) for folder in _folders(path) if folder.name.lower() in PARTS]
    found, strange = [], []
    for parent, part in parts or [(path, "")]:
        folders = _folders(parent)
        for folder in told(folders, len(folders), f"{parent}: looking through folders"):
            label = WORDS.get(folder.name.lower())
            if label is None:
                strange.append(folder.name)
            else:
                found += [(file, label, part) for file in sorted(folder.rglob("*")) if _is_picture(file)]
    if not found:
        raise DataError(
            f"{path}: expected fer2013_*.parquet, fer2013.csv, AffectNet's train_set/, RAF-DB's EmoLabel/, or pictures in "
            f"folders named after the labels ({', '.join(FERPLUS)}), by themselves or in train/ and test/; there are none. "
            "See data/README.md."
        )
    if strange:
        print(f"{path}: passed over, for they name no emotion: {', '.join(sorted(set(strange)))}.", file=sys.stderr)
    return pd.DataFrame(found, columns=["image", "label", "part"])


def _folders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _is_picture(file: Path) -> bool:
    if file.name.startswith(".") or not file.is_file():
        return False
    if media.named_as_media(str(file)):
        return True
    with file.open("rb") as content:
        return is_image(content)
