import numpy as np
import pytest

from cssafe.frames import SIGNALS, Signals
from cssafe.signals.pose import STRAIGHT_GAZE, YAW_GAIN, gaze_in_head, gaze_to_camera, head_axes, head_pose, rotation
from cssafe.vision.mesh import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE, Meshes


def mesh(axes=None):
    """The four points that head pose uses, on a head with these axes; x right, y down, z away from the camera."""
    points = np.zeros((468, 3))
    points[RIGHT_EYE[0]], points[LEFT_EYE[0]] = (-40, 0, 0), (40, 0, 0)
    points[FOREHEAD], points[CHIN] = (0, -60, 0), (0, 90, 0)
    axes = np.eye(3) if axes is None else axes
    return Meshes((points @ axes.T)[None].astype(np.float32), np.ones(1, np.float32))


def test_no_faces_have_no_pose():
    none = Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))
    assert [len(angle) for angle in head_pose(none)] == [0, 0, 0]
    assert head_axes(none).shape == (0, 3, 3)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, 0, 25), (20, -10, 15)])
def test_the_axes_of_a_turned_head_are_those_it_was_turned_by(angles):
    assert head_axes(mesh(rotation(*angles)))[0] == pytest.approx(rotation(*angles), abs=1e-5)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, 0, 25), (20, -10, 15)])
def test_head_pose_gives_back_the_angles_of_a_turned_head_with_yaw_as_the_mesh_shrinks_it(angles):
    yaw, pitch, roll = (angle[0] for angle in head_pose(mesh(rotation(*angles))))
    assert (yaw, pitch, roll) == pytest.approx((YAW_GAIN * angles[0], *angles[1:]), abs=1e-3)


def test_a_head_whose_left_eye_comes_nearer_is_turned_to_the_left_edge_of_the_picture():
    turned = mesh(rotation(30, 0, 0))
    assert turned.points[0, LEFT_EYE[0], 2] < turned.points[0, RIGHT_EYE[0], 2]


def test_a_head_whose_chin_goes_back_looks_down():
    lowered = mesh(rotation(0, 20, 0))
    assert lowered.points[0, CHIN, 2] > lowered.points[0, FOREHEAD, 2]


def looks(**values):
    straight = {"gaze_y": STRAIGHT_GAZE} | values
    return Signals(**{name: np.array([straight.get(name, 0.0)], np.float32) for name in SIGNALS})


@pytest.mark.parametrize(
    ("signals", "in_head", "to_camera"),
    [
        (looks(), (0, 0), (0, 0)),
        (looks(gaze_x=0.4), (-30, 0), (-30, 0)),  # to the right edge of the picture
        (looks(gaze_x=0.4, yaw=30), (-30, 0), (0, 0)),  # the head turned away, the eyes on the camera
        (looks(gaze_y=STRAIGHT_GAZE + 0.4, pitch=10), (0, 30), (0, 40)),
        (looks(gaze_x=1.0), (-90, 0), (-90, 0)),
        (looks(gaze_x=np.nan, gaze_y=np.nan, yaw=12, pitch=-5), (np.nan, np.nan), (12, -5)),
        (looks(yaw=np.nan, pitch=np.nan), (0, 0), (np.nan, np.nan)),
    ],
)
def test_gaze_is_told_in_degrees_from_the_head_and_from_the_camera(signals, in_head, to_camera):
    assert [angle[0] for angle in gaze_in_head(signals)] == pytest.approx(in_head, abs=1e-3, nan_ok=True)
    assert [angle[0] for angle in gaze_to_camera(signals)] == pytest.approx(to_camera, abs=1e-3, nan_ok=True)
    assert [len(angle) for angle in gaze_to_camera(Signals.none())] == [0, 0]
