"""Analysis of one picture: every face in it, its emotions, and the evidence for them.

The picture takes its turn with the cameras' at the engine. Nothing of it is stored or logged; its crops are kept for the visit.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from cssafe.language import N_, _
from cssafe.live.engine import Answer, Engine, Feed
from cssafe.media import MediaError
from cssafe.pipeline import Stream
from cssafe.vision.crops import crop, crop_matrix, from_image, grey
from cssafe.vision.face_parts import segment
from cssafe.vision.occlusion import hidden_share

ANALYSIS_TIMEOUT_S = 30.0
"""Longest wait for the picture's answer: the networks may still be loading, and others may be waiting too."""

MAX_FACES_SHOWN = 12
"""Largest faces that are described: as many as a page can show."""

VIEW_PX = 240
"""Side of the crops shown to people; the network gets smaller ones."""


@dataclass(frozen=True)
class PictureAnalysis:
    """Readable faces of a picture, n of them, the largest first, at most MAX_FACES_SHOWN.

    found: faces in the picture. readable: readable ones. faces: uint8 (n, VIEW_PX, VIEW_PX), grey and upright.
    parts: uint8 (n, VIEW_PX, VIEW_PX), face part of each pixel, index into vision.face_parts.PARTS. hidden: float32 (n,) in
    [0, 1], see vision.occlusion.
    crops: uint8 (n, 48, 48), the same as the network gets them. probabilities: float32 (n, 8), in the order of
    labels.FERPLUS. evidence: float32 (n, rows, columns, 8), see Expression.evidence; None where the network gives no map.
    """

    found: int
    readable: int
    faces: np.ndarray
    parts: np.ndarray
    hidden: np.ndarray
    crops: np.ndarray
    probabilities: np.ndarray
    evidence: np.ndarray | None

    def __len__(self) -> int:
        return len(self.crops)


def analyze_picture(engine: Engine, image: np.ndarray, patience: float = ANALYSIS_TIMEOUT_S) -> PictureAnalysis:
    """Analyse a picture, uint8 (h, w, 3) BGR, in a profile that computes emotions.

    Raises:
        MediaError: it could not be analysed.
        TimeoutError: the engine did not answer within `patience` seconds.
        ConfigurationError: the networks could not be loaded.
    """
    feed, answer = _ask_engine(engine, image, patience)
    if answer.result is None:
        raise MediaError(N_("The picture could not be analysed. Try another one."))
    inputs = feed.stream.inputs
    if inputs is None:
        raise MediaError(
            N_("The emotions in the picture were not computed: the profile in use has no expression network.")
        )
    rows = np.argsort(-inputs.sides, kind="stable")[:MAX_FACES_SHOWN]
    luma = grey(image)
    places = [(inputs.middles[i], inputs.sides[i], inputs.rolls[i], VIEW_PX) for i in rows]
    faces = [crop(luma, *place) for place in places]
    meshes = [from_image(inputs.points[i, :, :2], crop_matrix(*place)) for i, place in zip(rows, places, strict=True)]
    parts = [segment(mesh[None], VIEW_PX, VIEW_PX) for mesh in meshes]
    return PictureAnalysis(
        found=len(answer.result),
        readable=len(inputs.sides),
        faces=np.stack(faces) if faces else np.zeros((0, VIEW_PX, VIEW_PX), np.uint8),
        parts=np.stack(parts) if parts else np.zeros((0, VIEW_PX, VIEW_PX), np.uint8),
        hidden=hidden_share(image, inputs.points[rows]),
        crops=inputs.crops[rows],
        probabilities=inputs.probabilities[rows],
        evidence=None if inputs.evidence is None else inputs.evidence[rows],
    )


def _ask_engine(engine: Engine, image: np.ndarray, patience: float) -> tuple[Feed, Answer]:
    """The picture's own feed and its answer; raises as `analyze_picture`."""
    answered: Future[Answer] = Future()
    feed = Feed(Stream(keep_inputs=True), answered.set_result)
    try:
        engine.loaded.result(patience)
        engine.offer(feed, 0, image, datetime.now(UTC))
        return feed, answered.result(patience)
    except TimeoutError:
        raise TimeoutError(
            _(
                "The picture was not analysed within {seconds:.0f} seconds: the server is busy. Try it again in a minute."
            ).format(seconds=patience)
        ) from None
    finally:
        engine.leave(feed)
