"""`python -m cssafe validate` and `fit`: made data sets in the published layouts through the real networks; and made moments
whose agreement is known."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.commands.main import main
from cssafe.labels import FERPLUS
from cssafe.scoring.formula import (
    ATTENTION_ONLY,
    CONCENTRATION,
    PUBLISHED,
    PUBLISHED_ATTENTION,
    list_sources,
    read_formula,
)
from cssafe.settings import MINIMUM_GROUP
from cssafe.store import Workspace
from cssafe.training.engagement import fit, validate
from cssafe.training.engagement.moments import person_folds
from tests.support.engagement import FACE, NOBODY, daisee, engagenet, moments
from tests.support.lessons import LESSON, LOOKING, NEUTRAL, START, rows


@pytest.fixture(autouse=True)
def school(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CSSAFE_PROFILE", raising=False)
    return tmp_path / "data"


def told(capsys):
    [line] = capsys.readouterr().out.splitlines()
    return json.loads(line)


CLIPS = {
    "1100011002": ("Train", 3, FACE),
    "1100011003": ("Train", 0, NOBODY),
    "2000011001": ("Validation", 2, FACE),
    "5000441001": ("Test", 1, FACE),
    "5000441002": ("Test", 3, None),
}


@pytest.mark.slow
def test_daisee_s_layout_is_validated_through_the_real_networks_and_its_signals_are_kept(tmp_path, capsys, monkeypatch):
    folder, kept = daisee(tmp_path / "DAiSEE", CLIPS), tmp_path / "signals.parquet"
    broken = folder / "DataSet" / "Test" / "500044" / "5000441002" / "5000441002.avi"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"no video")
    assert main(["validate", str(folder), "--json", "--signals", str(kept)]) == 0
    found = told(capsys)
    assert found["moments"] == 5 and found["people"] == 3 and found["labels"] == [1, 1, 1, 2]
    assert "1 videos cannot be read" in found["notes"][0]
    assert set(found["formulas"]) == {*map(str, (CONCENTRATION, ATTENTION_ONLY, PUBLISHED, PUBLISHED_ATTENTION))}
    for one in found["formulas"].values():
        assert one["measured"] == 3 and one["levels"] == validate.LEARNED_LIMITS and one["persons"] == []
        assert {"recall", "recall_halves", "kappa", "auc"} <= set(one)
    # another time nothing is watched again
    monkeypatch.setattr("cssafe.training.engagement.moments._read_video", lambda *_: 1 / 0)
    broken.unlink()
    assert main(["validate", str(folder), "--signals", str(kept), "--formula", "attention-only 2"]) == 0
    text = capsys.readouterr().out
    assert "4 labelled moments of 3 people" in text and "attention-only 2: 3 moments could be scored" in text
    assert "1 labels have no video" in text and "95 % interval" in text and "published" not in text


def test_engagenet_s_layout_is_validated_without_emotions_where_the_profile_has_none(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    clips = {
        "subject_7_abc_vid_0_0.mp4": ("Train", "Highly-Engaged", FACE),
        "subject_8_abc_vid_0_0.mp4": ("Test", "Not-Engaged", FACE),
    }
    assert main(["validate", str(engagenet(tmp_path / "EngageNet", clips)), "--json"]) == 0
    found = told(capsys)
    assert (
        set(found["formulas"]) == {str(ATTENTION_ONLY), str(PUBLISHED_ATTENTION)}
        and found["formulas"][str(ATTENTION_ONLY)]["measured"] == 2
    )


def lessons(path, number=3, tracks=6):
    """Lessons whose first minute is low, second medium, third high."""
    with closing(Workspace.open(path)) as workspace:
        for day in range(number):
            started = START + timedelta(days=day)
            lesson = workspace.start_lesson(LESSON.__class__(**LESSON.__dict__ | {"started": started}))
            for minute, values in enumerate(({"eyes_open": 0.0}, {"yaw": 60.0}, {})):
                start = started + timedelta(minutes=minute)
                workspace.record(lesson, rows(tracks, 60, start, **LOOKING | values, **NEUTRAL))
            workspace.end_lesson(lesson, started + timedelta(minutes=3))


def own(path, labels, number=3):
    """A teacher's list: these labels of the three minutes of every lesson."""
    times = ("09:00:30", "2026-03-0{day} 09:01:00", "09:02")
    lines = [
        f"{day + 1},{time.format(day=day + 2)},{label}"
        for day in range(number)
        for time, label in zip(times, labels, strict=True)
    ]
    path.write_text("\n".join(["lesson,time,label", *lines]))
    return str(path)


