"""The classic recipe, which the benchmark compares with: OpenCV's frontal Haar cascade, then one Keras `predict` a face."""

import time
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np

from cssafe.training.detection.evaluate import HAAR_CASCADE
from cssafe.training.expression.data import SIZE
from cssafe.training.expression.network import Standardise
from cssafe.vision.crops import grey

SCALE_STEP, MIN_NEIGHBOURS = 1.1, 5
"""Of the cascade, as in most of these programs."""


def time_frame(folder: Path, image: np.ndarray, boxes: np.ndarray) -> float:
    """Milliseconds of the recipe for a frame, uint8 (h, w, 3) BGR, once its networks are loaded.

    Args:
        folder: of the expression network, whose model.keras predicts.
        boxes: float32 (n, 4) pixels, our faces: the cascade's own are not used, so that both name as many.
    """
    cascade, network = _load(folder)
    begun = time.perf_counter()
    luma = grey(image)
    cascade.detectMultiScale(luma, SCALE_STEP, MIN_NEIGHBOURS)
    height, width = luma.shape
    for box in boxes:
        x1, y1, x2, y2 = np.clip(box, 0, (width, height, width, height)).astype(int)
        if x1 < x2 and y1 < y2:
            face = cv2.resize(luma[y1:y2, x1:x2], (SIZE, SIZE))
            network.predict(face[None, ..., None].astype(np.float32), verbose=0)
    return 1000 * (time.perf_counter() - begun)


@cache
def _load(folder: Path) -> tuple[Any, Any]:
    cascade, network = (
        cv2.CascadeClassifier(str(HAAR_CASCADE)),
        keras.models.load_model(folder / "model.keras", {"Standardise": Standardise}, compile=False),
    )
    network.predict(np.zeros((1, SIZE, SIZE, 1), np.float32), verbose=0)
    return cascade, network
