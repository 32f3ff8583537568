"""Real files with damaged blocks: pages name the lessons, and the rescue copies all else into a file that opens."""

import os
import random
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from cssafe import queries
from cssafe.commands import main
from cssafe.live import services
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import ROOT
from cssafe.store import StoreError, Workspace
from cssafe.store.rescue import rescue
from cssafe.ui import common
from tests.support.database import BLOCK_BYTES, FIRST_BLOCK
from tests.support.lessons import LESSON, START, rows
from tests.support.markdown import as_read

LESSONS, FACES, SECONDS = 6, 25, 1200
"""Two row groups of DuckDB, of 120,000 and 60,000 rows."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A database with lessons "0" to "5", whose figures are drawn at random, so that each column fills blocks of its own."""
    path = tmp_path_factory.mktemp("whole") / "cssafe.duckdb"
    random_ = np.random.default_rng(0)
    with closing(Workspace.open(path)) as workspace:
        for day in range(LESSONS):
            start = START + timedelta(days=day)
            observations = rows(tracks=FACES, seconds=SECONDS, start=start).assign(lesson=0)
            for name in ("yaw", "pitch", "concentration"):
                observations[name] = random_.random(len(observations), np.float32)
            workspace.add(
                [replace(LESSON, name=str(day), started=start)], [start + timedelta(minutes=20)], observations
            )
    return path


@pytest.fixture
def path(whole, tmp_path, monkeypatch):
    """A copy of it, where the app keeps its data."""
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    yield Path(shutil.copy(whole, tmp_path))
    services.current().close()


pytestmark = pytest.mark.slow


def damage(path: Path, table: str, column: str, row_group: int = 0) -> None:
    """Overwrite 64 bytes of the block that holds that column."""
    with duckdb.connect(str(path), read_only=True) as connection:
        [(block,)] = connection.execute(
            f"SELECT DISTINCT block_id FROM pragma_storage_info('{table}') WHERE column_name = ? AND row_group_id = ?"
            " AND block_id >= 0 AND segment_type <> 'VALIDITY' ORDER BY segment_id LIMIT 1",
            [column, row_group],
        ).fetchall()
    overwrite(path, FIRST_BLOCK + block * BLOCK_BYTES + 1000)


def overwrite(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(random.Random(0).randbytes(64))


def test_a_damaged_block_found_while_reading_names_its_lessons_and_the_rescue(path, monkeypatch):
    damage(path, "observations", "yaw")
    with pytest.raises(duckdb.Error) as caught:
        queries.shareable_rows(services.current().workspace(), 1)
    shown: list[str] = []
    monkeypatch.setattr(common.st, "error", lambda text, **_: shown.append(text))
    assert common.show_error(caught.value)
    [sentence] = map(as_read, shown)
    assert all(f'"{day}" (2026-03-0{2 + day})' in sentence for day in range(4)) and '"4"' not in sentence
    assert f"python -m cssafe rescue {path}" in sentence
    assert len(queries.lessons(services.current().workspace())) == LESSONS  # the rest goes on


def test_the_lessons_of_a_block_that_holds_their_numbers_are_named_too(path):
    damage(path, "observations", "lesson", row_group=0)
    with closing(Workspace.open(path)) as workspace:
        with pytest.raises(StoreError, match=r'to: "0" \S+ "1" \S+ "2" \S+ "3" [^"]*rescue'):
            workspace.correct_activities(1, [(START, "front")], PUBLISHED)


def test_a_command_that_meets_a_damaged_block_says_so_in_one_line(path, capsys, tmp_path):
    damage(path, "observations", "yaw")
    assert main.main(["export", str(tmp_path / "out.zip")]) == 2
    [line] = capsys.readouterr().err.strip().splitlines()[-1:]
    assert "is damaged and cannot be read" in line and f"cssafe rescue {path}" in line


def command(path: Path, *options: str) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "cssafe", "rescue", str(path), *options]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)


