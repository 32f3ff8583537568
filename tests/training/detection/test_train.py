"""The detector's network, its loss, its training and its export, on tiny pictures."""

import json

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from cssafe.settings import DEFAULT_DETECTOR  # noqa: E402
from cssafe.training.detection import loss, network, train  # noqa: E402
from cssafe.vision import detector  # noqa: E402

PLACES = network.places(64, 64)


def truth(*boxes, kind=loss.FACE, rows=4):
    filled = np.zeros((1, rows, 7), np.float32)
    for i, box in enumerate(boxes):
        filled[0, i] = [*box, 1, 0, kind]
    return filled


def said_of(boxes, logit=-6.0):
    """What a network says whose every place draws the box (x1, y1, x2, y2) nearest to it, (1, places, 7)."""
    said = np.zeros((1, len(PLACES), 7), np.float32)
    said[..., 0], said[..., 5] = logit + np.linspace(0, 0.1, len(PLACES)), 1  # no two places cost the same
    boxes = np.array(boxes, np.float32)
    for i, (x, y, stride) in enumerate(PLACES):
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        nearest = boxes[np.abs(middles - (x, y)).sum(axis=1).argmin()]
        said[0, i, 1:3] = ((nearest[:2] + nearest[2:]) / 2 - (x, y)) / stride
        said[0, i, 3:5] = np.log((nearest[2:] - nearest[:2]) / stride)
    return said


def assigned(truth, boxes, logit=-6.0):
    said = said_of(boxes, logit)
    owner, positive = loss.assign_faces(truth, loss.decode_boxes(said, PLACES), said[..., 0], PLACES)
    return keras.ops.convert_to_numpy(owner)[0], keras.ops.convert_to_numpy(positive)[0]


def test_a_picture_without_faces_has_no_place_that_answers():
    _, positive = assigned(truth(), [[8, 8, 24, 24]])
    assert positive.sum() == 0


def test_without_faces_only_the_scores_cost():
    high, low = (float(loss.DetectionLoss(PLACES)(truth(), said_of([[8, 8, 24, 24]], logit))) for logit in (0.0, -6.0))
    assert high > 100 * low > 0


def test_places_around_a_face_answer_for_it_and_as_many_as_overlap_well():
    face = [16, 16, 48, 48]
    _, positive = assigned(truth(face), [face])
    assert 1 <= positive.sum() <= loss.MAX_CANDIDATES
    assert (np.abs(PLACES[positive > 0, :2] - 32).max(axis=1) <= loss.CENTRE_RADIUS * PLACES[positive > 0, 2]).all()


def test_each_of_two_faces_has_its_own_places():
    faces = [[2, 2, 22, 26], [38, 36, 60, 62]]
    owner, positive = assigned(truth(*faces), faces)
    for i in (0, 1):
        own = PLACES[(positive > 0) & (owner == i), :2]
        assert len(own) and (np.abs(own - np.mean([faces[i][:2], faces[i][2:]], axis=0)) < 40).all()


def test_the_right_answer_costs_less_than_a_box_beside_it():
    face = [16, 16, 48, 48]
    right = float(loss.DetectionLoss(PLACES)(truth(face), said_of([face], 5.0)))
    beside = float(loss.DetectionLoss(PLACES)(truth(face), said_of([[24, 10, 56, 50]], 5.0)))
    assert right < beside


def test_a_face_to_be_ignored_costs_nothing_either_way():
    everywhere = truth([0, 0, 64, 64], kind=loss.IGNORED)
    assert float(loss.DetectionLoss(PLACES)(everywhere, said_of([[8, 8, 24, 24]], 5.0))) == pytest.approx(0, abs=1e-6)


def test_equal_boxes_overlap_wholly_and_cost_nothing():
    box = np.array([[0, 0, 10, 20]], np.float32)
    overlap, cost = loss.eiou(box, box)
    assert float(overlap[0]) == pytest.approx(1) and float(cost[0]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(64, 64), (96, 128)])
def test_the_network_speaks_for_every_place_and_stays_small(shape):
    model = network.build()
    assert model.count_params() <= 1_000_000
    assert model(np.zeros((2, *shape, 3), np.float32)).shape == (2, len(network.places(*shape)), detector.OUTPUTS)


SAVING = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # Keras 3.15, TensorFlow's variables


@SAVING
def test_a_run_goes_on_from_the_weights_of_an_earlier_one(tmp_path):
    earlier, model = network.build(0.25), network.build(0.25)
    earlier.save(tmp_path / "model.keras")
    train.load_start_weights(tmp_path, model)
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    assert keras.ops.convert_to_numpy(model(image)) == pytest.approx(keras.ops.convert_to_numpy(earlier(image)))


@SAVING
def test_weights_that_are_missing_or_of_another_width_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no model"):
        train.load_start_weights(tmp_path, network.build(0.25))
    network.build(0.25).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="Give the same --width"):
        train.load_start_weights(tmp_path, network.build(0.5))


def test_the_shipped_graph_says_what_the_shipped_keras_network_says():
    from cssafe.vision import openvino_runtime

    model = keras.models.load_model(DEFAULT_DETECTOR / "model.keras", compile=False)
    image = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3)).astype(np.uint8)
    graph = openvino_runtime.compile_model(
        openvino_runtime.load_uint8_input(DEFAULT_DETECTOR / "detector.xml", 64, 96), precise=True
    )
    said = keras.ops.convert_to_numpy(model(image.astype(np.float32)))
    assert openvino_runtime.run_batches(graph, image)[0] == pytest.approx(said, abs=1e-3)


@pytest.mark.slow
@SAVING
def test_what_is_served_says_what_keras_says(tmp_path):
    model = network.build(0.5)
    train.export(model, tmp_path, 0, {"width": 0.5})
    card = json.loads((tmp_path / "model.json").read_text())
    assert set(card["sha256"]) == set(train.FILES)
    image = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3)).astype(np.uint8)
    said = keras.ops.convert_to_numpy(model(image.astype(np.float32)))
    from cssafe.vision import openvino_runtime

    graph = openvino_runtime.compile_model(
        openvino_runtime.load_uint8_input(tmp_path / "detector.xml", 64, 96), precise=True
    )
    assert openvino_runtime.run_batches(graph, image)[0] == pytest.approx(said, abs=1e-3)

    boxes, scores, rolls = detector.decode_boxes(said[0], 64, 96, network.STRIDES, 1e-6)
    decoded = keras.ops.convert_to_numpy(loss.decode_boxes(said, network.places(64, 96)))[0]
    assert boxes == pytest.approx(decoded, abs=1e-3) and len(boxes) == len(scores) == len(rolls)
