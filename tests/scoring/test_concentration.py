import numpy as np
import pytest

from cssafe.frames import Signals
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.scoring.concentration import attention, concentration, levels
from cssafe.scoring.formula import PUBLISHED, PUBLISHED_ATTENTION


def signals(yaw=0.0, pitch=0.0, gaze_x=0.0, eyes_open=1.0):
    zero = np.zeros(1, np.float32)
    named = {"yaw": yaw, "pitch": pitch, "gaze_x": gaze_x, "eyes_open": eyes_open}
    return Signals(
        **{
            name: np.array([named[name]], np.float32) if name in named else zero
            for name in Signals.__dataclass_fields__
        }
    )


def sure(emotion):
    return np.array([[float(name == emotion) for name in FERPLUS]], np.float32)


def test_no_faces_give_no_scores():
    none = np.zeros(0, np.float32)
    for activity in ACTIVITIES:
        assert attention(Signals.none(), PUBLISHED, activity).shape == (0,)
    assert concentration(none, np.zeros((0, 8), np.float32), PUBLISHED).shape == (0,)
    assert levels(none, none.astype(np.int8), PUBLISHED).shape == (0,)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (signals(), 1.0),
        (signals(yaw=24), 1.0),
        (signals(yaw=26), 0.4),
        (signals(yaw=-40), 0.4),
        (signals(pitch=30), 0.4),
        (signals(yaw=20, gaze_x=0.4), 1.0),  # the head to the left edge, the eyes back to the right
        (signals(yaw=20, gaze_x=-0.4), 0.4),  # both to the left edge
        (signals(eyes_open=0.4), 0.3),
        (signals(yaw=40, eyes_open=0.4), 0.3),
        (signals(eyes_open=0.2), 0.0),
        (signals(eyes_open=np.nan), 1.0),  # too small for eyes: the head alone decides
        (signals(yaw=np.nan), np.nan),
    ],
)
def test_attention_is_the_gaze_and_eyes_weight_over_five(what, expected):
    assert attention(what, PUBLISHED, "front")[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("formula", [PUBLISHED, PUBLISHED_ATTENTION], ids=str)
@pytest.mark.parametrize(
    ("what", "front", "screen", "desk_work"),
    [
        (signals(), 1.0, 1.0, 1.0),
        (signals(pitch=25), 0.4, 1.0, 1.0),  # at the lower half of a screen
        (signals(pitch=45), 0.4, 0.4, 1.0),  # at the desk
        (signals(pitch=45, eyes_open=0.4), 0.3, 0.3, 1.0),  # lowered lids are right there
        (signals(pitch=-18), 1.0, 0.4, 1.0),  # above the screen's camera
        (signals(yaw=40), 0.4, 0.4, 0.4),  # at the neighbour
        (signals(eyes_open=0.1), 0.0, 0.0, 0.0),
    ],
)
def test_the_activity_sets_what_counts_as_attentive(formula, what, front, screen, desk_work):
    found = [attention(what, formula, activity)[0] for activity in ("front", "screen", "desk work")]
    assert found == pytest.approx([front, screen, desk_work])


@pytest.mark.parametrize("activity", ["group work", "break"])
def test_what_is_not_scored_has_no_attention_and_no_concentration(activity):
    attending = attention(signals(), PUBLISHED, activity)
    assert np.isnan(attending).all() and attending.shape == (1,)
    assert np.isnan(concentration(attending, sure("happy"), PUBLISHED)).all()


@pytest.mark.parametrize(
    ("emotion", "attending", "expected"),
    [("neutral", 1.0, 1.0), ("happy", 1.0, 0.67), ("neutral", 0.4, 0.4), ("sad", 1.0, 0.33), ("angry", 0.0, 0.0)],
)
def test_the_published_index_gives_the_published_figures(emotion, attending, expected):
    index = concentration(np.array([attending], np.float32), sure(emotion), PUBLISHED)
    assert index[0] == pytest.approx(expected, abs=0.005)


def test_the_emotion_weight_is_the_mean_over_all_eight():
    mixed = (sure("neutral") + sure("happy")) / 2
    assert concentration(np.ones(1), mixed, PUBLISHED)[0] == pytest.approx((1 + 2 / 3) / 2)


def test_what_cannot_be_measured_stays_so():
    one = np.ones(1, np.float32)
    assert np.isnan(concentration(one * np.nan, sure("happy"), PUBLISHED))
    assert np.isnan(concentration(one, sure("happy") * np.nan, PUBLISHED))
    assert levels(one * np.nan, np.array([2], np.int8), PUBLISHED)[0] == -1


def test_attention_only_looks_at_no_emotion():
    attending = np.array([0, 0.3, 0.4, 1, np.nan], np.float32)
    index = concentration(attending, None, PUBLISHED_ATTENTION)
    assert index == pytest.approx(attending, nan_ok=True)


def test_a_formula_that_weighs_emotions_says_so_when_it_gets_none():
    with pytest.raises(ValueError, match="weighs emotions"):
        concentration(np.ones(1), None, PUBLISHED)


@pytest.mark.parametrize(
    ("index", "before", "level"),
    [
        (0.2, -1, 0),
        (0.25, -1, 1),
        (0.65, -1, 1),
        (0.66, -1, 2),
        (0.66, 1, 1),  # above the limit, not yet by the hysteresis
        (0.69, 1, 2),
        (0.63, 2, 2),
        (0.61, 2, 1),
        (0.23, 1, 1),
        (0.21, 1, 0),
        (0.27, 0, 0),
        (0.29, 0, 1),
        (0.9, 0, 2),
        (0.0, 2, 0),
    ],
)
def test_a_level_changes_only_beyond_the_hysteresis(index, before, level):
    assert levels(np.array([index]), np.array([before], np.int8), PUBLISHED)[0] == level
