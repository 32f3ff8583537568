"""Winners of a week, rises of a term and effects of tags in simulated terms: a tenth of `python -m tests.evidence_terms`, with
bars two standard errors wider."""

import pytest

from tests import evidence_terms
from tests.support.rates import Rate

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("rates", "n"), [(evidence_terms.weekly_rates, 100), (evidence_terms.term_rates, 200)])
def test_no_winner_rise_or_effect_is_named_where_there_is_none_and_true_ones_are_found(rates, n):
    assert [rate.row for rate in rates(n) if not rate.met] == []


@pytest.mark.parametrize(
    ("share", "n", "met"), [(0.05, 1000, True), (0.07, 1000, False), (0.07, 100, True), (0.2, 100, False)]
)
def test_a_bar_is_wider_with_fewer_replications_only(share, n, met):
    assert Rate("", share, n, most=0.065).met == met
