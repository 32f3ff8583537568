"""`python -m cssafe watch` as real processes before a real http camera: what it says, what it keeps, how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cssafe import settings
from cssafe.commands import watch
from cssafe.commands.main import main
from cssafe.live.engine import Engine
from cssafe.live.room_camera import CameraReader
from cssafe.settings import ROOT
from cssafe.store import Workspace
from tests.support.fake_pipelines import Crowd
from tests.support.live_lessons import make
from tests.support.room import camera
from tests.support.wait import until


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    return tmp_path / "data" / "cssafe.duckdb"


def start(*arguments: str, **environment: str) -> subprocess.Popen:
    """The command, once its lesson has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cssafe", "watch", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said(process, "is recorded")
    return process


def said(process: subprocess.Popen, words: str) -> str:
    """What it says up to the line with these words."""
    lines = ""
    while words not in (line := process.stderr.readline()):
        assert line, f"it ended with {process.wait()}"
        lines += line
    return lines + line


def fetch(path: Path, sql: str) -> list[tuple]:
    with closing(Workspace.open(path)) as workspace:
        return workspace.cursor().execute(sql).fetchall()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "SOURCE"),
        (["0"], "--lesson"),
        (["nowhere.mp4", "--lesson", "A"], "expected an address"),
        (["97", "--lesson", "A"], "does not open"),
        (["rtsp://me:secret@127.0.0.1:9/x", "--lesson", "A"], "does not answer"),
        (["{picture}", "--lesson", "  "], "--lesson needs a name"),
        (["{picture}", "--lesson", "A", "--zone", "Mars"], "no time zone 'Mars'"),
        (["{picture}", "--lesson", "A", "--until", "25:00"], "a time of today such as 09:45, not '25:00'"),
        (["{picture}", "--lesson", "A", "--until", "00:00"], "is past"),
        (["{picture}", "--lesson", "A", "--profile", "spy"], "no profile 'spy'"),
        (["{picture}", "--lesson", "A", "--profile", "demo"], "stores nothing"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_one_line(arguments, says, picture, capsys):
    assert main(["watch", *(word.format(picture=picture) for word in arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and says in said.err and "secret" not in said.err


def test_a_file_that_cannot_be_read_or_a_database_in_use_ends_with_status_2_and_one_line(
    data, tmp_path, capsys, picture
):
    (tmp_path / "lesson.mp4").write_text("no video")
    assert main(["watch", str(tmp_path / "lesson.mp4"), "--lesson", "A"]) == 2
    assert "not an image or video" in capsys.readouterr().err
    with closing(Workspace.open(data)):
        command = [sys.executable, "-m", "cssafe", "watch", str(picture), "--lesson", "A"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "in use by another program" in done.stderr


def test_hosted_it_opens_nothing(monkeypatch, picture, capsys):
    monkeypatch.setenv("CSSAFE_MODE", "hosted")
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    assert main(["watch", str(picture), "--lesson", "A"]) == 2
    assert capsys.readouterr().err


@pytest.mark.slow
def test_sigterm_loses_nothing_and_no_password_is_ever_said(data):
    with camera() as shown:
        options = ["--class", "7b", "--subject", "Maths", "--room", "12", "--zone", "Asia/Kolkata"]
        process = start(shown.address, "--lesson", "Fractions", *options)
        time.sleep(5)
        before = shown.connections
        shown.cut()
        lost = said(process, "is tried again")
        shown.mend()
        until(lambda: shown.connections > before)  # the camera is back in the same lesson
        time.sleep(5)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out == "" and "secret" not in lost + err
    told = re.search(r'Stored as the lesson "Fractions": (\d+) seconds', err)
    stored = "SELECT count(DISTINCT time), max(ended) >= max(time) FROM observations JOIN lessons USING (lesson)"
    assert fetch(data, stored) == [(int(told[1]), True)]
    twice = "SELECT count(*) FROM observations GROUP BY lesson, time, track HAVING count(*) > 1"
    assert fetch(data, twice) == []
    assert int(told[1]) >= 5
    columns = "class_name, subject, room, time_zone, profile, source, audience"
    assert fetch(data, f"SELECT {columns} FROM lessons") == [
        ("7b", "Maths", "12", "Asia/Kolkata", "attention-only", "camera", "class")
    ]


@pytest.mark.slow
def test_a_frozen_camera_is_reported_and_not_recorded_until_it_moves_again(data):
    with camera() as shown:
        shown.frozen = True
        process = start(shown.address, "--lesson", "A")
        said(process, "The picture does not change")
        shown.frozen = False
        said(process, "camera live, 12 faces, class concentration")
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=60)
    [(seconds, duration)] = fetch(
        data,
        "SELECT count(DISTINCT time), max(epoch(ended) - epoch(started)) FROM observations JOIN lessons USING (lesson)",
    )
    assert 0 < seconds < duration - 6 and "Stored as the lesson" in err


@pytest.mark.slow
def test_kill_9_loses_at_most_two_seconds(data):
    with camera() as shown:
        process = start(shown.address, "--lesson", "A")
        time.sleep(8)
        process.send_signal(signal.SIGKILL)
        killed = datetime.now(UTC)
        process.communicate(timeout=60)
    [(last, ended)] = fetch(data, "SELECT max(time), any_value(ended) FROM observations JOIN lessons USING (lesson)")
    assert last.replace(tzinfo=UTC) + timedelta(seconds=1) >= killed - timedelta(seconds=2)
    assert ended == last + timedelta(seconds=1)


def test_it_ends_by_itself_at_the_time_given_and_reports_on_the_way(data, picture, monkeypatch, capsys):
    told, status_line = [], watch.status_line

    class Clock(datetime):
        """An hour passes once it has been told that nobody is in view."""

        @classmethod
        def now(cls, zone):
            return datetime.now(zone) + timedelta(hours=any("No face" in words for words in told))

    monkeypatch.setattr(watch, "STATUS_INTERVAL_S", 0.5)
    monkeypatch.setattr(watch, "datetime", Clock)
    monkeypatch.setattr(watch, "status_line", lambda capture: told.append(status_line(capture)) or told[-1])
    monkeypatch.setattr(watch, "_time_today", lambda clock, zone: datetime.now(UTC) + timedelta(minutes=30))
    assert main(["watch", str(picture), "--lesson", "Nobody", "--until", "23:59"]) == 0
    said = capsys.readouterr().err
    assert re.search(r"^\d\d:\d\d:\d\d camera live, 0 faces, No face in view\.$", said, re.MULTILINE)
    assert "Nothing was stored: no face was seen." in said
    assert fetch(data, "SELECT count(*) FROM lessons") == [(0,)]


@pytest.mark.parametrize(
    ("faces", "says"),
    [
        (0, "0 faces, No face in view."),
        (4, "4 faces, Too few faces for a figure about the class: 4 of 5."),
        (5, "5 faces, class concentration 0.80 (high)"),
    ],
)
def test_a_line_tells_of_the_class_as_a_whole_and_nothing_of_fewer_than_the_minimum_group(faces, says, picture):
    with closing(Workspace.open(None)) as workspace, closing(Engine(lambda: Crowd(faces)).start()) as engine:
        capture = CameraReader(settings.load(), engine, make(workspace, audience="class"), str(picture)).start()
        until(lambda: watch.status_line(capture).endswith(f"camera live, {says}"))  # once all have moved
        capture.end()
