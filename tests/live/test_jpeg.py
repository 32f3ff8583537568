"""JPEG headers: the size that is told is the one that the decoder will use, and everything else is no picture."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from cssafe.live import jpeg


def encoded(kind: str, width: int = 64, height: int = 48, **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, kind, **options)
    return file.getvalue()


JPEG = encoded("JPEG")
SCAN = JPEG.index(b"\xff\xda")


@pytest.mark.parametrize(
    ("width", "height", "options"),
    [(640, 480, {}), (1, 1, {}), (1080, 1920, {"quality": 95}), (300, 200, {"exif": b"Exif\0\0" + bytes(5000)})],
)
def test_the_size_of_a_baseline_jpeg_stands_in_its_header(width, height, options):
    assert jpeg.size(encoded("JPEG", width, height, **options)) == (width, height)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG2000", "GIF", "BMP", "TIFF", "AVIF"])
def test_other_formats_are_no_jpeg(kind):
    assert jpeg.size(encoded(kind)) is None


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        JPEG[: SCAN - 1],
        encoded("JPEG", progressive=True),
        JPEG[:2] + segment(0xE1, bytes(2)) * jpeg.MAX_SEGMENTS + JPEG[2:],
        JPEG[:-2] + JPEG[SCAN:-2] * jpeg.MAX_SCANS + JPEG[-2:],
        JPEG[:2] + b"\xff\xd0" + JPEG[2:],  # a marker without a length: decoders step over it, others into what follows
        JPEG[:2] + b"\xff\xe0\0\0" + JPEG[2:],
        JPEG[:SCAN] + segment(0xC0, b"\x08\xff\xff\xff\xff\x01\x01\x11\0") + JPEG[SCAN:],
    ],
    ids=["empty", "start", "cut", "progressive", "segments", "scans", "no length", "short length", "two sizes"],
)
def test_what_a_decoder_could_take_for_another_size_or_much_work_is_no_picture(data):
    assert jpeg.size(data) is None


@given(st.data())
def test_where_a_size_is_told_of_a_damaged_header_the_decoder_finds_the_same(data):
    damaged = bytearray(JPEG)
    for at in data.draw(st.lists(st.integers(2, SCAN), max_size=4)):
        damaged[at] = data.draw(st.sampled_from([0x00, 0x01, 0x02, 0xC0, 0xC2, 0xD0, 0xD8, 0xDB, 0xE0, 0xFF]))
    told = jpeg.size(bytes(damaged))
    if told is not None:
        parser = ImageFile.Parser()
        try:
            parser.feed(bytes(damaged))
        except Exception:  # it cannot be read at all
            return
        assert parser.image is None or parser.image.size == told


def test_pictures_of_a_real_scene_are_taken():
    rng = np.random.default_rng(1)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (480, 640, 3), np.uint8)).save(file, "JPEG", quality=60)
    assert jpeg.size(file.getvalue()) == (640, 480)
