"""Encoded images: what they are, when they were taken, their pixels."""

import io
import warnings
from datetime import UTC, datetime
from typing import BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from cssafe.errors import MediaError
from cssafe.language import N_, _

PIXEL_LIMIT = 50_000_000
"""Pixels of one picture, told by its header before anything is decoded: 8K video has 33 million, and 50 million take
150 MB when decoded. A file of a few bytes can claim billions."""

IMAGES = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000")
"""Pillow's names of the formats that are read. The others are left alone (EPS starts a PostScript
interpreter)."""

TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# PIXEL_LIMIT is stricter and stops with a message; Pillow's own warning would be a second line.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def decode(data: bytes) -> np.ndarray:
    """An encoded image (JPEG, PNG, WebP...) -> uint8 (h, w, 3), BGR, turned as its EXIF orientation says.

    Raises:
        MediaError: empty, no image, incomplete, or larger than PIXEL_LIMIT.
    """
    if not data:
        raise MediaError(N_("The image is empty (0 bytes)."))
    try:
        with Image.open(io.BytesIO(data), formats=IMAGES) as image:
            check_size(*image.size)
            image.load()
            return _bgr(ImageOps.exif_transpose(image))
    except MediaError:
        raise
    except TOO_LARGE:
        raise MediaError(
            N_("The picture has more than {limit} million pixels. Make it smaller."), limit=PIXEL_LIMIT // 10**6
        ) from None
    except UnidentifiedImageError:
        raise MediaError(
            N_("This is not an image that can be read (JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF).")
        ) from None
    except Exception:  # Pillow's readers let errors of many kinds out of a damaged file
        raise MediaError(N_("The image is damaged or incomplete: save or send it again.")) from None


def is_image(file: BinaryIO) -> bool:
    """Whether the file at its beginning is an image, readable or not; a moving GIF is none."""
    try:
        with Image.open(file, formats=IMAGES) as image:
            return not (image.format == "GIF" and getattr(image, "is_animated", False))
    except UnidentifiedImageError:
        return False
    except Exception:
        return True  # an image by its first bytes; `decode` says what is wrong with it


def photographed(file: BinaryIO) -> datetime | None:
    """When a photograph was taken, UTC, if its camera noted the time zone too."""
    file.seek(0)
    try:
        with Image.open(file, formats=IMAGES) as image:
            notes = image.getexif().get_ifd(ExifTags.IFD.Exif)
        time_, offset = notes[ExifTags.Base.DateTimeOriginal], notes[ExifTags.Base.OffsetTimeOriginal]
        return moment(f"{time_.replace(':', '-', 2)}{offset}")
    except Exception:  # as in `decode`
        return None


def moment(text: str) -> datetime | None:
    """The time of an ISO text, UTC; None without a time zone."""
    try:
        time_ = datetime.fromisoformat(text)
        return time_.astimezone(UTC) if time_.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _bgr(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):  # 16 bits a pixel, which Pillow would cut off instead of scaling
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)


def check_size(width: int, height: int, source: str = "") -> None:
    """Raises MediaError for more than PIXEL_LIMIT."""
    if width * height > PIXEL_LIMIT:
        raise MediaError(
            N_("{source}: {width} x {height} pixels are too many; at most {limit} million are read."),
            source=source or _("The picture"),
            width=width,
            height=height,
            limit=PIXEL_LIMIT // 10**6,
        )
