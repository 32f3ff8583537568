"""The store between real processes: a second one that wants the file, and a kill -9."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from cssafe.settings import ROOT
from cssafe.store import Workspace


def python(program: str, path: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


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


def test_kill_9_loses_at_most_two_seconds(tmp_path):
    program = """
        import sys, time
        from datetime import UTC, datetime
        from pathlib import Path
        from cssafe.store import Workspace
        from tests.lessons import LESSON, rows
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
