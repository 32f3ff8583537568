"""Export of a trained detector: Keras weights, OpenVINO graph and model.json."""

import json
from datetime import date
from pathlib import Path

import keras

from cssafe.training.detection import network
from cssafe.vision.openvino_runtime import sha256

FILES = ("model.keras", "detector.xml", "detector.bin")


def export(trained: keras.Model, folder: Path, photographs: int, settings: dict[str, float | str]) -> None:
    """Write model.keras, the OpenVINO graph and model.json into `folder`; the graph takes pictures of any size.

    Args:
        trained: of network.build. photographs: number learned from. settings: of the run, with "width".
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.mixed_precision.set_global_policy("float32")
    model = network.build(float(settings["width"]), "channels_last")
    model.set_weights(trained.get_weights())
    model.save(folder / "model.keras", include_optimizer=False)
    if keras.backend.backend() == "tensorflow":
        graph = model
    else:  # OpenVINO does not remove the transpositions around each convolution
        graph = network.build(float(settings["width"]), "channels_first")
        graph.set_weights(model.get_weights())
    graph.export(str(folder / "detector.xml"), format="openvino", verbose=False)
    card = {
        "name": "detector",
        "date": date.today().isoformat(),
        "input": {"channels": "BGR", "range": [0, 255], "multiple": network.STRIDES[-1]},
        "strides": list(network.STRIDES),
        "parameters": model.count_params(),
        "training": {**settings, "photographs": photographs},
        "sha256": {name: sha256(folder / name) for name in FILES},
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
