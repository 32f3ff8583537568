"""What the network looks at: its evidence by place, and a picture's way through the engine to it."""

import json
import threading

import numpy as np
import pytest

from cssafe.expression import Expression
from cssafe.live.engine import Engine
from cssafe.live.picture_analysis import MAX_FACES_SHOWN, VIEW_PX, analyze_picture
from cssafe.media import MediaError
from cssafe.pipeline import CROP_PX, Pipeline
from cssafe.settings import PROFILES
from cssafe.vision.face_parts import PARTS
from tests.support.faces import astronaut, classroom, nobody
from tests.support.maps import made

PATIENCE = 60


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    return made(tmp_path_factory.mktemp("mapped"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return made(tmp_path_factory.mktemp("plain"), mapped=False)


@pytest.fixture(scope="module")
def engine(mapped):
    engine = Engine(lambda: Pipeline(PROFILES["consent"], mapped)).start()
    yield engine
    engine.close()


def bright(row: int, column: int) -> np.ndarray:
    """Crops (1, 48, 48), black but for one of 6 x 6 places."""
    crops = np.zeros((1, 48, 48), np.uint8)
    crops[0, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = 200
    return crops


def test_evidence_has_a_value_for_each_place_and_emotion_and_none_without_a_map(mapped, plain):
    network = Expression(mapped)
    assert network.mapped and not Expression(plain).mapped
    evidence = network.evidence(bright(1, 4))
    assert evidence.shape == (1, 6, 6, 8)
    assert evidence[0, 1, 4] == pytest.approx(200 * np.arange(8), rel=0.01)
    assert np.count_nonzero(evidence) == 7
    assert network.evidence(bright(0, 0)[:0]).shape == (0, 6, 6, 8)
    assert Expression(plain).evidence(bright(0, 0)) is None


def test_evidence_travels_by_name_whatever_the_order_of_the_network(tmp_path):
    folder = made(tmp_path)
    card = json.loads((folder / "model.json").read_text())
    card["labels"]["ferplus"].reverse()
    (folder / "model.json").write_text(json.dumps(card))
    assert Expression(folder).evidence(bright(2, 3))[0, 2, 3] == pytest.approx(200 * np.arange(8)[::-1], rel=0.01)


def test_the_face_of_a_picture_is_seen_as_the_network_gets_it_and_as_people_can_look_at_it(engine):
    seen = analyze_picture(engine, astronaut(), PATIENCE)
    assert (seen.found, seen.readable, len(seen)) == (1, 1, 1)
    assert seen.crops.shape == (1, CROP_PX, CROP_PX) and seen.faces.shape == (1, VIEW_PX, VIEW_PX)
    shrunk = seen.faces[0].reshape(CROP_PX, VIEW_PX // CROP_PX, CROP_PX, VIEW_PX // CROP_PX).mean(axis=(1, 3))
    assert np.corrcoef(shrunk.ravel(), seen.crops[0].ravel())[0, 1] > 0.98
    assert seen.probabilities[0].argmax() == 1 and seen.probabilities[0].sum() == pytest.approx(1, abs=0.01)
    assert seen.parts.shape == (1, VIEW_PX, VIEW_PX) and set(np.unique(seen.parts)) == set(range(len(PARTS)))
    dark, bright = (seen.faces[0][seen.parts[0] == PARTS.index(part)].mean() for part in ("eyes", "skin"))
    assert dark < bright - 20
    places = seen.crops[0].reshape(6, 8, 6, 8).mean(axis=(1, 3))
    assert seen.evidence[0, :, :, 1] == pytest.approx(places, rel=0.02)


def test_of_many_faces_the_largest_are_told_of_and_of_an_empty_picture_none(engine):
    picture = classroom()
    picture[:400, :400] = astronaut()[:400, :400]
    seen = analyze_picture(engine, picture, PATIENCE)
    assert len(seen) == MAX_FACES_SHOWN < seen.readable <= seen.found
    assert len(seen.evidence) == len(seen.probabilities) == len(seen.faces) == MAX_FACES_SHOWN
    large = analyze_picture(engine, astronaut(), PATIENCE)
    assert np.corrcoef(seen.crops[0].ravel(), large.crops[0].ravel())[0, 1] > 0.95
    nothing = analyze_picture(engine, nobody(), PATIENCE)
    assert (nothing.found, len(nothing)) == (0, 0) and nothing.faces.shape == (0, VIEW_PX, VIEW_PX)


def test_nothing_is_looked_at_where_no_emotion_is_computed(mapped):
    engine = Engine(lambda: Pipeline(PROFILES["attention-only"], mapped)).start()
    try:
        with pytest.raises(MediaError, match="no expression network"):
            analyze_picture(engine, nobody(), PATIENCE)
    finally:
        engine.close()


def test_a_server_that_is_busy_says_so_and_the_picture_is_taken_back():
    gate = threading.Event()

    def load() -> Pipeline:
        gate.wait(PATIENCE)
        raise RuntimeError("never needed")

    engine = Engine(load).start()
    try:
        with pytest.raises(TimeoutError, match="server is busy"):
            analyze_picture(engine, nobody(), 0.01)
        assert engine.waiting == 0
    finally:
        gate.set()
        engine.close()
