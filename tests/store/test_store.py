"""The store on real DuckDB files."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from cssafe import queries
from cssafe.frames import MOVEMENTS
from cssafe.observations import COLUMNS, EXPRESSION, POSITION, average_seconds
from cssafe.store import StoreError, Workspace, migrations
from tests.support.lessons import LESSON, START, rows


def count(workspace: Workspace, table: str = "observations") -> int:
    with workspace.cursor() as cursor:
        return cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.fixture(params=["memory", "file"])
def workspace(request, tmp_path):
    """An open workspace, once in memory and once in a file."""
    opened = Workspace.open(None if request.param == "memory" else tmp_path / "data" / "cssafe.duckdb")
    yield opened
    opened.close()


def test_empty_observations_are_ordinary(workspace):
    lesson = workspace.start_lesson(LESSON)
    workspace.record(lesson, average_seconds([]))
    workspace.end_lesson(lesson, START)
    assert count(workspace) == count(workspace, "minutes") == 0


def test_a_lesson_is_kept_with_every_column(workspace):
    lesson = workspace.start_lesson(LESSON)
    workspace.record(lesson, rows(level=np.nan))
    workspace.add_marker(lesson, "quiz", START, "first")
    workspace.end_lesson(lesson, START + timedelta(minutes=45))
    with workspace.cursor() as cursor:
        kept = cursor.execute("SELECT * FROM observations").df()
        assert set(kept.columns) == {"lesson", *COLUMNS}
        assert kept["time"].unique().tolist() == [pd.Timestamp("2026-03-02 08:00")]
        assert kept["level"].isna().all() and np.allclose(kept["p_happy"], 0.65)
        ended = cursor.execute("SELECT ended, started, time_zone, source, audience FROM lessons").fetchone()
        assert ended == (datetime(2026, 3, 2, 8, 45), datetime(2026, 3, 2, 8), "Europe/Berlin", "camera", "class")
        assert cursor.execute("SELECT kind, note FROM markers").fetchall() == [("quiz", "first")]
        assert cursor.execute("SELECT faces, seconds FROM minutes").fetchall() == [(6, 1)]


def test_a_marker_of_an_unknown_kind_is_refused(workspace):
    lesson = workspace.start_lesson(LESSON)
    with pytest.raises(StoreError, match=r"There is no marker bell\. Choose one of these: question, .*quiz"):
        workspace.add_marker(lesson, "bell", START)
    assert count(workspace, "markers") == 0


def test_not_measurable_is_stored_as_null_and_never_as_a_number(workspace):
    lesson = workspace.start_lesson(LESSON)
    workspace.record(lesson, rows(concentration=np.nan))
    workspace.end_lesson(lesson, START)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(concentration), count(*) FROM observations").fetchone() == (0, 6)
        assert cursor.execute("SELECT faces, seconds, concentration FROM minutes").fetchall() == [(6, 0, None)]


def test_attention_only_stores_no_emotion_whatever_comes_in(workspace):
    lesson = workspace.start_lesson(replace(LESSON, profile="attention-only"))
    workspace.record(lesson, rows())
    workspace.end_lesson(lesson, START)
    with workspace.cursor() as cursor:
        kept = cursor.execute("SELECT * FROM observations").df()
        assert kept[list(EXPRESSION)].isna().all(axis=None) and len(kept) == 6
        assert cursor.execute("SELECT sum(expressed), sum(n_happy) FROM tracks").fetchone() == (0, 0)


@pytest.mark.parametrize(
    ("audience", "faces", "counted"),
    [("class", 4, 0), ("class", 5, 1), ("self", 1, 1), ("self", 2, 0), ("self", 5, 0)],
)
def test_figures_are_made_only_from_the_minimum_group_on(workspace, audience, faces, counted):
    lesson = workspace.start_lesson(replace(LESSON, audience=audience))
    workspace.record(lesson, rows(tracks=faces))
    workspace.end_lesson(lesson, START)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT faces, seconds FROM minutes").fetchall() == [(faces, counted)]
    assert count(workspace, "tracks") == faces * counted


def test_unmeasured_faces_do_not_fill_up_the_minimum_group(workspace):
    lesson = workspace.start_lesson(LESSON)
    hidden = rows()
    hidden.loc[:1, "concentration"] = np.nan
    workspace.record(lesson, hidden)
    workspace.end_lesson(lesson, START)
    assert count(workspace, "tracks") == 0


def test_in_a_self_lesson_the_seconds_with_a_second_face_are_left_out(workspace):
    lesson = workspace.start_lesson(replace(LESSON, audience="self"))
    workspace.record(lesson, rows(tracks=1, seconds=3))
    workspace.record(lesson, rows(tracks=2, start=START + timedelta(seconds=3)))
    workspace.end_lesson(lesson, START)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT track, measured FROM tracks").fetchall() == [(0, 3)]


def test_renaming_settings_and_deleting(workspace):
    lesson, other = workspace.start_lesson(LESSON), workspace.start_lesson(LESSON)
    workspace.rename(lesson, " Fractions ")
    with pytest.raises(StoreError, match="needs a name"):
        workspace.rename(lesson, " ")
    assert workspace.get("periods", []) == []
    for value in ({"class": "blur"}, {"class": "mask", "self": "shown"}, {}):
        workspace.set("anonymous", value)
        assert workspace.get("anonymous", 0) == value
    workspace.record(lesson, rows())
    workspace.record(other, rows())
    workspace.delete(lesson)
    workspace.record(lesson, rows())
    workspace.flush()
    assert count(workspace) == 6 and count(workspace, "lessons") == 1
    assert workspace.start_lesson(LESSON) not in (lesson, other)
    workspace.delete()


def test_lessons_can_be_added_at_once(workspace):
    both = pd.concat([rows().assign(lesson=0), rows(tracks=7).assign(lesson=1)], ignore_index=True)
    first, second = workspace.add([LESSON, LESSON], [START, START], both)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT lesson, faces FROM minutes ORDER BY 1").fetchall() == [(first, 6), (second, 7)]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"time_zone": "Mars/Olympus"}, StoreError, "no time zone 'Mars/Olympus'"),
        ({"source": "dream"}, ValueError, "'dream'"),
        ({"started": datetime(2026, 1, 1)}, ValueError, "time zone"),
    ],
)
def test_a_lesson_that_makes_no_sense_is_refused(workspace, change, error, message):
    with pytest.raises(error, match=message):
        workspace.start_lesson(replace(LESSON, **change))
    assert count(workspace, "lessons") == 0


def test_observations_with_other_columns_are_refused(workspace):
    with pytest.raises(ValueError, match="have the columns"):
        workspace.record(1, rows().drop(columns="score"))


def test_an_error_on_the_writer_thread_surfaces_at_the_next_call(workspace):
    lesson = workspace.start_lesson(LESSON)
    bad = rows()
    bad["score"] = "not a number"
    workspace.record(lesson, bad)
    with pytest.raises(StoreError, match=r"may be missing.*not a number"):
        workspace.flush()
    workspace.record(lesson, rows())
    workspace.flush()
    assert count(workspace) == 6


def test_a_closed_workspace_says_so_and_may_be_closed_again(tmp_path):
    workspace = Workspace.open(tmp_path / "a.duckdb")
    workspace.close()
    workspace.close()
    with pytest.raises(StoreError, match="closed"):
        workspace.flush()


def test_nothing_is_lost_on_an_ordinary_stop_and_an_open_lesson_is_ended_at_the_next_start(tmp_path):
    workspace = Workspace.open(tmp_path / "a.duckdb")
    lesson = workspace.start_lesson(LESSON)
    for second in range(50):
        workspace.record(lesson, rows(start=START + timedelta(seconds=second)))
    workspace.close()
    workspace = Workspace.open(tmp_path / "a.duckdb")
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM observations").fetchone() == (300,)
        assert cursor.execute("SELECT ended FROM lessons").fetchone() == (datetime(2026, 3, 2, 8, 0, 50),)
        assert cursor.execute("SELECT seconds FROM minutes").fetchone() == (50,)
    workspace.close()


def test_a_workspace_in_memory_leaves_nothing_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.open(None)
    workspace.record(workspace.start_lesson(LESSON), rows(seconds=1000))
    workspace.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"x", b"no database at all\n" * 1000])
def test_a_file_that_is_no_database_is_named_and_left_as_it_was(tmp_path, content):
    path = tmp_path / "cssafe.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"cssafe.duckdb is not a CSSAFE database.*CSSAFE_DATA"):
        Workspace.open(path)
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_gives_a_message(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="CSSAFE_DATA"):
        Workspace.open(tmp_path / "file" / "cssafe.duckdb")


def test_a_newer_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "a.duckdb"
    Workspace.open(path).close()
    with duckdb.connect(path) as connection:
        connection.execute("INSERT INTO migrations VALUES ('m999_future', now()::TIMESTAMP)")
    with pytest.raises(StoreError, match=r"newer version.*m999_future"):
        Workspace.open(path)


def test_a_step_added_later_is_taken_on_an_old_database(tmp_path, monkeypatch):
    def m999_later(connection):
        connection.execute("ALTER TABLE lessons ADD COLUMN teacher VARCHAR")

    path = tmp_path / "a.duckdb"
    workspace = Workspace.open(path)
    workspace.start_lesson(LESSON)
    workspace.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, m999_later))
    for _ in range(2):
        workspace = Workspace.open(path)
        with workspace.cursor() as cursor:
            assert cursor.execute("SELECT name, teacher FROM lessons").fetchall() == [("Maths 7a", None)]
            assert cursor.execute("SELECT count(*) FROM migrations").fetchone() == (len(migrations.MIGRATIONS),)
        workspace.close()


OLD = {
    "time": "2026-03-02 08:00:00",
    "track": 1,
    "frames": 5,
    "yaw": 3.5,
    "attention": 0.8,
    "concentration": 0.7,
    "level": 2,
}
"""What the first version kept of a second, in part."""


def test_a_database_of_the_first_version_keeps_its_lessons_and_takes_new_signals(tmp_path, monkeypatch):
    path = tmp_path / "a.duckdb"
    with monkeypatch.context() as first_version, duckdb.connect(path) as connection:
        first_version.setattr(migrations, "MIGRATIONS", (migrations.m001_initial,))
        migrations.migrate(connection)
        connection.execute(
            "INSERT INTO lessons VALUES (1, 'Old', '7a', 'Maths', 'R1', 'Europe/Berlin', 'consent', 'published 1', 'camera',"
            " 'self', '2026-03-02 08:00:00', '2026-03-02 08:45:00')"
        )
        connection.execute(f"INSERT INTO observations BY NAME SELECT 1 AS lesson, {', '.join(f'? AS {n}' for n in OLD)}",
                           list(OLD.values()))  # fmt: skip
        connection.execute("SELECT nextval('lesson_numbers')")
    workspace = Workspace.open(path)
    with closing(workspace):
        old = queries.shareable_rows(workspace, 1)
        assert (old["yaw"].item(), old["concentration"].item()) == pytest.approx((3.5, 0.7))
        assert old[["blinks", "perclos", "quality", *POSITION, *MOVEMENTS]].isna().all(axis=None)
        new = workspace.start_lesson(LESSON)
        workspace.record(new, rows(perclos=0.25, smile=7.0))
        workspace.flush()
        assert queries.shareable_rows(workspace, new)[["perclos", "smile"]].to_numpy() == pytest.approx(
            np.tile([0.25, 7], (6, 1))
        )


def test_movements_are_kept_only_where_emotions_are(workspace):
    number = workspace.start_lesson(replace(LESSON, profile="attention-only"))
    workspace.record(number, rows(perclos=0.25, smile=7.0))
    workspace.flush()
    with workspace.cursor() as cursor:
        kept = cursor.execute("SELECT * FROM observations").df()
    assert kept[list(MOVEMENTS)].isna().all(axis=None) and kept["perclos"].eq(0.25).all()


def test_tables_of_an_older_database_give_the_figures_they_gave(tmp_path, monkeypatch):
    """Of a lesson that ended before faces weighed by quality."""
    path = tmp_path / "a.duckdb"
    with monkeypatch.context() as older, duckdb.connect(path) as connection:
        steps = migrations.MIGRATIONS
        older.setattr(migrations, "MIGRATIONS", steps[: steps.index(migrations.m005_places)])
        migrations.migrate(connection)
        connection.execute(
            "INSERT INTO lessons VALUES (1, 'Old', '7a', 'Maths', 'R1', 'Europe/Berlin', 'consent', 'published 1', 'camera',"
            " 'class', '2026-03-02 08:00:00', '2026-03-02 08:45:00')"
        )
        connection.execute(
            "INSERT INTO tracks BY NAME SELECT 1 AS lesson, t::INTEGER AS track, 10 * t AS measured, 0 AS expressed,"
            " t / 10 AS concentration FROM range(1, 7) r(t)"
        )
    with closing(Workspace.open(path)) as workspace:
        (lesson,) = queries.lessons(workspace).itertuples()
    assert lesson.concentration == pytest.approx(sum(t * t for t in range(1, 7)) / 210) and lesson.low < lesson.high


def test_readers_run_beside_the_writer(tmp_path):
    workspace = Workspace.open(tmp_path / "a.duckdb")
    lesson = workspace.start_lesson(LESSON)
    with ThreadPoolExecutor(4) as readers:
        counts = []
        for second in range(30):
            workspace.record(lesson, rows(start=START + timedelta(seconds=second)))
            counts.append(readers.submit(count, workspace))
        assert all(c.result() % 6 == 0 for c in counts)
    workspace.close()
