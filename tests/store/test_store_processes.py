"""The store between real processes: a second one that wants the file, and a kill -9."""

import os
import signal
import textwrap
import time
from pathlib import Path

import pytest

from cssafe.store import Workspace
from tests.support.processes import holding, python


def test_a_second_process_gets_a_clear_message(tmp_path):
    workspace = Workspace.open(tmp_path / "a.duckdb")
    program = """
        import sys
        from pathlib import Path
        from cssafe.store import StoreError, Workspace
        try:
            Workspace.open(Path(sys.argv[1]))
        except StoreError as error:
            print(error)
    """
    with python(program, tmp_path / "a.duckdb") as process:
        message = process.communicate(timeout=60)[0]
    workspace.close()
    assert "in use by another program" in message and str(os.getpid()) in message and "Traceback" not in message


@pytest.mark.parametrize("where", ["memory", "file"])
def test_a_process_without_file_handles_gets_a_clear_message_and_goes_on(tmp_path, where):
    program = """
        import os, resource, sys
        from pathlib import Path
        from cssafe.store import StoreError, Workspace
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        taken = []
        try:
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        path = None if sys.argv[1].endswith("memory") else Path(sys.argv[1])
        for free in range(3):
            try:
                Workspace.open(path)
            except StoreError as error:
                print(error)
            os.close(taken.pop())
        for handle in taken:
            os.close(handle)
        Workspace.open(path).close()
        print("open")
    """
    with python(program, tmp_path / where) as process:
        lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 0 and len(lines) == 4 and lines[-1] == "open"
    assert all("too many files and connections" in line for line in lines[:3])


def test_kill_9_loses_at_most_two_seconds(tmp_path):
    program = """
        import sys, time
        from datetime import UTC, datetime
        from pathlib import Path
        from cssafe.store import Workspace
        from tests.support.lessons import LESSON, rows
        workspace = Workspace.open(Path(sys.argv[1]))
        lesson = workspace.start_lesson(LESSON)
        while True:
            now = datetime.now(UTC)
            workspace.record(lesson, rows(tracks=30, start=now))
            print(now.timestamp(), flush=True)
            time.sleep(0.1)
    """
    with python(program, tmp_path / "a.duckdb") as process:
        lines = [process.stdout.readline() for _ in range(30)]  # three seconds, more on a busy machine
        killed = time.time()
        process.send_signal(signal.SIGKILL)
        recorded = [float(line) for line in (*lines, *process.communicate(timeout=60)[0].split())]
    workspace = Workspace.open(tmp_path / "a.duckdb")
    with workspace.cursor() as cursor:
        kept, last, ended = cursor.execute(
            "SELECT count(DISTINCT time), epoch(max(time)), epoch((SELECT any_value(ended) FROM lessons))"
            " FROM observations"
        ).fetchone()
    workspace.close()
    assert kept >= sum(t < killed - 2 for t in recorded)
    assert last >= killed - 2
    assert ended == pytest.approx(last + 1)


SECRET = "Nobody may read this any more"

DELETION = """
    import os, signal, sys, threading
    from dataclasses import replace
    from datetime import timedelta
    from pathlib import Path
    from cssafe.store import Workspace, backups, database, statements, workspace
    from tests.support.lessons import LESSON, START, add, rows

    def kill(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def then(*steps):
        def run(*args):
            for step in steps:
                step(*args)
        return run

    path = Path(sys.argv[1])
    opened = Workspace.open(path)
    add(opened, rows(), lesson=replace(LESSON, name="Kept"))
    gone = add(opened, rows(seconds=50), lesson=replace(LESSON, name=SECRET, started=START + timedelta(days=1)))
    opened.add_marker(gone, "quiz", START, SECRET)
    opened.save_note(gone, SECRET, [SECRET])
    opened._housekeeping._thread.submit(int).result()
    backups.newest_backup(path).unlink()
    backups.make_backup(opened._connection, path)
    backups.backup_path(path, "2020-02-29").write_bytes(backups.newest_backup(path).read_bytes())
    path.with_name("a.duckdb.wal-set-aside").write_text(SECRET)
    print("ready", flush=True)
"""

BEFORE_COMMIT = "statements.delete_lessons = then(statements.delete_lessons, kill)"
AFTER_COMMIT = {
    "before the rewrite": "database.Database.rewrite = kill",
    "while the copy is written": """
    def watch():
        while not database.temporary_path(path).exists():
            pass
        kill()
    threading.Thread(target=watch).start()""",
    "before the file is replaced": "database.replace_file = kill",
    "after the file is replaced": "database.replace_file = then(database.replace_file, kill)",
    "before the backups are removed": "backups.erase_backups = kill",
    "while the backups are removed": "backups.remove_database = then(backups.remove_database, kill)",
    "before the deletion is forgotten": "backups.erase_backups = then(backups.erase_backups, kill)",
    "before the new backup": "backups.make_backup = kill",
    "while the new backup is written": "backups.copy_database = then(backups.copy_database, kill)",
}
"""Moments after the commit of a deletion -> how the process is killed then."""


def interrupt(path: Path, moment: str) -> None:
    """Delete the second lesson of a new database in a process that is killed at that moment."""
    program = (
        textwrap.dedent(DELETION.replace("SECRET", repr(SECRET)))
        + textwrap.dedent(moment)
        + "\nopened.delete(gone)\nopened.close()\n"
    )
    with python(program, path) as process:
        assert process.communicate(timeout=120)[0] == "ready\n"
        assert process.returncode == -signal.SIGKILL


def lessons(path: Path) -> list[str]:
    workspace = Workspace.open(path)
    with workspace.cursor() as cursor:
        names = [name for (name,) in cursor.execute("SELECT name FROM lessons ORDER BY lesson").fetchall()]
    workspace.close()
    return names


@pytest.mark.slow
@pytest.mark.parametrize("moment", AFTER_COMMIT.values(), ids=list(AFTER_COMMIT))
def test_a_deletion_that_kill_9_interrupts_is_finished_at_the_next_start_and_no_file_holds_its_words(tmp_path, moment):
    path = tmp_path / "a.duckdb"
    interrupt(path, moment)
    assert lessons(path) == ["Kept"]
    assert holding(tmp_path, SECRET) == []
    assert holding(tmp_path, "Kept") != []
    assert {file.name for file in tmp_path.iterdir()} == {"a.duckdb", "backups"}


def test_a_lesson_whose_deletion_kill_9_stops_before_the_commit_is_whole(tmp_path):
    path = tmp_path / "a.duckdb"
    interrupt(path, BEFORE_COMMIT)
    workspace = Workspace.open(path)
    with workspace.cursor() as cursor:
        counts = "SELECT (SELECT count(*) FROM observations), (SELECT count(*) FROM markers), (SELECT note FROM notes)"
        assert cursor.execute(counts).fetchall() == [(306, 1, SECRET)]
        assert not workspace.erasing
    workspace.close()
    assert lessons(path) == ["Kept", SECRET]
