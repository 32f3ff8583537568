"""A network in YuNet's form, in a few hundred bytes: it sees the same face at every place, whatever the picture shows.

ONNX files are protocol buffers; the few messages that are needed are written by hand, so that no package is.
"""

import numpy as np


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(field(1, n) for n in values.shape)
    return dims + field(2, 1) + field(8, name) + field(9, values.astype("<f4").tobytes())


def ints(name: str, *values: int) -> bytes:
    return field(1, name) + b"".join(field(8, value) for value in values) + field(20, 7)


def described(name: str, *shape: int) -> bytes:
    dims = b"".join(field(1, field(1, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def yunet(score: float, at_stride: int = 32) -> bytes:
    """Faces of e^0.5 strides at every place of one stride, upright."""
    nodes, values, outputs = b"", b"", b""
    for kind, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            constant = 0.5 if channels > 1 else score * (stride == at_stride)
            values += field(5, tensor(f"w_{name}", np.zeros((channels, 3, stride, stride))))
            values += field(5, tensor(f"b_{name}", np.full(channels, constant)))
            inputs = b"".join(field(1, word) for word in ("input", f"w_{name}", f"b_{name}"))
            sides = field(5, ints("kernel_shape", stride, stride)) + field(5, ints("strides", stride, stride))
            nodes += field(1, inputs + field(2, name) + field(4, "Conv") + sides)
            outputs += field(12, described(name, 1, channels, 640 // stride, 640 // stride))
    graph = nodes + field(2, "yunet") + values + field(11, described("input", 1, 3, 640, 640)) + outputs
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 11))
