"""Boxes and words on a picture, as camera.js draws them over the video: the same colours, words and proportions."""

from functools import cache

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from cssafe.colours import LEVELS, UNREAD

MIN_LABEL_WIDTH_PX = 30
"""Width of a face in pixels below which words would cover its neighbours."""

MIN_LABELS_WIDTH_PX = 44
"""Width of a face in pixels below which only the first word is written."""


def draw(image: np.ndarray, faces: list[dict]) -> np.ndarray:
    """A copy of the picture with a box around each face and, where they are given, its emotion and level.

    image: uint8 (h, w, 3) BGR. faces: of frames.describe, for a picture of this size.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))  # its red is our blue, and so with the colours
    pen = ImageDraw.Draw(picture)
    for face in faces:
        x, y, width, height = face["box"]
        colour = ImageColor.getrgb(LEVELS.get(face.get("level") or "", UNREAD))[2::-1]
        pen.rectangle((x, y, x + width, y + height), outline=colour, width=round(min(3, max(1.5, width / 40))))
        words = _words(face) if width >= MIN_LABELS_WIDTH_PX else _words(face)[:1]
        if words and width >= MIN_LABEL_WIDTH_PX:
            _write(pen, " · ".join(words), x, y, width, colour)
    return np.array(picture)


def _write(pen: ImageDraw.ImageDraw, words: str, x: float, y: float, width: float, colour: tuple[int, ...]) -> None:
    """Black words on a bar above the box, or inside where the picture ends."""
    size = round(min(18, max(10, width / 9)))
    bar = 1.5 * size
    font = _font(size)
    wide = font.getlength(words) + size
    left = min(max(0, x), max(0, pen.im.size[0] - wide))
    top = y - bar if y >= bar else y
    pen.rectangle((left, top, left + wide, top + bar), fill=colour)
    pen.text((left + size / 2, top + bar / 2), words, fill="black", font=font, anchor="lm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # Pillow's own: no font need be installed


def _words(face: dict) -> list[str]:
    if "level" not in face:
        return []
    emotions = face.get("expression") or {}
    return [*([max(emotions, key=emotions.__getitem__)] if emotions else []), face["level"] or "no score"]
