"""The whole chain on real pictures through the real networks."""

import json
from collections import Counter
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from cssafe import settings
from cssafe.frames import MOVEMENTS, describe
from cssafe.labels import FERPLUS, LEVELS
from cssafe.pipeline import Pipeline, Stream
from cssafe.scoring.formula import PUBLISHED_ATTENTION
from cssafe.signals.pose import rotation
from cssafe.training.signals.render import draw_head, head_model
from cssafe.vision import face_follower
from cssafe.vision.face_finder import FaceFinder
from tests.support.faces import astronaut, classroom, frame, nobody
from tests.support.rendered import portrait, shut
from tests.support.shared import shared_data


@pytest.fixture(scope="module")
def pipeline():
    loaded = Pipeline(settings.find_profile("consent"), settings.load({}).model)
    loaded.warm()
    return loaded


@pytest.fixture(scope="module")
def attention_only():
    return Pipeline(settings.find_profile("attention-only"), settings.load({}).model)


def test_an_empty_room_gives_an_empty_result(pipeline):
    result = pipeline.analyze(frame(nobody()), Stream())
    assert len(result) == 0
    assert result.expression.shape == (0, 8)
    assert describe(result) == []


def test_a_face_is_found_where_it_is_and_read(pipeline):
    result = pipeline.analyze(frame(astronaut()), Stream())
    assert len(result) == 1
    x1, y1, x2, y2 = result.faces.boxes[0]
    assert x1 < 224 < x2
    assert y1 < 110 < y2
    assert 80 < result.faces.heights[0] < 180
    assert result.expression.sum(axis=1) == pytest.approx([1], abs=1e-5)
    assert FERPLUS[result.expression[0].argmax()] == "happy"
    assert abs(result.signals.yaw[0]) < 25
    assert result.signals.eyes_open[0] > 0.5
    assert 0 < result.concentration[0] <= 1


