"""Databases of every released schema, and what a released step may depend on."""

import json
import re
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from cssafe import queries
from cssafe.observations import COLUMNS, EXPRESSION
from cssafe.queries import notes, responses, scored_observations, seats, teaching_methods
from cssafe.school.periods import HOURS
from cssafe.scoring.formula import CONCENTRATION, PUBLISHED
from cssafe.settings import ROOT
from cssafe.store import Workspace, migrations
from cssafe.store.summaries import BINS, EMOTION_COUNTS
from cssafe.timetable.slot_effects import lessons_in_slots
from tests.support.lessons import START, add, rows

RELEASED = ROOT / "tests" / "data"
STEPS = [step.__name__ for step in migrations.MIGRATIONS]

EXPECTED = {
    "observations": {"lesson", *COLUMNS},
    "tracks": {
        *("lesson", "track", "measured", "expressed", "attention", "concentration"),
        *EXPRESSION,
        *EMOTION_COUNTS,
        *BINS,
    },
}
"""Columns that are written by name from today's constants."""


def file_of(step: str) -> Path:
    return RELEASED / f"{step.split('_')[0]}.duckdb"


def schema(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Every column with its type and whether it may be empty."""
    return connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    ).fetchall()


def fetch(workspace: Workspace, sql: str) -> list[tuple]:
    with workspace.cursor() as cursor:
        return cursor.execute(sql).fetchall()


LIVING = "UPDATE observations SET size = 60, roll = 10 * (extract(second FROM time) % 2)"
"""SQL that makes the faces of a released database large enough to follow, and lets them move."""


@pytest.fixture(params=STEPS)
def released(request, tmp_path):
    """A copy of that step's database, see LIVING."""
    path = Path(shutil.copy(file_of(request.param), tmp_path / "cssafe.duckdb"))
    with duckdb.connect(path) as connection:
        connection.execute(LIVING)
    return path


def test_every_step_has_its_database_and_no_other_is_there():
    assert {file_of(step) for step in STEPS} == set(RELEASED.glob("*.duckdb")), (
        "tests/data/README.md says how it is made"
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_released_step_still_makes_the_schema_that_it_made(step, monkeypatch):
    monkeypatch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[: STEPS.index(step) + 1])
    with duckdb.connect(file_of(step), read_only=True) as then, duckdb.connect() as now:
        migrations.migrate(now)
        assert schema(now) == schema(then)


def test_steps_follow_no_constant_of_the_rest_of_the_program():
    source = Path(migrations.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"^from (\S+)", source, re.MULTILINE)) == {"cssafe.errors", "cssafe.language"}


@pytest.mark.parametrize("table", EXPECTED)
def test_what_the_program_writes_by_name_has_a_column_and_the_other_way_round(workspace, table):
    columns = fetch(workspace, f"SELECT column_name FROM duckdb_columns() WHERE table_name = '{table}'")
    assert {name for (name,) in columns} == EXPECTED[table]


def test_an_old_database_keeps_its_lessons_and_observations(released):
    with duckdb.connect(released, read_only=True) as old:
        before = old.execute("FROM observations ORDER BY ALL").df()
    with closing(Workspace.open(released)) as workspace:
        with workspace.cursor() as cursor:
            kept = cursor.execute(f"SELECT {', '.join(before.columns)} FROM observations ORDER BY ALL").df()
            assert kept.equals(before) and len(kept) == 545
        assert fetch(workspace, "SELECT lesson, name, ended IS NOT NULL FROM lessons ORDER BY lesson") == [
            (1, "Maths 7a", True),
            (2, "Maths 7a", True),
        ]
        assert fetch(workspace, "SELECT kind, note FROM markers") == [("quiz", "first")]
        assert workspace.get("live")["class_name"] == "7a"
        with closing(Workspace.open(None)) as fresh, fresh.cursor() as new, workspace.cursor() as cursor:
            assert schema(cursor) == schema(new)


