"""`python -m cssafe figures`: its lines are the rows of the pages' queries, on a real database file."""

import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.commands.figures import KINDS, MEASURES, read_figures, to_json_lines
from cssafe.commands.main import main
from cssafe.queries import presence
from cssafe.school.week import with_teachers
from cssafe.settings import ROOT
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import estimate_effects, lessons_in_slots
from tests.support import schools
from tests.support.lessons import LESSON, PERIODS, START, add, rows


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.delenv("CSSAFE_PROFILE", raising=False)
    return tmp_path / "cssafe.duckdb"


@pytest.fixture
def school(path):
    """A database with lessons of two classes, a synthetic one, and one without single faces."""
    with closing(Workspace.open(path)) as workspace:
        add(workspace, rows(seconds=90))
        other = replace(LESSON, class_name="9c", subject="Ärt/2", started=START + timedelta(days=1))
        add(workspace, rows(seconds=60, start=other.started, concentration=0.8), lesson=other)
        add(workspace, rows(seconds=60), lesson=replace(LESSON, source="sample"))
        add(workspace, rows(seconds=60, attention=0.43), lesson=replace(LESSON, profile="attention-only"))
    return path


def lines(capsys, *words: str) -> list[dict]:
    assert main(["figures", *words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_database_gives_no_line(path, capsys, kind):
    Workspace.open(path).close()
    for words in ([], ["--json"]):
        assert main(["figures", kind, *words]) == 0
        assert capsys.readouterr().out == ""


def test_the_lines_are_the_rows_of_the_pages(school, capsys):
    with closing(Workspace.open(school)) as workspace:
        which = queries.Filter(synthetic=False)
        pages = {
            "lessons": queries.lessons(workspace, which),
            "weekly": queries.weekly(workspace, (), which),
            "presence": queries.factors(workspace, which),
        }
        timeline = queries.timeline(workspace, 1)
    for kind, page in pages.items():
        found = pd.DataFrame(lines(capsys, kind))
        assert list(found.columns) == list(page.columns) and len(found) == len(page) > 0
        numbers = page.select_dtypes("number").columns
        assert found[numbers].to_numpy(float) == pytest.approx(page[numbers].to_numpy(float), nan_ok=True)
        assert found.get("subject", pd.Series()).tolist() == page.get("subject", pd.Series()).tolist()
    found = pd.DataFrame(lines(capsys, "minutes", "--lesson", "1"))
    assert found["lesson"].tolist() == [1, 1] and found["local"].tolist() == [
        "2026-03-02 09:00:00",
        "2026-03-02 09:01:00",
    ]
    assert found["concentration"].tolist() == pytest.approx(timeline["concentration"].tolist())
    assert list(found.columns) == ["lesson", *timeline.columns]


def test_lessons_of_another_formula_are_not_in_the_weeks_lines_and_standard_error_says_so(school, capsys):
    assert "not in these figures" not in _said_of_the_week(capsys)
    with closing(Workspace.open(school)) as workspace:
        add(workspace, rows(), lesson=replace(LESSON, formula="ours 1", started=START + timedelta(days=2)))
    assert "1 lesson is not in these figures" in _said_of_the_week(capsys)


def _said_of_the_week(capsys) -> str:
    assert main(["figures", "weekly", "--json"]) == 0
    said = capsys.readouterr()
    assert all(json.loads(line)["weekday"] < 3 for line in said.out.splitlines())
    return said.err


@pytest.mark.parametrize("measure", MEASURES)
def test_the_weeks_lines_have_each_measure_and_the_schools_periods(school, capsys, measure):
    assert presence.FACTORS == MEASURES
    with closing(Workspace.open(school)) as workspace:
        workspace.set("periods", PERIODS)
        page = queries.weekly(workspace, PERIODS, queries.Filter(synthetic=False), measure)
    found = lines(capsys, "weekly", "--measure", measure)
    assert [line[measure] for line in found] == pytest.approx(page[measure].tolist())
    assert [line["period"] for line in found] == ["1", "1"]


def test_of_a_lesson_without_single_faces_the_minutes_are_those_of_an_export(school, capsys):
    [line] = lines(capsys, "minutes", "--lesson", "4")
    with closing(Workspace.open(school)) as workspace:
        [shareable] = queries.shareable_rows(workspace, 4).itertuples()
    assert (line["attention"], line["concentration"]) == (shareable.attention, shareable.concentration)
    assert line["attention"] in (0.4, 0.5) and line["present"] is None and line["low"] is None


def test_slots_are_those_of_the_timetable_with_a_verdict_each(path, capsys):
    of = schools.school(5)
    recorded = schools.recorded(of, 0, schools.planted(np.random.default_rng(0), 0.1), weeks=3, share=0.4)
    with closing(Workspace.open(path)) as workspace:
        schools.fill(workspace, of, recorded)
        slots = lessons_in_slots(workspace, of.periods, queries.class_figures(workspace, queries.ALL))
        page = estimate_effects(with_teachers(slots, of), of.days, of.periods)
    found = pd.DataFrame(lines(capsys, "slots", "--with-sample"))
    assert found["effect"].to_numpy(float) == pytest.approx(page.slots["effect"].to_numpy(float), nan_ok=True)
    named = page.clear[["weekday", "period"]].to_numpy().tolist()
    assert (
        named and sorted(named) == found.loc[found["verdict"] == "differs", ["weekday", "period"]].to_numpy().tolist()
    )
    assert set(found.loc[~found["evidence"], "verdict"]) <= {"too_little"}


def test_slots_without_periods_or_advice_say_why_on_standard_error(school, capsys):
    assert main(["figures", "slots", "--json"]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "periods are not saved yet" in said.err
    with closing(Workspace.open(school)) as workspace:
        workspace.set("periods", PERIODS)
        add(workspace, *(rows(start=START + timedelta(minutes=i)) for i in range(12)))
    assert {line["verdict"] for line in lines(capsys, "slots")} == {"too_little"}
    main(["figures", "slots"])
    assert "too little to tell slots apart" in capsys.readouterr().err


@pytest.fixture
def term(path):
    """Lessons on Monday and Tuesday of twelve weeks, from the seventh on better by .2; the tag "new" on every other lesson is
    better by .1, "Tuesdays" is on those of Tuesday."""
    random = np.random.default_rng(0)
    with closing(Workspace.open(path)) as workspace:
        for week in range(12):
            for day in range(2):
                new = (week + day) % 2
                value = 0.4 + 0.2 * (week >= 6) + 0.1 * new + random.normal(0, 0.01)
                when = START + timedelta(weeks=week, days=day)
                number = add(
                    workspace,
                    rows(concentration=value, start=when),
                    lesson=replace(LESSON, started=when, time_zone="UTC"),
                )
                workspace.save_note(number, "", ["new"] * new + ["Tuesdays"] * day)
    return path


def test_comparisons_have_their_verdict_or_the_reason_for_none(term, capsys):
    tuesdays, new = lines(capsys, "compare")
    assert (new["kind"], new["name"], new["verdict"], new["reason"]) == ("tag", "new", "differs", None)
    assert new["low"] <= 0.1 <= new["high"] and (new["having"], new["others"], new["lessons"]) == (12, 12, 24)
    assert new["size_low"] > 0
    assert (tuesdays["name"], tuesdays["verdict"], tuesdays["reason"]) == ("Tuesdays", "too_little", "timetable")
    assert tuesdays["low"] is None


def test_a_term_has_its_weeks_its_trend_and_its_difference_from_the_one_before(term, capsys):
    *weeks, trend = lines(capsys, "term")
    assert [week["kind"] for week in weeks] == ["week"] * 12 and weeks[1]["name"] == "2026-03-09"
    assert (
        weeks[0]["lessons"] == 2 and weeks[0]["verdict"] is None and weeks[0]["value"] == pytest.approx(0.45, abs=0.02)
    )
    assert (trend["kind"], trend["name"], trend["lessons"], trend["verdict"]) == ("trend", "all", 24, "differs")
    *weeks, trend, last = lines(capsys, "term", "--since", "2026-04-13", "--until", "2026-05-24")
    assert len(weeks) == 6 and trend["verdict"] == "chance"
    assert (last["kind"], last["name"], last["lessons"], last["verdict"]) == ("last_term", "all", 24, "differs")
    assert last["value"] == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ([], [2, 4, 1]),
        (["--with-sample"], [2, 4, 3, 1]),
        (["--class", "9c"], [2]),
        (["--class", "9c", "--class", "7a", "--subject", "Maths"], [4, 1]),
        (["--lesson", "1", "--lesson", "4"], [4, 1]),
        (["--since", "2026-03-03"], [2]),
        (["--until", "2026-03-02"], [4, 1]),
        (["--class", "nowhere"], []),
        (["--lesson", "3"], []),
    ],
)
def test_filters_choose_lessons(school, capsys, words, numbers):
    assert [line["lesson"] for line in lines(capsys, "lessons", *words)] == numbers


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["lessons", "--lesson", "first"], "--lesson"),
        (["lessons", "--since", "yesterday"], "such as 2026-11-29"),
        (["lessons", "--since", "2026-03-03", "--until", "2026-03-02"], "later"),
        (["weekly", "--measure", "joy"], "invalid choice: 'joy'"),
        (["lessons"], "no database"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_one_line(path, capsys, words, says):
    assert main(["figures", *words]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and says in said.err
    assert not path.exists()


def test_without_json_it_is_a_table_without_control_characters(school, capsys):
    with closing(Workspace.open(school)) as workspace:
        workspace.rename(1, "one\x1b[31m")
    assert main(["figures", "lessons"]) == 0
    head, *body = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["lesson", "name", "class_name"] and len(body) == 3
    assert "\x1b" not in "".join(body) and "0.500" in body[-1]


def test_unknown_values_are_null_and_whole_numbers_stay_whole():
    table = pd.DataFrame(
        {"expected": [20, np.nan], "local": pd.to_datetime(["2026-03-02 09:00", None]), "low": [0.5, np.nan]}
    )
    first, second = map(json.loads, to_json_lines(table).splitlines())
    assert first == {"expected": 20, "local": "2026-03-02 09:00:00", "low": 0.5} and isinstance(first["expected"], int)
    assert second == {"expected": None, "local": None, "low": None}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_in_the_document_and_every_field_there_is_in_a_line(school, kind):
    document = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").split("## Figures for other programs")[1]
    section = document.split("\n## ")[0].split(f"\n**{kind}**")[1].split("\n**")[0]
    told = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| ([^|]*`[^|]*) \|", section, re.MULTILINE))))
    with closing(Workspace.open(school)) as workspace:
        workspace.set("periods", PERIODS)
        add(workspace, *(rows(start=START + timedelta(minutes=i)) for i in range(12)))
        workspace.save_note(1, "", ["new"])
        real = set().union(*(read_figures(workspace, kind, queries.ALL, measure)[0].columns for measure in MEASURES))
    assert told == real
