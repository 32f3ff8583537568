"""Winners of a week, rises of a term and effects of tags in simulated terms: a tenth of `python -m tests.evidence_terms`, with
bars two standard errors wider."""

import pytest

from tests import evidence_terms
from tests.support.bars import Bar

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("bars", "n"), [(evidence_terms.weekly_bars, 100), (evidence_terms.term_bars, 200)])
def test_no_winner_rise_or_effect_is_named_where_there_is_none_and_true_ones_are_found(bars, n):
    assert [str(bar) for bar in bars(n) if not bar.holds(2)] == []


@pytest.mark.parametrize(
    ("rate", "n", "errors", "holds"),
    [(0.05, 1000, 0, True), (0.07, 1000, 0, False), (0.07, 100, 2, True), (0.2, 100, 2, False)],
)
def test_a_bar_is_wider_by_standard_errors_only(rate, n, errors, holds):
    assert Bar("", rate, n, most=0.065).holds(errors) == holds
