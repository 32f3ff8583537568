"""Write-ahead logs that a killed process left and something then damaged: the database opens, and it is said what is
missing."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from cssafe.live import health, services
from cssafe.settings import ROOT
from cssafe.store import StoreError, Workspace, recovery, write_ahead_log
from tests.support.database import folder_contents
from tests.support.lessons import LESSON, START, rows
from tests.support.pages import page
from tests.support.processes import python

SECONDS, FACES = 60, 10

RECORD = f"""
    import sys, time
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from cssafe.store import Workspace
    from tests.support.lessons import LESSON, add, rows
    workspace = Workspace.open(Path(sys.argv[1]))
    add(workspace, rows())
    workspace.cursor().execute("CHECKPOINT")
    lesson = workspace.start_lesson(LESSON)
    start = datetime.now(UTC) - timedelta(seconds={SECONDS})
    for second in range({SECONDS}):
        workspace.record(lesson, rows(tracks={FACES}, start=start + timedelta(seconds=second)))
        workspace.flush()
    print((start + timedelta(seconds={SECONDS})).timestamp(), flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """A folder with the database and the log of a process that was killed in a lesson of SECONDS."""
    folder = tmp_path_factory.mktemp("killed")
    with python(RECORD, folder / "cssafe.duckdb") as process:
        end = float(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    for file, written in (("cssafe.duckdb", end - SECONDS), ("cssafe.duckdb.wal", end)):
        os.utime(folder / file, (written, written))  # as if it had recorded in real time
    return folder


@pytest.fixture
def folder(killed, tmp_path, monkeypatch):
    """A copy of it, where the app keeps its data."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    yield tmp_path
    services.current().close()


def change(log: Path, content: bytes) -> None:
    """The time of the last write stays, as when a disk loses what was written to it."""
    before = log.stat()
    log.write_bytes(content)
    os.utime(log, ns=(before.st_atime_ns, before.st_mtime_ns))


def noise(log: bytes) -> bytes:
    middle = len(log) // 2
    return log[:middle] + random.Random(0).randbytes(64) + log[middle + 64 :]


DAMAGED = {
    "last 4 KiB zeros": (lambda log: log[:-4096] + bytes(4096), SECONDS - 4, SECONDS),
    "64 random bytes in the middle": (noise, SECONDS // 2 - 4, SECONDS // 2 + 4),
    "zeros after the end": (lambda log: log + bytes(4096), SECONDS, SECONDS),
    "beginning overwritten": (lambda log: bytes(64) + log[64:], 0, 0),
    "zeros": (lambda log: bytes(len(log)), 0, 0),
    "first bytes only": (lambda log: log[:3], 0, 0),
}
"""Name -> how the log is damaged, and least and most seconds of the lesson that are left."""


@pytest.mark.parametrize(("damage", "least", "most"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_log_is_kept_the_rest_opens_and_it_is_said_what_may_be_missing(folder, damage, least, most):
    log = folder / "cssafe.duckdb.wal"
    damaged = damage(log.read_bytes())
    change(log, damaged)
    workspace = services.current().workspace()
    [kept] = folder.glob("cssafe.duckdb.wal.damaged-????????-??????")
    assert kept.read_bytes() == damaged and f"kept as {kept.name}." in str(workspace.notice)
    with workspace.cursor() as cursor:
        counts = cursor.execute(
            "SELECT count(DISTINCT time) FROM observations RIGHT JOIN lessons USING (lesson) GROUP BY lesson ORDER BY lesson"
        ).fetchall()
        assert cursor.execute("SELECT count(*) FROM lessons WHERE ended IS NULL").fetchall() == [(0,)]
    assert counts[0] == (1,) and least <= sum(n for (n,) in counts[1:]) <= most
    missing = int(re.search(r"Up to (\d+) seconds", str(workspace.notice))[1])
    assert SECONDS - sum(n for (n,) in counts[1:]) <= missing <= SECONDS + 30
    workspace.start_lesson(LESSON)  # and the log is written again
    services.current().close()
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace:
        assert workspace.notice is None and kept.read_bytes() == damaged


@pytest.mark.parametrize("length", [0, 16, 30, -1, 2])
def test_a_log_that_was_cut_off_anywhere_opens_and_it_is_said_what_may_be_missing(folder, length):
    log = folder / "cssafe.duckdb.wal"
    whole = log.read_bytes()
    change(log, whole[: len(whole) // 2 if length == 2 else length])
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        (stored,) = cursor.execute("SELECT count(DISTINCT time) - 1 FROM observations").fetchone()
        assert int(re.search(r"Up to (\d+) seconds", str(workspace.notice))[1]) >= SECONDS - stored


def test_the_log_of_another_database_is_not_played_into_this_one(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    Workspace.open(other / "cssafe.duckdb").close()
    shutil.copy2(folder / "cssafe.duckdb.wal", other)
    with closing(Workspace.open(other / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM lessons").fetchall() == [(0,)]
        assert "damaged and is kept as" in str(workspace.notice)
    assert len(list(other.glob("*.damaged-*"))) == 1


def test_a_log_of_an_older_state_of_the_database_is_kept_and_locks_nobody_out(folder):
    log = folder / "cssafe.duckdb.wal"
    older = log.read_bytes()
    Workspace.open(folder / "cssafe.duckdb").close()
    log.write_bytes(older)
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(DISTINCT time) FROM observations").fetchall() == [(SECONDS + 1,)]
        [kept] = folder.glob("cssafe.duckdb.wal.damaged-*")
        assert kept.read_bytes() == older and kept.name in str(workspace.notice)


def test_a_log_whose_database_is_gone_is_kept_and_the_newest_backup_named(folder):
    whole = (folder / "cssafe.duckdb.wal").read_bytes()
    (folder / "cssafe.duckdb").unlink()
    (folder / "backups").mkdir(exist_ok=True)
    (folder / "backups" / "cssafe-9999-12-31.duckdb").touch()
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace:
        said = str(workspace.notice)
    [kept] = folder.glob("*.damaged-*")
    assert kept.read_bytes() == whole and kept.name in said
    assert "is missing" in said and "cssafe-9999-12-31.duckdb" in said


def test_of_a_damaged_log_that_is_a_copy_no_number_of_seconds_is_made_up(folder):
    log = folder / "cssafe.duckdb.wal"
    log.write_bytes(noise(log.read_bytes()))
    now = datetime.now().timestamp()
    for file in folder.glob("cssafe.duckdb*"):
        os.utime(file, (now, now))
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace:
        assert "An unknown number of seconds" in str(workspace.notice)


def test_a_log_that_is_damaged_in_the_size_of_an_entry_is_kept(folder):
    log = folder / "cssafe.duckdb.wal"
    whole = log.read_bytes()
    at = write_ahead_log._LOG_HEADER.match(whole).end()
    while at < len(whole) // 2:
        at += write_ahead_log.ENTRY_HEADER_BYTES + int.from_bytes(whole[at : at + 8], "little")
    damaged = whole[:at] + random.Random(0).randbytes(64) + whole[at + 64 :]
    change(log, damaged)
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace:
        [kept] = folder.glob("*.damaged-*")
        assert kept.read_bytes() == damaged and kept.name in str(workspace.notice)
        assert int(re.search(r"Up to (\d+) seconds", str(workspace.notice))[1]) >= SECONDS // 2 - 4


@pytest.mark.parametrize("value", [1, 0x66, 0xFF])
@pytest.mark.parametrize("at", [4, 5, 8, 20, 33])
def test_a_log_that_is_damaged_in_a_byte_of_its_header_is_kept(folder, at, value):
    log = folder / "cssafe.duckdb.wal"
    whole = log.read_bytes()
    damaged = whole[:at] + bytes([value]) + whole[at + 1 :]
    change(log, damaged)
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        (stored,) = cursor.execute("SELECT count(DISTINCT time) - 1 FROM observations").fetchone()
        if stored < SECONDS:
            [kept] = folder.glob("*.damaged-*")
            assert kept.read_bytes() == damaged and kept.name in str(workspace.notice)


@pytest.mark.parametrize("length", [0, 4, 20, 40, 50])
def test_a_log_without_entries_is_noticed_once(folder, length):
    log = folder / "cssafe.duckdb.wal"
    change(log, log.read_bytes()[:length])
    for _ in range(2):
        Workspace.open(folder / "cssafe.duckdb").close()
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace:
        assert workspace.notice is None
    assert len(list(folder.glob("*.damaged-*"))) == 1


def test_a_restored_backup_ends_the_notice_of_the_database_before(folder):
    with closing(Workspace.open(folder / "cssafe.duckdb")) as workspace:
        assert workspace.notice is not None
        shutil.copy(folder / "cssafe.duckdb", folder / "backup.duckdb")
        workspace.restore(folder / "backup.duckdb")
        assert workspace.notice is None


def test_of_the_damaged_logs_the_newest_are_kept(folder):
    log = folder / "cssafe.duckdb.wal"
    change(log, noise(log.read_bytes()))
    for day in range(10, 30):
        Path(f"{log}.damaged-202603{day}-120000").touch()
    Workspace.open(folder / "cssafe.duckdb").close()
    kept = sorted(folder.glob("*.damaged-*"))
    assert len(kept) == write_ahead_log.MAX_KEPT_LOGS and kept[-1].stat().st_size


def test_an_older_damaged_log_is_never_overwritten(folder, monkeypatch):
    for name in ("a", "b", "c"):
        log = folder / f"{name}.wal"
        log.write_text(name)
        monkeypatch.setattr(write_ahead_log, "datetime", Stopped)
        write_ahead_log._set_aside(log.rename(folder / "x.wal"))
    assert sorted(file.read_text() for file in folder.glob("x.wal.damaged-*")) == ["a", "b", "c"]


class Stopped:
    @staticmethod
    def now():
        return datetime(2026, 3, 2)


def test_a_log_that_is_a_folder_is_named_and_everything_left_as_it_was(folder):
    log = folder / "cssafe.duckdb.wal"
    log.unlink()
    log.mkdir()
    before = folder_contents(folder)
    with pytest.raises(StoreError, match=r"cssafe\.duckdb\.wal could not be opened.*CSSAFE_DATA"):
        Workspace.open(folder / "cssafe.duckdb")
    assert folder_contents(folder) == before


def test_a_file_that_cannot_be_opened_even_without_its_log_keeps_its_log(folder):
    path, log = folder / "cssafe.duckdb", folder / "cssafe.duckdb.wal"
    change(log, noise(log.read_bytes()))
    path.write_bytes(path.read_bytes()[:20_000])
    before = folder_contents(folder)
    with pytest.raises(StoreError, match="could not be opened"):
        Workspace.open(path)
    assert folder_contents(folder) == before


def test_after_a_kill_pages_health_and_command_line_say_what_may_be_missing_until_somebody_has_read_it(folder):
    words = f"Up to {recovery.WRITE_LAG_S} seconds of recording before"
    shutil.copytree(folder, folder / "again")
    export = [sys.executable, "-m", "cssafe", "export", str(folder / "out.zip")]
    environment = os.environ | {"CSSAFE_DATA": str(folder / "again")}
    done = subprocess.run(export, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and words in done.stderr, done.stderr
    for name in ("lessons", "weekly"):
        shown = page(name)
        assert words in shown.warning[0].value
    assert words in health.report()["notice"] and health.report()["problem"] == ""
    json.dumps(health.report())
    shown.button(key="dismiss_notice").click().run()
    assert not shown.warning and not page("lessons").warning and health.report()["notice"] == ""


KILLED = """
    import os, sys
    from pathlib import Path
    from cssafe.store import Workspace
    from tests.support.lessons import LESSON
    workspace = Workspace.open(Path(sys.argv[1]))
    {change}
    os.kill(os.getpid(), 9)
"""


def test_a_kill_in_a_lesson_after_a_checkpoint_leaves_no_log_and_is_noticed_all_the_same(tmp_path):
    change = "workspace.start_lesson(LESSON); workspace.cursor().execute('CHECKPOINT')"
    with python(KILLED.format(change=change), tmp_path / "a.duckdb") as process:
        process.wait(timeout=60)
    assert not (tmp_path / "a.duckdb.wal").exists()
    with closing(Workspace.open(tmp_path / "a.duckdb")) as workspace:
        assert "did not end properly" in str(workspace.notice)
    with closing(Workspace.open(tmp_path / "a.duckdb")) as workspace:
        assert workspace.notice is None
    assert [file.name for file in tmp_path.iterdir()] == ["a.duckdb"]


def test_a_kill_outside_a_lesson_loses_nothing_and_needs_no_notice(tmp_path):
    path = tmp_path / "a.duckdb"
    with python(KILLED.format(change="workspace.set('hints', True)"), path) as process:
        process.wait(timeout=60)
    assert write_ahead_log.log_path(path).stat().st_size > write_ahead_log.LOG_HEADER_BYTES
    os.utime(path, (0, 0))  # the last checkpoint was long ago
    with closing(Workspace.open(path)) as workspace:
        assert workspace.notice is None


def test_a_second_process_neither_ends_the_notice_nor_the_mark_of_the_first(tmp_path):
    with closing(Workspace.open(tmp_path / "a.duckdb")):
        with python(
            "import sys; from pathlib import Path; from cssafe.store import Workspace; Workspace.open(Path(sys.argv[1]))",
            tmp_path / "a.duckdb",
        ) as process:
            assert process.wait(timeout=60) == 1
        assert write_ahead_log.running_marker_path(tmp_path / "a.duckdb").exists()


def test_a_log_holds_at_most_two_minutes_of_recording(tmp_path):
    with closing(Workspace.open(tmp_path / "a.duckdb")) as workspace:
        lesson = workspace.start_lesson(LESSON)
        for second in range(130):
            workspace.record(lesson, rows(tracks=1, start=START + timedelta(seconds=second)))
            workspace.flush()
        stored = duckdb_rows(tmp_path)
    assert stored >= 5


def duckdb_rows(folder: Path) -> int:
    """Rows that are in the file itself, without its log."""
    shutil.copy(folder / "a.duckdb", folder / "b.duckdb")
    with duckdb.connect(str(folder / "b.duckdb")) as connection:
        return connection.execute("SELECT count(*) FROM observations").fetchall()[0][0]
