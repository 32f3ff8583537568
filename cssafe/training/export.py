"""A trained network -> the model folder that is served: float32 weights, the OpenVINO graph and model.json."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np

from cssafe.expression.network import sha256
from cssafe.labels import FER2013, FERPLUS
from cssafe.training import network
from cssafe.training.data import SIZE, Labelled


def export(
    trained: keras.Model, folder: Path, learned: Labelled, held_back: Labelled, settings: dict[str, float]
) -> None:
    """Write model.keras, expression.xml, expression.bin and model.json into `folder`.

    Training runs in bfloat16; what is saved and served is the same network in float32, asked twice (network.mirrored).
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.mixed_precision.set_global_policy("float32")
    model = network.build()
    model.set_weights(trained.get_weights())
    model = network.mirrored(model)
    model.save(folder / "model.keras", include_optimizer=False)
    model.export(str(folder / "expression.xml"), format="openvino", verbose=False)
    files = ("model.keras", "expression.xml", "expression.bin")
    card = {
        "name": "expression",
        "labels": {"fer2013": list(FER2013), "ferplus": list(FERPLUS)},
        "input": {
            "size": SIZE,
            "channels": "grey",
            "range": [0, 255],
            "crop": "cssafe.vision.crops.crop at cssafe.expression.placement",
        },
        "parameters": model.count_params(),
        "training": {
            **settings,
            "pictures": len(learned),
            "pixels_sha256": hashlib.sha256(learned.images.tobytes()).hexdigest(),
        },
        "metrics": {"held_back": scores(model, held_back)} if len(held_back) else {},
        "sha256": {name: sha256(folder / name) for name in files},
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def scores(model: keras.Model, data: Labelled) -> dict[str, float]:
    """Accuracy on both label sets, FERPlus by the majority of the votes where there are any."""
    guess = model.predict(data.images[..., None].astype(np.float32), batch_size=256, verbose=0)
    voted = data.ferplus.sum(axis=1) > 0
    right = guess["ferplus"].argmax(axis=1) == data.ferplus.argmax(axis=1)
    return {
        "n": len(data),
        "fer2013_accuracy": round(float((guess["fer2013"].argmax(axis=1) == data.fer2013).mean()), 4),
        "ferplus_n": int(voted.sum()),
        "ferplus_accuracy": round(float(right[voted].mean()), 4),
    }
