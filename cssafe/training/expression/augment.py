"""Augmentation of faces by OpenCV: some ten microseconds a changed picture."""

import cv2
import numpy as np

MAX_ROLL_DEG = (12.0, 25.0)
SCALES = ((0.8, 1.15), (0.75, 1.25))
MAX_SHIFT = 0.09
ERASED_SHARE = 0.5
"""Mild variants (and those of a poor camera): rotation, scale of the face in the crop; shift as a share of the side; share
of the pictures with one random patch (random erasing, Zhong et al. 2020)."""

COVERS = (
    (0.5, ((0.15, 0.5), (0.15, 0.5), (0.0, 1.0), (0.0, 1.0), (0, 255))),
    (0.25, ((0.1, 0.3), (0.7, 0.9), (0.33, 0.40), (0.4, 0.6), (0, 60))),
    (0.25, ((0.2, 0.4), (0.25, 0.55), (0.72, 0.86), (0.4, 0.6), (0, 255))),
)
"""Covers of a face before a poor camera: patch, sunglasses, hand. Each: share, then ranges of height, width, middle row and
middle column (shares of the side), and grey level."""

CAMERA_SHARES = {"light": 0.7, "cover": 0.4, "blur": 0.4, "noise": 0.3, "jpeg": 0.3}
"""Probability of each fault of a poor camera, independent."""

MAX_BLUR_PX, MAX_NOISE, JPEG_QUALITY = 2.0, 30.0, (5, 60)
"""Deviations of the blur and of the noise (grey levels)."""


def variants(pictures: np.ndarray, rng: np.random.Generator, side: int, camera: float = 0.0) -> np.ndarray:
    """A random variant of each picture: mirrored, turned, scaled, shifted, in another contrast, erased in part.

    Args:
        pictures: uint8 (n, h, h) grey.
        side: of the variants in pixels: the middle of the picture at its scale; smaller ones train faster (Touvron et al.
            2019, arXiv 1906.06423).
        camera: share of pictures from a poor camera: further turned, in other light, covered, blurred, noisy, compressed.

    Returns:
        uint8 (n, side, side).
    """
    n = len(pictures)
    poor = rng.random(n) < camera
    placed = warp_randomly(pictures, rng, side, poor)
    placed = recolour(placed, rng)
    for i in np.flatnonzero(~poor & (rng.random(n) < ERASED_SHARE)):
        erase_patch(placed[i], rng)
    for i in np.flatnonzero(poor):
        placed[i] = poor_camera(placed[i], rng)
    return placed


def warp_randomly(pictures: np.ndarray, rng: np.random.Generator, side: int, poor: np.ndarray) -> np.ndarray:
    """Mirror, rotate, scale and shift; the border repeats. poor: bool (n,), pictures with the wider ranges."""
    n, height = len(pictures), pictures.shape[1]
    wide = poor.astype(int)
    roll = np.radians(rng.uniform(-1, 1, n) * np.array(MAX_ROLL_DEG)[wide])
    scale = rng.uniform(*np.array(SCALES)[wide].T)
    mirror = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    shift = rng.uniform(-1, 1, (n, 2)) * MAX_SHIFT * height
    # Maps a pixel of the variant to its place in the picture.
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]).transpose(2, 0, 1)
    turn = turn / scale[:, None, None] * np.stack([mirror, np.ones(n)], axis=1)[:, None]
    moved = (height - 1) / 2 + shift - turn.sum(axis=2) * (side - 1) / 2
    maps = np.concatenate([turn, moved[..., None]], axis=2)
    made = np.empty((n, side, side), np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for picture, variant, matrix in zip(pictures, made, maps, strict=True):
        cv2.warpAffine(picture, matrix, (side, side), variant, flags, cv2.BORDER_REPLICATE)
    return made


def recolour(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change contrast (0.7 to 1.4 times) and brightness (up to 30 grey levels)."""
    n = len(pictures)
    contrast = np.exp(rng.uniform(np.log(0.7), np.log(1.4), (n, 1, 1))).astype(np.float32)
    brightness = rng.uniform(-30, 30, (n, 1, 1)).astype(np.float32)
    return _pixels((pictures - np.float32(128)) * contrast + 128 + brightness)


def erase_patch(picture: np.ndarray, rng: np.random.Generator) -> None:
    """Overwrite one random patch by one grey level."""
    _, ranges = COVERS[0]
    _cover(picture, ranges, rng)


def poor_camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture uint8 (h, h) degraded like one of a poor camera in poor light."""
    happens = {name: rng.random() < share for name, share in CAMERA_SHARES.items()}
    if happens["cover"]:
        kind = rng.choice(len(COVERS), p=[share for share, _ in COVERS])
        picture = picture.copy()
        _cover(picture, COVERS[kind][1], rng)
    if happens["light"]:
        picture = _lit(picture, rng)
    if happens["blur"]:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, MAX_BLUR_PX))
    if happens["noise"]:
        picture = _pixels(picture + rng.normal(0, rng.uniform(0, MAX_NOISE), picture.shape))
    if happens["jpeg"]:
        quality = int(rng.integers(*JPEG_QUALITY))
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
    return picture


def _cover(picture: np.ndarray, ranges: tuple[tuple[float, float], ...], rng: np.random.Generator) -> None:
    side = len(picture)
    height, width, row, column, level = (rng.uniform(*bounds) for bounds in ranges)
    top, left = (max(0.0, min(1 - size, middle - size / 2)) for size, middle in ((height, row), (width, column)))
    rows = slice(round(top * side), round((top + height) * side))
    picture[rows, round(left * side) : round((left + width) * side)] = round(level)


def _lit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change gamma and exposure, and add light from one side."""
    ramp = np.linspace(-0.3, 0.3, len(picture), dtype=np.float32)
    falling = 1 + rng.uniform(-1, 1) * ramp + rng.uniform(-1, 1) * ramp[:, None]
    light = 255 * (picture / np.float32(255)) ** np.exp(rng.uniform(-0.4, 0.4)) * falling
    return _pixels((light - 128) * np.exp(rng.uniform(-1.2, 0.6)) + 128 + rng.uniform(-60, 60))


def _pixels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
