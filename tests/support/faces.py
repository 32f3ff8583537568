"""A real face for tests: the portrait of Eileen Collins (NASA, public domain) that scikit-image ships."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from skimage import data

from cssafe.frames import Frame

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def astronaut() -> np.ndarray:
    """uint8 (512, 512, 3) BGR; one smiling face of about 120 pixels around x 224, y 110, looking at the camera."""
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


def classroom(rows: int = 4, columns: int = 7, height: int = 720, width: int = 1280) -> np.ndarray:
    """The same face in every cell of a grid."""
    face = astronaut()[0:250, 100:350]
    cell = cv2.resize(face, (width // columns, height // rows), interpolation=cv2.INTER_AREA)
    picture = np.zeros((height, width, 3), np.uint8)
    tiled = np.tile(cell, (rows, columns, 1))
    picture[: tiled.shape[0], : tiled.shape[1]] = tiled
    return picture


def nobody(height: int = 480, width: int = 640) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def frame(image: np.ndarray, seconds: float = 0.0) -> Frame:
    return Frame(image, START + timedelta(seconds=seconds))
