"""The factors of a class on lessons whose figures can be worked out by hand, the empty workspace first."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.exchange import importer
from cssafe.frames import MOVEMENTS
from cssafe.labels import FERPLUS
from cssafe.observations import EXPRESSION
from cssafe.queries import presence
from cssafe.scoring.affect import COORDINATES
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from tests.support.lessons import LESSON, START, add, rows
from tests.support.program_file import program_file

CONSENT = PROFILES["consent"]
SECONDS = 60


def recorded(workspace: Workspace, table: pd.DataFrame, expected: int | None = None, lesson=LESSON) -> int:
    """The lesson's number. expected: by the teacher."""
    file = program_file(table, lesson=lesson, expected=expected)
    return importer.import_file(workspace, file, CONSENT).lessons[0]


def only(workspace: Workspace) -> pd.Series:
    """The factors of the only lesson."""
    [(_index, row)] = queries.factors(workspace).iterrows()
    return row


def test_an_empty_workspace_has_no_factors_but_all_columns(workspace):
    empty = queries.factors(workspace)
    assert presence.by_week(empty).empty and presence.over_lessons(empty).empty
    columns = [list(table.columns) for table in (empty, presence.by_week(empty), presence.over_lessons(empty))]
    add(workspace, rows(seconds=SECONDS))
    full = queries.factors(workspace)
    assert columns == [list(table.columns) for table in (full, presence.by_week(full), presence.over_lessons(full))]


def test_ten_of_twenty_expected_each_at_four_fifths_are_an_engaged_presence_of_two_fifths(workspace):
    recorded(workspace, rows(tracks=10, seconds=SECONDS, concentration=0.8, attention=0.8), expected=20)
    row = only(workspace)
    assert row["engaged_presence"] == pytest.approx(0.4) and row["presence"] == pytest.approx(0.5)
    assert (row["expected"], row["person_minutes"], row["expected_minutes"]) == (20, 10, 20)
    half = 2.093024 * np.std([0, 1] * 10, ddof=1) / np.sqrt(20)  # twenty people, ten of whom are not there
    assert (row["presence_low"], row["presence_high"]) == pytest.approx((0.5 - half, 0.5 + half))
    assert row["engaged_presence_high"] == pytest.approx(0.4 + 0.8 * half)
    for measure in ("presence", "engaged_presence"):
        [cell] = queries.weekly(workspace, measure=measure)[measure]
        assert cell == pytest.approx(row[measure])


def test_who_comes_late_is_absent_until_then_though_nobody_entered_a_number(workspace):
    late = rows(tracks=6, seconds=300)
    add(workspace, late[(late["track"] < 5) | (late["time"] >= late["time"].min() + timedelta(seconds=150))])
    row = only(workspace)
    assert row["expected"] == 6 and row["presence"] == pytest.approx(5.5 / 6)
    assert row["person_minutes"] == pytest.approx(5 * 5.5)
    assert queries.weekly(workspace, measure="presence")["presence"].tolist() == pytest.approx([5.5 / 6])


def test_more_people_than_the_teacher_expects_are_a_presence_of_one_at_most(workspace):
    recorded(workspace, rows(tracks=10, seconds=SECONDS, concentration=0.8), expected=8)
    row = only(workspace)
    assert row["presence"] == row["presence_high"] == row["engaged_presence"] == 1
    assert queries.weekly(workspace, measure="presence")["presence"].tolist() == [1]


def test_attentiveness_is_the_attention_of_the_class_with_its_interval_over_people(workspace):
    table = rows(tracks=6, seconds=SECONDS)
    table["attention"] = np.where(table["track"] < 3, 0.9, 0.3)
    add(workspace, table)
    row = only(workspace)
    half = 2.570582 * np.std([0.9, 0.3] * 3, ddof=1) / np.sqrt(6)
    assert [row[f"attentiveness{end}"] for end in ("", "_low", "_high")] == pytest.approx([0.6, 0.6 - half, 0.6 + half])
    assert queries.weekly(workspace, measure="attentiveness")["attentiveness"].tolist() == pytest.approx([0.6])


def test_expression_is_the_valence_of_the_visible_and_may_be_below_zero(workspace):
    sad = {f"p_{name}": float(name == "sad") for name in FERPLUS}
    add(workspace, rows(seconds=SECONDS, **sad))
    valence = COORDINATES["sad"][0]
    assert only(workspace)[["expression", "expression_low"]].tolist() == pytest.approx([valence] * 2)
    for name in ("7b", "7c"):
        add(workspace, rows(seconds=SECONDS, **sad), lesson=replace(LESSON, class_name=name))
    [cell] = queries.weekly(workspace, measure="expression").itertuples()
    assert (cell.expression, cell.low, cell.high) == pytest.approx((valence,) * 3)
    assert queries.lessons_in_cell(workspace, 1, "09:00", measure="expression")["expression"].tolist() == pytest.approx(
        [valence] * 3
    )


def test_attention_only_has_no_expression(workspace):
    without = rows(seconds=SECONDS).assign(**dict.fromkeys((*EXPRESSION, *MOVEMENTS), np.nan))
    add(workspace, without, lesson=replace(LESSON, profile="attention-only"))
    assert np.isnan(only(workspace)["expression"]) and queries.weekly(workspace, measure="expression").empty
    assert presence.side_by_side(only(workspace))["factor"].tolist() == list(presence.FACTORS[:4])


def test_a_profile_without_emotions_shows_no_factor_made_from_stored_ones(tmp_path):
    path = tmp_path / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        add(workspace, rows(seconds=SECONDS), lesson=replace(LESSON, formula=str(PUBLISHED)))
    with closing(Workspace.open(path, expression=False)) as workspace:
        assert presence.side_by_side(only(workspace))["factor"].tolist() == ["attentiveness", "presence"]
        for measure in ("concentration", "engaged_presence", "expression"):
            assert queries.weekly(workspace, measure=measure).empty
        assert queries.weekly(workspace, measure="presence").empty, "its formula is not the one in force"


@pytest.mark.parametrize(("audience", "tracks"), [("class", 4), ("self", 1)])
def test_too_small_a_group_and_one_person_alone_have_no_factors(workspace, audience, tracks):
    add(workspace, rows(tracks=tracks, seconds=SECONDS), lesson=replace(LESSON, audience=audience))
    assert queries.factors(workspace).empty
    for measure in ("presence", "engaged_presence"):
        assert queries.weekly(workspace, measure=measure).empty


def test_a_week_is_the_mean_of_its_lessons_and_each_week_is_a_row(workspace):
    for day, expected in ((0, 10), (1, 20), (7, 40)):
        lesson = replace(LESSON, started=START + timedelta(days=day))
        recorded(workspace, rows(tracks=10, seconds=SECONDS, start=lesson.started), expected, lesson)
    table = presence.by_week(queries.factors(workspace)).query("factor == 'presence'")
    assert table["week"].tolist() == ["2026-03-02", "2026-03-09"] and table["lessons"].tolist() == [2, 1]
    assert table["mean"].tolist() == pytest.approx([0.75, 0.25]) and table["low"].isna().tolist() == [False, True]
    whole = presence.over_lessons(queries.factors(workspace)).set_index("factor")
    assert whole.loc["presence", "mean"] == pytest.approx((1 + 0.5 + 0.25) / 3)
