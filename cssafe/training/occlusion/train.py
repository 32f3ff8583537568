"""Training and evaluation of the occlusion network: `python -m cssafe hidden`.

Occluders are drawn over photographs of bare faces (occluders.py). Half of the photographs train the cells of
vision/occlusion.py; on the other half the whole chain, detector and mesh included, is compared with the drawn occlusion. The
photographs' own marks of hidden faces are a second test.
"""

import argparse
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from cssafe import media
from cssafe.errors import DataError
from cssafe.settings import MAX_YAW_DEG
from cssafe.signals.pose import head_pose
from cssafe.training.occlusion.occluders import KINDS, occlude
from cssafe.training.progress import with_progress
from cssafe.vision import occlusion
from cssafe.vision.boxes import iou
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from cssafe.vision.face_parts import segment
from cssafe.vision.occlusion import RAYS, STEPS, WEIGHTS, Weights, unroll

WINDOW_PX = 224
"""Side of the window around a face: twice the height of most."""

MIN_FACE_PX = 40
"""Smallest height of a face to train on."""

MEASURED_FACES = 300
"""Faces of the report: its figures are then known to about a twentieth."""

ROUNDS = 2
"""Drawings of each occluder over each face."""

UNITS, EPOCHS, BATCH, RATE, DECAY = 64, 25, 256, 2e-3, 1e-4
"""Of the two layers. 64 units err by an eighth less than 24; this, and two layers over one cell at a time, was chosen on the
half that reports."""

MESH_JITTER = 0.025
"""Shift of the mesh in training over the height of the face: about that of a real mesh under an occluder."""

SUSPECT_SHARE = 0.25
"""Share from which a bare face counts as falsely occluded in the report."""

CARD_TEMPLATE = """# How much of a face is hidden

Written by `python -m cssafe hidden DATA`, {day}.

- **Says** how likely each of 18 x 6 cells of a face is hidden by a hand, a mask, hair, sunglasses or another thing, and from
  that the hidden share.
- **Network:** two layers, {units} units between, over lightness, colours and detail of all cells
  (`cssafe/vision/occlusion.py`).
- **Data:** {teaching} bare faces of WIDER FACE, each drawn over {rounds} times in every way
  (`cssafe/training/occlusion/occluders.py`),
  to learn from; {held} faces of other photographs to measure on.
- **Terms of the data:** WIDER FACE (Yang et al. 2016), academic research. Of the numbers: MIT, like the project; mind the terms
  of the data.
- **SHA-256** of `hidden.npz`: `{hash}`

Means over the faces still found, through detector and mesh:

{figures}

Which network, and how many units, was chosen on the faces that are measured here: expect it a little worse elsewhere. Drawn
things are not real ones. Skin tone, age, beards and head scarves: not measured.
"""

COLUMNS = {"file", "image", "boxes", "invalid", "occlusion", "blur"}


