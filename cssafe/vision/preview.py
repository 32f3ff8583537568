"""A picture with its faces drawn, small enough for a page."""

import cv2
import numpy as np

from cssafe.vision.drawing import draw

MAX_SIDE_PX = 1280
"""Pixels of the longer side: as wide as a page shows it."""


def preview(image: np.ndarray, faces: list[dict], longest: int = MAX_SIDE_PX) -> bytes:
    """The picture as JPEG, shrunk first, so that words stay readable. image: uint8 (h, w, 3) BGR. faces: of
    frames.describe. longest: pixels of its longer side at most."""
    zoom = min(1.0, longest / max(image.shape[:2]))
    if zoom < 1:
        image = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        faces = [face | {"box": [value * zoom for value in face["box"]]} for face in faces]
    return cv2.imencode(".jpg", draw(image, faces), [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
