"""What deleting gives back, and how much a workspace in memory holds."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from cssafe import queries
from cssafe.observations import COLUMNS
from cssafe.store import Lesson, StoreError, Workspace, database
from cssafe.store.database import Database
from cssafe.store.recovery import running_marker_path
from tests.support.lessons import LESSON, START, add, rows

SECRET = "Nobody may read this any more"


def fill(workspace: Workspace, seconds: int = 1200, faces: int = 25, lesson: Lesson = LESSON) -> int:
    """A lesson that cannot be packed well: every figure is drawn at random."""
    observations = rows(tracks=faces, seconds=seconds)
    random = np.random.default_rng(0)
    for name in set(COLUMNS) - {"time", "track", "frames", "level"}:
        observations[name] = random.random(len(observations), np.float32)
    return add(workspace, observations, lesson=lesson)


def test_nothing_of_a_deleted_lesson_is_left_in_the_file_and_its_room_is_given_back(tmp_path):
    path = tmp_path / "a.duckdb"
    with closing(Workspace.open(path)) as workspace:
        kept = add(workspace, rows())
        gone = fill(workspace, lesson=replace(LESSON, name=SECRET))
        workspace.mark(gone, "quiz", START, SECRET)
        workspace.set("hints", False)
        with workspace.cursor() as cursor:
            cursor.execute("CHECKPOINT")
        del cursor
        full = path.stat().st_size
        path.chmod(0o600)
        assert SECRET.encode() in path.read_bytes()

        workspace.delete(gone)
        assert SECRET.encode() not in path.read_bytes() and path.stat().st_size < full - 1_000_000
        assert path.stat().st_mode & 0o777 == 0o600
        assert queries.lessons(workspace)["lesson"].tolist() == [kept] and workspace.get("hints") is False
        assert workspace.start_lesson(LESSON) > gone  # a number is never given twice
    assert files(tmp_path) == [path.name]
    with closing(Workspace.open(path)) as workspace:
        assert len(queries.lessons(workspace)) == 2 and workspace.start_lesson(LESSON) > gone + 1


def test_while_somebody_reads_the_old_file_it_stays_and_is_written_anew_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "READERS_TIMEOUT_S", 0.0)
    path = tmp_path / "a.duckdb"
    with closing(Workspace.open(path)) as workspace:
        gone, kept = add(workspace, rows(), lesson=replace(LESSON, name=SECRET)), add(workspace, rows())
        with workspace.cursor() as reader:
            workspace.delete(gone)
            assert reader.execute("SELECT lesson FROM lessons").fetchall() == [(kept,)]
            assert workspace.erasing
            assert any(SECRET.encode() in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
        del reader
        workspace.rename(kept, "Still written")
    assert SECRET.encode() not in path.read_bytes()
    with closing(Workspace.open(path)) as workspace:
        assert queries.lessons(workspace)["name"].tolist() == ["Still written"]


@pytest.mark.parametrize("step", [(database, "copy_database"), (database, "replace_file")])
def test_a_file_that_cannot_be_written_anew_stays_as_it_was_and_it_is_said(tmp_path, monkeypatch, step):
    path = tmp_path / "a.duckdb"
    with closing(Workspace.open(path)) as workspace:
        gone, kept = add(workspace, rows()), add(workspace, rows())
        with monkeypatch.context() as full:
            full.setattr(*step, refuse)
            with pytest.raises(StoreError, match=r"lessons are deleted, but .*traces.*No space left.*close CSSAFE"):
                workspace.delete(gone)
        assert queries.lessons(workspace)["lesson"].tolist() == [kept] and workspace.erasing
    assert files(tmp_path) == [path.name]
    with closing(Workspace.open(path)) as workspace:
        assert not workspace.erasing


def files(folder: Path) -> list[str]:
    """Names of the files in a folder, without its folders."""
    return [file.name for file in folder.iterdir() if file.is_file()]


def refuse(*_):
    raise OSError(28, "No space left on device")


def test_what_a_crash_left_of_a_file_being_written_anew_is_taken_away(tmp_path):
    path = tmp_path / "a.duckdb"
    Workspace.open(path).close()
    (tmp_path / "backups").mkdir()
    left = [
        tmp_path / name for name in ("a.new", "a.new.wal", "backups/a-2026-11-29.new", "backups/a-2026-11-29.new.wal")
    ]
    for file in left:
        file.write_text(SECRET)
    Workspace.open(path).close()
    assert [file for file in left if file.exists()] == []


def test_a_nearly_full_workspace_in_memory_refuses_the_next_lesson_and_loses_nothing(workspace, monkeypatch):
    first = fill(workspace, seconds=400)
    monkeypatch.setattr(database, "MAX_MEMORY_SHARE", workspace.used() / 2)
    with pytest.raises(StoreError, match=r"nearly full.*page Data.*page Lessons"):
        fill(workspace)
    with pytest.raises(StoreError, match="nearly full"):
        workspace.add([LESSON], [START], rows().assign(lesson=0))
    assert queries.lessons(workspace)["lesson"].tolist() == [first]
    workspace.delete(first)
    workspace.start_lesson(LESSON)


@pytest.mark.slow
def test_a_hosted_workspace_holds_twenty_lessons_of_twenty_minutes_with_a_row_a_second(workspace):
    for i in range(20):
        fill(workspace, lesson=replace(LESSON, started=START + timedelta(days=i)))
    assert len(queries.lessons(workspace)) == 20 and workspace.used() < database.MAX_MEMORY_SHARE


def test_figures_are_kept_to_four_decimals(workspace):
    number = add(workspace, rows(yaw=12.345678, p_happy=0.123456, quality=np.nan))
    kept = queries.shareable_rows(workspace, number)
    assert kept["yaw"].unique() == pytest.approx([12.3457]) and kept["p_happy"].unique() == pytest.approx([0.1235])
    assert kept["quality"].isna().all()


def test_a_marker_that_cannot_be_removed_keeps_nobody_from_closing(tmp_path):
    opened = Database(tmp_path / "cssafe.duckdb")
    running_marker_path(
        tmp_path / "cssafe.duckdb"
    ).mkdir()  # unlink refuses a folder, as it does a file in one that is read-only
    opened.close()
    Database(tmp_path / "cssafe.duckdb").close()