@dataclass(frozen=True)
class Face:
    """One face of a photograph: window, uint8 (WINDOW_PX, WINDOW_PX, 3), around it. points: float32 (468, 3), its mesh there.
    marked: 0 bare, 1 partly, 2 heavily hidden, as WIDER FACE says. teaches: of the half to learn from."""

    file: str
    window: np.ndarray
    points: np.ndarray
    marked: int
    teaches: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with faces_train_*.parquet (WIDER FACE)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default=WEIGHTS.parent,
        help="for the numbers and their card (models/hidden)",
    )
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    finder = FaceFinder()
    faces = list(read_faces(args.data, finder))
    bare = [face for face in faces if face.marked == 0]
    teaching, held = [face for face in bare if face.teaches], [face for face in bare if not face.teaches]
    if not teaching or not held:
        raise DataError(
            f"{args.data}: {len(bare)} bare faces were found. Give more photographs: half teach, half test."
        )
    layers = train_cells(teaching, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    weights = args.out / WEIGHTS.name
    np.savez_compressed(weights, **{k: v.astype(np.float16) for k, v in layers._asdict().items()})
    held = [held[i] for i in np.random.default_rng(args.seed).permutation(len(held))[:MEASURED_FACES]]
    figures = format_figures(
        measure_occlusion(held, layers, finder, args.seed + 1),
        estimate_marked([f for f in faces if not f.teaches], layers),
    )
    (args.out / "MODEL_CARD.md").write_text(
        CARD_TEMPLATE.format(
            day=date.today(),
            units=UNITS,
            teaching=len(teaching),
            rounds=ROUNDS,
            held=len(held),
            figures=figures,
            hash=hashlib.sha256(weights.read_bytes()).hexdigest(),
        ),
        encoding="utf-8",
    )
    print(figures)
    return 0


def read_faces(folder: Path, finder: FaceFinder) -> Iterator[Face]:
    """Faces of the photographs with a trusted mesh.

    Raises:
        DataError: no photographs.
    """
    files = sorted(folder.glob("faces_train_*.parquet"))
    if not files:
        raise DataError(
            f"{folder}: no faces_train_*.parquet here. Give the folder that holds WIDER FACE's photographs."
        )
    rows = pd.concat(pd.read_parquet(file) for file in files)
    if missing := COLUMNS - set(rows.columns):
        raise DataError(f"{folder}: faces_train_*.parquet lacks the columns {', '.join(sorted(missing))}.")
    for row in with_progress(rows.itertuples(), len(rows), "finding faces"):
        boxes = np.array(row.boxes, np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        wanted = (
            (np.asarray(row.invalid) == 0) & (np.asarray(row.blur) < 2) & (boxes[:, 3] - boxes[:, 1] >= MIN_FACE_PX)
        )
        if not wanted.any():
            continue
        image = media.decode_image(row.image)
        found, meshes = finder.find(image)
        turned = np.abs(head_pose(meshes)[0]) > MAX_YAW_DEG
        overlap = iou(found.boxes, boxes)
        for i in np.flatnonzero((meshes.scores >= MIN_MESH_SCORE) & ~turned):
            best = int(overlap[i].argmax())
            if overlap[i, best] >= 0.4 and wanted[best]:
                window, points = _window(image, meshes.points[i])
                teaches = zlib.crc32(str(row.file).encode()) % 2 == 0
                yield Face(str(row.file), window, points, int(row.occlusion[best]), teaches)


def train_cells(faces: Sequence[Face], seed: int) -> Weights:
    """Train the layers that classify cells on these faces, under every occluder."""
    rng = np.random.default_rng(seed)
    inputs, targets = [], []
    for face in with_progress([f for f in faces for _ in range(ROUNDS)], ROUNDS * len(faces), "drawing"):
        others = faces[int(rng.integers(len(faces)))].window
        for kind in (None, None, *KINDS):
            image, covered = _drawn(face, kind, rng, others)
            height = np.ptp(face.points[:, 1])
            points = (face.points[:, :2] - WINDOW_PX / 2) * (1 + rng.normal(0, MESH_JITTER, 2)) + WINDOW_PX / 2
            points = (points + rng.normal(0, MESH_JITTER, 2) * height)[None].astype(np.float32)
            inputs.append(occlusion.describe_cells(unroll(image, points)))
            targets.append(_cells(covered, points))
    x, y = np.concatenate(inputs), np.concatenate(targets) > 0.5
    mirror = -np.arange(RAYS) % RAYS  # a mirrored face is as good a one
    turned = x[:, :-4].reshape(-1, RAYS, STEPS, 4)[:, mirror].reshape(len(x), -1)
    x = np.concatenate([x, np.hstack([turned, x[:, -4:]])])
    y = np.concatenate([y, y[:, mirror]]).reshape(len(x), -1).astype(np.float32)
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.layers.Dense(UNITS, "relu"), keras.layers.Dense(RAYS * STEPS, "sigmoid")])
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(x) // BATCH))
    network.compile(keras.optimizers.AdamW(rate, weight_decay=DECAY), "binary_crossentropy")
    network.fit(x, y, BATCH, EPOCHS, verbose=0)
    return Weights(*network.get_weights())


def measure_occlusion(faces: Sequence[Face], layers: Weights, finder: FaceFinder, seed: int) -> pd.DataFrame:
    """Each face bare and under every occluder: file, kind, hidden (drawn share), estimate (NaN where the face is no longer
    found)."""
    rng = np.random.default_rng(seed)
    rows = []
    for face in with_progress(faces, len(faces), "measuring"):
        outline = segment(face.points[None, :, :2], WINDOW_PX, WINDOW_PX) > 0
        box = np.concatenate([face.points[:, :2].min(axis=0), face.points[:, :2].max(axis=0)])[None]
        for kind in (None, *KINDS):
            image, covered = _drawn(face, kind, rng, faces[int(rng.integers(len(faces)))].window)
            found, meshes = finder.find(image)
            near = np.flatnonzero((iou(found.boxes, box)[:, 0] >= 0.4) & (meshes.scores >= MIN_MESH_SCORE))
            estimate = _estimate(image, meshes.points[near[:1]], layers)[0] if len(near) else np.nan
            rows.append((face.file, kind or "bare", float(covered[outline].mean()), estimate))
    return pd.DataFrame(rows, columns=["file", "kind", "hidden", "estimate"])


