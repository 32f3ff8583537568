import json

import pytest

from cssafe.errors import ConfigurationError
from cssafe.expression import model_metrics


def folder(tmp_path, measured, served="a1"):
    (tmp_path / "model.json").write_text(json.dumps({"sha256": {"expression.bin": served}}), encoding="utf-8")
    if measured is not None:
        (tmp_path / model_metrics.FIGURES).write_text(measured, encoding="utf-8")
    return tmp_path


def test_a_network_that_was_never_measured_has_no_figures(tmp_path):
    assert model_metrics.read(folder(tmp_path, None)) is None


def test_figures_of_the_served_weights_are_read(tmp_path):
    written = {"model": {"name": "expression", "sha256": "a1"}, "date": "2026-11-21"}
    assert model_metrics.read(folder(tmp_path, json.dumps(written))) == written


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"model": {"sha256": "b2"}}', "other weights"),
    ],
)
def test_figures_that_do_not_fit_the_network_are_refused_with_the_command_that_renews_them(tmp_path, measured, says):
    with pytest.raises(ConfigurationError, match=says) as caught:
        model_metrics.read(folder(tmp_path, measured))
    assert "evaluate DATA --card" in str(caught.value)
