"""An attacker who fits emotions of the past from all that the profile attention-only shows of them, on a real database."""

import io
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.exchange import exporter
from cssafe.observations import COLUMNS, EXPRESSION
from cssafe.queries import scored_observations, teaching_methods
from cssafe.scoring import concentration
from cssafe.scoring.formula import ATTENTION_ONLY, PUBLISHED
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import lessons_in_slots
from tests.support.lessons import LESSON, START, rows

LESSONS, FACES, SECONDS = 30, 8, 720
KEYS = {"observations": ["lesson", "time", "track"], "tracks": ["lesson", "track"], "minutes": ["lesson", "time"]}
ROWS = 2000
"""Of a table that are fitted."""

MOST = {"observations": 0.05, "tracks": 0.2, "minutes": 0.2}
"""Share of an emotion's variance that the best of so many columns and ratios explains by chance, at most."""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Lessons of the profile consent in which attention and emotions have nothing to do with each other."""
    path = tmp_path_factory.mktemp("attack") / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        starts = [START + timedelta(days=day) for day in range(LESSONS)]
        lessons = [replace(LESSON, formula=str(PUBLISHED), started=start) for start in starts]
        parts = [observed(np.random.default_rng(i), start).assign(lesson=i) for i, start in enumerate(starts)]
        ends = [start + timedelta(seconds=SECONDS) for start in starts]
        workspace.add(lessons, ends, pd.concat(parts, ignore_index=True))
    return path


def observed(random: np.random.Generator, start) -> pd.DataFrame:
    """Every sixth second of a lesson, drawn at random. Faces and minutes have emotions of their own."""
    table = rows(FACES, SECONDS, start)
    table = table[table["time"].dt.second % 6 == 0].reset_index(drop=True)
    drawn = [name for name in COLUMNS if name not in ("time", "track", "frames", "level", "size", *EXPRESSION)]
    table[drawn] = random.random((len(table), len(drawn)))
    minute = (table["time"] - table["time"].min()) // pd.Timedelta(minutes=1)
    strength = (
        random.normal(0, 1, (FACES, 8))[table["track"]] + random.normal(0, 2, (99, 8))[minute]
        + random.normal(0, 1, (len(table), 8))
    )  # fmt: skip
    shares = np.exp(strength) / np.exp(strength).sum(axis=1, keepdims=True)
    table[list(EXPRESSION)] = shares
    table["concentration"] = concentration.concentration(
        table["attention"].to_numpy(np.float32), shares.astype(np.float32), PUBLISHED
    )
    before = np.full(len(table), -1, np.int8)
    return table.assign(level=concentration.levels(table["concentration"].to_numpy(), before, PUBLISHED).astype(float))


def given_away(workspace: Workspace) -> dict[str, pd.DataFrame]:
    """The tables of the export file, and beside the observations what the other exits have of the same rows."""
    file = io.BytesIO()
    exporter.export_file(workspace, file, "parquet")
    with zipfile.ZipFile(file) as archive:
        tables = {name: pd.read_parquet(io.BytesIO(archive.read(f"{name}.parquet"))) for name in KEYS}
    lessons = range(1, LESSONS + 1)
    one = pd.concat([queries.shareable_rows(workspace, lesson) for lesson in lessons])
    counted = pd.concat(
        [scored_observations.counted_observations(workspace, lesson).assign(lesson=lesson) for lesson in lessons]
    )
    for name, more in {"one": one, "counted": counted}.items():
        here = tables["observations"]
        new = [column for column in more if column not in here or not more[column].equals(here[column])]
        tables["observations"] = here.merge(
            more[[*{*KEYS["observations"], *new}]], how="left", on=KEYS["observations"], suffixes=("", f"_{name}")
        )
    return tables


@pytest.fixture(scope="module")
def truth(database) -> dict[str, pd.DataFrame]:
    """What is to be found out, at the rows of each table."""
    with closing(Workspace.open(database)) as workspace, workspace.cursor() as cursor:
        tables = {name: cursor.execute(f"FROM {name}").df() for name in ("observations", "tracks")}
    seen = tables["observations"]
    tables["minutes"] = seen.assign(time=seen["time"].dt.floor("min")).groupby(KEYS["minutes"], as_index=False).mean()
    return {name: table[[*KEYS[name], *EXPRESSION]] for name, table in tables.items()}


def fitted(workspace: Workspace, truth: dict[str, pd.DataFrame]) -> dict[str, tuple[float, str]]:
    return {name: best_fit(shown, truth[name], KEYS[name]) for name, shown in given_away(workspace).items()}


def best_fit(shown: pd.DataFrame, truth: pd.DataFrame, keys: list[str]) -> tuple[float, str]:
    """The largest share of an emotion's variance that a column, or the quotient of two, explains; and which."""
    joined = truth.merge(shown, on=keys, suffixes=("_truth", ""))
    joined = joined.sample(min(ROWS, len(joined)), random_state=0)
    goals = joined[[f"{name}_truth" if name in shown else name for name in EXPRESSION]].to_numpy(float)
    names = [name for name in shown.select_dtypes("number") if name not in keys]
    columns = {name: values for name in names if np.isfinite(values := joined[name].to_numpy(float)).sum() >= 50}
    quotients = {
        f"{one} / {other}": columns[one] / np.where(columns[other] > 0.01, columns[other], np.nan)
        for one in columns
        for other in columns
        if one != other
    }
    return max((explained(values, goals), name) for name, values in (columns | quotients).items())


