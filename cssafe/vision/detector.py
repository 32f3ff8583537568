"""Faces in an image: the detector that was trained here (cssafe/training/detection), run at one or two input sizes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from cssafe.errors import ConfigurationError
from cssafe.frames import Faces
from cssafe.language import N_
from cssafe.vision import openvino_runtime
from cssafe.vision.boxes import input_shape, joined, letterbox

LONG_SIDES = (800, 1280)
"""Longer side of the large input, pixels: that of the image, within these limits."""

ENLARGED = 2.5
"""Most by which a picture is enlarged: as far as those that the network learned from."""

CLOSE_UP = 256
"""Side of the small input, in which a face that fills the picture has a size that the network learned."""

GRAPH = ("detector.xml", "detector.bin")
"""The exported graph's files."""

NUMBERS = 7
"""What each place says: logit of the score, middle x and y (strides from its own), width and height (logarithms of strides),
cosine and sine of the roll, clockwise."""


class Detector:
    """Finds faces. Compiles itself for each shape of picture it meets, some tenths of a second at the first of a kind."""

    def __init__(self, folder: Path, threshold: float) -> None:
        """Read the network in a model folder.

        Args:
            threshold: score below which a box counts for nothing.

        Raises:
            ConfigurationError: the folder does not hold such a network.
        """
        card = read_card(folder)
        openvino_runtime.check(folder, card["sha256"], GRAPH)
        self.threshold = threshold
        self.strides = tuple(int(stride) for stride in card["strides"])
        self._graph = folder / GRAPH[0]
        self._compiled: dict[tuple[int, int], ov.CompiledModel] = {}

    def detect(self, image: np.ndarray) -> tuple[Faces, np.ndarray]:
        """Find the faces of one image, uint8 (h, w, 3) BGR.

        Returns:
            n faces from forehead to chin, best score first, and their roll in degrees (n,), clockwise.
        """
        return joined([self._run(image, *shape) for shape in input_shapes(*image.shape[:2])])

    def _run(self, image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if (height, width) not in self._compiled:
            self._compiled[height, width] = openvino_runtime.compiled(
                openvino_runtime.of_bytes(self._graph, height, width)
            )
        picture, scale = letterbox(image, height, width)
        (said,) = openvino_runtime.outputs(self._compiled[height, width], picture[None])
        boxes, scores, rolls = decode(said[0], height, width, self.strides, self.threshold)
        return boxes / scale, scores, rolls


def read_card(folder: Path) -> dict[str, Any]:
    """What model.json says of the detector in a folder: among other things strides, sha256, and the threshold from which what
    is found is a face.

    Raises:
        ConfigurationError: the folder does not hold such a network.
    """
    try:
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if set(GRAPH) <= set(card["sha256"]) and "strides" in card:
            return dict(card)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ConfigurationError(
        N_(
            "{folder}: expected a face detector: model.json, detector.xml and detector.bin. Make one with `python -m cssafe "
            "train --task detection`, or leave CSSAFE_DETECTOR out."
        ),
        folder=folder,
    )


def input_shapes(height: int, width: int) -> list[tuple[int, int]]:
    """The input sizes (height, width) at which an image is looked at: one for the room, one for close-ups."""
    longer = max(height, width)
    scale = min(np.clip(longer, *LONG_SIDES) / longer, ENLARGED)
    return [input_shape(height, width, scale), (CLOSE_UP, CLOSE_UP)]


def decode(
    said: np.ndarray, height: int, width: int, strides: tuple[int, ...], threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network's numbers (places, NUMBERS) -> boxes (n, 4), scores (n,), rolls (n,) from the threshold up, in input pixels.

    The places stand row by row, first those of the first stride.
    """
    chosen = np.flatnonzero(said[:, 0] >= np.log(threshold / (1 - threshold)))
    counts = [(height // stride) * (width // stride) for stride in strides]
    level = np.searchsorted(np.cumsum(counts), chosen, side="right")
    stride = np.array(strides)[level]
    rows, columns = np.divmod(chosen - (np.cumsum(counts) - counts)[level], width // stride)
    picked, stride = said[chosen], stride[:, None]
    middles = (np.stack([columns, rows], axis=1) + 0.5 + picked[:, 1:3]) * stride
    halves = np.exp(np.clip(picked[:, 3:5], -4, 6)) * stride / 2
    scores = 1 / (1 + np.exp(-picked[:, 0]))
    rolls = np.degrees(np.arctan2(picked[:, 6], picked[:, 5]))
    boxes = np.hstack([middles - halves, middles + halves])
    return boxes.astype(np.float32), scores.astype(np.float32), rolls.astype(np.float32)
