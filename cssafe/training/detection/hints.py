"""Hints for our detector: at each stage it also learns to say what a detector that has seen far more faces sees in the same
square (FitNets, Romero et al. 2015, arXiv 1412.6550). That tells every place of every square something, where boxes speak of a
few places only. The other detector, BlazeFace, is asked and never changed; nothing of it enters our network.
"""

from threading import Lock
from typing import Any

import keras
import numpy as np
import openvino as ov
from keras import layers

from cssafe.training.detection import network
from cssafe.vision import networks

SILENT = 0.3
"""Share of a stage's usual standard deviation below which a channel's own is not believed: one that was silent in the first
squares would outshout all others at its first word."""


class Teacher:
    """BlazeFace's maps at our network's strides, standardised by what it says of the first squares it is shown."""

    def __init__(self, size: int, first: np.ndarray) -> None:
        """size: of the squares, pixels, a multiple of 64. first: uint8 (n, size, size, 3) BGR, some squares."""
        graph = networks.open_ended(networks.packaged("face_detection_back"), size, size)
        last = {}
        for node in graph.get_ordered_ops():
            if node.get_type_name() == "Relu":
                last[size // node.get_output_partial_shape(0)[2].get_length()] = node.output(0)
        cut = ov.Model([last[stride] for stride in network.STRIDES], graph.get_parameters(), "hints")
        self._network = networks.compiled(networks.from_bgr(cut, mean=127.5, scale=127.5))
        self._lock = Lock()  # a compiled network serves one of the threads that make batches at a time
        said = self._maps(first)
        self.middles = [m.mean(axis=(0, 1, 2)) for m in said]
        spreads = [m.std(axis=(0, 1, 2)) for m in said]
        self.spreads = [np.maximum(s, SILENT * np.median(s)) for s in spreads]

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Squares uint8 (n, size, size, 3) -> {"hint_8": float32 (n, size / 8, size / 8, channels), ...}."""
        scaled = zip(network.STRIDES, self._maps(images), self.middles, self.spreads, strict=True)
        return {f"hint_{stride}": (m - middle) / spread for stride, m, middle, spread in scaled}

    def _maps(self, images: np.ndarray) -> list[np.ndarray]:
        with self._lock:
            maps = networks.outputs(self._network, images)
        return [np.ascontiguousarray(m.transpose(0, 2, 3, 1)) for m in maps]


def learner(model: keras.Model, teacher: Teacher) -> keras.Model:
    """Our network with one more output for each stage, a linear map of it to the teacher's channels; they share layers, so
    what this one learns is in ours."""
    outputs: dict[str, Any] = {"said": model.output}
    for stride, middle in zip(network.STRIDES, teacher.middles, strict=True):
        stage = model.get_layer(f"stage_{stride}").output
        outputs[f"hint_{stride}"] = layers.Conv2D(len(middle), 1, dtype="float32", name=f"hint_{stride}")(stage)
    return keras.Model(model.input, outputs)
