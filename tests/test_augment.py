import numpy as np
import pytest

keras = pytest.importorskip("keras")

from cssafe.training.augment import Augment  # noqa: E402
from cssafe.vision.crops import grey  # noqa: E402

from .faces import astronaut  # noqa: E402


def faces(n):
    """A real face n times, float32 (n, 48, 48, 1)."""
    face = grey(astronaut())[60:204:3, 165:309:3]
    return np.repeat(face[None, ..., None], n, axis=0).astype(np.float32)


def variants(pictures, **kwargs):
    return np.asarray(Augment(**kwargs)(pictures, training=True))


def test_no_pictures_have_no_variants():
    assert variants(faces(0)).shape == (0, 48, 48, 1)


def test_pictures_stay_as_they_are_when_nothing_is_learned():
    assert np.array_equal(Augment(cut=8)(faces(2), training=False), faces(2))


def test_each_picture_becomes_another_one_in_the_same_range():
    made = variants(faces(32))
    assert made.shape == (32, 48, 48, 1)
    assert made.min() >= 0 and made.max() <= 255
    assert all(np.abs(made[0] - other).mean() > 1 for other in made[1:])


def test_variants_repeat_by_their_seed():
    assert np.array_equal(variants(faces(4), seed=1), variants(faces(4), seed=1))
    assert not np.array_equal(variants(faces(4), seed=1), variants(faces(4), seed=2))


def test_a_strength_of_zero_only_mirrors():
    made, face = variants(faces(32), strength=0.0), faces(1)[0]
    as_it_was = np.array([np.allclose(one, face, atol=0.1) for one in made])
    mirrored = np.array([np.allclose(one, face[:, ::-1], atol=0.1) for one in made])
    assert as_it_was.any() and mirrored.any() and (as_it_was | mirrored).all()


def test_a_cut_variant_is_the_middle_at_the_same_scale():
    made, face = variants(faces(8), strength=0.0, cut=8), faces(1)[0][4:-4, 4:-4]
    assert made.shape == (8, 40, 40, 1)
    assert all(np.allclose(one, face, atol=0.1) or np.allclose(one, face[:, ::-1], atol=0.1) for one in made)


@pytest.mark.parametrize("change", ["_compressed", "_softened", "_hidden"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_change_meets_its_share_of_the_pictures(change, share):
    made = np.asarray(getattr(Augment(), change)(faces(400), share))
    changed = np.abs(made - faces(400)).reshape(400, -1).max(axis=1) > 0.5
    assert changed.mean() == pytest.approx(share, abs=0.08)


def test_compressed_pictures_are_near_the_real_ones():
    made = np.asarray(Augment()._compressed(faces(16), 1.0))
    assert 1 < np.abs(made - faces(16)).mean() < 15


def test_flat_pictures_stay_flat_under_compression():
    flat = np.full((4, 48, 48, 1), 128, np.float32)
    assert np.asarray(Augment()._compressed(flat, 1.0)) == pytest.approx(flat)


def test_what_hides_a_face_is_one_even_patch():
    made, face = np.asarray(Augment()._hidden(faces(64), 1.0)), faces(1)[0]
    for one in made:
        patch = one[np.abs(one - face) > 0.5]
        assert len(patch) > 20 and patch.max() - patch.min() < 1e-3
