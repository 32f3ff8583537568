"""Findings about markers, forms of teaching and ratings on simulated classes: a tenth of `python -m tests.evidence_markers`,
`tests.evidence_forms` and `tests.evidence_agreement`, with bars two standard errors wider."""

import pytest

from tests import evidence_agreement, evidence_forms, evidence_markers
from tests.support.rated_moments import RATERS
from tests.support.seen_class import ALL_SEEN, PLAUSIBLE
from tests.support.taught_terms import WHEN

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", evidence_markers.CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("row", [ALL_SEEN, PLAUSIBLE], ids=lambda row: row.name)
def test_a_change_after_markers_is_found_and_one_that_comes_by_itself_is_not(row, case):
    missed = [str(bar) for bar in evidence_markers.measure(row, case, 20) if not bar.holds(2)]
    assert missed == []


@pytest.mark.parametrize("when", WHEN)
def test_the_interval_of_a_form_holds_its_effect_whenever_it_is_chosen(when):
    found = [evidence_forms.measure(lessons, when, 30) for lessons in evidence_forms.LESSONS]
    assert [str(bar) for bar in found if not bar.holds(2)] == []


@pytest.mark.parametrize("raters", RATERS, ids=lambda raters: raters.name)
def test_the_interval_of_an_agreement_holds_its_true_value(raters):
    found = [evidence_agreement.measure(raters, lessons, 20) for lessons in evidence_agreement.LESSONS]
    assert [str(bar) for bar in found if not bar.holds(2)] == []
