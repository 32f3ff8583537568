"""Whether a picture differs from the ones before: a frozen camera or stream repeats its last picture."""

import cv2
import numpy as np

from cssafe.vision.crops import grey

CELLS = (64, 36)
"""Columns and rows of the means that are compared."""

MAX_NOISE_GREY = 3
"""Grey levels by which a cell may differ in the same picture. Measured: one picture through H.264, MPEG-4 or MPEG-2 at
300 kbit/s and more up to 2, sensor noise up to 2; in clips of people a cell changes by 80 and more within a second."""


class SceneChange:
    """Remembers the cells of the last picture that differed; no picture."""

    def __init__(self) -> None:
        self._cells: np.ndarray | None = None

    def update(self, image: np.ndarray) -> bool:
        """Whether the picture, uint8 (h, w) or (h, w, 3), differs from the last one that did; the first does not."""
        cells = cv2.resize(grey(image), CELLS, interpolation=cv2.INTER_AREA).astype(np.int16)
        if self._cells is None:
            self._cells = cells
        changed = bool(np.abs(cells - self._cells).max() > MAX_NOISE_GREY)
        if changed:
            self._cells = cells
        return changed
