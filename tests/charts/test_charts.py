"""Charts are made from the queries of the same name, the empty table first."""

import json
from dataclasses import replace

import pytest

from cssafe import queries
from cssafe.charts import factors, heatmaps, histograms, timelines
from cssafe.queries import presence
from cssafe.recording import faces_table, seconds_table
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES
from tests.support.fake_pipelines import crowd
from tests.support.lessons import LESSON, PERIODS, START, add, rows, uneven


def draw(workspace):
    return {
        "emotions": histograms.emotions(queries.emotions(workspace)),
        "emotion counts": histograms.emotions(queries.emotions(workspace), "count"),
        "distribution": histograms.distribution(queries.distribution(workspace)),
        "distribution counts": histograms.distribution(queries.distribution(workspace), "count"),
        "weekly": heatmaps.weekly(queries.weekly(workspace)),
        "periods": heatmaps.weekly(queries.weekly(workspace, PERIODS)),
        "presence": heatmaps.weekly(queries.weekly(workspace, measure="presence"), "presence"),
        "expression": heatmaps.weekly(queries.weekly(workspace, measure="expression"), "expression"),
        "weeks": factors.weeks(presence.by_week(queries.factors(workspace))),
        "timeline": timelines.timeline(queries.timeline(workspace, 1), queries.markers(workspace, 1)),
    }


def data(chart):
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


@pytest.mark.parametrize("filled", [False, True])
def test_every_chart_is_valid_vega_lite(workspace, filled):
    if filled:
        number = add(workspace, rows(), uneven(0.1, 0.2, 0.3, 0.4, 0.5))
        workspace.add_marker(number, "quiz", START)
    for chart in draw(workspace).values():
        json.loads(chart.to_json(validate=True))


def test_a_cell_never_observed_is_absent_and_a_thin_one_is_hollow(workspace):
    add(workspace, rows())
    cells = data(heatmaps.weekly(queries.weekly(workspace)))
    assert [(row["day"], row["period"], row["thin"], row["observed"]) for row in cells] == [
        ("Mon", "09:00", True, "1 min")
    ]


def test_weekends_are_drawn_only_where_there_are_lessons(workspace):
    def days():
        return heatmaps.weekly(queries.weekly(workspace)).to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"]

    add(workspace, rows())
    assert days() == ["Mon", "Tue", "Wed", "Thu", "Fri"]
    add(workspace, rows(start=START.replace(day=7)), lesson=LESSON)
    assert days()[-1] == "Sat"


def test_tooltips_tell_the_interval_and_how_much_is_behind_it(workspace):
    add(workspace, rows())
    for name, chart in draw(workspace).items():
        text = json.dumps(chart.to_dict())
        assert "interval" in text, name
    assert data(heatmaps.weekly(queries.weekly(workspace)))[0]["interval"] == "none: one class, subject and room only"
    add(workspace, rows(), lesson=replace(LESSON, class_name="7b"))
    assert data(heatmaps.weekly(queries.weekly(workspace)))[0]["interval"] == "50 to 50"


@pytest.mark.parametrize("faces", [0, 1, 6])
@pytest.mark.parametrize("seconds", [0, 1, 30])
def test_a_recording_has_valid_charts_whatever_is_in_it(faces, seconds):
    moments = [(second, crowd(faces, START)) for second in range(seconds)]
    table, single = seconds_table(moments, "class"), faces_table(moments, PROFILES["consent"], "class")
    for chart in (timelines.concentration_seconds(table, single, PUBLISHED.bands), timelines.faces_seconds(table)):
        drawn = chart.to_dict()
        assert drawn["height"] and json.dumps(drawn)
    described = [row for row in data(timelines.concentration_seconds(table, single, PUBLISHED.bands)) if "words" in row]
    assert len(described) == seconds and all((row["words"] == "–") == (faces < 5) for row in described)


def test_the_factors_of_a_lesson_are_bars_from_0_to_100_and_below_only_for_expression(workspace):
    add(workspace, rows(seconds=60, concentration=0.8))
    [(_index, lesson)] = queries.factors(workspace).iterrows()
    table = presence.side_by_side(lesson)
    chart = factors.side_by_side(table)
    json.loads(chart.to_json(validate=True))
    assert {row["title"]: round(row["mean"]) for row in data(chart)} == {
        "Concentration": 80,
        "Attentiveness": 50,
        "Presence": 100,
        "Engaged presence": 80,
        "Expression": 42,
    }
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 100]
    sad = table.assign(mean=-0.5, low=-0.6, high=-0.4)
    assert factors.side_by_side(sad).to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"] == [-60, 100]


def test_a_heatmap_of_another_measure_says_which_one(workspace):
    add(workspace, rows(seconds=60))
    for measure, title in (("presence", "Presence (0 to 100)"), ("expression", "Expression (-100 to 100)")):
        cells = heatmaps.weekly(queries.weekly(workspace, measure=measure), measure).to_dict()
        assert cells["layer"][0]["encoding"]["color"]["legend"]["title"] == title
