import numpy as np
import pytest

from cssafe.frames import SIGNALS
from cssafe.signals.quality import READINGS, confidence, quality


def rated(size=150.0, sharpness=35.0, yaw=0.0, pitch=0.0, score=1.0, hidden=0.0):
    return float(quality(*(np.array([v], np.float32) for v in (size, sharpness, yaw, pitch, score, hidden)))[0])


def test_every_signal_has_a_unit_and_a_range():
    assert set(READINGS) == set(SIGNALS)
    assert all(reading.unit and reading.low < reading.high for reading in READINGS.values())


def test_no_faces_have_no_quality():
    assert quality(*[np.zeros(0, np.float32)] * 6).shape == (0,)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"size": 60}),
        ({"size": 60}, {"size": 30}),
        ({}, {"sharpness": 12}),
        ({}, {"yaw": 25}),
        ({"yaw": 25}, {"yaw": -45}),
        ({}, {"pitch": 30}),
        ({}, {"score": 0.6}),
        ({}, {"hidden": 0.3}),
    ],
)
def test_what_makes_readings_worse_lowers_the_quality(better, worse):
    assert 0 <= rated(**worse) < rated(**better) <= 1


def test_a_large_sharp_face_that_looks_at_the_camera_is_trusted_and_a_tiny_blurred_one_is_not():
    assert rated() > 0.9
    assert rated(size=24, sharpness=8) < 0.6
    assert rated(hidden=1.0) == rated(size=0.0, score=0.0) == 0


def test_at_the_size_where_error_and_spread_are_equal_confidence_is_a_half():
    reading = READINGS["openness"]
    factor = reading.spread / (1.48 * reading.error)
    size = 118 / np.sqrt(factor**2 - 1)
    half = confidence(["openness"], np.array([size]), np.array([1e9]), np.zeros(1))
    assert half == pytest.approx(np.array([[0.5]]), abs=0.01)