@pytest.mark.parametrize(("labels", "value"), [(("low", "medium", "high"), 1.0), ((2, 1, 0), None)])
def test_a_teacher_s_own_labels_are_compared_with_the_scores_of_her_lessons(school, tmp_path, capsys, labels, value):
    lessons(school / "cssafe.duckdb")
    assert (
        main(["validate", own(tmp_path / "labels.csv", labels), "--json", "--formula", "sharma-distractionmodel 2"])
        == 0
    )
    found = told(capsys)["formulas"]["sharma-distractionmodel 2"]
    assert found["measured"] == 9 and found["levels"] == validate.OWN_LIMITS
    if value:
        assert (
            found["recall"] == found["kappa"] == found["auc"] == {"value": 1.0, "interval": [None, None]}
        )  # of three lessons
    else:
        assert found["kappa"]["value"] == -1 and found["auc"]["value"] == 0


def test_minutes_of_too_few_faces_are_not_measured(school, tmp_path, capsys):
    lessons(school / "cssafe.duckdb", tracks=MINIMUM_GROUP - 1)
    assert main(["validate", own(tmp_path / "labels.csv", (0, 1, 2)), "--json"]) == 0
    assert {one["measured"] for one in told(capsys)["formulas"].values()} == {0}


def test_a_profile_without_emotions_says_why_lessons_have_no_figures(school, tmp_path, monkeypatch, capsys):
    lessons(school / "cssafe.duckdb")
    labels = own(tmp_path / "labels.csv", (0, 1, 2))
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    assert main(["validate", labels, "--json"]) == 0
    found = told(capsys)
    assert {one["measured"] for one in found["formulas"].values()} == {0}
    assert "which the profile attention-only does not read: 3" in found["notes"][0]
    monkeypatch.setattr(fit, "MIN_PEOPLE", 2)
    assert main(["fit", labels, "--name", "ours"]) == 2
    assert "page Formula, or set CSSAFE_PROFILE to consent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "no labelled videos were found there"),
        (["labels.csv"], "there is no lesson 9 in this database"),
        (["bad-time.csv"], "the time 'noon' cannot be read"),
        (["one.csv"], "1 person or lesson; to validate, 2 are needed"),
        (["labels.csv", "--formula", "none 1"], "There is no formula 'none 1'"),
        (["labels.csv", "--levels", "1"], "expected are 2 or more"),
        (["labels.csv", "--activity", "sleep"], "invalid choice: 'sleep'"),
        ([".", "--signals", "nowhere/x.parquet"], "a folder that is there"),
    ],
)
def test_what_cannot_be_validated_is_told_on_one_line(school, tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    lessons(school / "cssafe.duckdb", 1)
    (tmp_path / "labels.csv").write_text("lesson,time,label\n9,09:00,1\n")
    (tmp_path / "bad-time.csv").write_text("lesson,time,label\n1,noon,1\n")
    (tmp_path / "one.csv").write_text("lesson,time,label\n1,09:00,1\n")
    assert main(["validate", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and says in said.err


def made(people=24, each=10, seed=0):
    """Moments of people for whom looking away says all and the emotion nothing, against the published weights."""
    draw = np.random.default_rng(seed)
    n = people * each
    away, happy = draw.random(n) < 0.5, draw.random(n) < 0.5
    label = np.where(away, draw.choice([0, 1], n), draw.choice([2, 3], n))
    return moments(
        label, np.arange(n) % people, 4, yaw=np.where(away, 60.0, 0.0), p_happy=1.0 * happy, p_neutral=1.0 * ~happy
    )


def gloomy(people=24, each=10, seed=0):
    """Moments whose label is 0 away from the target, 3 there, and 2 there with a sad face."""
    draw = np.random.default_rng(seed)
    n = people * each
    away, sad = draw.random(n) < 0.5, draw.random(n) < 0.5
    label = np.where(away, 0, np.where(sad, 2, 3))
    yaw = np.where(away, 60.0, 0.0)
    return moments(label, np.arange(n) % people, 4, yaw=yaw, p_sad=1.0 * sad, p_neutral=1.0 * ~sad)


def test_the_folds_hold_each_person_out_once():
    person = np.repeat(np.arange(13), 3)
    times = np.zeros(len(person), int)
    for taught, tested in person_folds(person):
        assert not set(person[taught]) & set(person[tested]) and (taught ^ tested).all()
        times += tested
    assert (times == 1).all()


def test_a_perfect_score_of_made_moments_is_judged_as_one_and_chance_as_chance():
    found = validate.label_agreement(made(), ATTENTION_ONLY)
    assert found["auc"]["value"] == 1 and found["recall_halves"]["value"] > 0.95 and np.median(found["persons"]) == 1
    shuffled = made()
    np.random.default_rng(0).shuffle(shuffled.label)
    chance = validate.label_agreement(shuffled, ATTENTION_ONLY)
    low, high = chance["auc"]["interval"]
    assert low < 0.5 < high and 0.3 < np.median(chance["persons"]) < 0.7


def test_fitted_factors_follow_the_labels_of_people_held_out():
    known = gloomy()
    x, label = fit.attentive_shares(known, CONCENTRATION)
    learned = fit.fit_formula(x, label, known.person, CONCENTRATION)
    sad, neutral = (learned.emotion[FERPLUS.index(name)] for name in ("sad", "neutral"))
    assert sad == pytest.approx(0.7, abs=0.02) and neutral > 0.95  # the shipped factor of sad is .8
    assert learned.emotion[FERPLUS.index("fear")] == pytest.approx(0.8, abs=0.01)  # never seen: as before
    others = gloomy(seed=1)
    x, label = fit.attentive_shares(others, CONCENTRATION)
    before, after = (((fit.moment_index(x, one) - label) ** 2).mean() for one in (CONCENTRATION, learned))
    assert after < before


def test_what_fit_computes_as_the_index_is_what_the_formula_scores():
    known = made()
    for formula in (CONCENTRATION, ATTENTION_ONLY, replace(ATTENTION_ONLY, fall=30.0)):
        x, _ = fit.attentive_shares(known, formula)
        np.testing.assert_allclose(fit.moment_index(x, formula), known.score(formula), atol=1e-6)


@pytest.mark.parametrize("attention", [False, True])
def test_fit_writes_a_formula_that_can_be_chosen_with_a_source_for_every_number(school, capsys, monkeypatch, attention):
    monkeypatch.setattr(fit, "read_moments", lambda args: made())
    arguments = ["fit", "DAiSEE", "--name", "ours", *["--attention"] * attention]
    assert main(arguments) == 0
    path = school / "formulas" / "ours-1.json"
    formula = read_formula(path)
    assert str(formula) == "ours 1" and (formula.emotion is None) == attention
    assert 0 <= formula.bands["low_below"] <= formula.bands["high_above"] <= 1
    fitted = [row for row in list_sources(path) if row["source"].startswith("fitted on")]
    assert len(fitted) == (3 if attention else 11) and "240 labelled moments of 24 people" in fitted[0]["source"]
    said = capsys.readouterr().out
    assert "ours 1, on people who did not teach it" in said and "AUC" in said and str(path) in said
    assert main(arguments) == 2 and "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("people", "each", "says"), [(9, 20, "to fit, 10 are needed"), (12, 5, "to fit, 100 are needed")]
)
def test_too_few_labels_make_no_formula(school, capsys, monkeypatch, people, each, says):
    monkeypatch.setattr(fit, "read_moments", lambda args: made(people, each))
    assert main(["fit", "DAiSEE", "--name", "ours"]) == 2
    assert says in capsys.readouterr().err and not (school / "formulas").exists()


def test_a_file_of_other_signals_is_told(tmp_path, capsys):
    folder = daisee(tmp_path / "DAiSEE", {"1100011002": ("Train", 3, FACE)})
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    assert main(["validate", str(folder), "--signals", str(tmp_path / "other.parquet")]) == 2
    assert "holds no signals of videos" in capsys.readouterr().err
