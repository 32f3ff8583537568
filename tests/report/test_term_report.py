"""The term's report and the comparison of tags, without lessons first; planted effects come out, and nothing else."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.queries import ALL, Filter
from cssafe.report import files
from cssafe.report.comparison_report import comparison_report
from cssafe.report.term_report import preceding_days, term_report
from cssafe.settings import PROFILES
from cssafe.timetable.slot_effects import estimate_effects
from tests.support.lessons import LESSON, START, add, rows
from tests.support.reports import words
from tests.support.schools import planted, recorded, school

CONSENT = PROFILES["consent"]


def fill(workspace, values, first: int = 0, **others) -> list[int]:
    """A lesson a day with this mean, from that day on."""
    days = [START + timedelta(days=first + day) for day in range(len(values))]
    parts = [rows(concentration=values[i], start=day).assign(lesson=i) for i, day in enumerate(days)]
    lessons = [replace(LESSON, started=day, **others) for day in days]
    return workspace.add(lessons, [day + timedelta(minutes=45) for day in days], pd.concat(parts, ignore_index=True))


def test_without_lessons_a_term_has_a_report_that_says_nothing(workspace):
    report = term_report(workspace, ALL, None, CONSENT)
    assert report.figures[1].value == "0" and "needs at least two lessons" in words(report)
    assert "These lessons hold lecture only" in words(comparison_report(workspace, ALL, ""))


def test_the_last_term_ends_where_this_one_begins_and_is_as_long():
    assert preceding_days(date(2026, 3, 7), date(2026, 3, 11)) == (date(2026, 3, 2), date(2026, 3, 6))
    assert preceding_days(date(2026, 3, 7), date(2026, 3, 7)) == (date(2026, 3, 6), date(2026, 3, 6))


def test_a_rising_term_is_called_so_and_a_changed_mixture_is_not(workspace):
    wobble = np.tile([0.01, -0.01], 10)
    fill(workspace, 0.4 + 0.01 * np.arange(20) + wobble)
    assert "It rose through the term: +6.9 (" in words(term_report(workspace, ALL, None, CONSENT))
    fill(workspace, 0.6 + wobble[:10], class_name="8b")
    fill(workspace, 0.9 + wobble[:10], first=20, class_name="9c")
    mixed = term_report(workspace, Filter(classes=("8b", "9c")), None, CONSENT)
    assert "It neither clearly rose nor fell through the term: -0." in words(mixed)


def test_few_lessons_do_not_make_a_trend_nor_a_change(workspace):
    fill(workspace, [0.1, 0.2, 0.3, 0.4])
    report = term_report(workspace, Filter(since=date(2026, 3, 4)), (date(2026, 3, 2), date(2026, 3, 3)), CONSENT)
    assert "10 comparable lessons are needed" in words(report)
    assert "2 of this term's lessons and 2 of the last one's" in words(report)


@pytest.mark.parametrize(
    ("planted", "verdict"), [(0.15, "Higher than in"), (-0.15, "Lower than in"), (0, "Not clearly different from")]
)
def test_a_change_against_the_last_term_is_found_within_the_same_class_and_subject(workspace, planted, verdict):
    """The last term had more lessons of a class that does much better."""
    wobble = np.tile([0.03, -0.03, 0.01, -0.01], 5)
    fill(workspace, [*(0.4 + wobble[:8]), *(0.4 + planted + wobble[:12])])
    fill(workspace, [*(0.8 + wobble[:8]), *(0.8 + planted + wobble[:4])], class_name="9c")
    which = Filter(since=date(2026, 3, 10))
    told = words(term_report(workspace, which, (date(2026, 3, 2), date(2026, 3, 9)), CONSENT))
    assert f"{verdict} the last term: {100 * planted:+.1f} (" in told, told


@pytest.mark.parametrize(
    ("planted", "verdict"), [(0.1, "was higher with"), (-0.1, "was lower with"), (0, "No clear difference")]
)
def test_a_tag_is_judged_by_its_planted_effect(workspace, planted, verdict):
    wobble = np.tile([0.03, -0.03, 0.01, -0.01], 5)
    for i, number in enumerate(fill(workspace, 0.5 + wobble + planted * (np.arange(20) < 8))):
        workspace.save_note(number, "", ["new"] if i < 8 else ["other"])
    told = words(comparison_report(workspace, ALL, "new"))
    assert (
        verdict in told
        and f"{100 * planted:+.1f} (" in told
        and "8 lessons with it, 12 without" in told
        and "Hedges' g" in told
    )


def test_attention_only_reads_no_emotions(workspace):
    fill(workspace, [0.5] * 6)
    assert "happy" in str(files.to_json(term_report(workspace, ALL, None, CONSENT)))
    assert "happy" not in str(files.to_json(term_report(workspace, ALL, None, PROFILES["attention-only"])))
    assert not queries.emotions(workspace).empty


def slots(report):
    """The section on the slots of the week; None where there is none."""
    return next((section for section in report.sections if section.title == "How slots differ"), None)


def test_slots_are_told_where_the_school_has_periods_and_only_as_far_as_lessons_carry(workspace):
    of = school(5)
    assert slots(term_report(workspace, ALL, None, CONSENT)) is None
    nothing = slots(term_report(workspace, ALL, None, CONSENT, of.periods))
    assert "slots are not compared" in nothing.sentences[0]
    add(workspace, *(rows(start=START + timedelta(minutes=i)) for i in range(12)))
    little = slots(term_report(workspace, ALL, None, CONSENT, of.periods))
    assert "1 lessons in 1 weeks" in little.sentences[0] and not little.charts
    workspace.set("school", {"lessons": [{"day": "Mon", "period": "9", "class_name": "7a", "subject": "Art"}]})
    refused = slots(term_report(workspace, ALL, None, CONSENT, of.periods))
    assert "has the period “9”" in refused.sentences[0] and "not used until then" in refused.sentences[0]


def test_slots_that_differ_are_named_with_their_chart_and_table(workspace):
    of = school(5)
    add(workspace, *(rows(start=START + timedelta(minutes=i)) for i in range(12)))
    found = estimate_effects(recorded(of, 0, planted(np.random.default_rng(0), 0.04)), of.days, of.periods)
    told = slots(term_report(workspace, ALL, None, CONSENT, of.periods, lambda *_given: found))
    assert told.sentences[0].startswith("Concentration is higher than in the mean slot on") and "**" not in "".join(
        told.sentences
    )
    assert len(told.charts) == 1 and len(told.table) == 35 and "3 lessons, so no evidence" in told.reading


def test_both_become_files(workspace):
    for i, number in enumerate(fill(workspace, np.linspace(0.4, 0.6, 12))):
        workspace.save_note(number, "", ["new"] * (i % 2))
        workspace.add_marker(number, "quiz", START)
    for report in (
        term_report(workspace, ALL, (date(2026, 1, 1), date(2026, 2, 1)), CONSENT),
        comparison_report(workspace, ALL, "new"),
    ):
        charted = [section for section in report.sections if section.charts]
        assert charted and all(section.sentences and len(section.table) for section in charted)
        assert files.make_file(report, "pdf").startswith(b"%PDF") and b"</html>" in files.make_file(report, "html")


def test_the_factors_are_told_for_the_term_and_drawn_over_its_weeks(workspace):
    fill(workspace, [0.4, 0.6, 0.5])
    [section] = [
        s for s in term_report(workspace, ALL, None, CONSENT).sections if s.title == "The factors side by side"
    ]
    assert (
        section.sentences[0].startswith("Concentration 50 (95 % interval ") and "Presence 100" in section.sentences[0]
    )
    assert len(section.charts) == 1 and set(section.table["Factor"]) >= {"Presence", "Engaged presence", "Expression"}


def test_one_lesson_has_no_factors_over_weeks(workspace):
    fill(workspace, [0.4])
    titles = [section.title for section in term_report(workspace, ALL, None, CONSENT).sections]
    assert "The factors side by side" not in titles and "Through the term" in titles
