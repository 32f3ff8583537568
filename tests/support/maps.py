"""Model folders with and without a map of what the network looks at, made of the shipped network."""

import json
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset11 as ops

from cssafe import settings
from cssafe.labels import FERPLUS
from cssafe.vision.openvino_runtime import sha256

SHIPPED = settings.load({}).model


def made(folder: Path, mapped: bool = True) -> Path:
    """The shipped network under another name. mapped: its map is the mean brightness (0 to 255) of each of 6 x 6 places,
    times 0 for the first emotion, 1 for the second and so on; otherwise it has none."""
    core = ov.Core()
    shipped = core.read_model(SHIPPED / "expression.xml")
    outputs = []
    for name in ("fer2013", "ferplus"):
        result = ops.result(shipped.output(name).get_node().input_value(0))
        result.output(0).set_names({name})
        outputs.append(result)
    if mapped:
        crops = shipped.inputs[0].get_node()
        places = ops.reduce_mean(ops.reshape(crops, np.array([-1, 6, 8, 6, 8, 1]), False), np.array([2, 4]), False)
        result = ops.result(ops.multiply(places, np.arange(8, dtype=np.float32)))
        result.output(0).set_names({"map"})
        outputs.append(result)
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(ov.Model(outputs, shipped.get_parameters(), "expression"), folder / "expression.xml", False)
    card = json.loads((SHIPPED / "model.json").read_text(encoding="utf-8"))
    assert card["labels"]["ferplus"] == list(FERPLUS)
    card |= {"name": "made for a test"}
    card["sha256"] = {name: sha256(folder / name) for name in ("expression.xml", "expression.bin")}
    (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
    return folder