def test_an_old_database_answers_every_page(released):
    with duckdb.connect(released) as old:
        old.execute(
            "UPDATE lessons SET formula = $1", [str(CONCENTRATION)]
        )  # class figures rest on lessons of one formula
    with closing(Workspace.open(released)) as workspace:
        assert queries.choices(workspace).real == 2
        newest, oldest = queries.lessons(workspace).itertuples()
        assert oldest.concentration == pytest.approx(0.5) and newest.minutes == 0
        assert queries.timeline(workspace, 1)["concentration"].tolist() == pytest.approx([0.5, 0.5])
        assert queries.emotions(workspace)["count"].sum() == 540
        assert queries.distribution(workspace)["count"].sum() == 540
        assert len(queries.weekly(workspace)) == 1 and len(queries.lessons_in_cell(workspace, 1, "09:00")) == 1
        assert len(queries.markers(workspace, 1)) == 1 and len(queries.shareable_rows(workspace, 1)) == 540
        assert (
            len(scored_observations.counted_observations(workspace, 1)) == 540
            and len(scored_observations.activities(workspace, 1)) > 0
        )
        assert set(responses.responses(workspace, 1)["kind"]) == {"quiz"}
        assert lessons_in_slots(workspace, HOURS).empty  # two minutes are too few
        assert seats.has_positions(workspace, 1) == (fetch(workspace, "SELECT count(x) FROM observations") == [(545,)])
        assert teaching_methods.forms_compared(workspace, queries.ALL)["form"].tolist() == ["quiz"]
        assert len(notes.tags(workspace)) == bool(notes.note(workspace, 1))


@pytest.mark.parametrize(
    ("stored", "present"), [("published 2", "sharma-distractionmodel 2"), ("published 1", "published 1")]
)
def test_lessons_of_an_old_database_have_the_present_name_of_their_formula_and_figures_leave_them_out(
    tmp_path, stored, present
):
    path = Path(shutil.copy(file_of("m007_divisions"), tmp_path / "cssafe.duckdb"))
    with duckdb.connect(path) as old:
        old.execute(LIVING)
        old.execute("UPDATE lessons SET formula = $1", [stored])
        old.execute("INSERT INTO settings VALUES ('formula', $1)", [json.dumps(stored)])
    with closing(Workspace.open(path)) as workspace:
        assert queries.lessons(workspace)["formula"].unique().tolist() == [present]
        assert str(workspace.formula()) == (present if stored == "published 2" else str(CONCENTRATION))
        workspace.set("formula", str(CONCENTRATION))
        assert queries.weekly(workspace).empty and queries.distribution(workspace).empty
        [sentence] = queries.describe_left_out(workspace, queries.ALL)
        assert "1 lesson is not in these figures" in sentence and "page Formula" in sentence
        assert workspace.rescore(CONCENTRATION) == 2
        assert len(queries.weekly(workspace)) > 0 and queries.describe_left_out(workspace, queries.ALL) == []


def test_the_summaries_of_an_old_database_are_derived_again_without_weights(tmp_path):
    """Half of the faces look away, and their quality is low; an interrupted start leaves nothing out."""
    path = Path(shutil.copy(file_of("m007_divisions"), tmp_path / "cssafe.duckdb"))
    with duckdb.connect(path) as old:
        old.execute(LIVING)
        old.execute("""UPDATE observations SET concentration = CASE WHEN track % 2 = 0 THEN 1 ELSE 0 END,
            quality = CASE WHEN track % 2 = 0 THEN 1 ELSE 0 END WHERE lesson = 1""")
        old.execute("UPDATE minutes SET concentration = 0.67 WHERE lesson = 1")
    for _ in range(2):
        with closing(Workspace.open(path)) as workspace:
            assert fetch(workspace, "SELECT DISTINCT concentration FROM minutes WHERE lesson = 1") == [(0.5,)]
            oldest = queries.lessons(workspace).iloc[-1]
            assert oldest["concentration"] == pytest.approx(0.5)


def test_an_old_database_takes_everything_new(released):
    with closing(Workspace.open(released)) as workspace:
        workspace.switch_activity(1, "desk work", START + timedelta(minutes=20))
        workspace.save_note(1, "New note", ["new"])
        assert workspace.rescore(PUBLISHED) == 2
        assert add(workspace, rows()) == 3
        workspace.delete(1)
        assert fetch(workspace, "SELECT lesson, count(*) FROM observations GROUP BY ALL ORDER BY ALL") == [
            (2, 5),
            (3, 6),
        ]
