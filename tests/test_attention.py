import numpy as np
import pytest

from cssafe.attention import gaze, head_pose, openness
from cssafe.vision.mesh import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE, Eyes, Meshes


def mesh(yaw=0.0, pitch=0.0, roll=0.0):
    """The four points that head pose uses, on a head turned by degrees; x right, y down, z away from the camera."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    points = np.zeros((468, 3))
    points[RIGHT_EYE[0]], points[LEFT_EYE[0]] = (-40, 0, 0), (40, 0, 0)
    points[FOREHEAD], points[CHIN] = (0, -60, 0), (0, 90, 0)
    return Meshes((points @ (about_z @ about_y @ about_x).T)[None].astype(np.float32), np.ones(1, np.float32))


def eyes(height=6.0, iris=(0.0, 0.0)):
    """Two equal eyes 20 pixels wide, `height` high; iris shift in pixels in the picture, right and down positive."""
    x = np.linspace(-10, 10, 9)
    lower = np.stack([x, height / 2 * np.sqrt(1 - (x / 10) ** 2)], axis=1)
    upper = lower[1:8] * (1, -1)
    contour = np.concatenate([lower, upper]) + 32
    shift = np.array([[iris[0], iris[1]], [-iris[0], iris[1]]])  # the left eye's crop is mirrored
    return Eyes(np.stack([contour, contour])[None].astype(np.float32), (shift + 32)[None].astype(np.float32))


def test_no_faces_have_no_pose_and_no_gaze():
    none = Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))
    no_eyes = Eyes(np.zeros((0, 2, 16, 2), np.float32), np.zeros((0, 2, 2), np.float32))
    assert [len(angle) for angle in head_pose(none)] == [0, 0, 0]
    assert [len(shift) for shift in gaze(no_eyes)] == [0, 0]
    assert len(openness(no_eyes)) == 0


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, 0, 25), (20, -10, 15)])
def test_head_pose_gives_back_the_angles_of_a_turned_head(angles):
    assert [angle[0] for angle in head_pose(mesh(*angles))] == pytest.approx(angles, abs=1e-3)


def test_a_head_whose_left_eye_comes_nearer_is_turned_to_the_left_edge_of_the_picture():
    turned = mesh(yaw=30)
    assert turned.points[0, LEFT_EYE[0], 2] < turned.points[0, RIGHT_EYE[0], 2]


def test_a_head_whose_chin_goes_back_looks_down():
    lowered = mesh(pitch=20)
    assert lowered.points[0, CHIN, 2] > lowered.points[0, FOREHEAD, 2]


@pytest.mark.parametrize(("iris", "expected"), [((0, 0), (0, 0)), ((5, 0), (0.5, 0)), ((-5, 2), (-0.5, 0.2))])
def test_gaze_is_the_iris_shift_in_the_picture_over_half_an_eye(iris, expected):
    x, y = gaze(eyes(iris=iris))
    assert (x[0], y[0]) == pytest.approx(expected, abs=1e-5)


def test_openness_grows_with_the_height_of_the_eye():
    closed, half, wide = (openness(eyes(height))[0] for height in (1, 3, 8))
    assert closed < 0.06 < half < wide
    assert wide == pytest.approx(0.4 * np.mean(np.sqrt(1 - np.array([0.5, 0.25, 0]) ** 2)), rel=0.05)
