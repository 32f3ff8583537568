"""The expression network: a plain VGG of 3x3 convolutions with two outputs, one for each label set."""

import keras
from keras import layers

from cssafe.labels import FER2013, FERPLUS
from cssafe.training.data import SIZE

WIDTHS = (32, 64, 128, 256)
"""Channels of the four stages: 1.18 M parameters, small enough for 30 faces in a few milliseconds."""


def build() -> keras.Model:
    """Grey crops uint8 or float (n, 48, 48, 1) in 0..255 -> {"fer2013": (n, 7), "ferplus": (n, 8)} probabilities.

    Each crop is brought to mean 0 and deviation 1 inside the network, so no caller can scale it wrongly.
    """
    crops = keras.Input((SIZE, SIZE, 1), name="crops")
    x = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, dtype="float32", name="standardise")(crops)
    for width in WIDTHS:
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.3)(x)
    outputs = {
        "fer2013": layers.Dense(len(FER2013), activation="softmax", dtype="float32", name="fer2013")(x),
        "ferplus": layers.Dense(len(FERPLUS), activation="softmax", dtype="float32", name="ferplus")(x),
    }
    return keras.Model(crops, outputs, name="expression")


def mirrored(network: keras.Model) -> keras.Model:
    """The network as it is served: the mean of what it says of a crop and of its mirror picture.

    A face and its mirror picture show the same emotion, so this costs twice the time and no parameter, and is worth a point
    of accuracy (models/LOG.md).
    """
    crops = keras.Input((SIZE, SIZE, 1), name="crops")
    one, other = network(crops), network(keras.ops.flip(crops, axis=2))
    means = {name: layers.Average(name=name)([one[name], other[name]]) for name in one}
    return keras.Model(crops, means, name="expression_mirrored")
