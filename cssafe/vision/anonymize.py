"""Anonymization of faces in a picture.

Blur and mosaic hide a face from people; a network trained for it can tell who is under them (McPherson et al. 2016,
arXiv 1609.00408). The plain mask leaves nothing. camera.js does the same with the picture in the browser.
"""

import cv2
import numpy as np

from cssafe.privacy import Anonymization

COVER_GROWTH = 1.25
"""Size of a cover over that of the face's outline: the mesh ends at the hairline and before the ears, by which people are
recognised too."""

COVER_CELLS = 6
"""Cells of blur and mosaic along the longer side of a face: eyes, nose and mouth melt together. An assumption, made by eye."""

MASK_BGR = (96, 96, 96)
"""Grey of the plain mask, BGR."""


def cover_polygons(outlines: np.ndarray) -> np.ndarray:
    """Polygons that cover faces with these outlines (n, 36, 2) pixels: float32 (n, 12, 2), their corners."""
    if len(outlines) == 0:
        return np.zeros((0, 12, 2), np.float32)
    middle = (outlines.min(axis=1, keepdims=True) + outlines.max(axis=1, keepdims=True)) / 2
    return (middle + COVER_GROWTH * (outlines - middle))[:, ::3]


def anonymize(image: np.ndarray, covered: np.ndarray, anonymization: str) -> np.ndarray:
    """Copy of a picture, uint8 (h, w, 3), with the polygons (n, k, 2) pixels covered.

    anonymization: of privacy.Anonymization; SHOWN covers nothing.
    """
    picture = image.copy()
    if anonymization == Anonymization.SHOWN:
        return picture
    height, width = image.shape[:2]
    for polygon in covered:
        hull = cv2.convexHull(np.round(polygon).astype(np.int32))
        x, y, w, h = cv2.boundingRect(hull)
        left, top, right, bottom = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
        if left < right and top < bottom:
            part = picture[top:bottom, left:right]
            inside = np.zeros(part.shape[:2], np.uint8)
            cv2.fillConvexPoly(inside, hull - (left, top), 1)
            np.copyto(part, _hidden(part, anonymization), where=inside[..., None] > 0)
    return picture


def anonymize_whole(image: np.ndarray, anonymization: str) -> np.ndarray:
    """A copy that is covered as a whole, while its faces are not known."""
    height, width = image.shape[:2]
    return anonymize(image, np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32), anonymization)


def _hidden(part: np.ndarray, anonymization: str) -> np.ndarray:
    if anonymization == Anonymization.MASK:
        return np.full_like(part, MASK_BGR)
    height, width = part.shape[:2]
    cell = max(height, width) / COVER_CELLS
    small = cv2.resize(part, (max(1, round(width / cell)), max(1, round(height / cell))), interpolation=cv2.INTER_AREA)
    spread = cv2.INTER_NEAREST if anonymization == Anonymization.MOSAIC else cv2.INTER_CUBIC
    return cv2.resize(small, (width, height), interpolation=spread)
