"""The term's report and the comparison of tags, without lessons first; planted effects come out, and nothing else."""

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.queries import ALL, Filter
from cssafe.report import files
from cssafe.report.comparison_report import comparison_report
from cssafe.report.findings import preceding_days
from cssafe.report.term_report import term_report
from cssafe.settings import PROFILES
from cssafe.timetable.slot_effects import estimate_effects
from tests.support.lessons import LESSON, START, add, rows
from tests.support.marked_lessons import MARKS, restless
from tests.support.reports import words
from tests.support.schools import planted, recorded, school

CONSENT = PROFILES["consent"]


def fill(workspace, values, first: int = 0, step: int = 1, **others) -> list[int]:
    """A lesson every `step` days with this mean, from that day on."""
    days = [START + timedelta(days=first + step * i) for i in range(len(values))]
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
    wobble = np.tile([0.01, -0.01, -0.01, 0.01], 5)
    fill(workspace, 0.4 + 0.01 * np.arange(20) + wobble, step=3)
    assert "It rose through the term: +2.3 (" in words(term_report(workspace, ALL, None, CONSENT))
    fill(workspace, 0.6 + wobble[:12], step=3, class_name="8b")
    fill(workspace, 0.9 + wobble[:12], first=36, step=3, class_name="9c")
    mixed = term_report(workspace, Filter(classes=("8b", "9c")), None, CONSENT)
    assert "It neither clearly rose nor fell through the term: " in words(mixed)


def test_a_term_with_markers_has_the_responsiveness_of_its_classes(workspace):
    number = add(workspace, restless())
    assert "Responsiveness" not in words(term_report(workspace, ALL, None, CONSENT))
    for second in MARKS:
        workspace.add_marker(number, "question", START + timedelta(seconds=second))
    report = term_report(workspace, ALL, None, CONSENT)
    [section] = [section for section in report.sections if section.title == "Responsiveness"]
    assert "may differ by chance" in section.sentences[0] and len(section.charts) == 1 and len(section.table) == 1


def test_few_lessons_do_not_make_a_trend_nor_a_change(workspace):
    fill(workspace, [0.1, 0.2, 0.3, 0.4])
    report = term_report(workspace, Filter(since=date(2026, 3, 4)), (date(2026, 3, 2), date(2026, 3, 3)), CONSENT)
    assert "10 comparable lessons in at least 4 weeks are needed" in words(report)
    assert "2 of this term's lessons and 2 of the last one's" in words(report)


def test_many_lessons_of_few_weeks_do_not_make_a_trend_nor_a_change_either(workspace):
    fill(workspace, np.linspace(0.3, 0.6, 14))
    report = term_report(workspace, Filter(since=date(2026, 3, 9)), (date(2026, 3, 2), date(2026, 3, 8)), CONSENT)
    assert "in at least 4 weeks are needed" in words(report) and "7 of the last one's" in words(report)


@pytest.mark.parametrize(
    ("planted", "verdict"), [(0.15, "Higher than in"), (-0.15, "Lower than in"), (0, "Not clearly different from")]
)
def test_a_change_against_the_last_term_is_found_within_the_same_class_and_subject(workspace, planted, verdict):
    """The last term had more lessons of a class that does much better."""
    wobble = np.tile([0.03, -0.03, -0.01, 0.01], 5)
    fill(workspace, [*(0.4 + wobble[:8]), *(0.4 + planted + wobble[:12])], step=3)
    fill(workspace, [*(0.8 + wobble[:8]), *(0.8 + planted + wobble[:4])], step=3, class_name="9c")
    which = Filter(since=date(2026, 3, 26))
    told = words(term_report(workspace, which, (date(2026, 3, 2), date(2026, 3, 25)), CONSENT))
    found = re.search(rf"{verdict} the last term: ([+-][\d.]+) \(", told)
    assert found and float(found[1]) == pytest.approx(100 * planted, abs=3), told


def test_a_steady_rise_over_both_terms_is_no_difference_between_them(workspace):
    fill(workspace, 0.3 + 0.01 * np.arange(24) + np.tile([0.01, -0.01, -0.01, 0.01], 6), step=3)
    which = Filter(since=date(2026, 4, 7))
    told = words(term_report(workspace, which, (date(2026, 3, 2), date(2026, 4, 6)), CONSENT))
    assert "Not clearly different from the last term" in told, told


@pytest.mark.parametrize(
    ("planted", "verdict"), [(0.1, "was higher with"), (-0.1, "was lower with"), (0, "No clear difference")]
)
def test_a_tag_is_judged_by_its_planted_effect(workspace, planted, verdict):
    wobble = np.random.default_rng(0).normal(0, 0.02, 20)
    having = np.arange(20) % 5 % 2 == 0
    having[18:] = False
    for number, tagged in zip(fill(workspace, 0.5 + wobble + planted * having, step=7), having, strict=True):
        workspace.save_note(number, "", ["new"] if tagged else ["other"])
    told = words(comparison_report(workspace, ALL, "new"))
    assert verdict in told and f"{having.sum()} lessons with it, {20 - having.sum()} without" in told
    assert "Hedges' g" in told


@pytest.mark.parametrize(
    ("weekdays", "tagged", "why"),
    [
        ((0, 1, 3), lambda i: i % 3 == 1, "cannot be told from that of the timetable"),
        ((0, 1, 3), lambda i: i < 4, "4 lessons with it and 8 without it are of the same class"),
        ((0,), lambda i: i % 4 == 0, "4 lessons with it and 11 without it"),
        ((0, 1, 2, 3, 4), lambda i: i % 10 >= 5 and i < 20, "too few weeks"),
    ],
    ids=["always on one weekday's lesson", "few, and only early", "few", "two weeks"],
)
def test_a_tag_without_a_result_says_why(workspace, weekdays, tagged, why):
    """Lessons on these weekdays of each week; a placement of their own makes one weekday better."""
    count = 10 if len(weekdays) == 5 else 15
    days = [7 * (i // len(weekdays)) + weekdays[i % len(weekdays)] for i in range(count)]
    for i, day in enumerate(days):
        [number] = fill(workspace, [0.5 + 0.1 * (day % 7 == 1) + 0.001 * (i % 7)], first=day)
        workspace.save_note(number, "", ["new"] if tagged(i) else [])
    told = words(comparison_report(workspace, ALL, "new"))
    assert "There is no result for “new”" in told and why in told, told


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
    for i, number in enumerate(fill(workspace, np.linspace(0.4, 0.6, 12), step=7)):
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
