"""Charts are made from the queries of the same name, the empty table first."""

import json

import pytest

from cssafe import charts, queries
from cssafe.recording import faces_table, seconds_table
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES
from tests.live.transports.test_websocket import crowd
from tests.queries.test_queries import PERIODS
from tests.support.lessons import LESSON, START, add, rows, uneven


def draw(workspace):
    return {
        "emotions": charts.emotions(queries.emotions(workspace)),
        "emotion counts": charts.emotions(queries.emotions(workspace), "count"),
        "distribution": charts.distribution(queries.distribution(workspace)),
        "distribution counts": charts.distribution(queries.distribution(workspace), "count"),
        "weekly": charts.weekly(queries.weekly(workspace)),
        "periods": charts.weekly(queries.weekly(workspace, PERIODS)),
        "timeline": charts.timeline(queries.timeline(workspace, 1), queries.markers(workspace, 1)),
    }


def data(chart):
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


@pytest.mark.parametrize("filled", [False, True])
def test_every_chart_is_valid_vega_lite(workspace, filled):
    if filled:
        number = add(workspace, rows(), uneven(0.1, 0.2, 0.3, 0.4, 0.5))
        workspace.mark(number, "quiz", START)
    for chart in draw(workspace).values():
        json.loads(chart.to_json(validate=True))


def test_a_cell_never_observed_is_absent_and_a_thin_one_is_hollow(workspace):
    add(workspace, rows())
    cells = data(charts.weekly(queries.weekly(workspace)))
    assert [(row["day"], row["period"], row["thin"], row["observed"]) for row in cells] == [
        ("Mon", "09:00", True, "1 min")
    ]


def test_weekends_are_drawn_only_where_there_are_lessons(workspace):
    def days():
        return charts.weekly(queries.weekly(workspace)).to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"]

    add(workspace, rows())
    assert days() == ["Mon", "Tue", "Wed", "Thu", "Fri"]
    add(workspace, rows(start=START.replace(day=7)), lesson=LESSON)
    assert days()[-1] == "Sat"


def test_tooltips_tell_the_interval_and_how_much_is_behind_it(workspace):
    add(workspace, rows())
    for name, chart in draw(workspace).items():
        text = json.dumps(chart.to_dict())
        assert "interval" in text, name
    assert data(charts.weekly(queries.weekly(workspace)))[0]["interval"] == "not known"


@pytest.mark.parametrize("faces", [0, 1, 6])
@pytest.mark.parametrize("seconds", [0, 1, 30])
def test_a_recording_has_valid_charts_whatever_is_in_it(faces, seconds):
    moments = [(second, crowd(faces, START)) for second in range(seconds)]
    table, single = seconds_table(moments, "class"), faces_table(moments, PROFILES["consent"], "class")
    for chart in (charts.concentration_seconds(table, single, PUBLISHED.bands), charts.faces_seconds(table)):
        drawn = chart.to_dict()
        assert drawn["height"] and json.dumps(drawn)
    told = [row for row in data(charts.concentration_seconds(table, single, PUBLISHED.bands)) if "told" in row]
    assert len(told) == seconds and all((row["told"] == "–") == (faces < 5) for row in told)
