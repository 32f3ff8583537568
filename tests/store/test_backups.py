"""Dated backups: made, kept, erased and restored."""

import io
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections import namedtuple
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Event

import duckdb
import pytest

from cssafe.commands.main import main
from cssafe.exchange import exporter
from cssafe.live import services
from cssafe.settings import ROOT
from cssafe.store import StoreError, Workspace, backups, database
from cssafe.store.database import RESCUE_PREFIX
from tests.support.lessons import LESSON, START, add, rows
from tests.support.pages import page, press, run, text
from tests.support.processes import SECRET, holding, python


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Where the database of this computer is."""
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    monkeypatch.delenv("CSSAFE_MODE", raising=False)
    yield tmp_path / "cssafe.duckdb"
    services.current().close()


@pytest.fixture
def calendar(monkeypatch):
    """A function that moves the day of the backups: `calendar("2026-03-02")`."""

    def move(day: str) -> None:
        monkeypatch.setattr(backups, "date", namedtuple("Calendar", "today")(lambda: date.fromisoformat(day)))

    return move


def teach(workspace: Workspace, name: str, day: int = 0) -> int:
    return add(workspace, rows(), lesson=replace(LESSON, name=name, started=START + timedelta(days=day)))


def settle(workspace: Workspace) -> None:
    """Wait until the workspace has looked after its files."""
    workspace._housekeeping._thread.submit(int).result()


def names(workspace: Workspace) -> list[str]:
    with workspace.cursor() as cursor:
        return [name for (name,) in cursor.execute("SELECT name FROM lessons ORDER BY lesson").fetchall()]


def days(path: Path) -> list[str]:
    return [backup.day for backup in backups.list_backups(path)]


def held(path: Path) -> list[int | None]:
    return [backup.lessons for backup in backups.list_backups(path)]


def test_the_first_lesson_that_ends_on_a_day_makes_the_backup_of_that_day(path, calendar):
    assert backups.list_backups(path) == [] and backups.newest_backup(path) is None
    with closing(Workspace.open(path)) as workspace:
        calendar("2026-03-02")
        teach(workspace, "Monday")
        settle(workspace)
        teach(workspace, "Monday, again")
        settle(workspace)
        calendar("2026-03-03")
        teach(workspace, "Tuesday")
    assert days(path) == ["2026-03-03", "2026-03-02"] and held(path) == [3, 1]
    assert backups.newest_backup(path) == path.parent / "backups" / "cssafe-2026-03-03.duckdb"
    assert sorted(file.name for file in (path.parent / "backups").iterdir()) == [
        "cssafe-2026-03-02.duckdb",
        "cssafe-2026-03-03.duckdb",
    ]


def test_a_backup_is_read_only_by_those_who_may_read_the_database(path):
    Workspace.open(path).close()
    path.chmod(0o600)
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Monday")
    assert backups.newest_backup(path).stat().st_mode & 0o777 == 0o600


def test_the_newest_days_are_kept_and_one_made_by_a_clock_that_was_wrong_removes_no_newer_one(
    path, calendar, monkeypatch
):
    monkeypatch.setattr(backups, "MAX_BACKUP_DAYS", 2)
    with closing(Workspace.open(path)) as workspace:
        for day in ("2026-02-27", "2026-03-02", "2026-03-30"):
            calendar(day)
            teach(workspace, day)
            settle(workspace)
        assert days(path) == ["2026-03-30", "2026-03-02"]
        calendar("1999-01-01")
        teach(workspace, "1999-01-01")
        settle(workspace)
    assert days(path) == ["2026-03-30", "2026-03-02", "1999-01-01"]


def test_a_replaced_database_is_kept_as_long_as_the_backup_of_its_day(path, calendar, monkeypatch):
    monkeypatch.setattr(backups, "MAX_BACKUP_DAYS", 2)
    with closing(Workspace.open(path)) as workspace:
        kept = []
        for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
            calendar(day)
            teach(workspace, day)
            settle(workspace)
            if day == "2026-03-02":
                replaced = backups.backup_path(path, f"{day}-replaced-120002")
                shutil.copy(backups.backup_path(path, day), replaced)
            kept.append(replaced.exists())
    assert kept == [True, True, False]


def test_a_workspace_in_memory_has_no_backups(tmp_path, monkeypatch, workspace):
    monkeypatch.chdir(tmp_path)
    teach(workspace, "Monday")
    workspace.delete(teach(workspace, "Tuesday"))
    assert list(tmp_path.iterdir()) == [] and not workspace.erasing


def test_without_room_on_the_disk_there_is_no_backup_the_lesson_goes_on_and_a_sentence_says_so(path, monkeypatch):
    usage = namedtuple("Usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(backups.MIN_FREE_BYTES))
    teach(services.current().workspace(), "Monday")
    settle(services.current().workspace())
    for name in ("data", "status"):
        assert "no backup of today" in text(page(name)) and "No space left on device" in text(page(name))
    monkeypatch.undo()
    assert names(services.current().workspace()) == ["Monday"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40))
    teach(services.current().workspace(), "Tuesday")
    settle(services.current().workspace())
    assert services.current().workspace().backup_problem is None


def test_a_folder_of_backups_that_cannot_be_made_disturbs_no_lesson(path):
    (path.parent / "backups").write_text("a file in its place")
    with closing(Workspace.open(path)) as workspace:
        workspace.delete(teach(workspace, "Monday"))
        settle(workspace)
        teach(workspace, "Tuesday")
        settle(workspace)
        assert names(workspace) == ["Tuesday"] and "no backup" in str(workspace.backup_problem)


def test_a_folder_of_backups_that_cannot_be_listed_is_named_by_the_page_and_the_commands(path, capsys):
    (path.parent / "backups").write_text("a file in its place")
    assert "cannot be listed" in text(page("data"))
    services.current().close()
    assert main(["restore", "--list"]) == 2 and "cannot be listed" in capsys.readouterr().err
    assert main(["sample", "--weeks", "1"]) == 0 and "no backup of today" in capsys.readouterr().err


def test_a_deleted_lesson_is_in_no_backup_and_backups_without_it_stay(path, calendar):
    with closing(Workspace.open(path)) as workspace:
        calendar("2026-03-02")
        teach(workspace, "Monday")
        settle(workspace)
        calendar("2026-03-03")
        gone = teach(workspace, SECRET, day=1)
        settle(workspace)
        assert "cssafe-2026-03-03.duckdb" in holding(path.parent, SECRET)
        calendar("2026-03-04")
        workspace.delete(gone)
        assert holding(path.parent, SECRET) == [] and not workspace.erasing
        settle(workspace)
    assert days(path) == ["2026-03-04", "2026-03-02"] and held(path) == [1, 1]


def test_a_deletion_finds_the_lesson_in_replaced_databases_too_and_by_its_start_not_its_number(path, calendar):
    with closing(Workspace.open(path)) as workspace:
        calendar("2026-03-02")
        teach(workspace, "Monday")
        settle(workspace)
        calendar("2026-03-03")
        teach(workspace, SECRET, day=1)
        settle(workspace)
        kept = workspace.restore(backups.backup_path(path, "2026-03-02"))
        assert names(workspace) == ["Monday"] and SECRET.encode() in kept.read_bytes()
        teach(workspace, "Another", day=2)
        workspace.delete(teach(workspace, "Imported", day=1))
        assert not kept.exists() and holding(path.parent, SECRET) == []


def test_lessons_go_on_while_a_backup_is_made_and_one_deleted_meanwhile_is_erased_from_it_afterwards(path, monkeypatch):
    monkeypatch.setattr(database, "READERS_TIMEOUT_S", 0.0)
    copied, go_on = Event(), Event()

    def install(new: Path, target: Path) -> None:
        copied.set()
        assert go_on.wait(60)
        database.replace_file(new, target)

    monkeypatch.setattr(backups, "replace_file", install)
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Kept")
        gone = teach(workspace, SECRET, day=1)
        assert copied.wait(60)
        try:
            teach(workspace, "Meanwhile", day=2)
            workspace.delete(gone)
            assert workspace.erasing and holding(path.parent, SECRET) != []
        finally:
            go_on.set()
        settle(workspace)
        assert not workspace.erasing and holding(path.parent, SECRET) == []
        assert names(workspace) == ["Kept", "Meanwhile"] and len(days(path)) == 1


def test_a_file_that_leaves_while_a_deletion_waits_tells_nothing_of_it(path, monkeypatch):
    monkeypatch.setattr(database, "READERS_TIMEOUT_S", 0.0)
    file = io.BytesIO()
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Kept")
        with workspace.cursor() as reader:
            workspace.delete(teach(workspace, SECRET, day=1))
            assert workspace.erasing
            exporter.export_file(workspace, file, "json")
        del reader
    with zipfile.ZipFile(file) as archive:
        assert "erasing" not in archive.read("settings.json").decode()


def test_a_deletion_removes_a_backup_that_cannot_be_read(path):
    with closing(Workspace.open(path)) as workspace:
        gone = teach(workspace, "Monday")
        settle(workspace)
        backups.backup_path(path, "2026-03-02").write_text(SECRET)
        assert None in held(path)
        workspace.delete(gone)
    assert holding(path.parent, SECRET) == []


def test_restoring_brings_back_what_the_backup_holds_and_keeps_what_was_there(path, calendar):
    with closing(Workspace.open(path)) as workspace:
        calendar("2026-03-02")
        monday = teach(workspace, "Monday")
        settle(workspace)
        workspace.rename(monday, "Spoilt")
        teach(workspace, "Tuesday", day=1)
        kept = workspace.restore(backups.backup_path(path, "2026-03-02"))
        assert names(workspace) == ["Monday"] and sorted(held(path)) == [1, 2]
        teach(workspace, "Wednesday", day=2)
        workspace.restore(kept)
        assert names(workspace) == ["Spoilt", "Tuesday"]
    with closing(Workspace.open(path)) as workspace:
        assert names(workspace) == ["Spoilt", "Tuesday"]


def test_a_running_lesson_must_end_and_a_reader_finish_before_a_backup_is_restored(path, monkeypatch):
    monkeypatch.setattr(database, "READERS_TIMEOUT_S", 0.0)
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Monday")
        settle(workspace)
        running = workspace.start_lesson(LESSON)
        with pytest.raises(StoreError, match="lesson is running"):
            workspace.restore(backups.newest_backup(path))
        workspace.end_lesson(running, START + timedelta(minutes=45))
        settle(workspace)
        with workspace.cursor() as reader:
            with pytest.raises(StoreError, match="is being read"):
                workspace.restore(backups.newest_backup(path))
        del reader
        assert len(names(workspace)) == 2 and len(days(path)) == 1
        workspace.restore(backups.newest_backup(path))
        assert names(workspace) == ["Monday"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda backup: backup.write_bytes(b"something else" * 1000), "could not be restored"),
        (lambda backup: backup.unlink(), "could not be restored"),
        (lambda backup: future(backup), "newer version"),
    ],
)
def test_a_backup_that_cannot_be_used_changes_nothing(path, spoil, words):
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Monday")
        settle(workspace)
        teach(workspace, "Tuesday")
        settle(workspace)
        backup = backups.newest_backup(path)
        spoil(backup)
        with pytest.raises(StoreError, match=words):
            workspace.restore(backup)
        assert names(workspace) == ["Monday", "Tuesday"]
        assert list(path.parent.glob("*.new*")) == [] and len(days(path)) <= 1


def future(backup: Path) -> None:
    with duckdb.connect(backup) as connection:
        connection.execute("INSERT INTO migrations VALUES ('m999_future', now()::TIMESTAMP)")


def test_a_database_that_cannot_be_opened_is_replaced_by_one_button(path):
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Monday")
    path.write_bytes(b"damaged" * 1000)
    shown = page("data")
    assert "not a CSSAFE database" in text(shown)
    assert shown.radio[0].options == [f"{backups.list_backups(path)[0].day}, lessons: 1, {size(path):.1f} MB"]
    press(shown, "Restore this backup")
    assert "Restored" in shown.success[0].value and not shown.error
    assert names(services.current().workspace()) == ["Monday"]
    assert b"damaged" in (next(b.path for b in backups.list_backups(path) if b.replaced)).read_bytes()
    options = " ".join(run(shown).radio[0].options)
    assert "cannot be read" in options
    assert re.search(r"The database before the restore at \d\d:\d\d on \d{4}-\d\d-\d\d, ", options), options


def size(path: Path) -> float:
    return backups.newest_backup(path).stat().st_size / 1e6


def test_the_page_restores_the_chosen_backup_and_says_why_not_while_a_lesson_runs(path, calendar):
    workspace = services.current().workspace()
    for day in ("2026-03-02", "2026-03-03"):
        calendar(day)
        teach(workspace, day)
        settle(workspace)
    running = workspace.start_lesson(LESSON)
    shown = page("data")
    shown.radio[0].set_value(backups.list_backups(path)[1])
    run(shown)
    press(shown, "Restore this backup")
    assert "A lesson is running" in shown.error[0].value and len(names(workspace)) == 3
    workspace.end_lesson(running, START + timedelta(minutes=45))
    press(shown, "Restore this backup")
    assert "Restored: 2026-03-02" in shown.success[0].value
    assert names(services.current().workspace()) == ["2026-03-02"]
    assert shown.metric[0].value == "1"


def test_the_page_deletes_a_replaced_database_with_its_log_and_offers_that_for_no_dated_backup(path):
    workspace = services.current().workspace()
    teach(workspace, "Monday")
    settle(workspace)
    dated = backups.newest_backup(path)
    kept = workspace.restore(dated)
    Path(f"{kept}.wal").write_bytes(SECRET.encode())
    shown = page("data")
    shown.radio[0].set_value(next(b for b in backups.list_backups(path) if b.path == dated))
    assert "Delete this database" not in [button.label for button in run(shown).button]
    shown.radio[0].set_value(next(b for b in backups.list_backups(path) if b.replaced))
    press(run(shown), "Delete this database")
    assert shown.success[0].value.startswith("Deleted: The database before the restore at ")
    assert [file.name for file in (path.parent / "backups").iterdir()] == [dated.name]
    assert len(shown.radio[0].options) == 1 and names(workspace) == ["Monday"]


def test_a_replaced_database_that_cannot_be_deleted_stays_in_the_list_and_the_page_says_why(path, monkeypatch):
    workspace = services.current().workspace()
    teach(workspace, "Monday")
    settle(workspace)
    workspace.restore(backups.newest_backup(path))
    shown = page("data")
    shown.radio[0].set_value(next(b for b in backups.list_backups(path) if b.replaced))
    run(shown)
    with monkeypatch.context() as refusing:
        refusing.setattr(Path, "unlink", refuse)
        press(shown, "Delete this database")
    assert "could not be deleted" in shown.error[0].value and len(backups.list_backups(path)) == 2


def refuse(*_, **__):
    raise PermissionError("Permission denied")


def test_without_backups_the_page_says_when_one_is_made_and_in_memory_it_offers_none(path, monkeypatch):
    shown = page("data")
    assert "on every day on which a lesson ends" in text(shown) and not shown.radio
    monkeypatch.setenv("CSSAFE_PROFILE", "demo")
    assert "Backups" not in text(page("data"))


def test_while_a_reader_delays_the_erasure_every_page_says_so(path, monkeypatch):
    monkeypatch.setattr(database, "READERS_TIMEOUT_S", 0.0)
    workspace = services.current().workspace()
    teach(workspace, "Kept")
    gone = teach(workspace, SECRET, day=1)
    with workspace.cursor() as reader:
        workspace.delete(gone)
        for name in ("lessons", "data"):
            assert "traces of them remain" in text(page(name))
    del reader
    teach(workspace, "The next lesson", day=2)
    settle(workspace)
    assert "traces" not in text(page("data")) and holding(path.parent, SECRET) == []


def test_the_command_lists_restores_and_says_what_it_kept(path, calendar, capsys):
    assert main(["restore"]) == 2 and "no backup" in capsys.readouterr().err
    with closing(Workspace.open(path)) as workspace:
        for day in ("2026-03-02", "2026-03-03"):
            calendar(day)
            teach(workspace, day)
            settle(workspace)
        teach(workspace, "Today")
        assert main(["restore"]) == 2  # a second connection of this process sees the lock of nobody: the path does
    capsys.readouterr()
    assert main(["restore", "--list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("2026-03-03") and "2 lessons" in first and "1 lessons" in second
    assert main(["restore", "2026-03-04"]) == 2 and "no backup 2026-03-04" in capsys.readouterr().err
    assert main(["restore", "2026-03-02"]) == 0
    said = capsys.readouterr().out
    assert "cssafe-2026-03-02.duckdb" in said and "-replaced-" in said
    with closing(Workspace.open(path)) as workspace:
        assert names(workspace) == ["2026-03-02"]
    assert main(["restore"]) == 0 and "cssafe-2026-03-03.duckdb" in capsys.readouterr().out


def test_the_command_refuses_while_another_program_has_the_database_open(path, capsys):
    program = """
        import sys
        from pathlib import Path
        from cssafe.store import Workspace
        from tests.support.lessons import add, rows
        workspace = Workspace.open(Path(sys.argv[1]))
        add(workspace, rows())
        workspace._housekeeping._thread.submit(int).result()
        print("open", flush=True)
        sys.stdin.readline()
    """
    with python(program, path) as process:
        assert process.stdout.readline() == "open\n"
        before = path.read_bytes()
        assert main(["restore"]) == 2
        assert "in use by another program" in capsys.readouterr().err
        assert path.read_bytes() == before and len(days(path)) == 1
        process.kill()


def test_a_database_that_was_lost_is_restored(path):
    with closing(Workspace.open(path)) as workspace:
        teach(workspace, "Monday")
    path.unlink()
    assert main(["restore"]) == 0
    with closing(Workspace.open(path)) as workspace:
        assert names(workspace) == ["Monday"]
    assert len(days(path)) == 1


def test_the_copy_that_a_killed_rescue_leaves_is_gone_after_a_deletion_and_after_the_next_start(path):
    program = """
        import os, signal, sys
        from pathlib import Path
        from cssafe.store import rescue
        rescue._opened = lambda copy, path: os.kill(os.getpid(), signal.SIGKILL)
        rescue.rescue(Path(sys.argv[1]), Path(sys.argv[2]) / "new.duckdb")
    """
    damaged = path.with_name("old.duckdb")
    with closing(Workspace.open(damaged)) as workspace:
        teach(workspace, SECRET)
    shutil.rmtree(path.parent / "backups")

    def kill() -> None:
        words = [sys.executable, "-c", textwrap.dedent(program), str(damaged), str(path.parent)]
        assert subprocess.run(words, cwd=ROOT).returncode == -signal.SIGKILL
        assert "old.duckdb" in holding(path.parent, SECRET) and list(path.parent.glob(f"{RESCUE_PREFIX}*"))

    with closing(Workspace.open(path)) as workspace:
        gone = teach(workspace, "Monday")
        kill()
        workspace.delete(gone)
        assert not list(path.parent.glob(f"{RESCUE_PREFIX}*"))
    kill()
    Workspace.open(path).close()
    assert not list(path.parent.glob(f"{RESCUE_PREFIX}*"))
