"""YuNet from a user's own file, through OpenCV's FaceDetectorYN. No such file is part of the project."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cssafe.errors import ConfigurationError
from cssafe.frames import Faces
from cssafe.language import N_
from cssafe.vision.boxes import letterbox, merge_scales
from cssafe.vision.detector import input_shapes

MIN_SCORE = 0.8
"""Score below which a box counts for nothing: on 166 photographs of WIDER FACE it brought 12 false alarms, 0.6 brought 65."""


class YuNet:
    """Finds faces at the same input sizes as the detector that was trained here."""

    def __init__(self, path: Path) -> None:
        """Read the network.

        Raises:
            ConfigurationError: the file is missing or no YuNet.
        """
        self._path = path
        self._loaded: dict[tuple[int, int], Any] = {}
        if not path.is_file():
            raise ConfigurationError(
                N_("{path}: there is no such file; CSSAFE_DETECTOR expects YuNet as .onnx."), path=path
            )
        self.detect(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image: np.ndarray, close_ups: bool = False) -> tuple[Faces, np.ndarray]:
        """Find the faces of one image, uint8 (h, w, 3) BGR.

        Args:
            close_ups: look at the small input only.

        Returns:
            n faces from forehead to chin, best score first, and their roll in degrees (n,), clockwise, from the eyes.
        """
        found = np.concatenate([self._run(image, *shape) for shape in input_shapes(*image.shape[:2])[close_ups:]])
        boxes, scores = np.hstack([found[:, :2], found[:, :2] + found[:, 2:4]]), found[:, 14]
        eyes = found[:, 6:8] - found[:, 4:6]
        return merge_scales([(boxes, scores, np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0])))])

    def _run(self, image: np.ndarray, height: int, width: int) -> np.ndarray:
        """Rows of x, y, width, height, five points (the eyes first) and score, in pixels of the image: float32 (n, 15)."""
        picture, scale = letterbox(image, height, width)
        try:
            if (height, width) not in self._loaded:
                self._loaded[height, width] = cv2.FaceDetectorYN.create(str(self._path), "", (width, height), MIN_SCORE)
            _, rows = self._loaded[height, width].detect(picture)
        except cv2.error as error:
            reason = str(error).strip().split("\n")[-1]
            raise ConfigurationError(
                N_("{path}: OpenCV cannot run it as YuNet ({reason})"), path=self._path, reason=reason
            ) from None
        rows = np.zeros((0, 15), np.float32) if rows is None else rows.astype(np.float32)
        rows[:, :14] /= scale
        return rows
