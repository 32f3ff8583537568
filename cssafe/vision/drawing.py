"""Faces drawn on a picture, as the browser draws them over the live video (live/camera.js)."""

import cv2
import numpy as np

COLOURS = {"high": (115, 158, 0), "medium": (0, 159, 230), "low": (0, 94, 213), None: (233, 180, 86)}
"""Okabe-Ito, BGR, by level of concentration; None: not measurable, or not told."""

FONT = cv2.FONT_HERSHEY_DUPLEX


def draw(image: np.ndarray, faces: list[dict]) -> np.ndarray:
    """A copy of the picture with a box around each face and over it its emotion and level, as far as they are told.

    Args:
        image: uint8 (h, w, 3) BGR.
        faces: what frames.describe gives.
    """
    drawn = image.copy()
    for face in faces:
        x, y, w, h = (round(value) for value in face["box"])
        colour = COLOURS[face.get("level")]
        cv2.rectangle(drawn, (x, y), (x + w, y + h), colour, max(1, min(3, w // 40)), cv2.LINE_AA)
        words = label(face)
        if w < 44:
            words = words.split(", ")[0]
        if words and w >= 30:  # below that, words would cover the neighbours
            _write(drawn, words, x, y, min(18, max(10, w / 9)), colour)
    return drawn


def label(face: dict) -> str:
    """Emotion and level of one face in words; empty where neither is told."""
    if "level" not in face:
        return ""
    shares = face.get("expression") or {}
    emotion = max(shares, key=shares.__getitem__, default="")
    return ", ".join(filter(None, [emotion, face["level"] or "not readable"]))


def _write(image: np.ndarray, words: str, x: int, y: int, size: float, colour: tuple[int, int, int]) -> None:
    """Black words `size` pixels high on a bar above the box, or inside it at the upper edge of the picture."""
    scale = size / 30  # of Hershey's letters at scale 1
    (wide, _), _ = cv2.getTextSize(words, FONT, scale, 1)
    bar = round(size * 1.5)
    left = min(max(0, x), max(0, image.shape[1] - wide - round(size)))
    top = y - bar if y >= bar else max(0, y)
    cv2.rectangle(image, (left, top), (left + wide + round(size), top + bar), colour, cv2.FILLED)
    at = (left + round(size / 2), top + round(bar * 0.72))
    cv2.putText(image, words, at, FONT, scale, (0, 0, 0), 1, cv2.LINE_AA)
