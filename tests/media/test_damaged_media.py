"""Arbitrary bytes, and real files with bytes changed: whatever is uploaded, a picture or a MediaError comes out."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cssafe.media import MediaError, about, decode_image, frames
from tests.support.damage import EDITS, edit
from tests.support.media_files import HEADS, IMAGES, VIDEOS, video_bytes

FEW = settings(max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=3000, database=None, deadline=None, suppress_health_check=list(HealthCheck))


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


anything = st.builds(bytes.__add__, st.sampled_from(HEADS), st.binary(max_size=600))
images = st.builds(lambda name, edits: edit(IMAGES[name], edits), st.sampled_from(sorted(IMAGES)), EDITS)
videos = st.builds(lambda name, edits: edit(video_bytes(name), edits), st.sampled_from(VIDEOS), EDITS)


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
    assert len(list(frames(io.BytesIO(video_bytes(name)), 0))) >= 5
