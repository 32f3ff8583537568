"""Stability of crops and head pose between a photograph and a jittered copy, like two frames of a camera."""

from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd

from cssafe.expression import mesh_crop_poses
from cssafe.frames import Faces
from cssafe.signals.pose import head_pose
from cssafe.training.detection.curves import match_boxes
from cssafe.training.detection.dataset import Photograph
from cssafe.training.progress import with_progress
from cssafe.vision.face_finder import MIN_MESH_SCORE
from cssafe.vision.mesh import Meshes

MeshDetector = Callable[[np.ndarray], tuple[Faces, Meshes]]

MAX_SHIFT_PX, MAX_BRIGHTNESS_CHANGE, NOISE_LEVELS = 4.0, 0.1, 2.0
"""Largest shift either way; largest change of brightness, a share; standard deviation of the noise, grey levels."""

MIN_FACE_PX = 40
"""Height from which a face counts."""

DESCRIPTION = (
    "How far the expression crop and the head's angles move when a photograph is moved by up to "
    f"{MAX_SHIFT_PX:g} pixels, is up to {100 * MAX_BRIGHTNESS_CHANGE:g} % brighter or darker, and gets noise of "
    f"{NOISE_LEVELS:g} grey levels. Faces of {MIN_FACE_PX} px and higher that are found in both pictures, with a trusted mesh."
)

MEASURES = {"middle": "% of the side", "side": "%", "yaw": "degrees", "pitch": "degrees", "roll": "degrees"}
"""Property of the expression crop or the head -> unit of its change."""


def measure_stability(find: MeshDetector, photographs: list[Photograph], seed: int = 0) -> pd.DataFrame:
    """A row for each face found in a photograph and in its jittered copy: MEASURES, the changes without the photograph's own
    shift."""
    rng, rows = np.random.default_rng(seed), []
    for photograph in with_progress(photographs, len(photographs), "looking twice"):
        image = photograph.read()
        shift = rng.uniform(-MAX_SHIFT_PX, MAX_SHIFT_PX, 2).astype(np.float32)
        drawn = photograph.boxes[photograph.boxes[:, 3] - photograph.boxes[:, 1] >= MIN_FACE_PX]
        before = _meshes_by_face(find(image), drawn)
        after = _meshes_by_face(find(jitter(image, shift, rng)), drawn + np.tile(shift, 2))
        rows += [_differences(before[face], after[face], shift) for face in sorted(before.keys() & after.keys())]
    return pd.DataFrame(rows, columns=[*MEASURES])


def jitter(image: np.ndarray, shift: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift a photograph by (x, y) pixels, change its brightness, add noise."""
    matrix = np.column_stack([np.eye(2), shift])
    moved = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    noise = NOISE_LEVELS * rng.standard_normal(image.shape, np.float32)
    return np.clip(moved * (1 + rng.uniform(-MAX_BRIGHTNESS_CHANGE, MAX_BRIGHTNESS_CHANGE)) + noise, 0, 255).astype(
        np.uint8
    )


def format_stability(rows: pd.DataFrame) -> str:
    """Markdown table: median and 95 % quantile of each measure."""
    cells = [f"{rows[name].median():.1f} ({rows[name].quantile(0.95):.1f})" for name in MEASURES]
    head = f"| median (95 %) | {' | '.join(f'{name}, {unit}' for name, unit in MEASURES.items())} | faces |"
    rule = "| --- |" + " --- |" * (len(MEASURES) + 1)
    return f"{head}\n{rule}\n| ours | {' | '.join(cells)} | {len(rows)} |"


def _meshes_by_face(found: tuple[Faces, Meshes], drawn: np.ndarray) -> dict[int, Meshes]:
    """Index of an annotated face -> its trusted mesh."""
    faces, meshes = found
    return {
        int(face): meshes[np.array([i])]
        for i, face in enumerate(match_boxes(faces.boxes, drawn))
        if face >= 0 and meshes.scores[i] >= MIN_MESH_SCORE
    }


def _differences(before: Meshes, after: Meshes, shift: np.ndarray) -> dict[str, float]:
    (middle, side, _), (other, other_side, _) = (
        (part[0] for part in mesh_crop_poses(mesh)) for mesh in (before, after)
    )
    angles = np.abs(np.concatenate(head_pose(before)) - np.concatenate(head_pose(after)))
    moved = np.linalg.norm(other - shift - middle)
    values = [100 * moved / side, 100 * abs(np.log(other_side / side)), *np.minimum(angles, 360 - angles)]
    return dict(zip(MEASURES, map(float, values), strict=True))
