"""Augmentation of photographs with faces: random squares, mosaics, poor cameras. NumPy and OpenCV."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from cssafe.training.detection.dataset import Photograph
from cssafe.training.detection.loss import FACE, IGNORED, NONE

MOSAIC_SHARE = 0.4
"""Share of squares made of four photographs (Bochkovskiy et al. 2020, arXiv 2004.10934)."""

MIN_FACE_PX = 8.0
"""Shorter side below which a face is ignored: less than one place at stride 8."""

MAX_ENLARGEMENT = 2.5
"""Largest enlargement of a photograph; beyond it a face is interpolation."""

TILTED_SHARE = 0.4
"""Share of photographs turned by up to MAX_TILT_DEG, the others by up to MAX_UPRIGHT_DEG. More than the required 30 degrees:
estimates of the roll shrink towards the end of the trained range."""

MAX_TILT_DEG, MAX_UPRIGHT_DEG = 42.0, 8.0

MIN_VISIBLE_SHARE = 0.4
"""Share of a face's area inside the square below which the face is ignored."""

ReadImage = Callable[[Photograph], np.ndarray]


class Square(NamedTuple):
    """image: uint8 (size, size, 3) BGR. truth: float32 (n, 7), as loss.py has it."""

    image: np.ndarray
    truth: np.ndarray


def random_square(
    photographs: list[Photograph],
    index: int,
    size: int,
    rng: np.random.Generator,
    read: ReadImage,
    strength: float = 1.0,
) -> Square:
    """A random variant of the photograph at `index`, alone or with three others.

    Args:
        strength: factor on the share of mosaics, and share of squares with a simulated camera; 0 to 1.
    """
    if rng.random() < MOSAIC_SHARE * strength:
        image, truth = random_mosaic(photographs, index, size, rng, read)
    else:
        image, truth = random_tile(photographs[index], size, size, rng, read)
    return Square(simulate_camera(image, rng) if rng.random() < strength else image, truth)


def random_mosaic(
    photographs: list[Photograph], index: int, size: int, rng: np.random.Generator, read: ReadImage
) -> tuple[np.ndarray, np.ndarray]:
    """A square of parts of the photograph at `index` and of three others."""
    image, truths = np.zeros((size, size, 3), np.uint8), []
    x, y = rng.integers(size * 3 // 10, size * 7 // 10, 2)
    corners = [(0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)]
    others = rng.integers(0, len(photographs), 3)
    for (x1, y1, x2, y2), i in zip(corners, rng.permutation([index, *others]), strict=True):
        image[y1:y2, x1:x2], truth = random_tile(photographs[i], x2 - x1, y2 - y1, rng, read)
        truths.append(truth + np.array([x1, y1, x1, y1, 0, 0, 0], np.float32))
    return image, np.concatenate(truths)


def random_tile(
    photograph: Photograph, width: int, height: int, rng: np.random.Generator, read: ReadImage
) -> tuple[np.ndarray, np.ndarray]:
    """A part of a photograph, turned, mirrored and scaled; one of its faces gets a random place and a log-uniform size
    (data-anchor-sampling, Tang et al. 2018, arXiv 1803.07737)."""
    image = read(photograph)
    h, w = image.shape[:2]
    sides = photograph.boxes[:, 2:] - photograph.boxes[:, :2]
    fit = min(width / w, height / h)
    faces = np.flatnonzero(~photograph.invalid & (sides.min(axis=1, initial=1e9, where=sides > 0) >= 6))
    if len(faces) and rng.random() < 0.85:
        chosen = rng.choice(faces)
        middle = (photograph.boxes[chosen, :2] + photograph.boxes[chosen, 2:]) / 2
        wanted = np.exp(rng.uniform(np.log(MIN_FACE_PX), np.log(0.95 * min(width, height))))
        scale = wanted / np.sqrt(sides[chosen].prod())
    else:
        middle = rng.uniform((0, 0), (w, h))
        scale = fit * np.exp(rng.uniform(np.log(0.8), np.log(3)))
    scale = float(np.clip(scale, 0.9 * fit, max(MAX_ENLARGEMENT, fit)))

    degrees = rng.uniform(-1, 1) * (MAX_TILT_DEG if rng.random() < TILTED_SHARE else MAX_UPRIGHT_DEG)
    mirrored = rng.random() < 0.5
    place = rng.uniform(0.1, 0.9, 2) * (width, height)
    x = w - middle[0] if mirrored else middle[0]
    place = np.array(
        [_clamp_position(place[0], x, w, width, scale), _clamp_position(place[1], middle[1], h, height, scale)]
    )
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn[:, 0] = -turn[:, 0]
    matrix = np.column_stack([turn, place - turn @ middle])
    grey = int(rng.integers(0, 256)) if rng.random() < 0.5 else 0
    return warp_affine(image, matrix, width, height, grey), transform_truth(photograph, matrix, degrees, width, height)


def warp_affine(image: np.ndarray, matrix: np.ndarray, width: int, height: int, grey: int = 0) -> np.ndarray:
    """Warp an image by an affine map (2, 3); averaged first where it shrinks to less than half."""
    matrix = matrix.copy()
    while np.sqrt(abs(np.linalg.det(matrix[:, :2]))) < 0.5 and min(image.shape[:2]) >= 2:
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
        matrix[:, :2] *= 2
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(grey, grey, grey))


