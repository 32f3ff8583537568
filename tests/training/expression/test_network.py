import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from cssafe.settings import ROOT  # noqa: E402
from cssafe.training.expression import network  # noqa: E402
from cssafe.training.expression.export import best_temperature  # noqa: E402


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
    model = network.served_network(network.build("vgg", 48), {"fer2013": 1.0, "ferplus": 2.0})
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


WITHOUT_TORCH = """
import sys
from importlib.abc import MetaPathFinder

class NoTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTorch())
from cssafe.commands.main import main
sys.exit(main(["train", "x"]))
"""


@pytest.mark.slow
def test_without_pytorch_train_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "pip install -r requirements-train.txt" in done.stderr and "Traceback" not in done.stderr
