"""Observations written by another program, with the columns of docs/data.md, give the figures of a recording."""

import io
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.exchange import FORMATS, importer
from cssafe.settings import PROFILES
from cssafe.store import StoreError, Workspace
from tests.support.exports import contents, written
from tests.support.lessons import LESSON, START, add, rows
from tests.support.program_file import program_file
from tests.support.seen_class import PLAUSIBLE, observations, seen_class

CONSENT = PROFILES["consent"]


@pytest.fixture
def other():
    with closing(Workspace.open(None)) as opened:
        yield opened


@pytest.fixture(scope="module")
def watched() -> pd.DataFrame:
    """Ten minutes of a class of which many are lost now and then."""
    random = np.random.default_rng(3)
    seen = seen_class(random, PLAUSIBLE, np.linspace(1.5, 0, 600))
    return observations(random, seen, START.replace(tzinfo=None))


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_import_of_another_programs_observations_gives_the_figures_of_the_recording(
    workspace, other, watched, form
):
    add(workspace, watched)
    table = watched.astype({"level": "Int8", "frames": "Int32"})
    assert len(importer.import_file(other, program_file(table, form), CONSENT).lessons) == 1
    here, there = contents(workspace), contents(other)
    assert len(here["people"]) > 20 and len(here["minutes"]) == 10 and here["faces"]
    for name in ("minutes", "people", "faces", "tracks"):
        pd.testing.assert_frame_equal(pd.DataFrame(there[name]), pd.DataFrame(here[name]), rtol=1e-6)
    for query in (queries.lessons, queries.factors, queries.weekly):
        pd.testing.assert_frame_equal(query(other), query(workspace), rtol=1e-6)
    [lesson] = queries.lessons(other).itertuples()
    assert lesson.lowest <= lesson.concentration < lesson.highest and lesson.seen < lesson.present


@pytest.mark.parametrize("form", FORMATS)
def test_the_number_of_people_expected_counts_after_an_import_and_goes_out_and_comes_back(workspace, other, form):
    importer.import_file(workspace, program_file(rows(seconds=60), expected=12), CONSENT)
    importer.import_file(other, io.BytesIO(written(workspace, form)), CONSENT)
    for opened in (workspace, other):
        [lesson] = queries.lessons(opened).itertuples()
        assert (lesson.expected, lesson.present, lesson.seen) == (12, 12, 6)
        assert lesson.concentration == pytest.approx(0.25) and lesson.highest == pytest.approx(0.5)
    assert contents(other) == contents(workspace)


@pytest.mark.parametrize("expected", [-1, 1001])
def test_an_impossible_number_of_people_expected_is_refused(workspace, expected):
    with pytest.raises(StoreError, match="number of people expected"):
        importer.import_file(workspace, program_file(rows(), expected=expected), CONSENT)
    assert queries.lessons(workspace).empty


def minutes_file(**columns: float) -> io.BytesIO:
    """A lesson of the means of a class only."""
    minute = {"lesson": 1, "time": pd.Timestamp(START.replace(tzinfo=None)), "seconds": 60} | columns
    lesson = replace(LESSON, profile="attention-only")
    return program_file(rows()[:0], lesson=lesson, tables={"minutes": pd.DataFrame([minute])})


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("valence", -1.1, "valence"), ("present", -1.0, "below 0"), ("unseen", -0.5, "below 0")],
)
def test_minutes_that_no_class_can_have_are_refused(workspace, column, value, says):
    assert len(importer.import_file(workspace, minutes_file(**{column: 1.0}), CONSENT).lessons) == 1
    with pytest.raises(StoreError, match=says):
        importer.import_file(workspace, minutes_file(**{column: value}), CONSENT)
