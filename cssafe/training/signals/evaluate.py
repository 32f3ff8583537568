"""How far the signals of a face can be trusted: `python -m cssafe signals`.

Head pose is compared with the truth: photographed heads are drawn at known angles (training/signals/render.py) and read by the
same detector and mesh as a camera's picture. For the other signals there is no truth here; of them it is told how far they move
when a large, sharp face is made small or blurred.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from cssafe import media
from cssafe.errors import DataError
from cssafe.expression import place_meshes
from cssafe.frames import MOVEMENTS
from cssafe.signals import eyes, mouth, movements
from cssafe.signals.pose import head_pose, rotation
from cssafe.training.progress import told
from cssafe.training.signals.render import draw, head
from cssafe.vision.crops import crop, grey
from cssafe.vision.face_finder import MESH_TRUSTED, Finder
from cssafe.vision.mesh import EyeNetwork, sharpness

YAWS, PITCHES = (-70, -55, -40, -30, -20, -10, 0, 10, 20, 30, 40, 55, 70), (-40, -25, -12, 0, 12, 25, 40)
"""Degrees. A head turned in one of them is straight in the other, and the corners between are drawn too."""

CORE = (40, 25)
"""Degrees of yaw and pitch within which head pose must be right."""

HEIGHT, SIZE = 150, 320
"""Pixels of the drawn face and of the picture around it."""

SMALLEST, STRAIGHT = 100, 12
"""Faces below this height (pixels) or turned further (degrees) are not drawn: half of a face would be made up."""

HEIGHTS, BLURRED_HEIGHT, BLURS = (24, 28, 34, 40, 50, 60, 80, 110), 110, (0.8, 1.2, 1.8, 2.5, 3.5, 5.0)
"""Pixels of the shrunk faces, of the blurred ones, and standard deviations of the blur."""

NAMES = ("yaw", "pitch", "roll", "openness", "gaze_x", "gaze_y", "mouth", *MOVEMENTS)
"""What is read of a face."""


@dataclass(frozen=True)
class Face:
    """A face in a picture. image: uint8 (h, w, 3) BGR. mesh: (468, 3). height: pixels. readings: (len(NAMES),)."""

    image: np.ndarray
    mesh: np.ndarray
    height: float
    sharpness: float
    readings: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        return (self.mesh[:, :2].min(axis=0) + self.mesh[:, :2].max(axis=0)) / 2


class Reader:
    """The networks that read a face, as the pipeline uses them."""

    def __init__(self) -> None:
        self._finder, self._eyes = Finder(), EyeNetwork()

    def read(self, image: np.ndarray) -> list[Face]:
        """The faces of an image."""
        faces, meshes = self._finder.find(image)
        seen = meshes.scores >= MESH_TRUSTED
        faces, meshes = faces[seen], meshes[seen]
        fitted = self._eyes.fit(image, meshes)
        values = (*head_pose(meshes), eyes.openness(fitted), *eyes.gaze(fitted), mouth.opening(meshes))
        readings = np.column_stack([*values, movements.shapes(meshes)])
        luma = grey(image)
        crops = [crop(luma, *place, 48) for place in zip(*place_meshes(meshes), strict=True)]
        return [
            Face(image, meshes.points[i], float(faces.heights[i]), float(sharpness(crops[i][None])[0]), readings[i])
            for i in range(len(faces))
        ]

    def at(self, image: np.ndarray, middle: np.ndarray) -> Face | None:
        """The face around a point of an image, pixels."""
        near = [face for face in self.read(image) if np.abs(face.middle - middle).max() < face.height / 2]
        return min(near, key=lambda face: np.abs(face.middle - middle).max(), default=None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pictures", nargs="*", type=Path, metavar="DATA", help="pictures, or parquet files with encoded pictures in `image`"
        " (default: scikit-image's astronaut)",
    )  # fmt: skip
    parser.add_argument("--faces", type=int, default=20, help="how many faces at most (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def main(args: argparse.Namespace) -> int:
    reader = Reader()
    chosen = choose(reader, args.pictures or [_astronaut()], max(1, args.faces))
    if not chosen:
        raise DataError(
            f"There is no face in these pictures that looks straight ahead and is {SMALLEST} pixels high: choose others."
        )
    figures = {"faces": len(chosen), "pose": pose(reader, chosen), "worse": worse(reader, chosen)}
    print(json.dumps(figures) if args.json else table(figures))
    return 0


def choose(reader: Reader, paths: list[Path], most: int) -> list[Face]:
    """The first faces of these pictures that are large and look straight ahead, one a picture."""
    seen = (face for image in _pictures(paths) for face in reader.read(image)[:1])
    suited = (f for f in seen if f.height >= SMALLEST and np.abs(f.readings[:2]).max() <= STRAIGHT)
    return list(told(islice(suited, most), most, "looking for faces"))


def pose(reader: Reader, faces: list[Face]) -> list[dict[str, Any]]:
    """Of each drawn angle: yaw and pitch (degrees), drawn and found, and the errors' median, in degrees without sign and (bias)
    with it."""
    angles = [(y, p) for y in YAWS for p in PITCHES if not (y and p) or (y, p) in _corners()]
    heads = [(head(face.image, face.mesh), HEIGHT / np.ptp(face.mesh[:, 1])) for face in faces]
    rows = []
    for yaw, pitch in told(angles, len(angles), "drawing and reading angles"):
        found = []
        for seen, scale in heads:
            face = reader.at(draw(seen, rotation(yaw, pitch, 0), SIZE, scale), np.full(2, SIZE / 2))
            found += [] if face is None else [face.readings[:3] - (yaw, pitch, 0)]
        errors = np.array(found).reshape(-1, 3)
        rows.append(
            {"yaw": yaw, "pitch": pitch, "drawn": len(heads), "found": len(errors)} | _medians(errors, NAMES[:3])
        )
    return rows


def worse(reader: Reader, faces: list[Face]) -> list[dict[str, Any]]:
    """How far each reading moves on a smaller or blurred face: median without sign, with size and sharpness."""
    rows = []
    ways = [("height", h) for h in HEIGHTS] + [("blur", b) for b in BLURS]
    for way, amount in told(ways, len(ways), "shrinking and blurring"):
        changed = []
        for face in faces:
            other = _smaller(face, amount if way == "height" else BLURRED_HEIGHT)
            start = face if way == "height" else reader.at(other[0], other[1])
            image = other[0] if way == "height" else cv2.GaussianBlur(other[0], (0, 0), amount)
            now = reader.at(image, other[1])
            if start is not None and now is not None:
                changed.append([now.sharpness, *np.abs(now.readings - start.readings)])
        values = np.array(changed).reshape(-1, 1 + len(NAMES))
        medians = np.median(values, axis=0) if len(values) else np.full(1 + len(NAMES), np.nan)
        told_of = dict(zip(("sharpness", *NAMES), medians.round(4).tolist(), strict=True))
        rows.append({way: amount, "found": len(values)} | told_of)
    return rows


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    rows = figures["pose"]
    core = [row for row in rows if abs(row["yaw"]) <= CORE[0] and abs(row["pitch"]) <= CORE[1]]
    lines = [
        f"{figures['faces']} faces, drawn at known angles: median error in degrees (median with its sign)",
        f"{'yaw':>5}{'pitch':>7}{'found':>8}{'yaw':>16}{'pitch':>16}{'roll':>16}",
    ]
    for row in rows:
        cells = (f"{row[f'{name}_error']:.1f} ({row[f'{name}_bias']:+.1f})" for name in NAMES[:3])
        place = f"{row['yaw']:>5}{row['pitch']:>7}{row['found']:>4}/{row['drawn']:<3}"
        lines.append(place + "".join(f"{cell:>16}" for cell in cells))
    means = ", ".join(f"{name} {np.median([row[f'{name}_error'] for row in core]):.1f}" for name in NAMES[:3])
    lines += [f"median of the angles within yaw ±{CORE[0]} and pitch ±{CORE[1]}: {means}", ""]
    lines.append("The same faces, smaller or blurred: sharpness, and the median change of each reading")
    lines.append(" " * 16 + "".join(f"{name[:9]:>10}" for name in NAMES))
    for row in figures["worse"]:
        way = f"{row['height']} px" if "height" in row else f"blur {row['blur']}"
        lines.append(f"{way:<10}{row['sharpness']:>6.1f}" + "".join(f"{row[name]:>10.3f}" for name in NAMES))
    return "\n".join(lines)


def _corners() -> set[tuple[int, int]]:
    return {(y, p) for y in (-CORE[0], -20, 20, CORE[0]) for p in (-CORE[1], CORE[1])}


def _medians(errors: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    if not len(errors):
        return {f"{name}_{what}": float("nan") for name in names for what in ("error", "bias")}
    without, signed = np.median(np.abs(errors), axis=0), np.median(errors, axis=0)
    return {f"{n}_error": round(float(e), 2) for n, e in zip(names, without, strict=True)} | {
        f"{n}_bias": round(float(b), 2) for n, b in zip(names, signed, strict=True)
    }


def _smaller(face: Face, height: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture with the face shrunk to a height, pixels, on grey of a camera's size; and where the face's middle is."""
    scale = height / face.height
    shrunk = cv2.resize(face.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((max(480, shrunk.shape[0]), max(640, shrunk.shape[1]), 3), 110, np.uint8)
    picture[: shrunk.shape[0], : shrunk.shape[1]] = shrunk
    return picture, face.middle * scale


def _pictures(paths: list[Path]) -> Iterator[np.ndarray]:
    for path in paths:
        if path.is_dir():
            raise DataError(f"{path} is a folder: name its pictures or parquet files, for instance {path}/*.parquet.")
        if path.suffix != ".parquet":
            yield media.decode(path.read_bytes())
            continue
        rows = pd.read_parquet(path)
        if "image" not in rows:
            raise DataError(f"{path}: expected a column image with encoded pictures; it has {', '.join(rows.columns)}.")
        yield from (media.decode(encoded) for encoded in rows["image"])


def _astronaut() -> Path:
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise DataError("scikit-image and its picture of a face are not installed: name pictures with faces.")
    return Path(package.origin).parent / "data" / "astronaut.png"
