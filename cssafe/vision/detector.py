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
from cssafe.vision.boxes import input_shape, letterbox, merge_scales

LONG_SIDE_PX = (800, 1280)
"""Longer side of the large input, pixels: that of the image, within these limits."""

MAX_ENLARGEMENT = 2.5
"""Largest enlargement of a picture: as in the network's training."""

CLOSE_UP_PX = 256
"""Side of the small input, pixels, in which a face that fills the picture has a size that the network learned."""

GRAPH = ("detector.xml", "detector.bin")
"""The exported graph's files."""

OUTPUTS = 7
"""Outputs of each grid cell: logit of the score, middle x and y (strides from its own), width and height (logarithms of
strides), cosine and sine of the roll, clockwise."""


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
        openvino_runtime.check_digests(folder, card["sha256"], GRAPH)
        self.threshold = threshold
        self.strides = tuple(int(stride) for stride in card["strides"])
        self._graph = folder / GRAPH[0]
        self._compiled: dict[tuple[int, int], ov.CompiledModel] = {}

    def detect(self, image: np.ndarray, close_ups: bool = False) -> tuple[Faces, np.ndarray]:
        """Find the faces of one image, uint8 (h, w, 3) BGR.

        Args:
            close_ups: look at the small input only, in a tenth of the time.

        Returns:
            n faces from forehead to chin, best score first, and their roll in degrees (n,), clockwise.
        """
        shapes = input_shapes(*image.shape[:2])
        return merge_scales([self._run(image, *shape) for shape in shapes[close_ups:]])

    def _run(self, image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if (height, width) not in self._compiled:
            self._compiled[height, width] = openvino_runtime.compile_model(
                openvino_runtime.load_uint8_input(self._graph, height, width)
            )
        picture, scale = letterbox(image, height, width)
        (output,) = openvino_runtime.run_batches(self._compiled[height, width], picture[None])
        boxes, scores, rolls = decode_boxes(output[0], height, width, self.strides, self.threshold)
        return boxes / scale, scores, rolls


def read_card(folder: Path) -> dict[str, Any]:
    """model.json of the detector in a folder: strides, sha256, the score threshold of a face, and more.

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
    scale = min(np.clip(longer, *LONG_SIDE_PX) / longer, MAX_ENLARGEMENT)
    return [input_shape(height, width, scale), (CLOSE_UP_PX, CLOSE_UP_PX)]


def decode_boxes(
    output: np.ndarray, height: int, width: int, strides: tuple[int, ...], threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network's outputs (cells, OUTPUTS) -> boxes (n, 4), scores (n,), rolls (n,) from the threshold up, in input pixels.

    The cells stand row by row, first those of the first stride.
    """
    chosen = np.flatnonzero(output[:, 0] >= np.log(threshold / (1 - threshold)))
    counts = [(height // stride) * (width // stride) for stride in strides]
    level = np.searchsorted(np.cumsum(counts), chosen, side="right")
    stride = np.array(strides)[level]
    rows, columns = np.divmod(chosen - (np.cumsum(counts) - counts)[level], width // stride)
    picked, stride = output[chosen], stride[:, None]
    middles = (np.stack([columns, rows], axis=1) + 0.5 + picked[:, 1:3]) * stride
    halves = np.exp(np.clip(picked[:, 3:5], -4, 6)) * stride / 2
    scores = 1 / (1 + np.exp(-picked[:, 0]))
    rolls = np.degrees(np.arctan2(picked[:, 6], picked[:, 5]))
    boxes = np.hstack([middles - halves, middles + halves])
    return boxes.astype(np.float32), scores.astype(np.float32), rolls.astype(np.float32)
