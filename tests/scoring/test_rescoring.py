"""Past lessons scored by another formula, from what was stored; activities; explanations; sensitivity."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.labels import FERPLUS
from cssafe.observations import average_seconds
from cssafe.queries import scored_observations
from cssafe.scoring import explanation, rescoring, sensitivity
from cssafe.scoring.concentration import attention, concentration
from cssafe.scoring.formula import (
    ATTENTION_ONLY,
    CONCENTRATION,
    GAZE,
    NUMBER_NAMES,
    PUBLISHED,
    PUBLISHED_ATTENTION,
)
from cssafe.store import Workspace, migrations
from tests.support.lessons import AWAY, FRONT, LESSON, LOOKING, NEUTRAL, START, add, mixed, rows

DOWN = LOOKING | {"pitch": 45.0}


def fetch(workspace, sql):
    with workspace.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def test_no_observations_are_scored_as_none():
    assert rescoring.score_observations(average_seconds([]), FRONT, PUBLISHED).empty
    assert explanation.minute_parts(average_seconds([]).assign(minute=0), FRONT, PUBLISHED).empty


def test_a_score_made_anew_is_that_of_the_second_s_mean_signals():
    table = mixed()
    scored = rescoring.score_observations(table, FRONT, PUBLISHED)
    attending = attention(rescoring.signals(table), PUBLISHED, "front")
    np.testing.assert_array_equal(scored["attention"], attending)
    expected = concentration(attending, rescoring.expression(table), PUBLISHED)
    np.testing.assert_array_equal(scored["concentration"], expected)
    assert scored["concentration"].isna().any() and scored["concentration"].notna().any()
    assert (scored["level"].isna() == scored["concentration"].isna()).all()


@pytest.mark.parametrize(
    ("after", "expected"), [(-5.0, "front"), (0.0, "break"), (0.4, "break"), (0.6, "front"), (9.0, "front")]
)
def test_the_activity_in_the_middle_of_a_second_counts_for_it(after, expected):
    start = FRONT["time"][0]
    known = pd.DataFrame({"time": [start, start + pd.Timedelta(seconds=after)], "activity": ["front", "break"]})
    assert rescoring.activity_at(pd.Series([start]), known.sort_values("time"))[0] == expected


def test_a_level_made_anew_keeps_each_face_s_hysteresis_over_seconds_without_a_measure():
    table = rows(tracks=2, seconds=4, **LOOKING, **NEUTRAL)
    index = np.array([[1.0, 0.63, np.nan, 0.63], [0.4, 0.66, np.nan, 0.66]])  # around the limit of .65
    table["p_sad"] = np.nan_to_num((1 - index.T.ravel()) * 1.5)
    table["p_neutral"] = 1 - table["p_sad"]
    table.loc[np.isnan(index.T.ravel()), "yaw"] = np.nan
    scored = rescoring.score_observations(table, FRONT, PUBLISHED)
    levels = {track: scored.loc[scored["track"] == track, "level"].tolist() for track in (0, 1)}
    assert levels[0] == pytest.approx([2, 2, np.nan, 2], nan_ok=True)  # stays high down to .62
    assert levels[1] == pytest.approx([1, 1, np.nan, 1], nan_ok=True)  # stays medium up to .68


def test_choosing_a_formula_scores_all_past_lessons_anew_and_their_summaries_follow(workspace):
    before = add(workspace, rows(concentration=0.9, attention=0.9, **AWAY))
    told = []
    assert workspace.rescore(PUBLISHED_ATTENTION, told.append) == 1 and told == [1.0]
    scores = (
        "SELECT DISTINCT attention::DECIMAL(3, 2) = 0.4, concentration::DECIMAL(3, 2) = 0.4, level FROM observations"
    )
    assert fetch(workspace, scores) == [(True, True, 1)]
    [lesson] = queries.lessons(workspace).to_dict("records")
    assert lesson["lesson"] == before and lesson["formula"] == "attention-only 2"
    assert lesson["concentration"] == pytest.approx(0.4)
    assert workspace.rescore(PUBLISHED_ATTENTION) == 0


def test_what_cannot_be_measured_stays_null_when_scored_anew(workspace):
    seen, unread = rows(**LOOKING), rows(**LOOKING | {"yaw": np.nan})
    add(workspace, seen, unread.assign(track=unread["track"] + 6))
    workspace.rescore(PUBLISHED_ATTENTION)
    assert fetch(
        workspace, "SELECT count(attention), count(concentration), count(level), count(*) FROM observations"
    ) == [(6, 6, 6, 12)]


def test_lessons_without_stored_signals_keep_their_scores_and_are_counted(workspace):
    """As another program may write them, and as attention-only lessons are exported."""
    add(workspace, rows(**LOOKING | {"yaw": np.nan}), lesson=replace(LESSON, formula="theirs 1"))
    assert workspace.rescorable_lessons(CONCENTRATION) == [] and workspace.rescore(CONCENTRATION) == 0
    assert workspace.unscorable_lessons(CONCENTRATION) == 1
    assert queries.lessons(workspace)["concentration"].tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("formula", [CONCENTRATION, ATTENTION_ONLY, PUBLISHED, PUBLISHED_ATTENTION], ids=str)
@pytest.mark.parametrize("activity", ["front", "desk work"])
@pytest.mark.parametrize("unread", [None, 5], ids=["all eyes read", "some eyes unread"])
def test_the_parts_and_the_index_add_up_to_one_for_every_face(formula, activity, unread):
    table = mixed(20)
    if unread:
        table.loc[::unread, "eyes_open"] = np.nan
    signals, emotions = rescoring.signals(table), rescoring.expression(table)
    parts = explanation.face_parts(signals, emotions, formula, activity)
    index = concentration(attention(signals, formula, activity), emotions, formula)
    np.testing.assert_allclose(parts["index"], index, atol=1e-6)
    measured = ~np.isnan(index)
    np.testing.assert_allclose(parts[measured].sum(axis=1), 1, atol=1e-6)
    assert (parts[measured] >= -1e-6).all(axis=None)


def test_sensitivity_of_a_continuous_formula_moves_its_fall_and_its_limits():
    table = sensitivity.rescore_variants(mixed(30).dropna(), FRONT, CONCENTRATION)
    assert set(table["number"]) == {
        "", *FERPLUS, "falls to 0 over", "low below", "high above",
        *(f"front: {name}" for name in ("to the side", "up", "down", "eyes half closed below", "eyes closed")),
    }  # fmt: skip
    moved = table.set_index(["number", "factor"])["concentration"]
    assert moved[("falls to 0 over", 0.8)] < moved[("", 1.0)] < moved[("falls to 0 over", 1.2)]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"source": "sample"}, False),
        ({"profile": "attention-only"}, True),
        ({"formula": "sharma-distractionmodel 2"}, True),
        ({}, False),
    ],
    ids=["synthetic", "without emotions", "scored by it", "any other"],
)
def test_lessons_that_a_formula_cannot_score_keep_their_scores(workspace, change, kept):
    add(workspace, rows(concentration=0.77, **AWAY), lesson=replace(LESSON, **{"formula": "another 1"} | change))
    assert workspace.rescore(PUBLISHED) == (not kept)
    [(same,)] = fetch(workspace, "SELECT bool_and(concentration = 0.77::FLOAT) FROM observations")
    assert same == kept


def test_a_running_lesson_is_left_alone(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, rows(concentration=0.77))
    assert workspace.rescore(PUBLISHED) == 0


def test_a_break_takes_its_minutes_out_of_the_lesson_s_figures(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, rows(seconds=120, **DOWN, **NEUTRAL))
    workspace.switch_activity(number, "desk work", START + timedelta(seconds=60))
    workspace.switch_activity(number, "break", START + timedelta(seconds=90))
    workspace.end_lesson(number, START + timedelta(minutes=2))
    workspace.rescore(PUBLISHED)
    rows_ = fetch(workspace, "SELECT seconds, round(concentration, 3) FROM minutes ORDER BY time")
    assert rows_ == [(60, 0.4), (30, 1.0)]
    assert scored_observations.activities(workspace, number)["activity"].tolist() == ["front", "desk work", "break"]


def test_what_a_class_did_can_be_said_afterwards_and_the_lesson_is_scored_by_it(workspace):
    number = add(workspace, rows(seconds=120, **DOWN, **NEUTRAL))
    workspace.correct_activities(number, [(START, "desk work"), (START + timedelta(minutes=1), "front")], PUBLISHED)
    assert scored_observations.activities(workspace, number)["activity"].tolist() == ["desk work", "front"]
    assert fetch(workspace, "SELECT round(concentration, 3) FROM minutes ORDER BY time") == [(1.0,), (0.4,)]
    with pytest.raises(ValueError, match="A lesson's activity is one of"):
        workspace.correct_activities(number, [(START, "sleep")], PUBLISHED)
    assert len(scored_observations.activities(workspace, number)) == 2  # nothing was changed


def test_no_activity_but_the_known_ones_is_kept(workspace):
    number = workspace.start_lesson(LESSON)
    with pytest.raises(ValueError, match="A lesson's activity is one of"):
        workspace.switch_activity(number, "sleep", START)


def test_a_deleted_lesson_leaves_neither_activities_nor_ratings(workspace):
    number = add(workspace, rows())
    workspace.save_rating(number, START, 2)
    workspace.delete(number)
    assert (
        fetch(workspace, "SELECT count(*) FROM activities")
        == fetch(workspace, "SELECT count(*) FROM ratings")
        == [(0,)]
    )


def test_a_database_of_the_first_version_keeps_its_lessons_which_looked_to_the_front(tmp_path, monkeypatch):
    path = tmp_path / "old.duckdb"
    with monkeypatch.context() as old:
        old.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        with closing(Workspace.open(path)) as workspace, workspace.cursor() as cursor:
            cursor.execute("""INSERT INTO lessons VALUES (1, 'Old', '7a', 'Maths', '', 'UTC', 'consent', 'published 1',
                'camera', 'class', TIMESTAMP '2026-03-02 08:00:00', TIMESTAMP '2026-03-02 08:45:00')""")
            known = [name for name, *_ in cursor.execute("DESCRIBE observations").fetchall()]
            cursor.register("batch", rows(**AWAY, **NEUTRAL).assign(lesson=1)[known])
            cursor.execute("INSERT INTO observations BY NAME SELECT * FROM batch")
    with closing(Workspace.open(path)) as workspace:
        assert fetch(workspace, "SELECT lesson, activity FROM activities") == [(1, "front")]
        assert workspace.rescore(PUBLISHED) == 1
        assert fetch(workspace, "SELECT DISTINCT concentration::DECIMAL(3, 2) = 0.4 FROM observations") == [(True,)]


def test_what_is_not_scored_is_not_explained():
    parts = explanation.face_parts(rescoring.signals(mixed()), None, PUBLISHED, "break")
    assert parts.isna().all(axis=None) and len(parts) == 36


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        (LOOKING | NEUTRAL, {}),
        (AWAY | NEUTRAL, {"looking": 0.6}),
        (LOOKING | {"eyes_open": 0.4} | NEUTRAL, {"eyes": 0.7}),
        (LOOKING | {"eyes_open": 0.0} | NEUTRAL, {"eyes": 1.0}),
        (LOOKING | NEUTRAL | {"p_neutral": 0.0, "p_sad": 1.0}, {"sad": 2 / 3}),
        (AWAY | NEUTRAL | {"p_neutral": 0.5, "p_sad": 0.5}, {"looking": 0.6, "sad": 0.4 / 3}),
    ],
)
def test_what_is_lost_is_told_with_its_share_of_all_that_is_lost(values, lost):
    table = explanation.minute_parts(rows(**values).assign(minute=0), FRONT, PUBLISHED).set_index("part")
    assert table["minute"].eq(0).all()
    for part in explanation.part_names(PUBLISHED):
        assert table.loc[part, "points"] == pytest.approx(lost.get(part, 0), abs=1e-6)
    shares = table["share"].drop("index")
    assert shares.isna().all() if not lost else shares.sum() == pytest.approx(1)
    assert table.loc["index", "points"] == pytest.approx(1 - sum(lost.values()))


def test_the_parts_of_a_minute_have_an_interval_over_faces_that_the_timeline_has_too(workspace):
    number = add(workspace, mixed(30))
    workspace.rescore(PUBLISHED)
    table = scored_observations.counted_observations(workspace, number)
    parts = explanation.minute_parts(table, scored_observations.activities(workspace, number), PUBLISHED)
    [shown] = queries.timeline(workspace, number).to_dict("records")
    course = queries.timeline(workspace, number)
    parts = explanation.class_minutes(parts, course, scored_observations.activities(workspace, number), PUBLISHED)
    assert parts["points"].sum() == pytest.approx(1)
    [index] = parts[parts["part"] == "index"].to_dict("records")
    for one, other in (("points", "concentration"), ("low", "low"), ("high", "high")):
        assert index[one] == pytest.approx(shown[other], abs=1e-5)


def test_of_too_small_a_group_there_is_no_evidence(workspace):
    number = add(workspace, rows(tracks=4))
    assert scored_observations.counted_observations(workspace, number).empty


def test_sensitivity_moves_each_number_alone_by_a_fifth_both_ways():
    table = sensitivity.rescore_variants(mixed(30).dropna(), FRONT, PUBLISHED)
    assert table.loc[0, ["number", "factor"]].tolist() == ["", 1.0]
    moved = table[1:].groupby("number")["factor"].apply(list)
    assert set(moved.index) == {
        *FERPLUS, "divisor", "low below", "high above", *(NUMBER_NAMES[name] for name in GAZE[:-1]),
        *(f"front: {name}" for name in ("to the side", "up", "down", "eyes half closed below", "eyes closed")),
    }  # fmt: skip
    assert all(factors == [0.8, 1.2] for factors in moved)
    assert table[["low", "medium", "high"]].sum(axis=1).tolist() == pytest.approx([1] * len(table))


def test_sensitivity_tells_the_verdict_of_the_moved_formula():
    told = []
    happy = rows(**LOOKING, **NEUTRAL | {"p_neutral": 0.0, "p_happy": 1.0})
    table = sensitivity.rescore_variants(happy, FRONT, PUBLISHED, told.append)
    table = table.set_index(["number", "factor"])
    base = table.loc[("", 1.0)]
    assert base["concentration"] == pytest.approx(2 / 3) and base["level"] == 2 and base["high"] == 1
    lower = table.loc[("happy", 0.8)]
    assert lower["concentration"] == pytest.approx(0.8 * 2 / 3) and lower["level"] == 1 and lower["medium"] == 1
    assert table.loc[("sad", 0.8), "concentration"] == base["concentration"]
    assert told[-1] == 1.0


def test_sensitivity_of_attention_moves_no_emotion():
    table = sensitivity.rescore_variants(rows(**LOOKING), FRONT, PUBLISHED_ATTENTION)
    assert not set(FERPLUS) & set(table["number"])


def test_a_formula_without_emotions_tells_of_none():
    table = explanation.minute_parts(rows(**AWAY).assign(minute=0), FRONT, PUBLISHED_ATTENTION)
    assert table["part"].tolist() == ["looking", "eyes", "index"]
    assert explanation.describe_parts(table) == "40 of 100: lost are 60 to looking away."
    assert explanation.describe_parts(
        explanation.minute_parts(rows(**LOOKING).assign(minute=0), FRONT, PUBLISHED_ATTENTION)
    ) == ("100 of 100: nothing is lost.")
