"""Charts of explanations, sensitivity and ratings: what is drawn, the empty case first."""

import json

import pandas as pd
import pytest

from cssafe.charts import scores
from cssafe.labels import LEVELS
from cssafe.scoring import explanation, sensitivity
from cssafe.scoring.formula import PUBLISHED, PUBLISHED_ATTENTION
from tests.support.lessons import AWAY, FRONT, LOOKING, mixed, rows


def drawn(chart) -> tuple[dict, list[dict]]:
    """The chart as JSON and all rows in it."""
    spec = json.loads(chart.to_json())
    return spec, [row for data in spec["datasets"].values() for row in data]


def minutes(formula, values=LOOKING):
    return explanation.minute_parts(rows(**values).assign(minute=3), FRONT, formula)


def test_a_lesson_without_explained_minutes_is_an_empty_chart():
    empty = explanation.minute_parts(rows(0).assign(minute=0), FRONT, PUBLISHED)
    assert drawn(scores.parts_minutes(empty))[1] == []


def test_where_nothing_may_be_said_the_bar_is_empty():
    _, told = drawn(scores.parts_now(explanation.empty_parts(PUBLISHED_ATTENTION)))
    assert [row["points"] for row in told] == [0, 0, 0]


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        (PUBLISHED, ["Score", "Lost: looking away", "Lost: eyes", "Lost: emotion"]),
        (PUBLISHED_ATTENTION, ["Score", "Lost: looking away", "Lost: eyes"]),
    ],
    ids=str,
)
def test_the_parts_fill_the_bar_from_0_to_1_and_emotions_show_only_where_they_count(formula, names):
    parts = minutes(formula, AWAY)
    spec, told = drawn(scores.parts_minutes(parts))
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == names
    told = sorted(told, key=lambda row: row["bottom"])
    assert (
        told[0]["name"] == "Score"
        and told[0]["bottom"] == pytest.approx(0)
        and max(row["top"] for row in told) == pytest.approx(100)
    )
    assert all(row["minute"] == 3 for row in told)
    spec, told = drawn(scores.parts_now(parts.drop(columns="minute")))
    assert {row["name"] for row in told} == set(names)
    assert sum(row["points"] for row in told) == pytest.approx(100)


@pytest.mark.parametrize("interval", [None, (0.4, 0.6)])
def test_numbers_that_move_the_verdict_furthest_stand_at_the_top(interval):
    table = sensitivity.rescore_variants(mixed(30).dropna(), FRONT, PUBLISHED)
    spec, told = drawn(scores.sensitivity(table, interval, PUBLISHED.bands))
    [order] = [layer["encoding"]["y"]["sort"] for layer in spec["layer"] if "y" in layer["encoding"]]
    base = table["concentration"].iloc[0]
    furthest = table[1:].assign(way=(table["concentration"] - base).abs()).sort_values("way")["number"].iloc[-1]
    assert order[0] == furthest and "low below" not in order
    assert ({"low": 40, "high": 60} in told) == (interval is not None)


def test_each_rating_is_one_tick_beside_its_score():
    time = pd.Timestamp("2026-03-02 09:00")
    table = pd.DataFrame({"lesson": 1, "name": "A", "formula": "published 2", "time": time, "local": time, "rating": [0, 2],
                          "concentration": [0.1, 0.9]})  # fmt: skip
    _, told = drawn(scores.ratings(table, LEVELS))
    assert [(row["rating_name"], row["concentration"]) for row in told] == [("low", 10), ("high", 90)]
