"""Our face detector: small, one stage, no anchors.

From the published ideas of YuNet (Wu et al. 2023) and SCRFD (Guo et al. 2021, arXiv 2105.04714): depthwise separable
convolutions, most of the work at strides 8 to 32, a small feature pyramid, one score that is aware of overlap.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from cssafe.vision.detector import OUTPUTS

Convolution = Callable[[Any], Any]

STRIDES = (8, 16, 32)
"""Pixels between two neighbouring places of each of the output maps."""

STAGES = ((16, 0), (32, 2), (64, 3), (128, 4), (192, 3))
"""Channels, and separable convolutions with a shortcut, at strides 2, 4, 8, 16, 32."""

PYRAMID = 64
"""Channels of the feature pyramid and of the head."""


@keras.saving.register_keras_serializable("cssafe")
class Normalization(layers.BatchNormalization):
    """Batch normalisation. On PyTorch in one call of its own, where Keras makes ten passes over each map and copies those of
    16 bits: half of the time that a processor learns. Its moving variance is that of a sample (n - 1); the rest is equal."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        from torch.nn.functional import batch_norm

        return batch_norm(
            inputs.movedim(self.axis, 1),
            self.moving_mean.value.data,
            self.moving_variance.value.data,
            self.gamma.value,
            self.beta.value,
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        ).movedim(1, self.axis)


def build(width: float = 1.0, data_format: str | None = None) -> keras.Model:
    """BGR pictures (n, h, w, 3) in 0..255, h and w multiples of 32 -> float32 (n, places, NUMBERS); the places row by row,
    first those of stride 8.

    Args:
        width: factor on the number of channels, which stay multiples of eight.
        data_format: of the maps inside, as Keras names it; the weights are the same. None: the one that the backend computes
            in; in the other one it would turn each map around before and after each convolution.
    """

    def widened(channels: int) -> int:
        return max(1, round(channels * width / 8)) * 8

    stages = [(widened(channels), repeats) for channels, repeats in STAGES]
    pyramid = widened(PYRAMID)
    data_format = data_format or ("channels_first" if keras.backend.backend() == "torch" else "channels_last")
    first = data_format == "channels_first"
    inside: dict[str, Any] = {"use_bias": False, "data_format": data_format}

    def halved(x: keras.KerasTensor) -> keras.KerasTensor:
        """A border of one, so that a convolution of stride 2 needs no padding of its own, which each backend does its way."""
        return layers.ZeroPadding2D(1, data_format=data_format)(x)

    def separable(channels: int, kernel: int = 3, strides: int = 1) -> Convolution:
        """A convolution of each channel by itself, then of all at each place. Strided and large kernels stay in 32 bits, for
        processors take five times as long over their gradients in 16."""
        dtype = "float32" if strides > 1 or kernel > 3 else None
        alone = layers.DepthwiseConv2D(kernel, strides, "same" if strides == 1 else "valid", dtype=dtype, **inside)
        together = layers.Conv2D(channels, 1, **inside)
        return lambda x: together(alone(x if strides == 1 else halved(x)))

    def finished(x: keras.KerasTensor, shortcut: keras.KerasTensor | None = None) -> keras.KerasTensor:
        x = Normalization(axis=1 if first else -1, momentum=0.97, epsilon=1e-4)(x)
        return layers.ReLU()(x if shortcut is None else layers.Add()([x, shortcut]))

    pictures = keras.Input((None, None, 3), name="pictures")
    x = layers.Rescaling(1 / 64, offset=-2.0, name="scaled")(pictures)
    x = layers.Permute((3, 1, 2))(x) if first else x
    x = finished(layers.Conv2D(stages[0][0], 3, strides=2, **inside)(halved(x)))
    maps = []
    for i, (channels, repeats) in enumerate(stages[1:]):
        kernel = 5 if i >= 2 else 3  # cheap where the maps are small, and a face may be 400 pixels high
        x = finished(separable(channels, strides=2)(x))
        for _ in range(repeats):
            x = finished(separable(channels, kernel)(x), shortcut=x)
        maps.append(x)

    # the pyramid: what the coarse maps know is added to the fine ones
    levels: list[keras.KerasTensor] = []
    for x in reversed(maps[1:]):
        x = finished(layers.Conv2D(pyramid, 1, **inside)(x))
        if levels:
            x = layers.Add()([x, layers.UpSampling2D(2, data_format=data_format)(levels[0])])
            x = finished(separable(pyramid)(x))
        levels.insert(0, x)

    # the head: the same convolutions at all strides, for a face looks alike at each; statistics of their own
    shared = [separable(pyramid) for _ in range(2)]
    last = layers.Conv2D(OUTPUTS, 1, dtype="float32", bias_initializer=_start, data_format=data_format, name="numbers")
    said = []
    for x in levels:
        for convolution in shared:
            x = finished(convolution(x), shortcut=x)
        x = last(x)
        x = layers.Permute((2, 3, 1))(x) if first else x
        said.append(layers.Reshape((-1, OUTPUTS))(x))
    return keras.Model(pictures, layers.Concatenate(axis=1, dtype="float32", name="said")(said), name="detector")


def places(height: int, width: int) -> np.ndarray:
    """Middle x, y and stride, in pixels, of every place that the network speaks for: float32 (places, 3)."""
    parts = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        middles = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) * stride
        parts.append(np.hstack([middles, np.full((len(middles), 1), stride)]))
    return np.concatenate(parts).astype(np.float32)


@keras.saving.register_keras_serializable("cssafe")
def _start(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Everything a face of two strides, and unlikely (1 %, Lin et al. 2017), upright."""
    return keras.ops.convert_to_tensor([-4.6, 0, 0, 0.7, 0.7, 1, 0], dtype=dtype or "float32")
