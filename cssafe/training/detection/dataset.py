"""Photographs with face boxes, to learn from and to judge by: WIDER FACE in its own folders, as parquet, or as pictures with a
table of boxes. No framework."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cssafe import media
from cssafe.errors import DataError
from cssafe.training.datasets import first_line, need

HELD_BACK = 8
"""Each so many-th photograph is held back, to choose thresholds on."""


@dataclass(frozen=True, eq=False)
class Photograph:
    """name: of the file. source: the encoded picture, or where it lies. boxes: float32 (n, 4), x1 y1 x2 y2 in pixels.
    invalid: bool (n,), faces that nobody could tell as such; they are ignored both ways."""

    name: str
    source: bytes | Path
    boxes: np.ndarray
    invalid: np.ndarray

    def read(self) -> np.ndarray:
        """uint8 (h, w, 3) BGR.

        Raises:
            DataError: no picture.
        """
        try:
            return media.decode(self.source.read_bytes() if isinstance(self.source, Path) else self.source)
        except (media.MediaError, OSError) as error:
            raise DataError(f"{self.name}: this picture cannot be read ({first_line(error)})") from None


def read(path: Path) -> list[Photograph]:
    """The photographs of a folder or file in any layout that is known, sorted by name.

    Layouts: parquet files (`faces_*.parquet` of a folder) with the columns file, image, boxes (x, y, w, h flattened), invalid;
    WIDER FACE's `wider_face_split/wider_face_*_bbx_gt.txt` beside `WIDER_*/images/` (the parts that are there); `boxes.csv`
    with file, x, y, w, h, invalid beside the pictures.

    Raises:
        DataError: none of these, or something is missing in it.
    """
    if path.suffix.lower() == ".parquet" and path.is_file():
        found = list(_parquet(path))
    elif parts := sorted(path.glob("faces_*.parquet")):
        found = [photograph for part in parts for photograph in _parquet(part)]
    elif (path / "boxes.csv").is_file():
        found = list(_table(path / "boxes.csv"))
    elif lists := sorted(path.glob("wider_face_split/wider_face_*_bbx_gt.txt")):
        found = [photograph for listing in lists for photograph in _wider(path, listing)]
    else:
        raise DataError(
            f"{path}: expected faces_*.parquet, boxes.csv beside pictures, or WIDER FACE's folders (wider_face_split/ with "
            "wider_face_train_bbx_gt.txt, WIDER_train/images/); there are none. See data/README.md."
        )
    if not found:
        raise DataError(f"{path}: there are no photographs in it.")
    return sorted(found, key=lambda photograph: photograph.name)


def split(photographs: list[Photograph]) -> tuple[list[Photograph], list[Photograph]]:
    """(to learn from, held back). The split hangs on the file's name: it is the same on every machine and in every layout."""
    learn: list[Photograph] = []
    choose: list[Photograph] = []
    for photograph in photographs:
        digest = hashlib.md5(Path(photograph.name).name.encode()).hexdigest()
        (learn if int(digest, 16) % HELD_BACK else choose).append(photograph)
    return learn, choose


def _parquet(path: Path) -> Iterator[Photograph]:
    try:
        rows = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: it cannot be read as parquet ({first_line(error)})") from None
    need(path, rows, ["file", "image", "boxes", "invalid"])
    for row in rows.itertuples():
        xywh = np.asarray(row.boxes, np.float32).reshape(-1, 4)
        yield _photograph(str(row.file), row.image, xywh, np.asarray(row.invalid, bool))


def _table(path: Path) -> Iterator[Photograph]:
    rows = pd.read_csv(path)
    need(path, rows, ["file", "x", "y", "w", "h", "invalid"])
    for name, boxes in rows.groupby("file"):
        xywh = boxes[["x", "y", "w", "h"]].to_numpy(np.float32)
        yield _photograph(str(name), path.parent / str(name), xywh, boxes["invalid"].to_numpy(bool))


def _wider(path: Path, listing: Path) -> Iterator[Photograph]:
    """A line with the file, a line with the number of boxes, then a line a box: x, y, w, h, blur, expression, illumination,
    invalid, occlusion, pose. Where there is no box, one line of zeros stands all the same."""
    part = listing.name.split("_")[2]
    folder = path / f"WIDER_{part}" / "images"
    if not folder.is_dir():
        return
    lines = iter(listing.read_text(encoding="utf-8").split("\n"))
    for name in lines:
        if not name.strip():
            continue
        try:
            count = int(next(lines))
            rows = np.array([next(lines).split()[:8] for _ in range(max(1, count))], np.float32)[:count].reshape(-1, 8)
        except (StopIteration, ValueError, IndexError):
            raise DataError(f"{listing}: after {name.strip()} expected a number and so many lines of a box.") from None
        yield _photograph(name.strip(), folder / name.strip(), rows[:, :4], rows[:, 7] > 0)


def _photograph(name: str, source: bytes | Path, xywh: np.ndarray, invalid: np.ndarray) -> Photograph:
    """Boxes without extent, of which WIDER FACE has some, are invalid."""
    boxes = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]).astype(np.float32)
    return Photograph(name, source, boxes, invalid | (xywh[:, 2:] < 1).any(axis=1))
