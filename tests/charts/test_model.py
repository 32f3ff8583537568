"""Charts of what was measured of the network, from figures that `evaluate` makes."""

import json

import numpy as np
import pytest

from cssafe.charts import model
from cssafe.labels import FERPLUS
from tests.support.model_figures import LABELS, figures


def draw(found: dict, labels: str) -> dict:
    one = found[labels]
    return {
        "accuracy": model.accuracy(found),
        "recall": model.recall(one),
        "confusion": model.confusion(one),
        "reliability": model.reliability(one),
        "coverage": model.coverage(one),
        "groups": model.groups(one["groups"]["side"]),
        **model.robustness(one["robustness"]),
        "affect": model.affect(np.array([0.5, 0.2, 0.6, 0.1, 0.0]), np.full(5, 0.3)),
        "probabilities": model.probabilities(dict.fromkeys(FERPLUS, 0.125), "sad"),
    }


def data(chart) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("n", [1, 82])
def test_every_chart_is_valid_vega_lite(labels, beside, n):
    for chart in draw(figures(n, beside), labels).values():
        drawn = json.loads(chart.to_json(validate=True))
        assert drawn["height"]


def test_accuracy_stands_beside_that_of_people_on_the_same_labels():
    found = figures()
    rows = {row["name"]: row for row in data(model.accuracy(found))}
    assert list(rows) == ["FERPlus", "FERPlus, no copies", "FER2013", "FER2013, no copies", "People, FER2013"]
    assert (rows["People, FER2013"]["low"], rows["People, FER2013"]["high"]) == (60, 70)
    assert rows["FER2013"]["share"] == pytest.approx(100 * found["fer2013"]["accuracy"])
    for labels in LABELS:
        del found[labels]["accuracy_without_duplicates"]
    assert len(data(model.accuracy(found))) == 3


def test_what_rests_on_few_faces_is_hollow():
    few = {row["name"]: row["few"] for row in data(model.recall(figures(2000)["ferplus"]))}
    assert [name for name, hollow in few.items() if hollow] == ["contempt · 0"]
    assert all(row["few"] for row in data(model.recall(figures(82)["ferplus"])))


def test_each_cell_of_the_confusion_tells_the_percent_of_its_row():
    one = figures()["fer2013"]
    cells = {(row["shown"], row["named"]): row for row in data(model.confusion(one))}
    assert len(cells) == 49
    assert cells["angry", "fear"]["share"] == pytest.approx(100 * one["confusion_normalised"][0][2])
    assert cells["angry", "angry"]["words"] == f"{100 * one['confusion_normalised'][0][0]:.0f}"


def test_affect_is_drawn_with_its_uncertainty_and_not_beyond_what_is_possible():
    rows = {row["name"]: row for row in data(model.affect(np.array([0.8, -0.1, 0.8, 0.1, 0.0]), np.full(5, 0.3)))}
    assert list(rows) == ["valence", "arousal", "liking", "disliking", "ambivalence"]
    assert (rows["valence"]["low"], rows["valence"]["high"]) == (pytest.approx(0.5), 1)
    assert (rows["arousal"]["low"], rows["disliking"]["low"]) == (pytest.approx(-0.4), 0)


def test_groups_too_small_to_tell_are_left_out():
    names = [row["name"] for row in data(model.groups(figures()["fer2013"]["groups"]["side"]))]
    assert names == ["left · 40", "right · 40"]


def test_each_kind_of_change_has_a_chart_with_the_other_network_only_where_it_was_measured():
    for beside, networks in ((True, {"this network", "beside it"}), (False, {"this network"})):
        charts = model.robustness(figures(beside=beside)["ferplus"]["robustness"])
        assert list(charts) == ["blur", "noise"]
        rows = data(charts["blur"])
        assert {row["network"] for row in rows if "network" in row} == networks
        assert [row["right"] for row in rows if "network" not in row] == [80]
        assert [row["step"] for row in rows if row.get("network") == "this network"] == ["0.5", "2"]
