"""Expression networks to train: ours, and the classics for comparison.

Each ends in maps of evidence for each label, whose mean is the logit: the class activation map (Zhou et al. 2016) needs no
gradients.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from cssafe.labels import FER2013, FERPLUS
from cssafe.training.expression.data import SIZE

WIDTHS = (32, 64, 128, 256)
"""Channels of the four stages of the plain network: 1.18 M parameters, 30 faces in a few milliseconds."""

OUTPUTS = {"fer2013": FER2013, "ferplus": FERPLUS}


def build(name: str = "vgg", size: int | None = None, width: float = 1.0) -> keras.Model:
    """Grey crops (n, size, size, 1) in 0..255 -> {"fer2013": (n, 7), "ferplus": (n, 8)} logits, float32, and with "_map" the
    evidence by place, (n, rows, columns, 7 or 8). Crops are standardised inside.

    Args:
        name: one of FEATURES.
        size: side of the crops in pixels, None for any.
        width: factor on the number of channels; of "vgg" only.
    """
    crops = keras.Input((size, size, 1), name="crops")
    x = Standardise(name="standardise")(crops)
    x = vgg(x, width) if name == "vgg" else FEATURES[name](x)
    x = layers.SpatialDropout2D(0.3)(x)
    outputs = {}
    for label_set, labels in OUTPUTS.items():
        evidence = layers.Dense(len(labels), dtype="float32", name=f"{label_set}_map")(x)
        outputs[label_set] = layers.GlobalAveragePooling2D(dtype="float32", name=label_set)(evidence)
        outputs[f"{label_set}_map"] = evidence
    return keras.Model(crops, outputs, name=name)


@keras.saving.register_keras_serializable("cssafe")
class Standardise(layers.Layer):
    """Each picture with mean 0 and deviation 1."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, pictures: Any) -> Any:
        middle = ops.mean(pictures, axis=(1, 2, 3), keepdims=True)
        spread = ops.sqrt(ops.mean(ops.square(pictures - middle), axis=(1, 2, 3), keepdims=True))
        return (pictures - middle) / ops.maximum(spread, 1.0)


def vgg(x: keras.KerasTensor, width: float = 1.0) -> keras.KerasTensor:
    """Plain 3x3 convolutions, two in each of four stages (after Simonyan & Zisserman 2015)."""
    for stage, channels in enumerate(WIDTHS):
        if stage:
            x = layers.MaxPooling2D()(x)
        for _ in range(2):
            x = layers.Conv2D(round(channels * width / 8) * 8, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
    return x


def mini_xception(x: keras.KerasTensor) -> keras.KerasTensor:
    """mini-Xception (Arriaga et al. 2017, arXiv 1710.07557): separable convolutions with shortcuts."""
    for channels in (8, 8):
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    for channels in (16, 32, 64, 128):
        short = layers.Conv2D(channels, 1, strides=2, padding="same", use_bias=False)(x)
        short = layers.BatchNormalization()(short)
        x = layers.SeparableConv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.SeparableConv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        x = layers.Add()([x, short])
    return x


def resnet50(x: keras.KerasTensor) -> keras.KerasTensor:
    """Keras Applications' ResNet50 (He et al. 2016) on crops of twice the side; its 32-fold reduction leaves little of 48
    pixels. ImageNet's weights where this machine can fetch them, else from scratch."""
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.Rescaling(60.0)(layers.Concatenate()([x, x, x]))  # what it was trained on has about this deviation
    try:
        body = keras.applications.ResNet50(include_top=False, weights="imagenet", input_shape=(None, None, 3))
    except Exception as error:  # Keras raises a bare Exception where a download fails
        if "fetch failure" not in str(error):
            raise
        print("ImageNet's weights cannot be fetched from here: ResNet50 starts from scratch.")
        body = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(None, None, 3))
    return body(x)


FEATURES: dict[str, Callable[..., keras.KerasTensor]] = {
    "vgg": vgg,
    "mini_xception": mini_xception,
    "resnet50": resnet50,
}


def served_network(network: keras.Model, temperatures: dict[str, float]) -> keras.Model:
    """The network as served: mean probabilities of a crop and its mirror image.

    Twice the time, no parameter, and a point of accuracy (models/LOG.md).

    Args:
        temperatures: of each label set; divide its logits (Guo et al. 2017).

    Returns:
        crops (n, SIZE, SIZE, 1) -> {"fer2013": (n, 7), "ferplus": (n, 8)} probabilities, and "map" (n, rows, columns, 8):
        the evidence for FERPlus' emotions by place, in logits.
    """
    crops = keras.Input((SIZE, SIZE, 1), name="crops")
    one, other = network(crops), network(ops.flip(crops, axis=2))
    outputs = {}
    for name in OUTPUTS:
        pair = [layers.Softmax(dtype="float32")(said[name] / temperatures[name]) for said in (one, other)]
        outputs[name] = layers.Average(name=name, dtype="float32")(pair)
    maps = [one["ferplus_map"], ops.flip(other["ferplus_map"], axis=2)]
    outputs["map"] = layers.Average(name="map", dtype="float32")([m / temperatures["ferplus"] for m in maps])
    return keras.Model(crops, outputs, name="expression")
