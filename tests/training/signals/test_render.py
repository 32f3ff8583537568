"""The renderer on figures whose picture is known, and head pose on drawn heads."""

import numpy as np
import pytest

from cssafe.commands.main import main
from cssafe.signals.pose import head_axes, head_pose, rotation
from cssafe.training.signals.render import Head, draw_head, head_model
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from cssafe.vision.mesh import LEFT_EYE, RIGHT_EYE, Meshes
from tests.support.faces import astronaut

pytestmark = pytest.mark.slow

RED, BLUE = (0, 0, 255), (255, 0, 0)


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


@pytest.fixture(scope="module")
def astronauts_head(finder):
    return head_model(astronaut(), finder.find(astronaut())[1].points[0])


def two_squares():
    """A red square of side 40, and before its left half, 10 nearer, a blue one of side 20."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    far = np.column_stack([corners * 20, np.full(4, 5.0)])
    near = np.column_stack([corners * 10 - (10, 0), np.full(4, -5.0)])
    texture = np.zeros((8, 16, 3), np.uint8)
    texture[:, :8], texture[:, 8:] = RED, BLUE
    places = np.array([(3, 3)] * 4 + [(12, 3)] * 4, np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)])
    return Head(np.concatenate([far, near]), triangles, texture, places)


def test_what_is_nearer_hides_what_is_behind_from_either_side():
    front = draw_head(two_squares(), np.eye(3), 101)
    assert tuple(front[50, 40]) == BLUE and tuple(front[50, 62]) == RED and tuple(front[35, 40]) == RED
    behind = draw_head(two_squares(), rotation(180, 0, 0), 101)
    assert (behind[31:70, 31:70] == RED).all()


def test_a_turn_moves_what_is_near_to_the_left_edge():
    def middle_of_blue(yaw):
        drawn = draw_head(two_squares(), rotation(yaw, 0, 0), 101)
        return np.nonzero((drawn == BLUE).all(axis=2))[1].mean()

    assert middle_of_blue(40) < middle_of_blue(0) - 0.5 and middle_of_blue(-40) > middle_of_blue(0) + 0.5


def test_a_head_that_is_not_turned_is_drawn_as_it_was_photographed(finder, astronauts_head):
    (mesh,) = finder.find(astronaut())[1].points
    drawn = draw_head(astronauts_head, head_axes(Meshes(mesh[None], np.ones(1)))[0], 240)
    middle = ((mesh.min(axis=0) + mesh.max(axis=0)) / 2)[:2].round().astype(int)
    original = astronaut()[middle[1] - 60 : middle[1] + 60, middle[0] - 40 : middle[0] + 40].astype(float)
    assert np.abs(drawn[60:180, 80:160] - original).mean() < 6


def test_the_drawn_eyes_stand_where_the_turn_puts_them(astronauts_head):
    points = astronauts_head.points @ rotation(0, 0, 90).T
    right, left = points[RIGHT_EYE[0]], points[LEFT_EYE[0]]
    assert left[1] - right[1] == pytest.approx(np.linalg.norm(left - right), rel=1e-6)


@pytest.mark.parametrize(
    ("angle", "steps"), [(0, (-40, -20, 0, 20, 40)), (1, (-25, -12, 0, 12, 25)), (2, (-40, -20, 0, 20, 40))]
)
def test_head_pose_follows_a_drawn_head_by_sign_and_order_and_nearly_by_size(finder, astronauts_head, angle, steps):
    told = []
    for step in steps:
        axes = rotation(*(step if i == angle else 0 for i in range(3)))
        _, meshes = finder.find(draw_head(astronauts_head, axes, 320, 1.2))
        meshes = meshes[meshes.scores >= MIN_MESH_SCORE]
        assert len(meshes.scores) == 1
        told.append(float(head_pose(meshes)[angle][0]))
    assert told == sorted(told)
    assert np.median(np.abs(np.subtract(told, steps))) <= 5
    assert np.abs(np.subtract(told, steps)).max() < 15


@pytest.mark.slow
def test_the_command_tells_how_far_each_reading_is_off(capsys, monkeypatch):
    from cssafe.training.signals import evaluate

    monkeypatch.setattr(evaluate, "YAWS", (-20, 0, 70))
    monkeypatch.setattr(evaluate, "PITCHES", (0, 25))
    assert main(["signals"]) == 0
    told = capsys.readouterr().out
    assert "median of the angles within yaw ±40 and pitch ±25: yaw" in told and "24 px" in told and "blur 5.0" in told


def test_pictures_without_a_suitable_face_are_refused(picture, capsys):
    assert main(["signals", str(picture)]) == 2
    assert "no face in these pictures" in capsys.readouterr().err
