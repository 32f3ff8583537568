import cv2
import numpy as np
import pytest

from cssafe.vision.scene_change import SceneChange
from tests.support.faces import classroom


def test_the_first_picture_and_its_repetitions_are_no_change():
    scene, image = SceneChange(), classroom(3, 4, 480, 640)
    assert [scene.update(image) for _ in range(3)] == [False] * 3


@pytest.mark.parametrize("quality", [50, 70, 95])
def test_the_same_picture_encoded_again_is_no_change(quality):
    scene, image = SceneChange(), classroom(3, 4, 480, 640)
    scene.update(image)
    assert not scene.update(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1))


def test_a_head_that_moves_by_a_few_pixels_is_a_change_also_where_it_moves_slowly():
    scene, image = SceneChange(), classroom(3, 4, 480, 640)
    scene.update(image)
    changes = []
    for shift in range(1, 9):
        moved = image.copy()
        moved[:160, :160] = np.roll(image[:160, :160], shift, axis=1)
        changes.append(scene.update(moved))
    assert any(changes)
