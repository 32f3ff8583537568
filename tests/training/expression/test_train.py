import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

from cssafe.errors import DataError  # noqa: E402
from cssafe.expression import Expression  # noqa: E402
from cssafe.settings import ROOT  # noqa: E402
from cssafe.training.expression import network, train  # noqa: E402
from cssafe.training.expression.data import Labelled  # noqa: E402
from cssafe.training.expression.torch_network import Twin, predict  # noqa: E402
from tests.training.expression.test_export import rows  # noqa: E402

OPTIONS = argparse.Namespace(weights=(1.0, 1.0), precision="float32")


def labelled(n, ferplus=None, fer2013=None):
    """n flat pictures, each of its own grey level."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None], (n, 48, 48)).copy()
    shares = np.eye(8, dtype=np.float32)[np.zeros(n, int) if ferplus is None else ferplus]
    return Labelled(images, np.zeros(n, int) if fer2013 is None else np.asarray(fer2013), shares)


def noisy(n):
    """n random pictures with random labels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 48, 48), np.uint8)
    return Labelled(images, rng.integers(0, 7, n), np.eye(8, dtype=np.float32)[rng.integers(0, 8, n)])


def planned(data, **changes):
    return replace(train.Plan(data, epochs=10, batch=4, rate=0.1, cut=8, camera=0.2, seed=0), **changes)


def small(name="vgg"):
    keras.utils.set_random_seed(0)
    return network.build(name, width=0.25)


def with_random_weights(model):
    rng = np.random.default_rng(1)
    for weight in model.weights:
        values = rng.normal(0.02, 0.1, weight.shape)
        weight.assign(np.abs(values) if "variance" in weight.name else values)
    return model


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
    plan = planned(labelled(16))
    first, second = (np.concatenate([plan.rows(4 * epoch + i) for i in range(4)]) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(16))
    assert first.tolist() != second.tolist()


def test_the_rate_rises_to_its_highest_and_falls_to_zero():
    plan = planned(labelled(16))
    rates = [plan.rate_at(step) for step in range(plan.steps)]
    assert max(rates) == rates[2 * plan.steps_per_epoch - 1] == 0.1
    assert rates[0] < 0.02 and rates[-1] < 0.001
    assert planned(labelled(2), epochs=1).rate_at(0) == 0.1, "one step: no warm-up"


def test_the_last_part_of_a_run_shows_whole_pictures():
    plan = planned(labelled(16))
    sides = [plan.crops(step, plan.rows(step)).shape for step in range(plan.steps)]
    assert sides == [(4, 40, 40)] * 32 + [(4, 48, 48)] * 8


def test_a_picture_without_a_label_teaches_only_the_other_output():
    data = labelled(2, fer2013=[-1, 3])
    data.ferplus[1] = 0
    said = {name: torch.zeros(2, len(labels), requires_grad=True) for name, labels in network.OUTPUTS.items()}
    train.loss(said, data, (1.0, 1.0)).backward()
    assert said["fer2013"].grad.abs().sum(1).tolist()[0] == 0 == said["ferplus"].grad.abs().sum(1).tolist()[1]
    assert said["fer2013"].grad[1].argmin() == 3 and said["ferplus"].grad[0].argmin() == 0


def test_each_set_of_labels_counts_by_its_weight():
    said = {name: torch.randn(2, len(labels)) for name, labels in network.OUTPUTS.items()}
    one, other, both = (train.loss(said, labelled(2), weights) for weights in ((1, 0), (0, 1), (2, 3)))
    assert both.item() == pytest.approx(2 * one.item() + 3 * other.item())


def test_a_student_that_says_what_its_teachers_say_has_the_least_loss_of_imitation():
    teacher = Twin(small()).eval()
    crops = torch.from_numpy(noisy(4).images).float()
    same = teacher(crops)
    other = {name: said + torch.randn_like(said) for name, said in same.items()}
    assert train.imitation(same, crops, [teacher]) < train.imitation(other, crops, [teacher])


