import argparse
import json
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from cssafe.expression import Expression  # noqa: E402
from cssafe.settings import ROOT  # noqa: E402
from cssafe.training import network, train  # noqa: E402
from cssafe.training.data import Labelled  # noqa: E402
from cssafe.training.export import best_temperature  # noqa: E402

from .test_training import rows  # noqa: E402


def labelled(n, ferplus=None, fer2013=None):
    """n flat pictures, each of its own grey level."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None], (n, 48, 48)).copy()
    shares = np.eye(8, dtype=np.float32)[np.zeros(n, int) if ferplus is None else ferplus]
    return Labelled(images, np.zeros(n, int) if fer2013 is None else np.asarray(fer2013), shares)


def batches(data, **changes):
    return train.Batches(data, argparse.Namespace(**({"batch": 4, "seed": 0, "mixup": 0.0} | changes)))


@pytest.mark.parametrize(
    ("majorities", "factors"),
    [
        ([], []),
        ([0, 0, 1, 1], [1, 1, 1, 1]),
        ([0] * 396 + [5] * 4, [1] * 396 + [3**0.5] * 4),  # one in a hundred, three times too rare
    ],
)
def test_rare_emotions_are_drawn_more_often(majorities, factors):
    assert train.repeats(labelled(len(majorities), np.array(majorities, int))) == pytest.approx(factors)


def test_a_picture_without_votes_is_drawn_as_often_as_a_frequent_one():
    data = labelled(4)
    data.ferplus[2] = 0
    assert train.repeats(data).tolist() == [1, 1, 1, 1]


def test_an_epoch_shows_each_picture_once_and_the_next_one_in_another_order():
    seen = batches(labelled(16))
    first = np.concatenate([seen[i][0] for i in range(len(seen))])[:, 0, 0, 0]
    seen.on_epoch_end()
    second = np.concatenate([seen[i][0] for i in range(len(seen))])[:, 0, 0, 0]
    assert sorted(first) == sorted(second) == list(range(16))
    assert first.tolist() != second.tolist()


def test_a_picture_without_a_label_teaches_only_the_other_output():
    data = labelled(2, fer2013=[-1, 3])
    data.ferplus[1] = 0
    labels, weights = train.targets(data)
    assert weights["fer2013"].tolist() == [0, 1] and weights["ferplus"].tolist() == [1, 0]
    assert labels["fer2013"][1].argmax() == 3


def test_mixed_pairs_have_mixed_labels_and_take_nothing_from_a_side_without_one():
    data = labelled(64, ferplus=np.arange(64) % 8, fer2013=np.where(np.arange(64) % 2, -1, 2))
    images, labels, weights = batches(data, batch=64, mixup=0.5)[0]
    assert images.shape == (64, 48, 48, 1)
    assert labels["ferplus"].sum(axis=1) == pytest.approx(np.ones(64), abs=1e-5)
    assert ((labels["ferplus"] > 0.01).sum(axis=1) == 2).any(), "some are mixed of two emotions"
    known = weights["fer2013"] > 1e-3
    assert labels["fer2013"][known, 2] == pytest.approx(np.ones(known.sum()), abs=1e-2)
    assert 0 < weights["fer2013"].mean() < 1


@pytest.mark.parametrize(("name", "least", "most"), [("vgg", 1.1e6, 1.3e6), ("mini_xception", 4e4, 8e4)])
def test_each_network_gives_logits_that_are_the_mean_of_its_evidence(name, least, most):
    built = network.build(name, 48)
    said = built(np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32))
    assert least < built.count_params() < most
    for label_set, labels in network.OUTPUTS.items():
        assert said[label_set].shape == (2, len(labels))
        evidence = np.asarray(said[f"{label_set}_map"])
        assert evidence.mean(axis=(1, 2)) == pytest.approx(np.asarray(said[label_set]), abs=1e-4)


def test_a_wider_network_has_more_parameters_and_the_same_outputs():
    wide = network.build("vgg", 48, 1.5)
    assert 2 < wide.count_params() / network.build("vgg", 48).count_params() < 2.5


def test_light_and_contrast_of_a_crop_do_not_matter_to_a_network():
    face = np.random.default_rng(0).uniform(50, 200, (1, 48, 48, 1)).astype(np.float32)
    standardise = network.Standardise()
    assert np.asarray(standardise(face)) == pytest.approx(np.asarray(standardise(face * 0.5 + 20)), abs=1e-4)
    assert np.asarray(standardise(np.full((1, 48, 48, 1), 7.0))) == pytest.approx(np.zeros((1, 48, 48, 1)))


def test_a_served_network_judges_a_crop_and_its_mirror_picture_alike():
    model = network.served(network.build("vgg", 48), {"fer2013": 1.0, "ferplus": 2.0})
    crops = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32)
    one, other = model(crops), model(crops[:, :, ::-1].copy())
    assert np.asarray(one["ferplus"]) == pytest.approx(np.asarray(other["ferplus"]), abs=1e-4)
    assert np.asarray(one["map"])[:, :, ::-1] == pytest.approx(np.asarray(other["map"]), abs=1e-4)
    assert np.asarray(one["fer2013"]).sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_answers_is_found(true_temperature):
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (4000, 8))
    p = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    truth = (p.cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)
    assert best_temperature([honest * true_temperature], truth) == pytest.approx(true_temperature, rel=0.06)


def test_no_faces_leave_the_temperature_at_one():
    assert best_temperature([np.zeros((0, 8))], np.zeros(0, int)) == 1.0


def data_folder(path):
    path.mkdir()
    rows(96).to_parquet(path / "fer2013_train_0.parquet")
    rows(5, seed=1).to_parquet(path / "fer2013_valid.parquet")
    return path


def run(data, out, *more):
    command = [sys.executable, "-m", "cssafe", "train", str(data), "--out", str(out), "--batch", "16", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_a_short_training_makes_a_model_folder_that_serves_and_can_be_resumed(tmp_path):
    data, out = data_folder(tmp_path / "data"), tmp_path / "out"
    for epochs in ("3", "4"):
        run(data, out, "--epochs", epochs)
    assert len((out / "log.csv").read_text().splitlines()) == 1 + 4, "the second run went on after the third epoch"
    card = json.loads((out / "model.json").read_text())
    assert card["metrics"]["held_back"]["n"] > 0
    crops = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    served = Expression(out, precision="f32")
    assert served.ferplus(crops).sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    expected = keras.models.load_model(out / "model.keras", compile=False).predict(crops[..., None].astype(np.float32))
    assert np.abs(served.ferplus(crops) - expected["ferplus"]).max() < 1e-3


@pytest.mark.slow
def test_a_student_learns_from_teachers_and_a_last_pass_over_all_claims_no_figure_on_what_it_has_seen(tmp_path):
    data, first, student, last = data_folder(tmp_path / "data"), *(tmp_path / name for name in ("a", "b", "c"))
    run(data, first, "--epochs", "2", "--width", "0.5", "--cut", "8", "--mixup", "0.2")
    run(data, student, "--epochs", "1", "--teacher", str(first), str(first))
    run(data, last, "--epochs", "1", "--start", str(student), "--all")
    cards = {folder.name: json.loads((folder / "model.json").read_text()) for folder in (first, student, last)}
    assert cards["a"]["parameters"] < cards["b"]["parameters"]
    assert cards["c"]["metrics"] == {}
    assert cards["c"]["temperatures"] == cards["b"]["temperatures"], "inherited, as nothing was held back"
