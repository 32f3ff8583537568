"""Arbitrary bytes, and real files with bytes changed: whatever is uploaded, a picture or a MediaError comes out."""

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cssafe.media import MediaError, about, decode_image, frames
from tests.conftest import half_blue
from tests.media.test_media import encoded
from tests.media.test_media_memory import gif, saved
from tests.support.damage import EDITS, edit

FEW = settings(max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=3000, database=None, deadline=None, suppress_health_check=list(HealthCheck))

IMAGES = {
    **{name: encoded(name) for name in (".jpg", ".png", ".webp", ".bmp", ".tiff", ".avif", ".ppm")},
    "jpeg 2000": saved("RGB", "JPEG2000"),
    "gif": saved("P", "GIF"),
    "moving gif": gif(),
    "cmyk": saved("CMYK", "JPEG"),
    "16 bits": saved("I;16", "PNG"),
}
VIDEOS = ("v.mp4", "v.mkv", "v.avi", "v.ts", "v.webm", "v.flv", "v.ogg")


@cache
def film(name: str) -> bytes:
    """A short video in the container of that name."""
    codec = {"v.webm": "libvpx", "v.flv": "flv", "v.ogg": "libvpx"}.get(name, "mpeg4")
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(6):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(half_blue(64, 48), format="bgr24")))
            container.mux(stream.encode(None))
        return path.read_bytes()


def is_picture_or_refused(data: bytes) -> None:
    try:
        image = decode_image(data)
    except MediaError as error:
        assert str(error).endswith(".")
    else:
        assert image.ndim == 3 and image.dtype == np.uint8


def is_video_or_refused(data: bytes) -> None:
    file = io.BytesIO(data)
    about(file)
    try:
        for count, picture in enumerate(frames(file)):
            assert picture.image.ndim == 3 and picture.image.dtype == np.uint8
            if count == 200:
                break
    except MediaError as error:
        assert str(error).startswith("The file: ") and "\n" not in str(error)


HEADS = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0AVI LIST", b"\0\0\0\x18ftypmp42",
         b"\x1a\x45\xdf\xa3", b"OggS\0", b"FLV\x01\x05", b"G" * 188, b"\0\0\1\xba", b"II*\0", b"BM", b"P6 ")  # fmt: skip

anything = st.builds(bytes.__add__, st.sampled_from(HEADS), st.binary(max_size=600))
images = st.builds(lambda name, edits: edit(IMAGES[name], edits), st.sampled_from(sorted(IMAGES)), EDITS)
videos = st.builds(lambda name, edits: edit(film(name), edits), st.sampled_from(VIDEOS), EDITS)


@FEW
@given(anything)
def test_arbitrary_bytes_are_a_picture_or_refused(data):
    is_picture_or_refused(data)
    is_video_or_refused(data)


@FEW
@given(images)
def test_damaged_images_are_a_picture_or_refused(data):
    is_picture_or_refused(data)
    is_video_or_refused(data)


@FEW
@given(videos)
def test_damaged_videos_are_pictures_or_refused(data):
    is_video_or_refused(data)


@pytest.mark.slow
@MANY
@given(anything | images | videos)
def test_many_more_damaged_files_are_pictures_or_refused(data):
    is_picture_or_refused(data)
    is_video_or_refused(data)


@pytest.mark.parametrize("name", VIDEOS)
def test_the_videos_that_are_damaged_here_can_be_read_whole(name):
    assert len(list(frames(io.BytesIO(film(name)), 0))) >= 5
