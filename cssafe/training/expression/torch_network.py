"""A Keras network in PyTorch with the same weights: trains fastest on a processor (docs/training.md)."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class Graph(nn.Module):
    """A functional model on maps as PyTorch has them: NCHW, channels-last in memory.

    Args:
        model: of the layers in CONVERTERS, each called once.

    Raises:
        KeyError: a layer that has no converter.
    """

    def __init__(self, model: keras.Model):
        super().__init__()
        self.parts = nn.ModuleList()
        self.graph: list[tuple[list[int], int]] = []
        for layer in _layers(model):
            node = layer._inbound_nodes[0]
            self.parts.append(CONVERTERS[type(layer).__name__](layer))
            self.graph.append(([id(tensor) for tensor in node.arguments.keras_tensors], id(node.outputs[0])))
        self.start = id(model.inputs[0])
        self.end = keras.tree.map_structure(id, model.output)

    def forward(self, maps: Tensor) -> Any:
        values = {self.start: maps}
        for part, (inputs, output) in zip(self.parts, self.graph, strict=True):
            values[output] = part(*(values[i] for i in inputs))
        return keras.tree.map_structure(values.get, self.end)


class Twin(Graph):
    """Grey crops float32 (n, h, w) -> the outputs of a network of network.build by name: logits (n, k), maps (n, k, rows,
    columns). Its weights are copied. `train()` and `eval()` switch batch statistics and dropout."""

    def __init__(self, model: keras.Model):
        super().__init__(model)
        self.load_keras(model)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = super().forward(crops[:, None].contiguous(memory_format=torch.channels_last))
        return outputs

    def load_keras(self, model: keras.Model) -> None:
        """Copy the weights of `model`."""
        for layer, part in zip(_layers(model), self.parts, strict=True):
            for tensor, value in zip(_tensors(part), layer.get_weights(), strict=True):
                order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(value.ndim, (0,))
                tensor.data.copy_(torch.from_numpy(value.transpose(order).reshape(tensor.shape)))

    def store_keras(self, model: keras.Model) -> None:
        """Copy the weights into `model`, of the same architecture."""
        for layer, part in zip(_layers(model), self.parts, strict=True):
            values = []
            for tensor, like in zip(_tensors(part), layer.get_weights(), strict=True):
                order, back = {4: ((3, 2, 0, 1), (2, 3, 1, 0)), 2: ((1, 0), (1, 0))}.get(like.ndim, ((0,), (0,)))
                shape = [like.shape[i] for i in order]
                values.append(tensor.detach().cpu().numpy().reshape(shape).transpose(back))
            layer.set_weights(values)


def _layers(model: keras.Model) -> list[Any]:
    """All layers but the input, in the order of computation."""
    return [layer for layer in model.operations if not isinstance(layer, keras.layers.InputLayer)]


def _tensors(part: nn.Module) -> list[Tensor]:
    """The weights of a converted layer, in Keras' order."""
    return [tensor for key, tensor in part.state_dict(keep_vars=True).items() if not key.endswith("batches_tracked")]


class _Call(nn.Module):
    """A layer without weights."""

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


