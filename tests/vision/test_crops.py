import cv2
import numpy as np
import pytest

from cssafe.vision.crops import crop, crop_matrix, grey, to_image

RAMP = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (100, 1))
"""100 x 100, brighter to the right, 2 levels a pixel."""


def test_the_whole_picture_at_its_own_size_comes_back_unchanged():
    assert np.array_equal(crop(RAMP, (49.5, 49.5), 100, 0, 100), RAMP)


def test_a_flipped_crop_is_mirrored():
    assert np.array_equal(crop(RAMP, (49.5, 49.5), 100, 0, 100, flip=True), RAMP[:, ::-1])


def test_a_face_turned_clockwise_is_turned_back():
    picture = np.zeros((101, 101), np.uint8)
    cv2.line(picture, (50, 50), (90, 50), 255, 3)  # points right
    upright = crop(picture, (50, 50), 101, 90, 101)  # right, turned back by 90 degrees, is up
    assert upright[20, 50] == 255
    assert upright[50, 80] == 0


@pytest.mark.parametrize("factor", [1, 3, 10])
def test_a_large_face_is_averaged_down_not_sampled(factor):
    noise = np.random.default_rng(0).integers(0, 256, (480, 480), dtype=np.uint8)
    small = crop(noise, (240, 240), 48 * factor, 0, 48)
    assert small.std() < noise.std() / factor * 1.3


def test_outside_the_image_the_border_is_repeated():
    assert crop(RAMP, (0, 0), 40, 0, 40)[0, 0] == RAMP[0, 0]
    assert crop(RAMP, (500, 500), 10, 0, 10).min() == RAMP[-1, -1]


@pytest.mark.parametrize("roll", [0, 30, -100])
@pytest.mark.parametrize("flip", [False, True])
def test_the_middle_of_the_crop_is_the_centre_asked_for(roll, flip):
    matrix = crop_matrix((12.5, 40), 30, roll, 48, flip)
    assert np.allclose(to_image(np.array([23.5, 23.5]), matrix), (12.5, 40))


def test_grey_leaves_grey_alone_and_weighs_colours():
    assert grey(RAMP) is RAMP
    assert grey(np.full((2, 2, 3), (255, 0, 0), np.uint8))[0, 0] == 29  # blue
