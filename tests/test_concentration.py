import json

import numpy as np
import pytest

from cssafe.concentration import ATTENTION_ONLY, FORMULAS, PUBLISHED, attention, concentration, levels
from cssafe.frames import Signals
from cssafe.labels import FERPLUS


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
    assert attention(Signals.none(), PUBLISHED).shape == (0,)
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
    assert attention(what, PUBLISHED)[0] == pytest.approx(expected, nan_ok=True)


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
    index = concentration(attending, None, ATTENTION_ONLY)
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


@pytest.mark.parametrize("path", sorted(FORMULAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_number_of_a_formula_has_a_source(path):
    data = json.loads(path.read_text())
    parts = [data[part] for part in ("gaze", "limits", "bands")] + [{"divisor": data["divisor"]}, data["emotion"] or {}]
    entries = [entry for part in parts for entry in part.values()]
    assert entries
    assert all(entry["source"] for entry in entries)
    assert path.stem == f"{data['name']}-{data['version']}"
