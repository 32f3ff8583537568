"""The JSON between server and browser, to the letter: a change here is a change of camera.js."""

import json
from datetime import UTC, datetime

import pytest

from cssafe.live.class_view import ClassView
from cssafe.live.transports import websocket, websocket_component
from cssafe.live.transports.messages import SENTENCES, FrameAnswer, NetworksState, Notice, to_json
from cssafe.scoring.formula import choose_formula
from cssafe.settings import PROFILES
from tests.support.fake_pipelines import crowd

FACE = {"track": 0, "box": [10.0, 10.0, 20.0, 30.0], "score": 1.0}


def overlay(audience: str, faces: int, profile: str = "attention-only"):
    chosen_profile = PROFILES[profile]
    view = ClassView(chosen_profile, audience, choose_formula(None, chosen_profile.expression), "front")
    result = crowd(faces, datetime(2026, 3, 2, 12, 0, tzinfo=UTC), chosen_profile.expression)
    view.add_result(result)
    return view.overlay(result)


def sent(message) -> dict:
    """What the browser gets."""
    return json.loads(json.dumps(to_json(message)))


def test_the_state_of_the_networks():
    assert sent(NetworksState("loading", 15.0)) == {"state": "loading", "rate": 15.0, "notice": None}
    assert sent(NetworksState("ready", 2.0, websocket.busy(2.0))) == {
        "state": "ready",
        "rate": 2.0,
        "notice": {"code": "server_busy", "fields": {"rate": "2.0"}},
    }


def test_the_answer_to_a_skipped_and_to_a_broken_frame():
    assert sent(FrameAnswer(7, None, None, 12, 15.0)) == {
        "number": 7,
        "overlay": None,
        "notice": None,
        "took": 12,
        "rate": 15.0,
    }
    assert sent(FrameAnswer(7, None, Notice("no_jpeg"), 12, 15.0))["notice"] == {"code": "no_jpeg", "fields": {}}


def test_the_overlay_of_a_class_in_which_no_face_is_named():
    answer = sent(FrameAnswer(0, overlay("class", 1), None, 12, 15.0))["overlay"]
    covers = answer.pop("covers")
    assert answer == {
        "size": [64, 48],
        "faces": [FACE],
        "concentration": None,
        "level": None,
        "notice": {"code": "too_few_faces", "fields": {"measured": 0, "least": 5}},
    }
    [polygon] = covers
    assert len(polygon) == 12 and all(len(point) == 2 and isinstance(point[0], int) for point in polygon)


def test_the_overlay_of_one_person_with_what_was_read():
    answer = sent(FrameAnswer(0, overlay("self", 1, "consent"), None, 12, 15.0))["overlay"]
    [face] = answer["faces"]
    assert (answer["concentration"], answer["level"], answer["notice"]) == (0.6, "medium", None)
    shares = dict.fromkeys(("happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"), 0.02)
    read = {"yaw": 0.5, "pitch": 0.5, "roll": 0.5, "eyes_open": 0.5, "attention": 0.6, "concentration": 0.6}
    expected = FACE | read | {"expression": {"neutral": 0.86} | shares, "level": "high"}
    assert {name: face[name] for name in expected} == expected


@pytest.mark.parametrize("code", SENTENCES)
def test_every_notice_becomes_a_whole_sentence_of_its_fields(code):
    names = ("measured", "least", "rate", "width", "height", "limit", "size")
    words = str(Notice(code, dict.fromkeys(names, 3)))
    assert words.endswith(".") and "{" not in words


def test_the_browser_has_the_sentences_of_all_codes_and_no_code_stands_for_two():
    texts = websocket_component.texts()
    assert SENTENCES.items() <= texts["sentences"].items()
    assert not SENTENCES.keys() & websocket_component.WORDS.keys()


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_the_longest_reason_of_a_close_fits_its_frame(code):
    fields = {"limit": 10**9, "size": 10**9} if code == "too_large" else {}
    assert len(json.dumps(to_json(Notice(code, fields)))) <= 123
