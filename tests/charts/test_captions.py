"""The sentences that read charts out, of nothing first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.charts import classes, factors, heatmaps, histograms, live, model, scores, timelines
from cssafe.charts.text import extremes_caption
from cssafe.labels import FERPLUS
from cssafe.scoring import explanation
from cssafe.settings import ROOT
from cssafe.stats.evidence import Verdict
from tests.support.lessons import LESSON, START, add, rows, uneven

NOTHING = "There is no figure yet."


def test_every_chart_of_a_page_has_its_sentence_and_its_table():
    """`common.show_chart` draws all of them; only a report goes past it, whose sections have their own sentences and tables."""
    code = [*(ROOT / "pages").glob("*.py"), *(ROOT / "cssafe" / "ui").glob("*.py")]
    drawing = {path.name for path in code if "altair_chart(" in path.read_text(encoding="utf-8")}
    assert drawing == {"common.py", "report_view.py"}


def cells(*means: float, minutes: int = 90, unseen: float = 0.0) -> pd.DataFrame:
    """A row of the week's table: Monday at 08:00, Tuesday at 08:00, and so on. unseen: half the width of the band."""
    return pd.DataFrame(
        [
            {"weekday": i + 1, "period": "08:00", "concentration": m, "low": m, "high": m,
             "lowest": m - unseen, "highest": m + unseen, "minutes": minutes, "lessons": 4}
            for i, m in enumerate(means)
        ],
        columns=["weekday", "period", "concentration", "low", "high", "lowest", "highest", "minutes", "lessons"],
    )  # fmt: skip


def four_lessons(table: pd.DataFrame, measure: str = "concentration", spread: float = 0.02) -> pd.DataFrame:
    """Lessons of each cell, in four weeks of one class; two above and two below its mean by `spread`, each in weeks of its own
    choice."""
    rows = table.loc[table.index.repeat(4)]
    signs = [[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]
    off = np.ravel([signs[i % 3] for i in range(len(table))])
    columns = {"class_name": "7a", "subject": "Maths", "week": np.tile(np.arange(4), len(table)), "minutes": 45}
    return rows[["weekday", "period"]].assign(**columns, value=rows[measure] + spread * off)


def week_caption(table: pd.DataFrame, measure: str = "concentration", spread: float = 0.02) -> str:
    return heatmaps.weekly_caption(table, four_lessons(table, measure, spread), measure)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (cells(), "There are not enough observations yet to compare two cells."),
        (cells(0.5), "There are not enough observations yet to compare two cells."),
        (cells(0.5, 0.7, minutes=30), "There are not enough observations yet to compare two cells."),
        (cells(0.5, 0.7, 0.6), "Highest: Tue, 08:00, 70 of 100. Lowest: Mon, 08:00, 50 of 100."),
        (
            cells(0.61, 0.6),
            "Between 60 and 61 of 100: they may differ by chance, or by those who cannot be seen.",
        ),
        (
            cells(0.5, 0.6, unseen=0.04),
            "Between 50 and 60 of 100: they may differ by chance, or by those who cannot be seen.",
        ),
    ],
    ids=["none", "one", "thin", "apart", "alike", "apart but for those not seen"],
)
def test_of_the_week_the_best_and_the_weakest_cell_are_named_only_where_they_differ(table, said):
    assert week_caption(table) == said


