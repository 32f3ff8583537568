"""Export of a trained expression network: float32 weights, OpenVINO graphs and model.json."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino as ov

from cssafe.labels import FER2013, FERPLUS
from cssafe.training.expression import network
from cssafe.training.expression.data import SIZE, Labelled, pixel_digest
from cssafe.vision.openvino_runtime import sha256

FILES = ("model.keras", *(f"{graph}.{end}" for graph in ("expression", "expression_int8") for end in ("xml", "bin")))

CALIBRATION_PICTURES = 1024
"""Pictures that set the ranges of the 8-bit integers."""


def export(
    trained: keras.Model,
    folder: Path,
    learned: Labelled,
    held_back: Labelled,
    settings: dict[str, float | str],
    inherited: dict[str, float] | None = None,
) -> None:
    """Write model.keras, the OpenVINO graphs expression and expression_int8, and model.json into `folder`.

    The network is saved in float32, asked twice (network.served_network), with temperatures fitted on held-back pictures.

    Args:
        trained: of network.build, any width.
        inherited: temperatures where nothing was held back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.mixed_precision.set_global_policy("float32")
    plain = network.build(str(settings["network"]), SIZE, float(settings["width"]))
    plain.set_weights(trained.get_weights())
    fitted = fit_temperatures(plain, held_back) if len(held_back) else inherited or dict.fromkeys(network.OUTPUTS, 1.0)
    model = network.served_network(plain, fitted)
    model.save(folder / "model.keras", include_optimizer=False)
    model.export(str(folder / "expression.xml"), format="openvino", verbose=False)
    quantise(folder, learned)
    card = _model_card(model, plain.name, fitted, learned, held_back, settings)
    files = [file for file in FILES if (folder / file).is_file()]
    card["sha256"] = {name: sha256(folder / name) for name in files}
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _model_card(
    model: keras.Model,
    name: str,
    fitted: dict[str, float],
    learned: Labelled,
    held_back: Labelled,
    settings: dict[str, float | str],
) -> dict[str, Any]:
    """model.json without the files' hashes."""
    return {
        "name": "expression",
        "date": date.today().isoformat(),
        "labels": {"fer2013": list(FER2013), "ferplus": list(FERPLUS)},
        "input": {
            "size": SIZE,
            "channels": "grey",
            "range": [0, 255],
            "crop": "cssafe.vision.crops.crop at cssafe.expression.alignment",
        },
        "network": name,
        "parameters": model.count_params(),
        "temperatures": fitted,
        "training": {**settings, "pictures": len(learned), "pixels_sha256": pixel_digest(learned)},
        "metrics": {"held_back": held_back_scores(model, held_back)} if len(held_back) else {},
    }


def quantise(folder: Path, learned: Labelled) -> None:
    """Write a folder's graph in 8-bit integers, ranges set by learned pictures (NNCF, Kozlov et al. 2020, arXiv 2002.08679).
    Without the package nncf there is none, and bfloat16 or float32 is served."""
    try:
        import nncf
    except ImportError:
        print(
            "No 8-bit graph is made: it takes the package nncf. Install it with `pip install nncf` for a quicker network."
        )
        return
    step = max(1, len(learned) // CALIBRATION_PICTURES)
    crops = learned.images[::step][:CALIBRATION_PICTURES, ..., None].astype(np.float32)
    parts = [crops[i : i + 32] for i in range(0, len(crops), 32)]
    graph = ov.Core().read_model(folder / "expression.xml")
    kept = nncf.IgnoredScope(names=softmax_operations(graph))  # in steps of a 255th they would not sum to 1
    preset = nncf.QuantizationPreset.MIXED
    small = nncf.quantize(graph, nncf.Dataset(parts), subset_size=len(parts), preset=preset, ignored_scope=kept)
    ov.save_model(small, folder / "expression_int8.xml", compress_to_fp16=False)


def softmax_operations(graph: ov.Model) -> list[str]:
    """Names of a graph's operations from its softmaxes on, without its outputs."""
    found: set[str] = set()
    for operation in graph.get_ordered_ops():  # inputs come before outputs
        given = {port.get_source_output().get_node().get_friendly_name() for port in operation.inputs()}
        if operation.get_type_name() == "Softmax" or (given & found and operation.get_type_name() != "Result"):
            found.add(operation.get_friendly_name())
    return sorted(found)


def load_trained(folder: Path) -> keras.Model:
    """Load the network of network.build inside a model folder: crops -> logits and maps."""
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return keras.models.load_model(folder / "model.keras", compile=False).get_layer(card["network"])


def load_temperatures(folder: Path) -> dict[str, float]:
    """Temperatures of the network in a model folder."""
    return dict(json.loads((folder / "model.json").read_text(encoding="utf-8"))["temperatures"])


def fit_temperatures(plain: keras.Model, data: Labelled) -> dict[str, float]:
    """Temperature of each label set, by temperature scaling (Guo et al. 2017)."""
    crops = data.images[..., None].astype(np.float32)
    said = [plain.predict(views, batch_size=256, verbose=0) for views in (crops, crops[:, :, ::-1])]
    truth = {"fer2013": data.fer2013, "ferplus": data.ferplus.argmax(axis=1)}
    known = {"fer2013": data.fer2013 >= 0, "ferplus": data.ferplus.sum(axis=1) > 0}
    return {
        name: best_temperature([logits[name][known[name]] for logits in said], truth[name][known[name]])
        for name in network.OUTPUTS
    }


def best_temperature(views: list[np.ndarray], truth: np.ndarray) -> float:
    """The temperature of least negative log-likelihood of the views' mean probabilities, from 0.25 to 4 in steps of 1 %.

    Args:
        views: logits (n, k) of each view of the n faces. truth: int (n,).
    """
    if len(truth) == 0:
        return 1.0
    candidates = np.exp(np.arange(np.log(0.25), np.log(4), 0.01))
    losses = []
    for temperature in candidates:
        powers = [np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature) for logits in views]
        mean = np.mean([power / power.sum(axis=1, keepdims=True) for power in powers], axis=0)
        losses.append(-np.log(mean[np.arange(len(truth)), truth] + 1e-12).mean())
    return round(float(candidates[int(np.argmin(losses))]), 4)


def held_back_scores(model: keras.Model, data: Labelled) -> dict[str, float]:
    """Accuracy on both label sets, FERPlus by majority of the votes."""
    guess = model.predict(data.images[..., None].astype(np.float32), batch_size=256, verbose=0)
    labelled, voted = data.fer2013 >= 0, data.ferplus.sum(axis=1) > 0
    return {
        "n": int(labelled.sum()),
        "fer2013_accuracy": _share((guess["fer2013"].argmax(axis=1) == data.fer2013)[labelled]),
        "ferplus_n": int(voted.sum()),
        "ferplus_accuracy": _share((guess["ferplus"].argmax(axis=1) == data.ferplus.argmax(axis=1))[voted]),
    }


def _share(right: np.ndarray) -> float:
    return round(float(right.mean()), 4) if len(right) else 0.0