def transform_truth(photograph: Photograph, matrix: np.ndarray, degrees: float, width: int, height: int) -> np.ndarray:
    """Truth of a photograph's visible faces after an affine map: float32 (n, 7).

    The new box encloses the turned ellipse in the old box: the box around the turned box would grow by a third at 30
    degrees.
    """
    boxes = photograph.boxes
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    halves = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ (matrix[:, :2] ** 2).T)
    whole = np.hstack([middles - halves, middles + halves])
    cut = np.clip(whole, 0, [width, height, width, height])
    sides = cut[:, 2:] - cut[:, :2]
    seen = sides.prod(axis=1) / np.maximum((4 * halves.prod(axis=1)), 1e-6)
    found = ~photograph.invalid & (seen >= MIN_VISIBLE_SHARE) & (sides.min(axis=1, initial=np.inf) >= MIN_FACE_PX)
    angle = np.radians(degrees)
    turned = np.broadcast_to([np.cos(angle), np.sin(angle)], (len(boxes), 2))
    truth = np.column_stack([cut, turned, np.where(found, FACE, IGNORED)])
    return truth[(sides > 0).all(axis=1)].astype(np.float32)


def pad_truth(truth: np.ndarray, faces: int) -> np.ndarray:
    """Truth with exactly `faces` rows: the largest faces, filled up with kind NONE."""
    area = (truth[:, 2] - truth[:, 0]) * (truth[:, 3] - truth[:, 1])
    rows = truth[np.argsort(-area, kind="stable")[:faces]]
    filled = np.zeros((faces, truth.shape[1]), np.float32)
    filled[:, 6] = NONE
    filled[: len(rows)] = rows
    return filled


def simulate_camera(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Simulate light and camera: exposure, contrast, gamma, tint, low light, grey, blur, fewer pixels, JPEG, noise."""
    if rng.random() < 0.15:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    elif rng.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = rng.uniform(0.3, 1.6)
        image = cv2.addWeighted(image, share, grey, 1 - share, 0)
    dark = rng.random() < 0.12
    light = rng.uniform(0.12, 0.5) if dark else np.exp(rng.uniform(-0.35, 0.25))
    tint = np.exp(rng.uniform(-0.12, 0.12, 3)) if rng.random() < 0.5 else np.ones(3)
    gamma, offset = np.exp(rng.uniform(-0.35, 0.35)), rng.uniform(-20, 20) * (not dark)
    levels = 255 * (np.arange(256) / 255)[:, None] ** gamma * light * tint + offset
    image = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)[:, None])
    kind = rng.random()
    if kind < 0.1:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0))
    elif kind < 0.2:
        size, share = image.shape[1::-1], rng.uniform(0.4, 0.9)
        few = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        image = cv2.resize(few, size, interpolation=cv2.INTER_LINEAR)
    elif kind < 0.3:
        quality = int(rng.integers(15, 70))
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    if dark or rng.random() < 0.08:
        noise = rng.standard_normal(image.shape, np.float32) * rng.uniform(2, 10)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def _clamp_position(place: float, middle: float, side: int, tile_side: int, scale: float) -> float:
    """Position of `middle` in the tile at which an unturned photograph covers the tile as well as it can."""
    first, last = tile_side - scale * (side - middle), scale * middle
    return float(np.clip(place, min(first, last), max(first, last)))
