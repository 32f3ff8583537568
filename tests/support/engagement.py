"""Small data sets of engagement in exactly the layouts in which DAiSEE and EngageNet are handed around, with real videos."""

from pathlib import Path

import av
import numpy as np
import pandas as pd

from cssafe.frames import SIGNALS
from cssafe.observations import EXPRESSION
from cssafe.training.engagement.moments import Moments
from tests.support.faces import astronaut

FACE = np.ascontiguousarray(astronaut()[:240, 100:340])
NOBODY = np.full_like(FACE, 90)

HEADER = "ClipID,Boredom,Engagement,Confusion,Frustration "  # with the space that the data set has there


def film(path: Path, image: np.ndarray = FACE, seconds: int = 1) -> Path:
    """A video of one picture, five frames a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.height, stream.width, stream.pix_fmt, stream.bit_rate = *image.shape[:2], "yuv420p", 2_000_000
        for _ in range(5 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def daisee(folder: Path, clips: dict[str, tuple[str, int, np.ndarray | None]]) -> Path:
    """clips: name -> part, engagement and picture; None for a label whose video is missing. The person is the name's first six
    digits, as there."""
    for part in ("Train", "Validation", "Test"):
        labels = [f"{name}.avi,0,{label},1,0" for name, (where, label, _) in clips.items() if where == part]
        (folder / "DataSet" / part).mkdir(parents=True, exist_ok=True)
        (folder / "Labels").mkdir(exist_ok=True)
        (folder / "Labels" / f"{part}Labels.csv").write_text("\n".join([HEADER, *labels, ""]))
    for name, (part, _, image) in clips.items():
        if image is not None:
            film(folder / "DataSet" / part / name[:6] / name / f"{name}.avi", image)
    return folder


def engagenet(folder: Path, clips: dict[str, tuple[str, str, np.ndarray | None]]) -> Path:
    """clips: chunk -> part, label and picture. The tables of Train and Validation are Excel files, the one of Test is not."""
    for part in ("Train", "Validation", "Test"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        rows = [(chunk, label) for chunk, (where, label, _) in clips.items() if where == part]
        table = pd.DataFrame(rows, columns=["chunk", "label"])
        name = f"{part.lower()}_engagement_labels"
        if part == "Test":
            table.to_csv(folder / f"{name}.csv", index=False)
        else:
            table.to_excel(folder / f"{name}.xlsx", index=False)
    for chunk, (part, _, image) in clips.items():
        if image is not None:
            film(folder / part / chunk, image)
    return folder


def moments(label: np.ndarray, person: np.ndarray, levels: int, seconds: int = 4, **values: np.ndarray) -> Moments:
    """Moments whose seconds are all alike: values of signals and probabilities for each moment; the rest is an open-eyed
    neutral face that looks straight on."""
    plain = dict.fromkeys((*SIGNALS, *EXPRESSION), 0.0) | {"eyes_open": 1.0, "p_neutral": 1.0}
    table = pd.DataFrame({name: np.broadcast_to(values.get(name, value), len(label)) for name, value in plain.items()})
    table = table.assign(moment=np.arange(len(label)), activity="screen").loc[np.repeat(np.arange(len(label)), seconds)]
    return Moments(np.asarray(label), np.asarray(person).astype(str), levels, table.reset_index(drop=True), ())