class _Convolution(nn.Module):
    """Conv2D; with `depthwise`, SeparableConv2D."""

    def __init__(self, layer: Any, depthwise: bool = False):
        super().__init__()
        self.stride, self.same = layer.strides, layer.padding == "same"
        self.kernel, self.activation = layer.kernel_size, _activation(layer)
        into = layer.input.shape[-1]
        self.pointwise: nn.Module
        if depthwise:
            self.depthwise = nn.Conv2d(into, into, self.kernel, self.stride, groups=into, bias=False)
            self.pointwise = nn.Conv2d(into, layer.filters, 1, bias=layer.use_bias)
        else:
            self.depthwise = nn.Conv2d(into, layer.filters, self.kernel, self.stride, bias=layer.use_bias)
            self.pointwise = nn.Identity()
        if self.same and self.stride == (1, 1):
            self.depthwise.padding = (self.kernel[0] // 2, self.kernel[1] // 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.same and self.stride != (1, 1):
            x = _padded(x, self.kernel, self.stride)
        return self.activation(self.pointwise(self.depthwise(x)))


class _Dense(nn.Linear):
    """Over the channels of vectors or maps, always in float32."""

    def __init__(self, layer: Any):
        super().__init__(layer.input.shape[-1], layer.units, bias=layer.use_bias)
        self.activation = _activation(layer)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return self.activation(super().forward(x.float().movedim(1, -1)).movedim(-1, 1))


class _Standardise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        middle = x.mean((1, 2, 3), keepdim=True)
        spread = (x - middle).square().mean((1, 2, 3), keepdim=True).sqrt()
        return (x - middle) / spread.clamp(min=1.0)


def _padded(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], value: float = 0.0) -> Tensor:
    """Padded as Keras' "same" with strides: the odd pixel at the bottom and on the right."""
    pads: list[int] = []
    for length, k, s in reversed(list(zip(x.shape[2:], kernel, stride, strict=True))):
        whole = max((math.ceil(length / s) - 1) * s + k - length, 0)
        pads += [whole // 2, whole - whole // 2]
    return functional.pad(x, pads, value=value)


def _activation(layer: Any) -> nn.Module:
    return ACTIVATIONS[layer.activation.__name__]()


def _pool(layer: Any) -> nn.Module:
    kernel, stride, same = layer.pool_size, layer.strides, layer.padding == "same"

    def pool(x: Tensor) -> Tensor:
        return functional.max_pool2d(_padded(x, kernel, stride, -math.inf) if same else x, kernel, stride)

    return _Call(pool)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
}

CONVERTERS: dict[str, Callable[[Any], nn.Module]] = {
    "Standardise": lambda layer: _Standardise(),
    "Conv2D": _Convolution,
    "SeparableConv2D": lambda layer: _Convolution(layer, depthwise=True),
    "BatchNormalization": lambda layer: nn.BatchNorm2d(
        layer.input.shape[-1], eps=layer.epsilon, momentum=1 - layer.momentum
    ),
    "Functional": Graph,
    "ReLU": lambda layer: nn.ReLU(),
    "Activation": _activation,
    "Rescaling": lambda layer: _Call(lambda x: x * layer.scale + layer.offset),
    "UpSampling2D": lambda layer: nn.Upsample(scale_factor=layer.size, mode=layer.interpolation, align_corners=False),
    "ZeroPadding2D": lambda layer: nn.ZeroPad2d((*layer.padding[1], *layer.padding[0])),
    "Concatenate": lambda layer: _Call(lambda *maps: torch.cat(maps, 1)),
    "MaxPooling2D": _pool,
    "Add": lambda layer: _Call(lambda *maps: sum(maps[1:], maps[0])),
    "Multiply": lambda layer: _Call(torch.mul),
    "SpatialDropout2D": lambda layer: nn.Dropout2d(layer.rate),
    "GlobalAveragePooling2D": lambda layer: _Call(lambda x: x.mean((2, 3), keepdim=layer.keepdims)),
    "Dense": _Dense,
}
"""Keras layer -> the same in PyTorch; weights come in Keras' order."""


def predict(twin: Twin, crops: np.ndarray, part: int = 256) -> dict[str, np.ndarray]:
    """Mean logits of each crop, uint8 (n, h, w), and of its mirror image: name of an output -> float32 (n, k)."""
    twin.eval()
    parts = []
    with torch.inference_mode():
        for i in range(0, len(crops), part):
            pair = [
                torch.from_numpy(np.ascontiguousarray(view[i : i + part])).float() for view in (crops, crops[..., ::-1])
            ]
            parts.append([twin(view) for view in pair])
    names = [name for name in twin.end if not name.endswith("_map")]
    return {name: np.concatenate([((a[name] + b[name]) / 2).numpy() for a, b in parts]) for name in names}
