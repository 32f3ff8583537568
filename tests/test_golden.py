"""The served network keeps its answers: a change of the crop, the graph or the runtime that alters them is seen here."""

import json

import numpy as np
import pytest

from cssafe import settings
from cssafe.expression import Expression
from cssafe.expression.network import precisions, read_card
from cssafe.labels import FERPLUS
from tests import golden

MODEL = settings.load({}).model
KEPT = json.loads(golden.ANSWERS.read_text(encoding="utf-8"))


def test_every_picture_has_an_answer():
    assert list(golden.pictures()) == list(KEPT) and len(KEPT) > 5


@pytest.mark.parametrize("precision", precisions(read_card(MODEL)))
def test_the_network_answers_as_it_did(precision):
    crops = np.stack(list(golden.pictures().values()))
    kept = np.array([[KEPT[name][emotion] for emotion in FERPLUS] for name in KEPT])
    said = Expression(MODEL, precision).ferplus(crops)
    assert said.sum(axis=1) == pytest.approx(1, abs=1e-5)
    apart = np.abs(said - kept).max(axis=1)
    allowed = 0.01 if precision == "f32" else 0.1
    assert {name: round(float(d), 3) for name, d in zip(KEPT, apart, strict=True) if d > allowed} == {}