@pytest.mark.parametrize("scale", [0.35, 1, 3])
def test_small_faces_and_close_ups_are_both_found(scale):
    image = cv2.resize(astronaut()[:280, 80:360], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces, _ = FaceFinder().find(image)
    assert len(faces) == 1


@pytest.mark.parametrize("degrees", [-30, 30])
def test_a_tilted_head_is_found_and_its_roll_has_the_right_sign(pipeline, degrees):
    turn = cv2.getRotationMatrix2D((224, 110), -degrees, 1)  # OpenCV turns anticlockwise
    tilted = cv2.warpAffine(astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    straight = pipeline.analyze(frame(astronaut()), Stream()).signals.roll[0]
    assert pipeline.analyze(frame(tilted), Stream()).signals.roll[0] - straight == pytest.approx(degrees, abs=6)


def test_a_mirrored_face_turns_the_other_way(pipeline):
    one = pipeline.analyze(frame(astronaut()), Stream()).signals
    other = pipeline.analyze(frame(np.ascontiguousarray(astronaut()[:, ::-1])), Stream()).signals
    assert other.yaw[0] == pytest.approx(-one.yaw[0], abs=4)
    assert other.pitch[0] == pytest.approx(one.pitch[0], abs=4)
    assert other.gaze_x[0] == pytest.approx(-one.gaze_x[0], abs=0.15)


def test_every_face_of_a_class_gets_its_own_number_and_keeps_it(pipeline):
    stream, image = Stream(), classroom()
    first = pipeline.analyze(frame(image), stream)
    second = pipeline.analyze(frame(image, 0.2), stream)
    assert len(first) == 28
    assert sorted(first.tracks) == sorted(second.tracks) == list(range(1, 29))


def test_a_face_too_small_or_too_blurred_is_counted_but_not_measured(pipeline):
    far = cv2.resize(astronaut(), (90, 90), interpolation=cv2.INTER_AREA)
    scene = nobody()
    scene[100:190, 100:190] = far
    blurred = cv2.GaussianBlur(astronaut(), (0, 0), 6)
    for image in (scene, blurred):
        result = pipeline.analyze(frame(image), Stream())
        assert len(result) == 1
        assert np.isnan(result.concentration[0])
        assert np.isnan(result.expression[0]).all()
        assert result.levels[0] == -1


def test_what_is_printed_of_a_face_holds_the_agreed_names_and_plain_json(pipeline):
    (face,) = json.loads(json.dumps(describe(pipeline.analyze(frame(astronaut()), Stream()))))
    assert set(face) == {
        "track", "box", "score", "expression", "yaw", "pitch", "roll", "eyes_open", "attention", "concentration", "level",
        "hidden", "reason",
    }  # fmt: skip
    assert 0 <= face["hidden"] < 0.3 and face["reason"] is None
    assert set(face["expression"]) == set(FERPLUS)
    assert face["level"] in LEVELS
    weights = pipeline.formula.emotion @ np.array([face["expression"][name] for name in FERPLUS])
    assert face["concentration"] == pytest.approx(weights * face["attention"], abs=0.002)


def test_attention_only_loads_no_expression_network_and_knows_no_emotion(attention_only, tmp_path):
    Pipeline(settings.find_profile("attention-only"), tmp_path / "there is no model here")
    result = attention_only.analyze(frame(astronaut()), Stream())
    assert result.expression is None
    assert "expression" not in describe(result)[0]
    assert result.concentration == pytest.approx(result.attention)


def test_a_stream_forgets_who_left(pipeline):
    stream = Stream()
    pipeline.analyze(frame(astronaut()), stream)
    pipeline.analyze(frame(nobody(), 10), stream)
    assert len(stream.memory) == 0


def test_a_clock_that_goes_back_stops_nothing(pipeline):
    stream = Stream()
    pipeline.analyze(frame(astronaut(), 5), stream)
    assert pipeline.analyze(frame(astronaut(), 3), stream).tracks.tolist() == [1]


def emotions(pipeline, clip, start, end):
    """How often each emotion leads, over all frames of the clip in which a face was read."""
    stream, leading = Stream(), Counter()
    with av.open(str(clip)) as container:
        for number, decoded in enumerate(container.decode(video=0)):
            if start <= decoded.time <= end and number % 3 == 0:
                result = pipeline.analyze(frame(decoded.to_ndarray(format="bgr24"), decoded.time), stream)
                leading.update(FERPLUS[row.argmax()] for row in result.expression if not np.isnan(row).any())
    return leading


@pytest.mark.parametrize(("start", "end", "emotion"), [(0.0, 5.8, "sad"), (9.8, 18.8, "happy")])
def test_crying_is_named_sad_and_a_broad_smile_happy(pipeline, start, end, emotion):
    leading = emotions(pipeline, shared_data("video/one_face_expressions.mp4"), start, end)
    assert leading[emotion] > 0.7 * leading.total()


def test_two_heads_that_tilt_more_and_more_are_two_people_throughout(pipeline):
    stream, face, numbers, rolls = Stream(), astronaut()[:280, 80:360], [], []
    for number, degrees in enumerate(np.linspace(0, 30, 16)):
        tilted = cv2.warpAffine(face, cv2.getRotationMatrix2D((140, 120), degrees, 1), (280, 280))
        result = pipeline.analyze(frame(np.hstack([tilted, tilted]), number / 15), stream)
        numbers.append(sorted(result.tracks.tolist()))
        rolls.append(np.abs(result.signals.roll).mean())
    assert numbers == [[1, 2]] * 16 and rolls[-1] > rolls[0] + 20


def test_two_tilted_heads_are_two_people_throughout(pipeline):
    stream, numbers = Stream(), Counter()
    with av.open(str(shared_data("video/two_faces_head_tilt.mp4"))) as container:
        for decoded in container.decode(video=0):
            result = pipeline.analyze(frame(decoded.to_ndarray(format="bgr24"), decoded.time), stream)
            numbers.update(result.tracks.tolist())
    assert set(numbers) == {1, 2}


def test_faces_that_are_not_analysed_keep_their_expression_and_get_their_turn(pipeline, monkeypatch):
    monkeypatch.setattr(pipeline, "_at_once", 1)
    room = np.hstack([astronaut()[:280, 80:360]] * 3)
    stream, renewed = Stream(live=True), Counter()
    for i in range(9):
        result = pipeline.analyze(frame(room, i * 0.1), stream)
        renewed.update(stream.memory["track"][stream.memory["seen"] == stream.now].tolist())
    assert len(result) == 3 and not np.isnan(result.expression).any()
    assert sorted(renewed.values()) == [3, 4, 4], "all in the first frame, then one a frame in turn"


def test_the_stream_s_activity_and_formula_score_its_next_frame(attention_only):
    """The portrait looks at the camera: attentive at the front, not scored in a break."""
    stream = Stream()
    assert attention_only.analyze(frame(astronaut()), stream).attention[0] == 1
    stream.activity = "break"
    result = attention_only.analyze(frame(astronaut(), 1), stream)
    assert np.isnan(result.attention[0]) and np.isnan(result.concentration[0]) and result.levels[0] == -1
    away = replace(PUBLISHED_ATTENTION, gaze=PUBLISHED_ATTENTION.gaze | {"centre_open": 3.0})
    assert attention_only.analyze(frame(astronaut()), Stream(formula=away)).attention[0] == pytest.approx(0.6)


def test_attention_only_measures_eyes_and_mouth_but_no_movement(attention_only):
    stream = Stream()
    for i in range(4):
        signals = attention_only.analyze(frame(astronaut(), i), stream).signals
    assert all(np.isnan(getattr(signals, name)).all() for name in MOVEMENTS)
    assert signals.openness[0] > 0.2 and 0 <= signals.mouth[0] < 1 and signals.yawning[0] == 0
    assert stream.memory["neutral_seconds"].tolist() == [0]


def test_a_clear_face_has_a_higher_quality_than_a_small_one_and_one_that_is_not_measured_has_none(pipeline):
    small = nobody()
    small[100:260, 100:260] = cv2.resize(astronaut(), (160, 160), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(astronaut(), (0, 0), 6)
    clear, far, unread = (
        pipeline.analyze(frame(image), Stream()).signals.quality[0] for image in (astronaut(), small, blurred)
    )
    assert 1 >= clear > far > unread == 0


def far_away(pixels, columns=1):
    """The portrait, so many pixels high, in each column of a room; its face is 0.42 of that."""
    small = cv2.resize(astronaut()[:280, 80:360], (pixels, pixels), interpolation=cv2.INTER_AREA)
    room = nobody()
    top = 240 - pixels // 2
    for column in range(columns):
        left = 120 + 200 * column - pixels // 2
        room[top : top + pixels, left : left + pixels] = small
    return room


def turned_head(depth, yaw, pitch):
    """The portrait drawn at these degrees. depth: of the drawn head over the mesh's own."""
    image = cv2.resize(astronaut()[:280, 80:360], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    mesh = FaceFinder().find(image)[1].points[0] * np.array([1, 1, depth], np.float32)
    return draw_head(head_model(image, mesh), rotation(yaw, pitch, 0), 600)


@pytest.mark.parametrize(
    ("reason", "picture"),
    [
        ("", astronaut),
        ("too_small", lambda: far_away(45)),
        ("blurred", lambda: cv2.GaussianBlur(astronaut(), (0, 0), 6)),
        ("mesh_unsure", lambda: turned_head(1.8, 65, 0)),
        ("turned_away", lambda: turned_head(1.4, -62, 15)),
        ("eyes_unread", lambda: far_away(90)),
    ],
)
def test_each_face_says_why_it_was_not_measured(pipeline, reason, picture):
    result = pipeline.analyze(frame(picture()), Stream())
    assert result.reasons == (reason,)
    assert describe(result)[0]["reason"] == (reason or None)
    assert np.isnan(result.concentration[0]) == (reason not in ("", "eyes_unread", "turned_away"))
    assert np.isnan(result.signals.openness[0]) == (reason != "")


def test_faces_in_an_activity_without_a_score_say_so(pipeline):
    result = pipeline.analyze(frame(astronaut()), Stream(activity="group work"))
    assert result.reasons == ("not_scored",) and np.isnan(result.concentration[0])
    assert pipeline.analyze(frame(far_away(45)), Stream(activity="group work")).reasons == ("too_small",)


def test_faces_that_came_near_enough_for_their_eyes_since_their_last_turn_say_that_they_wait(pipeline, monkeypatch):
    monkeypatch.setattr(pipeline, "_at_once", 1)
    monkeypatch.setattr(face_follower, "MAX_SEARCH_DELAY_S", 0)  # the detector sees in each frame how large they are
    stream = Stream(live=True)
    sizes = (136, 148, 148, 148)
    told = [pipeline.analyze(frame(far_away(size, 3), i / 10), stream).reasons for i, size in enumerate(sizes)]
    assert [Counter(reasons) for reasons in told] == [
        {"eyes_unread": 3}, {"not_refreshed": 2, "": 1}, {"not_refreshed": 1, "": 2}, {"": 3}
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("long", "blinks", "perclos"), [(0.2, 15, 0.05), (1.2, 0, 0.3)], ids=["awake", "drowsy"])
def test_blinks_and_closed_eyes_of_the_last_minute_are_told_of_painted_lids(attention_only, long, blinks, perclos):
    """Ten pictures a second; the lids shut for `long` seconds every four."""
    image, mesh = portrait()
    image, mesh = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), mesh / 2
    seen, closed = shut(image, mesh, 0.0), shut(image, mesh, 1.0)
    stream = Stream()
    for i in range(300):
        signals = attention_only.analyze(frame(closed if i % 40 >= 40 - 10 * long else seen, i / 10), stream).signals
        assert (i < 200) <= np.isnan(signals.perclos[0]), "nothing is told before twenty seconds"
    assert signals.blinks[0] == pytest.approx(blinks, abs=2)
    assert signals.perclos[0] == pytest.approx(perclos, abs=0.04)


@pytest.mark.parametrize("yaw", [-70, 70])
def test_a_head_that_is_turned_too_far_counts_as_away(pipeline, yaw, monkeypatch):
    monkeypatch.setattr("cssafe.pipeline.MAX_YAW_DEG", 40.0)  # the mesh reads 46 and -53 degrees of this head
    drawn = frame(turned_head(1.0, yaw, 0))
    result = pipeline.analyze(drawn, Stream())
    assert result.reasons == ("turned_away",) and np.sign(result.signals.yaw[0]) == np.sign(yaw)
    assert (result.attention.item(), result.concentration.item(), result.levels.item()) == (0, 0, 0)
    assert np.isnan(result.expression).all()
    unscored = pipeline.analyze(drawn, Stream(activity="break"))
    assert np.isnan([unscored.attention, unscored.concentration]).all()