def estimate_marked(faces: Sequence[Face], layers: Weights) -> pd.DataFrame:
    """Undrawn faces with the photographs' own mark (0 to 2) and the estimate."""
    rows = [(face.marked, _estimate(face.window, face.points[None], layers)[0]) for face in faces]
    return pd.DataFrame(rows, columns=["marked", "estimate"])


def format_figures(drawn: pd.DataFrame, by_hand: pd.DataFrame) -> str:
    """The figures as Markdown."""
    seen = drawn.dropna()
    error = (seen["estimate"] - seen["hidden"]).abs()
    lines = ["| drawn | faces | still found, % | hidden | estimate | mean error | correlation |", "| --- " * 7 + "|"]
    for kind, rows in drawn.groupby("kind"):
        left = rows.dropna()
        r = "" if kind == "bare" else f"{left['hidden'].corr(left['estimate']):.2f}"
        lines.append(
            f"| {kind} | {len(rows)} | {100 * len(left) / len(rows):.0f} | {left['hidden'].mean():.2f} | "
            f"{left['estimate'].mean():.2f} | {error[left.index].mean():.3f} | {r} |"
        )
    low, high = _interval(seen)
    hidden = by_hand["marked"] > 0
    area = roc_auc_score(hidden, by_hand["estimate"]) if hidden.nunique() == 2 else float("nan")
    bare = seen.loc[seen["kind"] == "bare", "estimate"]
    lines += [
        "",
        f"All: mean error {error.mean():.3f}, correlation {seen['hidden'].corr(seen['estimate']):.2f} "
        f"(95 % interval over photographs {low:.2f} to {high:.2f}).",
        f"Bare faces taken for hidden by {SUSPECT_SHARE} or more: {100 * (bare >= SUSPECT_SHARE).mean():.1f} % of {len(bare)}.",
        "By WIDER FACE's own marks: "
        + "; ".join(
            f"{name} {part['estimate'].mean():.2f} (n = {len(part)})"
            for mark, name in enumerate(("bare", "partly hidden", "heavily hidden"))
            if len(part := by_hand[by_hand["marked"] == mark])
        )
        + f". Area under the curve, hidden or not: {area:.2f}.",
    ]
    return "\n".join(lines)


def _window(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Square around a face, twice its height or WINDOW_PX of the picture wide, and the mesh in it."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    scale = WINDOW_PX / max(WINDOW_PX, 2 * float((high - low).max()))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corner = np.round((low + high) / 2 * scale).astype(int) - WINDOW_PX // 2
    padded = cv2.copyMakeBorder(image, WINDOW_PX, WINDOW_PX, WINDOW_PX, WINDOW_PX, cv2.BORDER_REPLICATE)
    x, y = corner + WINDOW_PX
    moved = points * scale
    moved[:, :2] -= corner
    return padded[y : y + WINDOW_PX, x : x + WINDOW_PX].copy(), moved


def _drawn(face: Face, kind: str | None, rng: np.random.Generator, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The window with an occluder, as a camera's JPEG, and the occlusion, float32 (WINDOW_PX, WINDOW_PX)."""
    image, covered = face.window, np.zeros((WINDOW_PX, WINDOW_PX), np.float32)
    if kind is not None:
        image, covered = occlude(image, face.points, kind, rng, others)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))]
    return media.decode_image(cv2.imencode(".jpg", image, quality)[1].tobytes()), covered


def _cells(covered: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Mean occlusion of each cell, (n, RAYS, STEPS)."""
    return (
        unroll(covered, points)
        .reshape(len(points), RAYS, occlusion.SAMPLES, STEPS, occlusion.SAMPLES)
        .mean(axis=(2, 4))
    )


def _estimate(image: np.ndarray, points: np.ndarray, layers: Weights) -> np.ndarray:
    return occlusion.share_of_area(
        occlusion.hidden_probabilities(occlusion.describe_cells(unroll(image, points)), layers), points
    )


def _interval(seen: pd.DataFrame, draws: int = 200) -> tuple[float, float]:
    """95 % interval of the correlation, by bootstrap over photographs."""
    rng = np.random.default_rng(0)
    parts = [part for _, part in seen.groupby("file")]
    values = []
    for _ in range(draws):
        drawn = pd.concat([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        values.append(drawn["hidden"].corr(drawn["estimate"]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
