"""Network of the face detector: small, one stage, no anchors.

After YuNet (Wu et al. 2023) and SCRFD (Guo et al. 2021, arXiv 2105.04714): depthwise separable
convolutions, most of the work at strides 8 to 32, a small feature pyramid, an IoU-aware score.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from cssafe.vision.detector import OUTPUTS

Convolution = Callable[[Any], Any]

STRIDES = (8, 16, 32)
"""Pixels between neighbouring places of each output map."""

STAGES = ((16, 0), (32, 2), (64, 3), (128, 4), (192, 3))
"""Channels, and separable convolutions with a shortcut, at strides 2, 4, 8, 16, 32."""

PYRAMID = 64
"""Channels of the feature pyramid and of the head."""


@keras.saving.register_keras_serializable("cssafe")
class Normalization(layers.BatchNormalization):
    """Batch normalisation, on PyTorch in one call: Keras makes ten passes over each map there, half of the training time on a
    processor. Its moving variance is that of a sample (n - 1); the rest is equal."""

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


class _Blocks:
    """Building blocks on maps of one data format. Widths: factor on the channels, which stay multiples of eight."""

    def __init__(self, width: float, data_format: str) -> None:
        self.width = width
        self.first = data_format == "channels_first"
        self.format = {"data_format": data_format}
        self.inside: dict[str, Any] = {"use_bias": False, **self.format}

    def widened(self, channels: int) -> int:
        return max(1, round(channels * self.width / 8)) * 8

    def padded(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """A border of one: convolutions of stride 2 then need no padding of their own, which differs between backends."""
        return layers.ZeroPadding2D(1, **self.format)(x)

    def separable(self, channels: int, kernel: int = 3, strides: int = 1) -> Convolution:
        """Depthwise, then pointwise convolution. Strided and large kernels stay in 32 bits: their gradients take processors
        five times as long in 16."""
        dtype = "float32" if strides > 1 or kernel > 3 else None
        depthwise = layers.DepthwiseConv2D(
            kernel, strides, "same" if strides == 1 else "valid", dtype=dtype, **self.inside
        )
        pointwise = layers.Conv2D(channels, 1, **self.inside)
        return lambda x: pointwise(depthwise(x if strides == 1 else self.padded(x)))

    def activated(self, x: keras.KerasTensor, shortcut: keras.KerasTensor | None = None) -> keras.KerasTensor:
        x = Normalization(axis=1 if self.first else -1, momentum=0.97, epsilon=1e-4)(x)
        return layers.ReLU()(x if shortcut is None else layers.Add()([x, shortcut]))


def build(width: float = 1.0, data_format: str | None = None) -> keras.Model:
    """The detector: BGR pictures (n, h, w, 3) in 0..255, h and w multiples of 32 -> float32 (n, places, NUMBERS), row by row,
    stride 8 first.

    Args:
        width: factor on the number of channels, which stay multiples of eight.
        data_format: of the maps inside, as Keras names it; the weights are the same. None: the backend's own, which saves a
            transposition before and after each convolution.
    """
    data_format = data_format or ("channels_first" if keras.backend.backend() == "torch" else "channels_last")
    blocks = _Blocks(width, data_format)
    pictures = keras.Input((None, None, 3), name="pictures")
    x = layers.Rescaling(1 / 64, offset=-2.0, name="scaled")(pictures)
    x = layers.Permute((3, 1, 2))(x) if blocks.first else x
    said = _head(blocks, _pyramid(blocks, _backbone(blocks, x)))
    return keras.Model(pictures, layers.Concatenate(axis=1, dtype="float32", name="said")(said), name="detector")


def _backbone(blocks: _Blocks, x: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Maps at strides 8, 16 and 32."""
    stages = [(blocks.widened(channels), repeats) for channels, repeats in STAGES]
    x = blocks.activated(layers.Conv2D(stages[0][0], 3, strides=2, **blocks.inside)(blocks.padded(x)))
    maps = []
    for i, (channels, repeats) in enumerate(stages[1:]):
        kernel = 5 if i >= 2 else 3  # cheap where the maps are small, and a face may be 400 pixels high
        x = blocks.activated(blocks.separable(channels, strides=2)(x))
        for _ in range(repeats):
            x = blocks.activated(blocks.separable(channels, kernel)(x), shortcut=x)
        maps.append(x)
    return maps[1:]


def _pyramid(blocks: _Blocks, maps: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """Coarse maps added to the fine ones; the finest first."""
    channels = blocks.widened(PYRAMID)
    levels: list[keras.KerasTensor] = []
    for x in reversed(maps):
        x = blocks.activated(layers.Conv2D(channels, 1, **blocks.inside)(x))
        if levels:
            x = layers.Add()([x, layers.UpSampling2D(2, **blocks.format)(levels[0])])
            x = blocks.activated(blocks.separable(channels)(x))
        levels.insert(0, x)
    return levels


def _head(blocks: _Blocks, levels: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """NUMBERS of each place, by level: the same convolutions at all strides, statistics of their own."""
    shared = [blocks.separable(blocks.widened(PYRAMID)) for _ in range(2)]
    last = layers.Conv2D(OUTPUTS, 1, dtype="float32", bias_initializer=_start, name="numbers", **blocks.format)
    said = []
    for x in levels:
        for convolution in shared:
            x = blocks.activated(convolution(x), shortcut=x)
        x = last(x)
        x = layers.Permute((2, 3, 1))(x) if blocks.first else x
        said.append(layers.Reshape((-1, OUTPUTS))(x))
    return said


def places(height: int, width: int) -> np.ndarray:
    """Middle x, y and stride of every output place, pixels: float32 (places, 3)."""
    parts = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        middles = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) * stride
        parts.append(np.hstack([middles, np.full((len(middles), 1), stride)]))
    return np.concatenate(parts).astype(np.float32)


@keras.saving.register_keras_serializable("cssafe")
def _start(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Initial output: an upright face of two strides with probability 1 % (Lin et al. 2017)."""
    return keras.ops.convert_to_tensor([-4.6, 0, 0, 0.7, 0.7, 1, 0], dtype=dtype or "float32")
