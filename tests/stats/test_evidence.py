"""What may be said about an estimate."""

import numpy as np

from cssafe.stats.evidence import Verdict, judge_test


def test_a_test_differs_below_its_limit_and_one_that_could_not_be_made_has_too_little_data():
    verdicts = [judge_test(p_value, 0.01) for p_value in (0.001, 0.01, 0.5, np.nan)]
    assert verdicts == [Verdict.DIFFERS, Verdict.CHANCE, Verdict.CHANCE, Verdict.TOO_LITTLE]