@pytest.mark.parametrize(("count", "named"), [(3, True), (20, False)])
def test_the_more_cells_the_week_has_the_further_apart_its_extremes_must_be(count, named):
    table = cells(0.5, 0.55, *[0.525] * (count - 2))
    table = table.assign(weekday=np.arange(count) % 5 + 1, period=[str(number // 5) for number in range(count)])
    lessons = four_lessons(table)
    caption = heatmaps.weekly_caption(table, lessons.assign(week=np.arange(len(lessons))))
    assert caption.startswith("Highest") == named


def test_a_level_that_all_cells_share_in_a_week_hides_no_difference():
    table = cells(0.5, 0.54, 0.52, 0.51)
    lessons = four_lessons(table, spread=0.01)
    good_weeks = lessons.assign(value=lessons["value"] + 0.1 * (lessons["week"] % 2))
    assert heatmaps.weekly_caption(table, lessons) == heatmaps.weekly_caption(table, good_weeks)
    assert heatmaps.weekly_caption(table, good_weeks).startswith("Highest: Tue")
    other_weeks = good_weeks.assign(week=np.arange(len(lessons)))
    assert "may differ by chance" in heatmaps.weekly_caption(table, other_weeks)


@pytest.mark.parametrize(("apart", "said"), [(0.2, "Highest: Mon, 09:00, 70 of 100"), (0.01, "may differ by chance")])
def test_of_lessons_in_the_database_the_weeks_extremes_are_named_only_where_they_differ(workspace, apart, said):
    for week in range(4):
        for hour in range(2):
            start = START + timedelta(weeks=week, hours=hour)
            value = 0.5 + apart * hour + 0.01 * [1, -1, -1, 1][week + hour - 1]
            minutes = (rows(concentration=value, start=start + timedelta(minutes=i)) for i in range(15))
            add(workspace, *minutes, lesson=replace(LESSON, started=start, time_zone="UTC"))
    caption = heatmaps.weekly_caption(queries.weekly(workspace), queries.weekly_lessons(workspace))
    assert said in caption


def test_another_measure_of_the_week_is_named_on_its_own_scale():
    table = cells(-0.2, 0.3).rename(columns={"concentration": "expression"})
    assert week_caption(table, "expression") == "Highest: Tue, 08:00, 30. Lowest: Mon, 08:00, -20."
    table = cells(0.6, 0.61).rename(columns={"concentration": "presence"})
    assert week_caption(table, "presence") == "Between 60 and 61: they may differ by chance."


@pytest.mark.parametrize(("second", "leads"), [(0.2, True), (0.45, False)])
def test_an_emotion_leads_only_if_its_share_differs_from_the_next(second, leads):
    table = pd.DataFrame(
        {"group": "7a", "emotion": ["happy", "sad", "angry"], "share": [0.5, second, 0.05], "count": [50, 20, 5],
         "observations": 100, "lessons": 4}
    )  # fmt: skip
    table = table.assign(low=table["share"] - 0.05, high=table["share"] + 0.05)
    for measure, said in (("share", "happy leads with 50.0 %"), ("count", "happy leads most often, in 50 of 100")):
        assert (said in histograms.emotions_caption(table, measure)) == leads
        assert ("no emotion clearly leads; happy" in histograms.emotions_caption(table, measure)) == (not leads)


@pytest.mark.parametrize("measure", ["share", "count"])
def test_histograms_tell_what_leads_with_its_interval_and_its_lessons(workspace, measure):
    assert histograms.emotions_caption(queries.emotions(workspace), measure) == NOTHING
    assert histograms.distribution_caption(queries.distribution(workspace), measure) == NOTHING
    add(workspace, rows(), uneven(0.1, 0.2, 0.3, 0.4, 0.5))
    emotions = histograms.emotions_caption(queries.emotions(workspace), measure)
    tenths = histograms.distribution_caption(queries.distribution(workspace), measure)
    for said in (emotions, tenths):
        assert said.startswith("7a: ") and said.endswith("over 1 lesson.")
        assert ("95 % interval" in said) == (measure == "share")


def test_a_lesson_tells_its_best_and_its_weakest_minute(workspace):
    assert timelines.timeline_caption(queries.timeline(workspace, 1)) == NOTHING
    number = add(workspace, rows())
    assert timelines.timeline_caption(queries.timeline(workspace, number)).startswith("minute 1: ")


def test_one_interval_that_is_not_known_makes_no_difference_certain():
    said = extremes_caption([0.2, 0.9], [0.1, np.nan], [0.3, np.nan], ["a", "b"])
    assert said == "Between 0.20 and 0.90: they may differ by chance."


@pytest.mark.parametrize(
    ("seconds", "faces", "said"),
    [
        ([], [], NOTHING),
        ([0, 1, 2], [1, 6, 6], "Between 1 and 6 faces at once; 6 are first reached in second 1."),
    ],
)
def test_a_recording_tells_how_many_faces_it_shows(seconds, faces, said):
    assert timelines.faces_seconds_caption(pd.DataFrame({"second": seconds, "faces": faces})) == said


def test_a_recording_tells_its_best_second_and_passes_over_those_without_a_figure():
    columns = ["second", "faces", "concentration", "low", "high", "emotion"]
    assert timelines.concentration_seconds_caption(pd.DataFrame(columns=columns)) == NOTHING
    table = pd.DataFrame([(0, 1, np.nan, np.nan, np.nan, "–"), (1, 5, 0.5, 0.4, 0.6, "happy")], columns=columns)
    assert timelines.concentration_seconds_caption(table) == "second 1: 50 (95 % interval 40 to 60)."


def test_markers_with_a_clear_change_are_counted_once_whatever_their_windows():
    columns = ["minute", "kind", "window", "change", "verdict"]
    assert classes.responses_caption(pd.DataFrame(columns=columns)).startswith("0 of 0")
    table = pd.DataFrame(
        [
            (1.0, "quiz", 5, 0.2, Verdict.DIFFERS),
            (1.0, "quiz", 15, 0.2, Verdict.DIFFERS),
            (2.0, "joke", 5, 0, Verdict.CHANCE),
        ],
        columns=columns,
    )
    assert classes.responses_caption(table) == "1 of 2 markers were followed by a clear change within 30 s."


def test_regions_without_enough_faces_are_not_told():
    table = pd.DataFrame(
        {"name": ["Left", "Right"], "attention": [0.8, np.nan], "low": [0.7, np.nan], "high": [0.9, np.nan]}
    )
    assert classes.regions_caption(table[1:]) == NOTHING
    assert classes.regions_caption(table) == "Left: 0.80 (95 % interval 0.70 to 0.90)."


def test_parts_of_a_score_are_told_in_words():
    none = pd.DataFrame(columns=["minute", "part", "points", "low", "high", "share"])
    assert scores.parts_minutes_caption(none) == NOTHING
    parts = explanation.parts_table(pd.Series({"looking": 0.3, "eyes": 0.0, "index": 0.7}))
    assert scores.parts_now_caption(parts) == "Why: 70 of 100: lost are 30 to looking away."
    assert scores.parts_now_caption(parts.assign(points=np.nan)) == NOTHING
    fifth = parts.assign(minute=4, low=0.65, high=0.75)
    assert scores.parts_minutes_caption(fifth).startswith("Minute 5: 70 of 100")
    for points, said in ((0.9, "The weakest is minute 5: 70 of 100"), (0.72, "Between 70 and 72: they may differ")):
        other = fifth[fifth["part"] == "index"].assign(minute=7, points=points, low=points - 0.05, high=points + 0.05)
        assert scores.parts_minutes_caption(pd.concat([fifth, other], ignore_index=True)).startswith(said)


def test_ratings_are_told_by_what_was_said():
    none = pd.DataFrame({"rating": [], "concentration": []})
    assert scores.ratings_caption(none) == NOTHING
    said = scores.ratings_caption(pd.DataFrame({"rating": [0, 2, 2], "concentration": [0.2, 0.8, 0.9]}))
    assert (
        said
        == "1 moment that you called low has a score of 20. 2 moments that you called high have a mean score of 85."
    )


def test_the_live_page_is_read_out_of_what_may_be_told():
    now = datetime.now(UTC).replace(tzinfo=None)
    history = pd.DataFrame({"time": [now] * 3, "concentration": [0.4, np.nan, 0.6]})
    assert live.last_minutes_caption(history[:0]) == live.last_minutes_caption(history[1:2]) == NOTHING
    assert live.last_minutes_caption(history) == "In the last minutes between 40 and 60, at last 60."
    assert live.emotions_now_caption(None) == NOTHING
    assert live.emotions_now_caption(dict.fromkeys(FERPLUS, 0.05) | {"happy": 0.65}) == "happy leads with 65 %."


def test_the_network_is_read_out():
    told = {
        "accuracy": 0.8,
        "accuracy_interval": [0.78, 0.82],
        "n": 1000,
        "labels": ["happy", "sad"],
        "confusion": [[450, 50], [27, 63]],
        "confusion_normalised": [[0.9, 0.1], [0.3, 0.7]],
        "expected_calibration_error": 0.021,
        "coverage": [
            {"coverage": 0.5, "confidence": 0.9, "accuracy": 0.95},
            {"coverage": 1, "confidence": 0, "accuracy": 0.8},
        ],
        "per_class": {
            "happy": {"recall": 0.9, "recall_interval": [0.88, 0.92], "support": 500},
            "sad": {"recall": 0.7, "recall_interval": [0.6, 0.8], "support": 90},
            "contempt": {"recall": 0.0, "recall_interval": [0, 0], "support": 0},
        },
    }
    assert model.accuracy_caption({}) == model.robustness_caption([]) == NOTHING
    assert "80.0 % are right (95 % interval 78.0 to 82.0, 1,000 faces)" in model.accuracy_caption({"ferplus": told})
    assert model.recall_caption(told).startswith(
        "Highest: happy, 90.0 % (95 % interval 88.0 to 92.0). Lowest: sad, 70.0 %"
    )
    assert "of 90 faces that show sad, 30 % are named happy" in model.confusion_caption(told)
    assert "2.1 percentage points" in model.reliability_caption(told)
    assert "Of all faces 80.0 % are named rightly, of the surest 50 % of them 95.0 %" in model.coverage_caption(told)
    worst = [{"accuracy": 0.5, "strength": -80, "unit": "grey levels"}, {"accuracy": 0.8, "strength": 0, "unit": ""}]
    assert model.robustness_caption(worst) == "At worst 50 % right, at -80 grey levels."
    assert model.groups_caption({"groups": {"few": {"n": 2, "accuracy": None, "accuracy_interval": None}}}) == NOTHING
    assert model.probabilities_caption({"happy": 0.7, "sad": 0.2, "fear": 0.1}) == "happy 70 %, then sad 20 %."
    said = model.affect_caption(np.array([0.5, -0.1, 0, 0, 0]), np.array([0.2, 0.1, 0, 0, 0]))
    assert said == "Valence +0.50 ± 0.20, arousal -0.10 ± 0.10."


def test_factors_are_told_with_their_intervals():
    table = pd.DataFrame(
        {"factor": ["presence", "expression"], "mean": [0.5, -0.2], "low": [0.4, np.nan], "high": [0.6, np.nan]}
    )
    assert factors.factors_caption(table[:0]) == NOTHING
    said = "Presence 50 (95 % interval 40 to 60); Expression -20 (95 % interval not known)."
    assert factors.factors_caption(table) == said
