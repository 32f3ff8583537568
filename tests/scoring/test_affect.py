import numpy as np
import pytest

from cssafe.labels import FERPLUS
from cssafe.scoring.affect import AFFECT_NAMES, COORDINATES, affect


def shows(**shares):
    return np.array([[shares.get(name, 0.0) for name in FERPLUS]], np.float32)


def read(expression):
    found = affect(expression)
    return dict(zip(AFFECT_NAMES, found.values[0], strict=True)), dict(zip(AFFECT_NAMES, found.spreads[0], strict=True))


def test_no_faces_have_no_affect_and_an_unread_face_an_unknown_one():
    assert affect(np.zeros((0, 8), np.float32)).values.shape == (0, 5)
    unread = affect(np.full((1, 8), np.nan, np.float32))
    assert np.isnan(unread.values).all() and np.isnan(unread.spreads).all()


@pytest.mark.parametrize("emotion", FERPLUS)
def test_a_sure_emotion_lies_at_its_published_place_with_no_spread(emotion):
    values, spreads = read(shows(**{emotion: 1.0}))
    assert (values["valence"], values["arousal"]) == pytest.approx(COORDINATES[emotion])
    assert list(spreads.values()) == pytest.approx([0] * 5)
    assert values["ambivalence"] == 0


def test_valence_and_arousal_are_expectations_and_spread_grows_with_doubt():
    values, spreads = read(shows(happy=0.5, neutral=0.5))
    assert values["valence"] == pytest.approx(0.405)
    assert spreads["valence"] == pytest.approx(0.405)
    _, surer = read(shows(happy=0.9, neutral=0.1))
    assert surer["valence"] < spreads["valence"]


def test_liking_less_disliking_is_valence():
    values, _ = read(shows(happy=0.3, sad=0.2, surprise=0.1, angry=0.4))
    assert values["liking"] - values["disliking"] == pytest.approx(values["valence"])


def test_only_what_is_liked_and_disliked_at_once_is_ambivalent():
    both, _ = read(shows(happy=0.5, sad=0.5))
    mostly, _ = read(shows(happy=0.9, sad=0.1))
    p, n = 0.5 * 0.81, 0.5 * 0.63
    assert both["ambivalence"] == pytest.approx((p + n) / 2 - (p - n))
    assert mostly["ambivalence"] == 0
    neutral, _ = read(shows(neutral=1.0))
    assert neutral["ambivalence"] == 0
