"""A tenth of `python -m tests.evidence_slots`, with bars two standard errors wider."""

import numpy as np
import pytest

from tests.evidence_slots import (
    EXTREME_HELD,
    FALSE_ADVICE,
    TRUE_OVER_PREDICTED,
    WEEKS,
    false_advice,
    planted,
    true_over_predicted,
)

pytestmark = pytest.mark.slow

GAIN_RATIO_ERROR = 0.35
"""Standard deviation of a proposal's true gain over its expected one."""


def widened(bar: float, n: int) -> float:
    """Two standard errors of a share of n."""
    return 2 * np.sqrt(bar * (1 - bar) / n)


@pytest.mark.parametrize("weeks", WEEKS)
def test_without_effects_there_is_hardly_ever_advice_and_no_cell_is_filled_beside_none(weeks):
    advice, filled = false_advice(20, weeks)
    assert advice <= FALSE_ADVICE[weeks] + widened(FALSE_ADVICE[weeks], 20) and filled == 0


def test_the_interval_of_the_extreme_slot_holds():
    held = [planted(6, weeks, 0.02)["held"].mean() for weeks in WEEKS]
    assert np.mean(held) >= EXTREME_HELD - widened(EXTREME_HELD, 24)


def test_proposals_gain_what_they_expect():
    ratio = np.mean([true_over_predicted(2, weeks) for weeks in WEEKS])
    assert ratio >= TRUE_OVER_PREDICTED - 2 * GAIN_RATIO_ERROR / np.sqrt(8)
