"""A lesson on a disk that is full for a while: a real file system of a few hundred kilobytes."""

import shutil
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from cssafe.live import services
from cssafe.store import StoreError, Workspace, write_queue
from tests.support.database import INVARIANTS
from tests.support.fake_pipelines import crowd
from tests.support.lessons import LESSON, START, rows
from tests.support.live_lessons import make
from tests.support.pages import page, text
from tests.support.wait import until


class Disk:
    """A file system of its own. Free space comes and goes with a file that fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, workspace: Workspace) -> None:
        """To the last byte, also the page in which the database's log ends."""
        for _ in range(3):
            with (self.folder / "filling").open("ab", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))
            with suppress(StoreError):
                while True:
                    workspace._queue.run(
                        lambda: workspace._connection.execute("INSERT INTO settings VALUES ('a', '1')")
                    )

    def free(self) -> None:
        (self.folder / "filling").unlink()


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    command = shutil.which("mount")
    if command is None or subprocess.run([command, "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]).returncode:
        pytest.skip("a small file system (tmpfs) can be mounted only by root")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(write_queue, "RETRY_S", 0.05)


@pytest.fixture
def opened(disk):
    opened = Workspace.open(disk.folder / "cssafe.duckdb")
    yield opened
    with suppress(StoreError):
        opened.close()


def fetch(workspace: Workspace, sql: str) -> list[tuple]:
    with workspace.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def record(workspace: Workspace, lesson: int, *seconds: int) -> None:
    """Record each second, and wait until the writer has tried it."""
    for second in seconds:
        workspace.record(lesson, rows(start=START + timedelta(seconds=second)))
        workspace._queue.submit(lambda: None).result()


def test_the_warning_stays_while_the_disk_is_full_and_every_second_is_written_once_it_is_not(disk, opened):
    lesson = opened.start_lesson(LESSON)
    record(opened, lesson, 0)
    disk.fill(opened)
    for second in range(1, 8):
        record(opened, lesson, second)
        assert "cannot be written" in opened.problem and "Make room on the disk" in opened.problem
    assert fetch(opened, "SELECT count(DISTINCT time) FROM observations") == [(1,)]
    disk.free()
    record(opened, lesson, 8)
    until(lambda: not opened.problem)
    assert fetch(opened, "SELECT count(DISTINCT time), count(*) FROM observations") == [(9, 54)]
    assert opened.lost_seconds(lesson) == 0


def test_seconds_without_a_face_wait_for_room_like_all_others(disk, opened):
    lesson = opened.start_lesson(LESSON)
    disk.fill(opened)
    record(opened, lesson, 0)
    opened.record_empty(lesson, (START + timedelta(seconds=1)).replace(tzinfo=None))
    opened._queue.submit(lambda: None).result()
    assert opened.problem and fetch(opened, "FROM empty_seconds") == []
    disk.free()
    until(lambda: not opened.problem)
    assert fetch(opened, "SELECT second(time) FROM empty_seconds") == [(1,)]
    assert fetch(opened, "SELECT count(*) FROM observations") == [(6,)] and opened.lost_seconds(lesson) == 0


def test_what_no_longer_fits_into_memory_is_counted_as_lost_and_the_newest_is_kept(disk, opened, monkeypatch, caplog):
    monkeypatch.setattr(write_queue, "MAX_WAITING_S", 3)
    lesson = opened.start_lesson(LESSON)
    disk.fill(opened)
    record(opened, lesson, *range(8))
    until(lambda: opened.lost_seconds(lesson) == 5)
    disk.free()
    until(lambda: not opened.problem)
    assert fetch(opened, "SELECT DISTINCT second(time) FROM observations ORDER BY 1") == [(5,), (6,), (7,)]
    assert [record.message for record in caplog.records if "lost" in record.message] == [
        "The database is written again; seconds of lessons lost: 5."
    ]


def test_a_lesson_that_ends_on_a_full_disk_is_ended_with_its_markers_once_there_is_room(disk, opened):
    lesson = make(opened)
    lesson.add_result(crowd(1, lesson.clock.now()))
    disk.fill(opened)
    lesson.add_marker("quiz")
    lesson.switch_activity("front")
    lesson.end()
    assert lesson.activity == "front" and lesson.ended and "cannot be written" in lesson.state().problem
    assert fetch(opened, "SELECT ended FROM lessons") == [(None,)]
    disk.free()
    until(lambda: not opened.problem)
    assert fetch(opened, "SELECT ended FROM lessons") == [(lesson.ended.replace(tzinfo=None),)]
    assert fetch(opened, "SELECT kind FROM markers") == [("quiz",)]
    assert fetch(opened, "SELECT seconds FROM minutes") == [(1,)] and lesson.state().lost == 0


def test_a_lesson_whose_camera_stays_away_on_a_full_disk_is_ended_too(disk, opened):
    lesson = make(opened, patience_s=0.05)
    lesson.add_result(crowd(1, lesson.clock.now()))
    disk.fill(opened)
    until(lambda: opened.problem)
    disk.free()
    until(lambda: fetch(opened, "SELECT ended FROM lessons")[0][0])
    assert lesson.expired and fetch(opened, "SELECT count(*) FROM observations") == [(1,)]


def test_an_empty_lesson_that_ends_on_a_full_disk_is_deleted_once_there_is_room(disk, opened):
    lesson = make(opened)
    disk.fill(opened)
    lesson.end()
    disk.free()
    until(lambda: not fetch(opened, "FROM lessons"))


def test_a_program_that_ends_on_a_full_disk_says_how_much_is_lost_and_the_lesson_is_ended_at_the_next_start(
    disk, opened
):
    lesson = opened.start_lesson(LESSON)
    record(opened, lesson, 0, 1)
    disk.fill(opened)
    record(opened, lesson, 2, 3, 4)
    opened.end_lesson(lesson, START + timedelta(seconds=5))
    with pytest.raises(StoreError, match=r"No space left.*are lost: [123]\.") as said:
        opened.close()
    disk.free()
    again = Workspace.open(disk.folder / "cssafe.duckdb")
    kept = 5 - int(str(said.value).removesuffix(".").split()[-1])
    assert fetch(again, "SELECT ended - started FROM lessons") == [(timedelta(seconds=kept),)]
    again.close()


def test_a_database_that_duckdb_gives_up_on_a_full_disk_is_opened_again_and_holds_each_second_once(disk, opened):
    lesson = opened.start_lesson(LESSON)
    opened._queue.run(lambda: opened._connection.execute("SET checkpoint_threshold = '100KB'"))
    for second in range(600):  # the log grows until it is to be moved into the file, for which there is no room
        if shutil.disk_usage(disk.folder).free > 300_000 and second == 1:
            (disk.folder / "filling").write_bytes(bytes(shutil.disk_usage(disk.folder).free - 300_000))
        record(opened, lesson, second)
        if opened.problem:
            break
    assert opened.problem
    record(opened, lesson, second + 1)
    disk.free()
    until(lambda: not opened.problem)
    assert fetch(opened, "SELECT count(DISTINCT time), count(*) FROM observations") == [(second + 2, 6 * (second + 2))]
    for rule in INVARIANTS.values():
        assert fetch(opened, f"SELECT lesson {rule}") == []


def damage_observations(workspace: Workspace, path: Path) -> None:
    """Overwrite a part of a block with observations, in the open file: nothing of it is in memory afterwards."""
    workspace._queue.run(workspace._database.reopen)
    query = "SELECT block_id FROM pragma_storage_info('observations') WHERE column_name = 'concentration'"
    ((block,), *_) = fetch(workspace, f"{query} AND block_id >= 0")
    workspace._queue.run(workspace._database.reopen)
    with path.open("r+b") as file:
        file.seek(12_288 + block * 262_144 + 500)  # after three headers, in blocks of 256 KiB
        file.write(bytes(range(64)))


def test_a_lesson_that_cannot_end_for_a_damaged_block_is_not_retried_and_holds_up_no_other(
    disk, opened, monkeypatch, caplog
):
    monkeypatch.setattr(write_queue, "RETRY_S", 3600)
    damaged = opened.start_lesson(LESSON)
    noise = np.random.default_rng(0).random(2400, np.float32)
    opened.record(damaged, rows(20, 120, concentration=noise))
    damage_observations(opened, disk.folder / "cssafe.duckdb")
    whole = [opened.start_lesson(LESSON) for _ in range(3)]
    for lesson in whole:
        record(opened, lesson, 0)
    disk.fill(opened)
    for lesson in (whole[0], damaged, whole[1]):
        opened.end_lesson(lesson, START + timedelta(minutes=2))
    assert "cannot be written" in opened.problem
    disk.free()
    record(opened, whole[2], 1)
    assert (
        not opened.problem and caplog.messages.count("The database is written again; seconds of lessons lost: 0.") == 1
    )
    assert sum("A change that waited" in message and "Corrupt" in message for message in caplog.messages) == 1
    assert fetch(opened, "SELECT lesson FROM lessons WHERE ended IS NOT NULL ORDER BY 1") == [(n,) for n in whole[:2]]
    assert fetch(opened, "SELECT lesson FROM minutes ORDER BY 1") == [(n,) for n in whole[:2]]
    with pytest.raises(StoreError, match=r"damaged and cannot be read.*Maths 7a.*rescue"):
        opened.end_lesson(damaged, START + timedelta(minutes=2))
    opened.end_lesson(whole[2], START + timedelta(minutes=2))
    assert not opened.problem and not opened._queue._unfinished


def test_the_last_write_is_that_of_the_last_second_on_the_disk(disk, opened):
    lesson = opened.start_lesson(LESSON)
    record(opened, lesson, 0)
    written = opened.written
    assert written is not None
    disk.fill(opened)
    record(opened, lesson, 1, 2)
    assert opened.problem and opened.written == written
    disk.free()
    until(lambda: not opened.problem)
    assert opened.written > written


@pytest.fixture
def app(disk, monkeypatch):
    """The workspace that the pages show."""
    monkeypatch.setenv("CSSAFE_DATA", str(disk.folder))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    monkeypatch.delenv("CSSAFE_MODE", raising=False)
    yield services.current().workspace()
    services.current().close()


def test_every_page_says_that_the_disk_is_full_until_it_is_written_again(disk, app):
    lesson = app.start_lesson(LESSON)
    record(app, lesson, 0)
    disk.fill(app)
    record(app, lesson, 1)
    for name in ("lessons", "weekly", "data", "live"):
        assert len([error for error in page(name).error if "cannot be written" in error.value]) == 1
    disk.free()
    until(lambda: not app.problem)
    assert not page("lessons").error


def test_a_lesson_that_ended_on_a_full_disk_is_not_called_running(disk, app):
    lesson = app.start_lesson(LESSON)
    record(app, lesson, 0)
    assert "to still running (" in text(page("lessons"))
    disk.fill(app)
    record(app, lesson, 1)
    app.end_lesson(lesson, START + timedelta(minutes=45))
    assert "to 09:45, not yet written (" in text(page("lessons"))
    assert "its end is not written yet" in text(page("story"))
    disk.free()
    until(lambda: not app.problem)
    assert "to 09:45 (" in text(page("lessons")) and app.unwritten_end(lesson) is None
