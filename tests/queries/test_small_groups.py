"""No figure, and no difference between the figures of two filters, is about fewer faces than the minimum group: all pairs of
filters on a small term."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain, combinations

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.labels import FERPLUS
from cssafe.queries import Filter
from cssafe.settings import MINIMUM_GROUP
from tests.support.lessons import LESSON, START, add, rows

SIZES = (5, 5, 6, 9, 12, 7)
"""Faces of each lesson, each seen for one second: so observations are faces."""


@pytest.fixture
def term(workspace):
    """Lessons of two classes and two subjects on three days, every face with its own concentration and emotion."""
    rng = np.random.default_rng(4)
    for number, size in enumerate(SIZES):
        day = timedelta(days=number // 2)
        table = rows(tracks=size, start=START + day).assign(concentration=rng.beta(2, 2, size))
        leading = rng.choice(len(FERPLUS), size, p=[0.4, 0.3, 0.1, 0.05, 0.05, 0.05, 0.03, 0.02])
        table[[f"p_{name}" for name in FERPLUS]] = 0.05
        for row, emotion in enumerate(leading):
            table.loc[row, f"p_{FERPLUS[emotion]}"] = 0.65
        about = {"class_name": ("7a", "9c")[number % 2], "subject": ("Art", "Maths")[number // 3]}
        add(workspace, table, lesson=replace(LESSON, started=START + day, **about))
    return workspace


def filters() -> list[Filter]:
    """Every filter that a page can set for this term, and every set of lessons."""
    days = [(START + timedelta(days=n)).date() for n in range(3)]
    found = [
        Filter(classes=classes, subjects=subjects, since=since, until=until)
        for classes in ([], ["7a"], ["9c"])
        for subjects in ([], ["Art"], ["Maths"])
        for since in (None, *days)
        for until in (None, *days)
    ]
    numbers = range(1, len(SIZES) + 1)
    return found + [
        Filter(lessons=picked) for picked in chain.from_iterable(combinations(numbers, n) for n in (1, 2, 5))
    ]


def behind(workspace) -> dict[frozenset[int], Filter]:
    """Lessons -> a filter that leaves these and no others."""
    return {frozenset(queries.lessons(workspace, which)["lesson"]): which for which in filters()}


def counts(workspace, which: Filter) -> pd.Series:
    """Of all histograms of both classes together."""
    tenths = queries.distribution(workspace, "class", which).groupby("start")["count"].sum()
    emotions = queries.emotions(workspace, "class", which).groupby("emotion")["count"].sum()
    return pd.concat([tenths, emotions]).astype(float)


def test_no_difference_between_two_filters_is_about_fewer_faces_than_the_minimum_group(term):
    seen = {lessons: counts(term, which) for lessons, which in behind(term).items()}
    pairs = [(more, less) for more in seen for less in (*seen, frozenset()) if less < more]
    assert len(pairs) > 100
    for more, less in pairs:
        difference = seen[more].sub(seen.get(less, 0.0 * seen[more]), fill_value=0)
        assert ((difference == 0) | (difference >= MINIMUM_GROUP)).all(), (more, less, difference)


def test_what_is_not_counted_cannot_be_worked_out_from_the_number_of_all(term):
    """Of every lesson, and so of every difference of filters."""
    for number, size in enumerate(SIZES, 1):
        emotions = queries.emotions(term, "lesson", Filter(lessons=[number]))
        missing = emotions["observations"].iloc[0] - emotions["count"].sum()
        assert missing == 0 or missing >= MINIMUM_GROUP
        assert queries.distribution(term, "lesson", Filter(lessons=[number]))["count"].sum() == size


def test_a_histogram_of_exactly_the_minimum_group_shows_nobody_apart(workspace):
    add(workspace, rows(tracks=5).assign(concentration=[0.05, 0.55, 0.62, 0.71, 0.97]))
    table = queries.distribution(workspace)
    assert len(table) == 10 and dict(zip(table["start"], table["count"], strict=True))[0.5] == 5
    add(workspace, rows(tracks=6, seconds=9).assign(concentration=[0.65] * 53 + [0.05]))
    table = queries.distribution(workspace, "lesson", Filter(lessons=[2]))
    assert table.loc[table["count"] > 0, ["start", "count"]].to_numpy().tolist() == [[0.6, 54]]
    assert table["share"].tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 1, 0, 0, 0])


def test_shares_of_the_histogram_still_add_up_and_keep_their_tenths_where_enough_faces_reach_them(workspace):
    table = rows(tracks=10, seconds=20)
    add(workspace, table.assign(concentration=[0.35, 0.75] * 100))
    found = queries.distribution(workspace).set_index("start")
    assert found.loc[[0.3, 0.7], "count"].tolist() == [100, 100] and found["share"].sum() == pytest.approx(1)
    assert found.loc[0.3, "low"] < 0.5 < found.loc[0.3, "high"]


def test_a_cell_of_the_week_is_made_of_lessons_that_stand_there_by_themselves(term):
    """So what is between the cells of two filters is, too."""
    for lessons, which in behind(term).items():
        cells = queries.weekly(term, which=which)
        inside = [queries.lessons_in_cell(term, cell.weekday, cell.period, which=which) for cell in cells.itertuples()]
        assert [table["minutes"].sum() for table in inside] == cells["minutes"].tolist()
        behind_cells = pd.concat(inside)["lesson"] if inside else []
        assert frozenset(behind_cells) == lessons and all((table["faces"] >= MINIMUM_GROUP).all() for table in inside)
