"""Pictures whose answers are kept: a face that may be shipped (NASA's portrait of Eileen Collins, public domain), as a camera
might see it. `python -m tests.golden` writes the answers of the served network anew, after a network was exchanged.
"""

import json
from pathlib import Path

import cv2
import numpy as np

from cssafe import settings
from cssafe.expression import Expression, place_meshes
from cssafe.labels import FERPLUS
from cssafe.vision.crops import crop, grey
from cssafe.vision.face_finder import Finder
from tests.support.faces import astronaut

ANSWERS = Path(__file__).parent / "golden.json"


def pictures() -> dict[str, np.ndarray]:
    """What was done to the face -> its crop, uint8 (48, 48)."""
    luma = grey(astronaut())
    _, meshes = Finder().find(astronaut())
    (middle,), (side,), (roll,) = place_meshes(meshes)
    hidden = luma.copy()
    x, y = middle.astype(int)
    hidden[y + int(side * 0.15) : y + int(side * 0.4), x - int(side * 0.2) : x + int(side * 0.2)] = 128
    seen = {
        "as it is": (luma, 1.0, 0.0),
        "dark": ((luma * 0.3).astype(np.uint8), 1.0, 0.0),
        "blurred": (cv2.GaussianBlur(luma, (0, 0), 3), 1.0, 0.0),
        "compressed": (cv2.imdecode(cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], 0), 1.0, 0.0),
        "mirrored": (np.ascontiguousarray(luma[:, ::-1]), 1.0, 0.0),
        "tight": (luma, 0.8, 0.0),
        "loose": (luma, 1.25, 0.0),
        "tilted": (luma, 1.0, 15.0),
        "mouth hidden": (hidden, 1.0, 0.0),
    }
    crops = {}
    for name, (image, scale, turn) in seen.items():
        place = np.array([luma.shape[1] - 1 - middle[0], middle[1]]) if name == "mirrored" else middle
        crops[name] = crop(image, place, side * scale, (-roll if name == "mirrored" else roll) + turn, 48)
    return crops


def answers() -> dict[str, dict[str, float]]:
    """Picture -> emotion -> probability, in float32, so that they are the same on every machine."""
    made = pictures()
    probabilities = Expression(settings.load({}).model, "f32").ferplus(np.stack(list(made.values())))
    return {
        name: {emotion: round(float(p), 3) for emotion, p in zip(FERPLUS, row, strict=True)}
        for name, row in zip(made, probabilities, strict=True)
    }


if __name__ == "__main__":
    ANSWERS.write_text(json.dumps(answers(), indent=1) + "\n", encoding="utf-8")
