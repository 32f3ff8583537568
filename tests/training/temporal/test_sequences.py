import numpy as np
import pytest

from cssafe.training.temporal import sequences
from cssafe.training.temporal.sequences import render_sequence, seconds_since_measured, stack_sequences, synthesize


def pictures(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 48, 48), dtype=np.uint8)


def alike(crops):
    """A network that finds every emotion equally likely."""
    return np.full((len(crops), 8), 1 / 8, np.float32)


def test_no_sequences_and_no_pictures_make_empty_arrays():
    for nothing in (stack_sequences([]), synthesize(pictures(0), np.zeros(0, int), alike, np.random.default_rng(0))):
        assert nothing.truth.shape == nothing.seconds.shape == (0, 0)
        assert nothing.probabilities.shape == (0, 0, 8)
        assert seconds_since_measured(nothing).shape == (0, 0)


def test_shorter_sequences_are_filled_up_with_frames_that_say_nothing():
    rows = np.full((3, 8), 1 / 8, np.float32)
    both = stack_sequences(
        [(np.array([0.0, 1, 2]), np.array([1, 1, 2]), rows), (np.array([5.0]), np.array([3]), rows[:1])]
    )
    assert both.truth.tolist() == [[1, 1, 2], [3, -1, -1]]
    assert both.measured.tolist() == [[True] * 3, [True, False, False]]
    assert both.seconds.tolist() == [[0, 1, 2], [5, 5, 5]]
    assert both[1:].truth.tolist() == [[3, -1, -1]]


def test_each_picture_is_shown_once_for_as_long_as_an_expression_lasts():
    labels = np.arange(10) % 8
    found = synthesize(pictures(10), labels, alike, np.random.default_rng(1))
    assert len(found) == 3
    assert sorted(set(found.truth.ravel()) - {-1}) == sorted(set(labels.tolist()))
    for times, truth in zip(found.seconds, found.truth, strict=True):
        times = times[truth >= 0]
        assert (np.diff(times) > 0).all()
        assert times[-1] <= sequences.PICTURES_PER_SEQUENCE * sequences.STAY_S[1]
    shares = found.probabilities[found.measured].sum(axis=1)
    assert shares == pytest.approx(np.ones(len(shares)))
    assert 0.5 < found.measured.sum() / (found.truth >= 0).sum() < 1


def test_a_film_shows_its_pictures_one_after_the_other_a_little_changed_and_repeats_by_its_seed():
    flat = np.stack([np.full((48, 48), level, np.uint8) for level in (40, 200)])
    flat[:, 20:28, 20:28] = 120  # something to see, so that it is not taken for blurred
    seconds, shown, crops, there = render_sequence(flat, np.random.default_rng(3))
    again = render_sequence(flat, np.random.default_rng(3))
    assert all(np.array_equal(a, b) for a, b in zip((seconds, shown, crops, there), again, strict=True))
    assert crops.shape == (len(seconds), 48, 48) and crops.dtype == np.uint8 and there.dtype == bool
    assert (np.diff(shown) >= 0).all() and set(shown) == {0, 1}
    assert crops[shown == 0].mean() < crops[shown == 1].mean()
    assert len({crop.tobytes() for crop in crops}) == len(crops)


@pytest.mark.parametrize("seed", range(5))
def test_a_film_of_one_picture_never_shows_another(seed):
    assert set(render_sequence(pictures(1), np.random.default_rng(seed))[1]) <= {0}


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ([True, True, True], [0, 1, 2]),
        ([True, False, True], [0, 1, 3]),
        ([False, False, True], [0, 1, 3]),  # since the first frame, before anything was measured
    ],
)
def test_time_passes_since_the_last_measured_frame(measured, expected):
    rows = np.where(np.array(measured)[:, None], np.full(8, 1 / 8, np.float32), np.nan)
    one = stack_sequences([(np.array([0.0, 1.0, 3.0]), np.zeros(3, int), rows)])
    assert seconds_since_measured(one)[0].tolist() == expected
