from datetime import datetime

import numpy as np
import pytest

from cssafe import errors, settings
from cssafe.frames import Faces, Frame
from tests.support.faces import START


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)])
def test_a_frame_says_what_it_expected_and_what_came(image):
    with pytest.raises(ValueError, match=r"uint8 \(h, w, 3\).*" + str(image.dtype)):
        Frame(image, START)


def test_a_frame_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Frame(np.zeros((4, 4, 3), np.uint8), datetime(2026, 1, 1))


def test_faces_of_unequal_number_are_refused():
    with pytest.raises(ValueError, match=r"expected shape \(2, 4\), got \(1, 4\)"):
        Faces(np.zeros((1, 4)), np.zeros(2))
    assert len(Faces.none()) == 0


def test_unknown_profiles_are_refused_with_the_known_ones():
    with pytest.raises(errors.ConfigurationError, match=r"'spy'.*demo, consent, attention-only"):
        settings.load({"CSSAFE_PROFILE": "spy"})


def test_settings_come_from_the_environment():
    chosen = settings.load({"CSSAFE_PROFILE": "demo", "CSSAFE_DATA": "here", "CSSAFE_ORIGINS": "https://a.example/, "})
    assert chosen.profile.name == "demo"
    assert chosen.database.as_posix() == "here/cssafe.duckdb"
    assert chosen.origins == ("https://a.example",)
