import cv2
import numpy as np
import pytest

from cssafe.training.expression import augment
from cssafe.vision.crops import grey
from tests.support.faces import astronaut


def faces(n):
    """A real face n times, uint8 (n, 48, 48)."""
    face = grey(astronaut())[60:204:3, 165:309:3]
    return np.repeat(face[None], n, axis=0)


def variants(pictures, seed=0, side=48, camera=0.0):
    return augment.variants(pictures, np.random.default_rng(seed), side, camera)


def placed(n, side=48, poor=False):
    return augment.warp_randomly(faces(n), np.random.default_rng(0), side, np.full(n, poor))


@pytest.mark.parametrize("camera", [0.0, 1.0])
def test_no_pictures_have_no_variants(camera):
    assert variants(faces(0), camera=camera).shape == (0, 48, 48)


@pytest.mark.parametrize("side", [40, 48])
@pytest.mark.parametrize("camera", [0.0, 0.5, 1.0])
def test_each_picture_becomes_another_one(side, camera):
    made = variants(faces(32), side=side, camera=camera)
    assert made.shape == (32, side, side) and made.dtype == np.uint8
    assert all(np.abs(made[0].astype(float) - other).mean() > 1 for other in made[1:])


def test_variants_repeat_by_their_seed_and_leave_the_pictures_as_they_were():
    pictures = faces(4)
    first = variants(pictures, seed=1, camera=0.5)
    assert np.array_equal(first, variants(pictures, seed=1, camera=0.5))
    assert not np.array_equal(first, variants(pictures, seed=2, camera=0.5))
    assert np.array_equal(pictures, faces(4))


def test_without_any_range_a_face_is_only_mirrored_and_a_smaller_side_is_its_middle(monkeypatch):
    monkeypatch.setattr(augment, "MAX_ROLL_DEG", (0, 0))
    monkeypatch.setattr(augment, "SCALES", ((1, 1), (1, 1)))
    monkeypatch.setattr(augment, "MAX_SHIFT", 0)
    for side in (48, 40):
        edge = (48 - side) // 2
        face = faces(1)[0][edge : 48 - edge, edge : 48 - edge]
        mirrored = [np.array_equal(one, face[:, ::-1]) for one in placed(32, side)]
        assert all(np.array_equal(one, face) or turned for one, turned in zip(placed(32, side), mirrored, strict=True))
        assert 4 < sum(mirrored) < 28


def test_a_variant_shows_the_face_at_up_to_the_largest_scale_and_shift():
    spot = np.zeros((200, 48, 48), np.uint8)
    spot[:, 20:28, 20:28] = 255
    made = augment.warp_randomly(spot, np.random.default_rng(0), 48, np.zeros(200, bool)).astype(float)
    areas = made.sum((1, 2)) / (255 * 64)
    assert 0.6 < areas.min() < 0.72 and 1.2 < areas.max() < 1.36  # 0.8 and 1.15 squared
    rows = (made.sum(2) * np.arange(48)).sum(1) / made.sum((1, 2)) - 23.5
    assert 3 < np.abs(rows).max() < 0.09 * 48 * 1.15 * 1.2


def test_half_of_the_mild_variants_are_erased_in_part(monkeypatch):
    monkeypatch.setattr(augment, "erase_patch", lambda picture, rng: picture.fill(0))
    black = (variants(faces(400)) == 0).all((1, 2))
    assert black.mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_poor_camera_sees_its_share_of_the_pictures(share, monkeypatch):
    monkeypatch.setattr(augment, "poor_camera", lambda picture, rng: np.zeros_like(picture))
    black = (variants(faces(400), camera=share) == 0).all((1, 2))
    assert black.mean() == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("fault", list(augment.CAMERA_SHARES))
def test_each_fault_of_a_camera_changes_a_face_by_itself(fault, monkeypatch):
    monkeypatch.setattr(augment, "CAMERA_SHARES", {name: float(name == fault) for name in augment.CAMERA_SHARES})
    face = faces(1)[0]
    made = [augment.poor_camera(face, np.random.default_rng(seed)) for seed in range(16)]
    assert all(one.shape == face.shape and not np.array_equal(one, face) for one in made)
    changed = {"blur": cv2.Laplacian(made[0], cv2.CV_64F).var() < cv2.Laplacian(face, cv2.CV_64F).var()}
    assert changed.get(fault, True)


def test_a_camera_without_faults_leaves_a_face_as_it_is(monkeypatch):
    monkeypatch.setattr(augment, "CAMERA_SHARES", dict.fromkeys(augment.CAMERA_SHARES, 0.0))
    assert np.array_equal(augment.poor_camera(faces(1)[0], np.random.default_rng(0)), faces(1)[0])


def test_an_erased_patch_is_one_even_rectangle():
    for seed in range(32):
        made, face = faces(1)[0], faces(1)[0].astype(int)
        augment.erase_patch(made, np.random.default_rng(seed))
        patch = made[np.abs(made - face) > 0]
        assert len(patch) > 20 and patch.min() == patch.max()
