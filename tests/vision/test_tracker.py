import numpy as np
import pytest

from cssafe.vision.tracker import Tracker


def box(x, y=100, size=50):
    return [x, y, x + size, y + size]


def follow(frames, step=0.1):
    """Track numbers of each frame; a frame is a list of boxes."""
    tracker = Tracker()
    return [
        tracker.update(np.array(boxes, np.float32).reshape(-1, 4), i * step).tolist() for i, boxes in enumerate(frames)
    ]


def test_no_faces_give_no_numbers():
    assert follow([[], []]) == [[], []]


def test_a_still_face_keeps_its_number():
    assert follow([[box(100)]] * 5) == [[1]] * 5


def test_numbers_follow_faces_not_their_order():
    assert follow([[box(100), box(300)], [box(305), box(102)]]) == [[1, 2], [2, 1]]


def test_a_moving_face_keeps_its_number():
    assert follow([[box(20 * i)] for i in range(20)]) == [[1]] * 20


def test_crossing_faces_keep_their_numbers():
    frames = [[box(100 + 15 * i, 100), box(400 - 15 * i, 110)] for i in range(21)]
    assert follow(frames) == [[1, 2]] * 21


def test_a_face_that_is_hidden_while_another_passes_gets_its_number_back():
    frames = [[box(100 + 12 * i)] + ([] if 7 <= i <= 11 else [box(230)]) for i in range(20)]
    assert follow(frames)[-1] == [1, 2]


@pytest.mark.parametrize(("gap", "number"), [(0.5, 1), (1.0, 1), (1.6, 2), (30, 2)])
def test_a_face_that_leaves_returns_under_its_number_within_a_second_only(gap, number):
    tracker = Tracker()
    tracker.update(np.array([box(100)], np.float32), 0.0)
    tracker.update(np.zeros((0, 4), np.float32), gap / 2)
    assert tracker.update(np.array([box(110)], np.float32), gap).tolist() == [number]


def test_a_face_elsewhere_or_of_another_size_is_another_face():
    assert follow([[box(100)], [box(400)]]) == [[1], [2]]
    assert follow([[box(100)], [box(60, 60, 150)]]) == [[1], [2]]


@pytest.mark.parametrize(("gap", "numbers"), [(2.0, [1, 1, 1]), (4.9, [1, 1, 1]), (6.0, [1, 2, 3])])
def test_a_slow_camera_does_not_make_new_people_of_one(gap, numbers):
    assert [n for (n,) in follow([[box(100)]] * 3, step=gap)] == numbers


def test_numbers_are_not_used_again():
    tracker = Tracker()
    for i in range(5):
        assert tracker.update(np.array([box(100)], np.float32), i * 10.0).tolist() == [i + 1]
