"""Who is there over a lesson, and the levels of those who can be read, the empty lesson first."""

import json

import pandas as pd

from cssafe.charts import composition

COLUMNS = ["minute", "present", *composition.STATE_NAMES, "n_low", "n_medium", "n_high"]
LESSON = pd.DataFrame(
    [
        (0, 10, 8, 1, 0, 1, 1, 2, 6),
        (1, 10, 6, 1, 1, 2, 1, 2, 4),
        (2, *[float("nan")] * 8),
        (6, 10, 1, 3, 0, 6, 3, 1, 0),
    ],
    columns=COLUMNS,
)


def rows(chart) -> pd.DataFrame:
    (data,) = chart.to_dict()["datasets"].values()
    return pd.DataFrame(data)


def test_a_lesson_without_figures_has_empty_charts_that_say_so():
    empty = LESSON[2:3]
    for table in (empty, LESSON[:0]):
        blocks = composition.level_blocks(table)
        for chart in (composition.composition(table), composition.levels(blocks)):
            json.loads(chart.to_json(validate=True))
        assert composition.composition_caption(table) == composition.levels_caption(blocks) == "There is no figure yet."


def test_everybody_present_is_stacked_in_each_minute_and_a_minute_without_figure_is_a_gap():
    drawn = rows(composition.composition(LESSON))
    assert drawn.groupby("minute")["people"].sum().to_dict() == {0: 10, 1: 10, 6: 10}
    assert drawn.sort_values("order")["what"].unique().tolist() == [
        "on task",
        "off task",
        "not readable",
        "not visible",
    ]


def test_the_composition_is_read_out_with_the_minute_in_which_fewest_are_on_task():
    assert composition.composition_caption(LESSON) == (
        "Of the people present, on average 50 % are on task, 17 % off task, 3 % not readable and 30 % not visible. Fewest are "
        "seen on task in minute 7, 10 %."
    )


def test_levels_are_means_of_five_minutes():
    blocks = composition.level_blocks(LESSON)
    assert blocks.to_dict("list") == {"minute": [0, 5], "n_low": [1, 3], "n_medium": [2, 1], "n_high": [5, 0]}
    assert composition.levels_caption(blocks) == (
        "Minutes 0 to 5: 5 high, 2 medium, 1 low. Minutes 5 to 10: 0 high, 1 medium, 3 low."
    )
    assert json.loads(composition.levels(blocks).to_json(validate=True))