def explained(values: np.ndarray, goals: np.ndarray) -> float:
    """R² of a straight line, of the best of the goals; 0 of fewer than 50 values."""
    known = np.isfinite(values)
    if known.sum() < 50 or values[known].std() == 0:
        return 0.0
    x, y = values[known] - values[known].mean(), goals[known] - goals[known].mean(axis=0)
    return float(((x @ y) ** 2 / (x @ x) / (y * y).sum(axis=0)).max())


@pytest.mark.slow
def test_no_column_and_no_quotient_of_two_tells_an_emotion_stored_before(database, truth):
    with closing(Workspace.open(database)) as workspace:
        open_fits = fitted(workspace, truth)
    with closing(Workspace.open(database, expression=False)) as workspace:
        fits = fitted(workspace, truth)
    assert all(found > 0.3 for found, _columns in open_fits.values()), "the attack itself must work"
    assert {name: fit for name, fit in fits.items() if fit[0] > MOST[name]} == {}


def test_no_figure_of_a_page_rests_on_scores_made_of_emotions(database):
    periods = [{"name": "1", "start": "00:00", "end": "23:59"}]
    with closing(Workspace.open(database, expression=False)) as workspace:
        lessons = queries.lessons(workspace)
        assert lessons["withheld"].all() and lessons[["concentration", "low", "high"]].isna().all(axis=None)
        assert queries.timeline(workspace, 1)[["concentration", "low", "high"]].isna().all(axis=None)
        assert lessons_in_slots(workspace, periods)["concentration"].isna().all()
        for table in (queries.weekly, queries.distribution, queries.emotions, scored_observations.rated_minutes):
            assert table(workspace).empty
        assert teaching_methods.forms_compared(workspace, queries.ALL).empty


@pytest.mark.slow
def test_lessons_scored_anew_by_attention_alone_are_shown_again(database, truth, tmp_path):
    path = tmp_path / "copy.duckdb"
    path.write_bytes(database.read_bytes())
    with closing(Workspace.open(path, expression=False)) as workspace:
        assert workspace.rescore(ATTENTION_ONLY) == LESSONS
        lessons = queries.lessons(workspace)
        assert lessons["concentration"].notna().all() and not lessons["withheld"].any()
        assert not queries.distribution(workspace).empty
    with closing(Workspace.open(path, expression=False)) as workspace:
        fits = fitted(workspace, truth)
    assert {name: fit for name, fit in fits.items() if fit[0] > MOST[name]} == {}


def test_a_formula_that_is_gone_is_taken_for_one_that_weighs_emotions(tmp_path):
    path = tmp_path / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        for formula in ("O'Hara's 1", str(ATTENTION_ONLY)):
            workspace.add([replace(LESSON, formula=formula)], [START + timedelta(minutes=1)], rows().assign(lesson=0))
    with closing(Workspace.open(path, expression=False)) as workspace:
        assert queries.lessons(workspace).set_index("formula")["withheld"].to_dict() == {
            "O'Hara's 1": True,
            str(ATTENTION_ONLY): False,
        }
