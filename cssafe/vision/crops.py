"""Square, upright crops of faces: the one piece of code behind training, evaluation and live use.

A network that is trained on one kind of crop and shown another loses more than any architecture gains, so every picture
that a network sees is cut here.
"""

import cv2
import numpy as np


def crop(image: np.ndarray, centre: np.ndarray, side: float, roll: float, size: int, flip: bool = False) -> np.ndarray:
    """Cut one square out of an image, turned upright.

    Args:
        image: uint8, (h, w) or (h, w, 3).
        centre: x, y of the square's middle, pixels.
        side: side of the square, pixels, > 0.
        roll: degrees by which the face is turned clockwise in the image; the crop turns it back.
        size: side of the result, pixels.
        flip: mirror the result left to right.

    Returns:
        uint8, (size, size) or (size, size, 3). What lies outside the image repeats its border.
    """
    # cv2.warpAffine samples single pixels; shrinking a large face with it would alias, where the data sets were shrunk
    # by averaging. So a face more than twice as large as the crop is averaged down first.
    factor = int(side // size)
    if factor >= 2:
        image, centre, side = _shrink_around(image, np.asarray(centre, float), side, factor)
    matrix = crop_matrix(centre, side, roll, size, flip)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def crop_matrix(centre: np.ndarray, side: float, roll: float, size: int, flip: bool = False) -> np.ndarray:
    """The affine map from crop pixels to image pixels, float64 (2, 3), for `crop`'s arguments.

    Pixel centres lie at whole numbers, as in OpenCV, so the middle of the crop is at (size - 1) / 2.
    """
    angle, scale, middle = np.deg2rad(roll), side / size, (size - 1) / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    if flip:
        turn[:, 0] = -turn[:, 0]
    return np.column_stack([turn, np.asarray(centre, float) - turn @ (middle, middle)])


def to_image(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Crop coordinates (..., 2) -> image coordinates (..., 2), through a matrix of `crop_matrix`."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def from_image(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Image coordinates (..., 2) -> crop coordinates (..., 2): the way back of `to_image`."""
    return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


def grey(image: np.ndarray) -> np.ndarray:
    """BGR uint8 (h, w, 3) -> luma uint8 (h, w); an image that is grey already comes back as it is."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _shrink_around(
    image: np.ndarray, centre: np.ndarray, side: float, factor: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """The part of the image that any turn of the square can touch, averaged down by a whole factor."""
    reach = int(np.ceil(side * 0.75)) + factor  # half a diagonal is 0.71 of a side
    h, w = image.shape[:2]
    x0, y0 = np.clip(np.floor(centre).astype(int) - reach, 0, (w - 1, h - 1))
    x1, y1 = np.clip(np.ceil(centre).astype(int) + reach, 1, (w, h))
    part = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    small = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
    shrunk = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
    scale = np.array([small[0] / part.shape[1], small[1] / part.shape[0]])
    moved = (centre - (x0, y0) + 0.5) * scale - 0.5
    return shrunk, moved, side * float(scale.mean())
