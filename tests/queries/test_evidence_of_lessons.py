"""Findings about markers, forms of teaching and ratings on simulated classes: a tenth of `python -m tests.evidence_markers`,
`tests.evidence_forms` and `tests.evidence_agreement`, with bars two standard errors wider."""

import numpy as np
import pytest

from cssafe.queries.teaching_methods import compare_forms
from tests import evidence_agreement, evidence_forms, evidence_markers
from tests.support.rated_moments import RATERS
from tests.support.seen_class import ALL_SEEN, PLAUSIBLE
from tests.support.taught_terms import WHEN, taught_term

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", evidence_markers.CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("row", [ALL_SEEN, PLAUSIBLE], ids=lambda row: row.name)
def test_a_change_after_markers_is_found_and_one_that_comes_by_itself_is_not(row, case):
    missed = [str(bar) for bar in evidence_markers.measure(row, case, 20) if not bar.holds(2)]
    assert missed == []


@pytest.mark.parametrize("when", WHEN)
def test_the_interval_of_a_form_holds_its_effect_whenever_it_is_chosen(when):
    found = [evidence_forms.measure(lessons, when, 10) for lessons in evidence_forms.LESSONS]
    assert [str(bar) for bar in found if not bar.holds(2)] == []


def test_a_quiz_that_begins_when_attention_has_sunk_is_not_blamed_for_it():
    """As a part of the levels of its lessons alone, it would be .010 lower."""
    terms = [taught_term(np.random.default_rng(seed), 16, 0.0, "sunk") for seed in range(30)]
    found = [compare_forms(term).set_index("measure").loc["during", "difference"] for term in terms]
    assert np.mean(found) == pytest.approx(0, abs=0.005)


def test_intervals_of_six_lessons_are_as_wide_as_they_must_be():
    """The percentile bootstrap holds the true value in 87 % of samples."""
    rates = [evidence_agreement.measure(raters, 6, 50).rate for raters in RATERS]
    assert np.mean(rates) >= 0.92


@pytest.mark.parametrize("raters", RATERS, ids=lambda raters: raters.name)
def test_the_interval_of_an_agreement_holds_its_true_value(raters):
    found = [evidence_agreement.measure(raters, lessons, 20) for lessons in evidence_agreement.LESSONS]
    assert [str(bar) for bar in found if not bar.holds(2)] == []