@pytest.mark.parametrize("name", ["vgg", "mini_xception", pytest.param("resnet50", marks=pytest.mark.slow)])
def test_a_twin_says_what_the_keras_network_says_and_gives_its_weights_back(name):
    model = with_random_weights(small(name))
    twin, crops = Twin(model).eval(), noisy(3).images
    said, expected = twin(torch.from_numpy(crops).float()), model(crops[..., None].astype(np.float32))
    for output in network.OUTPUTS:
        assert said[output].detach().numpy() == pytest.approx(np.asarray(expected[output]), rel=1e-4, abs=1e-4)
    copy = small(name)
    twin.store_keras(copy)
    assert all(np.array_equal(a, b) for a, b in zip(copy.get_weights(), model.get_weights(), strict=True))


def test_prediction_is_the_mean_over_picture_and_mirror_image():
    twin, crops = Twin(with_random_weights(small())), noisy(3).images
    one, other = predict(twin, crops), predict(twin, np.ascontiguousarray(crops[..., ::-1]), part=2)
    assert one["ferplus"] == pytest.approx(other["ferplus"], abs=1e-4)


class Killed(Exception):
    pass


def killed_after(step):
    """`train.learn` that stops the run after so many steps in all."""
    real = train.learn

    def learn(run, *rest):
        if run.step == step:
            raise Killed
        real(run, *rest)

    return learn


def test_a_run_that_is_killed_twice_ends_with_the_same_weights_as_an_uninterrupted_one(tmp_path, monkeypatch):
    data = noisy(24)
    plan, args = planned(data, epochs=6, batch=8), argparse.Namespace(**vars(OPTIONS))

    def go(out, stop=None):
        run = train.Run(Twin(small()), {"seed": 0})
        run.resume(out)
        args.out = out
        with monkeypatch.context() as patch:
            patch.setattr(train, "CHECKPOINT_S", -1)
            if stop is not None:
                patch.setattr(train, "learn", killed_after(stop))
            train.train(run, plan, data[:4], [], args)
        return run

    whole = go(tmp_path / "whole")
    for stop in (4, 15):  # in the middle of an epoch, and where the last part has begun
        with pytest.raises(Killed):
            go(tmp_path / "parts", stop)
    parts = go(tmp_path / "parts")
    for one, other in ((whole.network, parts.network), (whole.averaged, parts.averaged)):
        for name, values in one.state_dict().items():
            assert torch.allclose(values, other.state_dict()[name], rtol=0, atol=1e-5), name
    assert [row["loss"] for row in whole.log] == pytest.approx([row["loss"] for row in parts.log], abs=1e-5)
    assert len((tmp_path / "parts" / "log.csv").read_text().splitlines()) == 1 + 6


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(tmp_path):
    train.Run(Twin(small()), {"seed": 0, "epochs": 5}).save(tmp_path)
    with pytest.raises(DataError, match="epochs = 5, not 6"):
        train.Run(Twin(small()), {"seed": 0, "epochs": 6}).resume(tmp_path)


def test_a_checkpoint_that_could_not_be_finished_leaves_the_earlier_one(tmp_path, monkeypatch):
    run = train.Run(Twin(small()), {})
    run.save(tmp_path)

    def full(values, path):
        Path(path).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", full)
    run.step = 7
    with pytest.raises(OSError):
        run.save(tmp_path)
    again = train.Run(Twin(small()), {})
    again.resume(tmp_path)
    assert again.step == 0


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
def test_a_short_training_makes_a_model_folder_that_serves_and_is_only_exported_when_called_again(tmp_path):
    data, out = data_folder(tmp_path / "data"), tmp_path / "out"
    run(data, out, "--epochs", "3")
    weights = (out / "expression.bin").read_bytes()
    assert "resumed" in run(data, out, "--epochs", "3")
    assert (out / "expression.bin").read_bytes() == weights
    assert len((out / "log.csv").read_text().splitlines()) == 1 + 3
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
    run(data, first, "--epochs", "2", "--width", "0.5")
    run(data, student, "--epochs", "1", "--teacher", str(first), str(first))
    run(data, last, "--epochs", "1", "--start", str(student), "--all")
    cards = {folder.name: json.loads((folder / "model.json").read_text()) for folder in (first, student, last)}
    assert cards["a"]["parameters"] < cards["b"]["parameters"]
    assert cards["c"]["metrics"] == {}
    assert cards["c"]["temperatures"] == cards["b"]["temperatures"], "inherited, as nothing was held back"
