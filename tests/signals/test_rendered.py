"""What the networks and the signals make of eyes whose truth is known, because they were painted."""

import numpy as np
import pytest

from cssafe.signals.eyes import MIN_CLOSED_SHARE, closure, gaze, openness
from cssafe.signals.mouth import is_gaping, opening
from cssafe.signals.pose import head_pose
from cssafe.vision.face_finder import FaceFinder
from cssafe.vision.mesh import EyeNetwork, MeshNetwork
from tests.support.rendered import look, portrait, shut, spectacles
from tests.support.shared import shared_data

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def networks():
    return FaceFinder(), EyeNetwork()


@pytest.fixture(scope="module")
def face():
    return portrait()


def read(networks, image):
    """Openness, gaze_x and the other arguments of `closing` but for the baseline, of the one face."""
    finder, eyes = networks
    _, meshes = finder.find(image)
    assert len(meshes.scores) == 1
    fitted = eyes.fit(image, meshes)
    x, y = gaze(fitted)
    return {"openness": openness(fitted), "x": x, "gaze_y": y, "pitch": head_pose(meshes)[1], "mouth": opening(meshes)}


def closed(networks, image, baseline):
    values = read(networks, image)
    values.pop("x")
    return float(closure(baseline=baseline, **values)[0])


def test_painted_lids_are_read_as_far_closed_as_they_are(networks, face):
    own = read(networks, face[0])["openness"]
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    told = [closed(networks, shut(*face, share), own) for share in shares]
    assert told == sorted(told)
    assert told == pytest.approx(shares, abs=0.15)
    assert told[-1] >= MIN_CLOSED_SHARE > told[-2]


@pytest.mark.parametrize("tint", [0.0, 0.3, 0.6, 0.9])
def test_glasses_are_not_closed_eyes(networks, face, tint):
    own = read(networks, face[0])["openness"]
    assert closed(networks, spectacles(*face, tint), own) < 0.2


def test_closed_eyes_are_seen_through_glasses(networks, face):
    own = read(networks, face[0])["openness"]
    assert closed(networks, spectacles(shut(*face, 1.0), face[1], 0.1), own) >= MIN_CLOSED_SHARE


def test_the_gaze_follows_painted_irises(networks, face):
    sideways = [float(read(networks, look(*face, x, -0.1))["x"][0]) for x in (-0.4, -0.2, 0.0, 0.2, 0.4)]
    assert sideways == sorted(sideways)
    assert sideways[0] < -0.2 and sideways[-1] > 0.15 and abs(sideways[2]) < 0.1
    down = [float(read(networks, look(*face, 0.0, y))["gaze_y"][0]) for y in (-0.1, 0.15)]
    assert down[1] > down[0] + 0.03


@pytest.mark.slow
def test_open_mouths_of_surprise_gape_and_those_of_laughs_do_not():
    """FER2013's 48-pixel faces, whose mesh is laid on their usual place."""
    import cv2
    import pandas as pd

    rows = pd.read_parquet(shared_data("fer2013_valid.parquet"), columns=["image", "fp_happiness", "fp_surprise"])
    network, gapes = MeshNetwork(), {}
    for name in ("fp_surprise", "fp_happiness"):
        chosen = rows[rows[name] >= 8]["image"].head(120)
        grey = [cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE) for encoded in chosen]
        images = [
            cv2.cvtColor(cv2.resize(g, (192, 192), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR) for g in grey
        ]
        box = np.array([[32, 36, 160, 164]], np.float32)
        gapes[name] = np.mean([is_gaping(network.fit(image, box, np.zeros(1)))[0] for image in images])
    print(gapes)
    assert gapes["fp_surprise"] > 0.08 > 4 * gapes["fp_happiness"]
