"""Random variants of whole batches of faces, by Keras operations alone: on an accelerator they cost next to nothing."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

# Luminance quantisation table of JPEG (ITU-T T.81, table K.1), for quality 50.
_QUANTISATION = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_WAVES = np.cos(np.pi / 8 * np.outer(np.arange(8), np.arange(8) + 0.5)) * np.sqrt([[1 / 8]] + [[1 / 4]] * 7)
"""The orthonormal discrete cosine transform of eight values, (8, 8): row k is the wave of frequency k."""

Tensor = Any
"""Of whichever backend Keras runs on."""


@keras.saving.register_keras_serializable("cssafe")
class Augment(layers.Layer):
    """In training: each picture as a camera might have seen it. Otherwise: the picture itself.

    Faces live are lit from one side, too dark or too bright, blurred, compressed, noisy, partly hidden, and their crops sit a
    little off: each of these is drawn for each picture anew. Input and output float (n, h, w, 1) in 0..255, h and w
    multiples of 8.

    Args:
        strength: in [0, 1]; scales how far and how often pictures are changed.
        cut: pixels by which the variant is smaller than the picture: a part of it at the same scale, which is quicker to
            learn from, and a network judges whole pictures the better for it (Touvron et al. 2019, arXiv 1906.06423).
    """

    def __init__(self, strength: float = 1.0, cut: int = 0, seed: int = 0, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.strength, self.cut, self.seed = strength, cut, seed
        self.random = keras.random.SeedGenerator(seed)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"strength": self.strength, "cut": self.cut, "seed": self.seed}

    def call(self, pictures: Tensor, training: bool = False) -> Tensor:
        if not training:
            return pictures
        s = self.strength
        x = self._compressed(pictures, share=0.15 * s)
        x = self._softened(x, share=0.25 * s)
        x = self._hidden(x, share=0.5 * s)
        x = self._placed(x)
        x = self._lit(x)
        noise = keras.random.normal(ops.shape(x), seed=self.random) * self._uniform(x, 0, 12)
        x = x + ops.where(self._chosen(x, 0.15 * s), noise, 0.0)
        return ops.clip(x, 0.0, 255.0)

    def _uniform(self, x: Tensor, low: float, high: float) -> Tensor:
        """One number a picture, shaped (n, 1, 1, 1)."""
        return keras.random.uniform((ops.shape(x)[0], 1, 1, 1), low, high, seed=self.random)

    def _chosen(self, x: Tensor, share: float) -> Tensor:
        """Whether a picture is one of the `share` to be changed, bool (n, 1, 1, 1)."""
        return self._uniform(x, 0, 1) < share

    def _compressed(self, x: Tensor, share: float) -> Tensor:
        """As JPEG of quality 10 to 50 leaves it: cosine waves of 8x8 blocks, rounded."""
        _, height, width, _ = x.shape
        waves = ops.convert_to_tensor(_WAVES.astype("float32"))
        blocks = ops.reshape(x - 128.0, (-1, height // 8, 8, width // 8, 8))
        steps = self._uniform(x, 1, 5)[..., None] * _QUANTISATION[None, None, :, None, :]
        amplitudes = ops.einsum("ki,nhiwj,lj->nhkwl", waves, blocks, waves)
        rounded = ops.round(amplitudes / steps) * steps
        coarse = ops.einsum("ki,nhkwl,lj->nhiwj", waves, rounded, waves) + 128.0
        return ops.where(self._chosen(x, share), ops.reshape(coarse, (-1, height, width, 1)), x)

    def _softened(self, x: Tensor, share: float) -> Tensor:
        """As a small or badly focused face: partly a picture of half as many pixels."""
        _, height, width, _ = x.shape
        halves = ops.average_pool(x, 2, data_format="channels_last")
        soft = ops.image.resize(halves, (height, width), data_format="channels_last")
        amount = ops.where(self._chosen(x, share), self._uniform(x, 0.4, 1), 0.0)
        return x + amount * (soft - x)

    def _hidden(self, x: Tensor, share: float) -> Tensor:
        """Random erasing (Zhong et al. 2020); a tenth of it a dark band over the eyes, as sunglasses, a tenth the mouth."""
        _, height, width, _ = x.shape
        rows = (ops.arange(height, dtype="float32") / height)[None, :, None, None]
        columns = (ops.arange(width, dtype="float32") / width)[None, None, :, None]
        tall, wide = self._uniform(x, 0.15, 0.5), self._uniform(x, 0.15, 0.5)
        top, left = self._uniform(x, 0, 1) * (1 - tall), self._uniform(x, 0, 1) * (1 - wide)
        level = self._uniform(x, 0, 255)
        kind = self._uniform(x, 0, 1)
        glasses, hand = kind < 0.1, kind > 0.9
        top = ops.where(glasses, 0.25 + 0.2 * top, ops.where(hand, 0.6 + 0.2 * top, top))
        tall = ops.where(glasses, 0.18, tall)
        left = ops.where(glasses, 0.1, ops.where(hand, 0.2 + 0.2 * left, left))
        wide = ops.where(glasses, 0.8, wide)
        level = ops.where(glasses, 0.25 * level, level)
        inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
        return ops.where(inside & self._chosen(x, share), level, x)

    def _placed(self, x: Tensor) -> Tensor:
        """Mirrored, turned, scaled, stretched and shifted as crops of live faces are."""
        _, height, width, _ = x.shape
        s = self.strength
        angle = self._uniform(x, -1, 1) * s * np.radians(15)
        scale = ops.exp(self._uniform(x, -1, 1) * s * np.log(1.25))
        stretch = ops.exp(self._uniform(x, -1, 1) * s * np.log(1.08))
        mirror = ops.where(self._chosen(x, 0.5), -1.0, 1.0)
        shift_x, shift_y = (self._uniform(x, -1, 1) * s * 0.1 * size for size in (width, height))
        # Maps a pixel of the variant to the place of the picture it comes from, both counted from the middle.
        a, b = ops.cos(angle) * scale * stretch * mirror, -ops.sin(angle) * scale / stretch
        c, d = ops.sin(angle) * scale * stretch * mirror, ops.cos(angle) * scale / stretch
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        rows = [
            *(a, b, middle_x - a * middle_x - b * middle_y + shift_x),
            *(c, d, middle_y - c * middle_x - d * middle_y + shift_y),
        ]
        zero = ops.zeros_like(a)
        transforms = ops.reshape(ops.concatenate([*rows, zero, zero], axis=-1), (-1, 8))
        x = ops.image.affine_transform(
            x, transforms, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
        )
        edge = self.cut // 2
        return x[:, edge : height - edge, edge : width - edge, :]

    def _lit(self, x: Tensor) -> Tensor:
        """Another exposure, contrast and gamma, and light that falls from one side."""
        _, height, width, _ = x.shape
        s = self.strength
        across = ops.linspace(-1.0, 1.0, width)[None, None, :, None] * self._uniform(x, -1, 1)
        down = ops.linspace(-1.0, 1.0, height)[None, :, None, None] * self._uniform(x, -1, 1)
        x = 255.0 * (ops.clip(x, 0.0, 255.0) / 255.0 + 1e-4) ** ops.exp(self._uniform(x, -0.4, 0.4) * s)
        x = x * (1 + 0.4 * s * (across + down) / 2)
        return (x - 128.0) * ops.exp(self._uniform(x, -0.4, 0.4) * s) + 128.0 + self._uniform(x, -40, 40) * s
