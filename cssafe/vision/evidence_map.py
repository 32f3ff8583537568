"""Evidence of an emotion, or parts of the face, in colours over its picture."""

import cv2
import numpy as np
from PIL import ImageColor

from cssafe.colours import COLOURS
from cssafe.language import N_
from cssafe.vision.face_parts import PARTS

FOR, AGAINST = COLOURS[1], COLOURS[0]
"""Orange and blue."""

MAX_EVIDENCE_OPACITY = 0.65
"""Opacity of the strongest evidence: the face stays visible under it."""


PART_COLOURS = {N_("skin"): COLOURS[1], N_("eyes"): COLOURS[4], N_("brows"): COLOURS[2], N_("lips"): COLOURS[5]}

PART_OPACITY = 0.55
"""Opacity of a part's colour."""


def relative_evidence(evidence: np.ndarray) -> np.ndarray:
    """Evidence (..., rows, columns, k) for each of k emotions -> the same against the mean of all of them at each place.

    Evidence for all emotions alike changes no probability.
    """
    return evidence - evidence.mean(axis=-1, keepdims=True)


def draw_evidence(face: np.ndarray, evidence: np.ndarray, strongest: float) -> np.ndarray:
    """The picture with evidence for an emotion in orange and against it in blue, clear around zero.

    Args:
        face: uint8 (h, w), grey, or (h, w, 3) BGR.
        evidence: (rows, columns), laid over all of the picture and enlarged smoothly.
        strongest: > 0; evidence of this size and beyond has the full colour.

    Returns:
        uint8 (h, w, 3) BGR.
    """
    picture = (cv2.cvtColor(face, cv2.COLOR_GRAY2BGR) if face.ndim == 2 else face).astype(np.float32)
    smooth = cv2.resize(evidence.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    strength = np.clip(smooth / strongest, -1, 1)[..., None]
    colour = np.where(strength > 0, _bgr(FOR), _bgr(AGAINST))
    opacity = MAX_EVIDENCE_OPACITY * np.abs(strength)
    return np.round(picture * (1 - opacity) + colour * opacity).astype(np.uint8)


def draw_parts(face: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The picture of a face, uint8 (h, w) or (h, w, 3) BGR, in the colours of its parts, uint8 (h, w) of face_parts.PARTS."""
    picture = (cv2.cvtColor(face, cv2.COLOR_GRAY2BGR) if face.ndim == 2 else face).astype(np.float32)
    colours = np.stack([_bgr(PART_COLOURS.get(part, "#000000")) for part in PARTS])
    opacity = PART_OPACITY * (labels > 0)[..., None]
    return np.round(picture * (1 - opacity) + colours[labels] * opacity).astype(np.uint8)


def _bgr(colour: str) -> np.ndarray:
    return np.array(ImageColor.getrgb(colour)[2::-1], np.float32)
