"""Who is looked at closely in a live picture, and where the mesh of those who wait is."""

import numpy as np
import pytest

from cssafe.vision.look_scheduler import LookScheduler, move_meshes, select_due
from cssafe.vision.mesh import Meshes


@pytest.mark.parametrize(
    ("age", "interval", "at_once", "chosen"),
    [
        ([], 0.1, 2, []),
        ([np.inf, 0.1], 0.1, np.inf, [1, 1]),
        ([0.5, 0.6, 0.1], 0.1, 2, [1, 1, 0]),  # who waits longest
        ([0.5, 0.6, np.inf], 0.1, 1, [0, 0, 1]),  # a new face first
        ([np.inf, np.inf], 0.1, 1, [1, 1]),  # of a new face nothing is known: none waits
        ([1.0, 0.95, 0.5], 0.1, 1, [1, 1, 0]),  # nobody waits more than a second
        ([0.5, 0.4, 0.3], 0.8, 1, [1, 1, 1]),  # and with few frames a second everybody has the turn at once
        ([0.1, 0.2], 0.1, 0.2, [0, 1]),  # at least one, however slow the machine
    ],
)
def test_on_a_slow_machine_faces_are_looked_at_in_turn(age, interval, at_once, chosen):
    assert select_due(np.array(age, float), interval, at_once).tolist() == [bool(c) for c in chosen]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0, 0, 10, 10], [[2, 3, 1], [8, 7, -1]]),  # at rest
        ([5, -5, 15, 5], [[7, -2, 1], [13, 2, -1]]),  # aside
        ([0, 0, 20, 20], [[4, 6, 2], [16, 14, -2]]),  # nearer: its depth grows too
        ([0, 0, 0, 0], [[0, 0, 0], [0, 0, 0]]),
    ],
)
def test_a_mesh_goes_with_its_box(after, expected):
    mesh, before = np.array([[[2, 3, 1], [8, 7, -1]]], np.float32), np.array([[0, 0, 10, 10]], np.float32)
    assert move_meshes(mesh, before, np.array([after], np.float32))[0] == pytest.approx(np.array(expected), abs=0.01)
    assert move_meshes(mesh[:0], before[:0], before[:0]).shape == (0, 2, 3)


class Camera:
    """Boxes of a frame, by their left edges, through one stream's turns; a mesh's depth says in which frame it was laid."""

    def __init__(self):
        self.turns, self.number = LookScheduler(), 0

    def see(self, *left, now, at_once=1.0):
        boxes = np.array([[x, 0, x + 100, 100] for x in left], np.float32).reshape(-1, 4)
        self.number += 1

        def lay(rows):
            points = np.full((rows.sum(), 468, 3), self.number, np.float32)
            points[..., :2] = boxes[rows][:, None, :2]
            return Meshes(points, np.full(rows.sum(), 0.9, np.float32))

        return self.turns.refresh(boxes, lay, now, at_once)


def test_a_stream_without_faces_has_nobody_whose_turn_it_is_before_and_after_there_are_some():
    camera = Camera()
    for left in ((), (0,), (), (0,)):
        meshes, fresh = camera.see(*left, now=camera.number / 10)
        assert len(meshes.points) == len(left) and fresh.tolist() == [True] * len(left)


def test_who_waits_keeps_the_mesh_of_the_last_turn_moved_to_where_the_face_is_now():
    camera = Camera()
    camera.see(0, 200, now=0.0)
    camera.see(1, 201, now=0.1)
    meshes, fresh = camera.see(202, 3, now=0.2)  # detectors give the surest first: the order changes
    assert fresh.tolist() == [True, False]
    assert meshes.points[:, 0].tolist() == [[202, 0, 3], [3, 0, 2]]
    assert meshes.scores == pytest.approx(0.9)


def test_every_face_has_its_turn_within_a_second_and_one_that_moves_has_it_at_once():
    camera, laid = Camera(), np.zeros(5)
    for i in range(30):
        places = np.arange(5) * 200.0
        places[4] += 40 * (i % 2)
        meshes, _ = camera.see(*places, now=i / 10)
        age = camera.number - meshes.points[:, 0, 2]
        laid = np.maximum(laid, age)
    assert laid[4] == 0 and (laid[:4] <= 9).all() and laid[:4].max() >= 3