def stored(path: Path) -> list[tuple]:
    """Rows of each lesson, and how many of them have a yaw."""
    with closing(Workspace.open(path)) as workspace, workspace.cursor() as cursor:
        assert workspace.start_lesson(LESSON) > LESSONS  # a number is never given twice
        return cursor.execute(
            "SELECT name, count(track), count(yaw) FROM lessons LEFT JOIN observations USING (lesson)"
            f" WHERE lesson <= {LESSONS} GROUP BY ALL ORDER BY name"
        ).fetchall()


ALL = FACES * SECONDS


def test_the_rescue_of_a_whole_database_copies_everything_and_its_log(path, tmp_path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("INSERT INTO notes VALUES (1, 'in the log')")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    done = command(path)
    assert done.returncode == 0 and "Everything could be read." in done.stdout, done.stderr
    new = tmp_path / "cssafe-rescued.duckdb"
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file != new}
    assert after == before
    with duckdb.connect(str(new), read_only=True) as connection:
        assert connection.execute("FROM notes").fetchall() == [(1, "in the log")]
    assert stored(new) == [(str(day), ALL, ALL) for day in range(LESSONS)]
    assert command(path).returncode == 2  # never over a file that is there


def test_a_damaged_column_is_left_empty_and_its_rows_are_kept(path, tmp_path):
    damage(path, "observations", "yaw")
    report = rescue(path, tmp_path / "new.duckdb")
    assert [(t.whole, t.partly, t.lost) for t in report.tables if t.table == "observations"] == [(2 * ALL, 4 * ALL, 0)]
    assert report.lessons == [f'"{day}" (2026-03-0{2 + day})' for day in range(4)] and not report.complete
    assert stored(tmp_path / "new.duckdb") == [(str(day), ALL, ALL if day >= 4 else 0) for day in range(LESSONS)]


def test_only_the_rows_of_a_damaged_block_are_lost_and_their_lessons_are_named(path, tmp_path):
    damage(path, "observations", "lesson", row_group=0)
    done = command(path, "--out", str(tmp_path / "new.duckdb"))
    assert done.returncode == 1 and '"3" (2026-03-05)' in done.stdout and '"4"' not in done.stdout
    assert [n for _, n, _ in stored(tmp_path / "new.duckdb")] == [0, 0, 0, 0, ALL, ALL]


def test_lessons_whose_names_are_lost_keep_their_observations(path, tmp_path):
    damage(path, "lessons", "name")
    report = rescue(path, tmp_path / "new.duckdb")
    assert report.renamed == LESSONS
    assert stored(tmp_path / "new.duckdb") == [(f"Lesson {n + 1}", ALL, ALL) for n in range(LESSONS)]


def test_tables_that_the_charts_read_are_made_again_if_they_are_lost(path, tmp_path):
    damage(path, "tracks", "track")
    rescue(path, tmp_path / "new.duckdb")
    with duckdb.connect(str(tmp_path / "new.duckdb")) as new:
        assert new.execute("SELECT count(*), min(measured) FROM tracks").fetchall() == [(LESSONS * FACES, SECONDS)]


@pytest.mark.parametrize("at", [100, 4200, 8300])
def test_a_file_with_a_damaged_header_cannot_be_opened_but_rescued(path, tmp_path, at):
    for hints in (True, False):  # both checkpoints hold all lessons then
        with closing(Workspace.open(path)) as workspace:
            workspace.set("hints", hints)
    overwrite(path, at)
    with pytest.raises(StoreError, match=f"damaged and could not be opened.*python -m cssafe rescue {path}"):
        Workspace.open(path)
    rescue(path, tmp_path / "new.duckdb")
    assert stored(tmp_path / "new.duckdb") == [(str(day), ALL, ALL) for day in range(LESSONS)]


@pytest.mark.parametrize("content", [b"", bytes(400_000), b"text" * 1000])
def test_a_file_of_which_nothing_can_be_opened_gets_one_line(tmp_path, content):
    path = tmp_path / "cssafe.duckdb"
    path.write_bytes(content)
    done = command(path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "Nothing in the file" in done.stderr
    assert os.listdir(tmp_path) == [path.name]
