import importlib
import json
import shutil

import numpy as np
import pytest

from cssafe import errors, settings
from cssafe.expression import Expression, box_crop_poses, mesh_crop_poses
from cssafe.expression.network import GRAPHS, precisions, read_card
from cssafe.labels import FERPLUS
from cssafe.vision import openvino_runtime
from cssafe.vision.crops import crop, grey
from cssafe.vision.face_finder import FaceFinder
from cssafe.vision.mesh import Meshes
from tests.support.faces import astronaut

MODEL = settings.load({}).model


@pytest.fixture
def model(tmp_path):
    """A copy of the shipped model folder, to be spoilt."""
    return shutil.copytree(MODEL, tmp_path / "expression")


def crops(n=1):
    """Real crops of a real face, each a little elsewhere."""
    _, meshes = FaceFinder().find(astronaut())
    (middle,), (side,), (roll,) = mesh_crop_poses(meshes)
    moves = np.random.default_rng(0).uniform(-4, 4, (n, 2))
    return np.stack([crop(grey(astronaut()), middle + move, side, roll, 48) for move in moves])


def test_no_crops_give_no_probabilities():
    network = Expression(MODEL)
    none = np.zeros((0, 48, 48), np.uint8)
    assert network.ferplus(none).shape == (0, 8)
    assert network.fer2013(none).shape == (0, 7)


def test_crops_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 48, 48\)"):
        Expression(MODEL).ferplus(np.zeros((1, 64, 64), np.uint8))


def test_brightness_and_contrast_of_a_crop_do_not_matter():
    network, face = Expression(MODEL), crops()
    dim = (face * 0.5 + 20).astype(np.uint8)
    assert network.ferplus(dim) == pytest.approx(network.ferplus(face), abs=0.03)


def test_labels_travel_by_name_whatever_the_order_of_the_network(model):
    card = json.loads((model / "model.json").read_text())
    as_shipped = Expression(model).ferplus(crops())[0]
    card["labels"]["ferplus"].reverse()
    (model / "model.json").write_text(json.dumps(card))
    assert Expression(model).ferplus(crops())[0] == pytest.approx(as_shipped[::-1])


@pytest.mark.parametrize("name", [f"{GRAPHS[openvino_runtime.precisions()[0]]}.{end}" for end in ("xml", "bin")])
@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_model_file_that_is_not_the_named_one_is_refused_by_its_hash(model, name, damage):
    path = model / name
    held = path.read_bytes()
    path.write_bytes(held[:-1] + bytes([held[-1] ^ 1])) if damage == "altered" else path.unlink()
    with pytest.raises(errors.ConfigurationError, match=rf"(?s){name}.*SHA-256"):
        Expression(model)


@pytest.mark.parametrize("text", [None, "", "{}", "not json"])
def test_an_unreadable_model_folder_says_what_was_expected(model, text):
    (model / "model.json").unlink() if text is None else (model / "model.json").write_text(text)
    with pytest.raises(errors.ConfigurationError, match=r"(?s)cannot be read.*model\.json.*cssafe train"):
        Expression(model)


def test_placing_nobody_gives_nothing():
    none = Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))
    assert [len(part) for part in mesh_crop_poses(none)] == [0, 0, 0]
    assert [len(part) for part in box_crop_poses(np.zeros((0, 4)))] == [0, 0, 0]


def test_a_box_and_the_mesh_place_a_crop_alike():
    faces, meshes = FaceFinder().find(astronaut())
    (middle,), (side,), _ = mesh_crop_poses(meshes)
    (from_box,), (box_side,), _ = box_crop_poses(faces.boxes)
    assert box_side == pytest.approx(side, rel=0.1)
    assert np.linalg.norm(from_box - middle) < 0.1 * side


@pytest.mark.parametrize("precision", openvino_runtime.precisions())
def test_every_precision_of_this_machine_says_about_the_same(precision):
    exact = Expression(MODEL, "f32").ferplus(crops(16))
    assert np.abs(Expression(MODEL, precision).ferplus(crops(16)) - exact).max() < 0.1


def test_the_quickest_precision_is_served_and_a_folder_without_8_bit_integers_has_the_next(model):
    assert Expression(model).precision == openvino_runtime.precisions()[0]
    card = json.loads((model / "model.json").read_text())
    card["sha256"] = {name: digest for name, digest in card["sha256"].items() if "int8" not in name}
    (model / "model.json").write_text(json.dumps(card))
    assert Expression(model).precision == next(name for name in openvino_runtime.precisions() if name != "int8")


@pytest.mark.slow
def test_the_exported_graph_gives_what_the_keras_model_gives():
    keras = pytest.importorskip("keras")
    importlib.import_module("cssafe.training.expression.network")  # makes the network's own layers known to Keras
    faces = crops(16)
    trained = keras.models.load_model(MODEL / "model.keras", compile=False)
    expected = trained.predict(faces[..., None].astype(np.float32), verbose=0)
    network = Expression(MODEL, precision="f32")
    assert np.abs(network.ferplus(faces) - expected["ferplus"]).max() < 1e-3
    assert np.abs(network.fer2013(faces) - expected["fer2013"]).max() < 1e-3
    assert expected["ferplus"].shape[1] == len(FERPLUS)


@pytest.mark.parametrize("precision", ["f32", precisions(read_card(MODEL))[0]])
def test_a_crop_and_its_mirror_image_alone_are_on_average_what_both_are_together(precision):
    network = Expression(MODEL, precision)
    crops = np.random.default_rng(0).integers(0, 256, (4, network.size, network.size), np.uint8)
    both = network.probabilities(crops)
    alone, mirrored = (network.probabilities(c, mirror=False) for c in (crops, np.ascontiguousarray(crops[:, :, ::-1])))
    for name in both:
        assert (alone[name] + mirrored[name]) / 2 == pytest.approx(both[name], abs=1e-5 if precision == "f32" else 0.01)
        assert np.abs(alone[name] - both[name]).max() > 1e-3
