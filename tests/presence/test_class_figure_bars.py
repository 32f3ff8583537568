"""The class figure on simulated classes: a tenth of `python -m tests.class_figure`, with bars two standard errors wider."""

import numpy as np
import pytest

from tests import class_figure
from tests.support.seen_class import ALL_SEEN, DRAWN, PLAUSIBLE, SMALL, SPELLS

pytestmark = pytest.mark.slow

LESSONS = 30


def least(rate: float) -> float:
    """A bar for LESSONS lessons, two standard errors below that rate."""
    return rate - 2 * np.sqrt(rate * (1 - rate) / LESSONS)


@pytest.mark.parametrize(
    ("row", "bias", "band", "width"),
    [
        (ALL_SEEN, 0.01, 1.0, 0.02),
        (PLAUSIBLE, 0.04, 0.97, 0.20),
        (DRAWN, 0.04, 0.97, 0.28),
        (SMALL, None, 0.97, 0.20),
        (SPELLS, 0.06, 0.97, 0.28),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_stored_figure_tells_the_truth(row, bias, band, width):
    found = class_figure.stored_row(row, LESSONS)
    if bias is None:
        assert np.isnan(found["bias"]), "faces are too small to follow"
    else:
        assert abs(found["bias"]) <= bias
    assert found["band"] >= least(band) and found["width"] <= width
    if row is ALL_SEEN:
        assert found["interval"] >= least(0.92)


@pytest.mark.parametrize("row", [PLAUSIBLE, DRAWN], ids=lambda row: row.name)
def test_a_class_that_lays_its_heads_down_falls_and_gives_a_hint(row):
    found = class_figure.heads_down(row, 3)
    assert found["fall"] >= 0.75 and found["hints"] == 1


def test_a_class_that_looks_away_to_the_last_student_is_low_and_gives_a_hint():
    found = class_figure.all_away(2)
    assert found["headline"] < 0.25 and found["hints"] == 1


@pytest.mark.parametrize("mean", [0.7, 0.5])
def test_a_class_in_which_nothing_happens_gives_no_hint(mean):
    assert class_figure.quiet(mean, 3) == 0
