"""A wall clock that is set while a lesson runs: by hand, by the network, to summer time; and a computer that sleeps."""

import io
import os
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cssafe import queries
from cssafe.exchange import FORMATS, exporter, importer
from cssafe.live.class_view import READING_WINDOW_S
from cssafe.live.clock import LessonClock, seconds_since_boot
from cssafe.live.lesson import LiveLesson
from cssafe.report import lesson_report
from cssafe.settings import PROFILES, ROOT
from cssafe.store import Workspace, summaries
from tests.support.database import INVARIANTS
from tests.support.fake_pipelines import crowd
from tests.support.lessons import add, rows

NOON = datetime(2026, 3, 2, 12, 0, 0, 300_000, tzinfo=UTC)
HOUR = 3600.0

BROKEN = INVARIANTS | {
    "a marker outside": "FROM markers JOIN lessons USING (lesson) WHERE time NOT BETWEEN started AND ended",
    "an activity outside": "FROM activities JOIN lessons USING (lesson) WHERE time NOT BETWEEN started AND ended",
    "a second outside": "FROM observations JOIN lessons USING (lesson)"
    " WHERE time NOT BETWEEN date_trunc('second', started) AND ended",
}
"""What is to hold in every database; each finds where it does not."""


class Computer:
    """Its clocks, which a test moves."""

    def __init__(self) -> None:
        self.wall, self.boot = NOON, 50.0

    def pass_time(self, seconds: float) -> None:
        """Awake or asleep: both clocks go on."""
        self.wall += timedelta(seconds=seconds)
        self.boot += seconds

    def set_clock(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)

    def lesson(self, workspace: Workspace) -> LiveLesson:
        form = {"class_name": "7b", "subject": "Mathematics", "room": "12", "time_zone": "Europe/Berlin"}
        clock = LessonClock(lambda: self.wall, lambda: self.boot)
        return LiveLesson.start(workspace, PROFILES["consent"], audience="class", clock=clock, **form)


def film(computer: Computer, lesson: LiveLesson, seconds: int) -> None:
    for _ in range(2 * seconds):
        lesson.add_result(crowd(6, lesson.clock.now()))
        computer.pass_time(0.5)


def check(workspace: Workspace) -> None:
    """Nothing that would make a figure wrong, and every export."""
    workspace.flush()
    with workspace.cursor() as cursor:
        for rule in BROKEN.values():
            assert cursor.execute(f"SELECT lesson {rule}").fetchall() == []
    (lesson,) = queries.lessons(workspace)["lesson"]
    assert len(queries.shareable_rows(workspace, lesson)) and len(queries.timeline(workspace, lesson))
    for form in FORMATS:
        exporter.export_file(workspace, io.BytesIO(), form)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -HOUR - 3, -30 * 24 * HOUR])
def test_a_lesson_goes_on_by_its_own_time_when_the_clock_is_set(workspace, jump):
    computer = Computer()
    lesson = computer.lesson(workspace)
    film(computer, lesson, 3)
    lesson.add_marker("question")
    computer.set_clock(jump)
    film(computer, lesson, 3)
    lesson.add_marker("quiz")
    lesson.switch_activity("desk work")
    view = lesson.state()
    assert (
        not view.reading.note and len(view.history) == 6 and len(lesson.class_view._recent) <= 2 * READING_WINDOW_S + 1
    )
    assert view.history["time"].is_monotonic_increasing and view.now == NOON + timedelta(seconds=6)
    lesson.end()
    assert lesson.ended == NOON + timedelta(seconds=6)
    check(workspace)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(DISTINCT time), count(*) FROM observations").fetchone() == (6, 36)


def test_an_hour_of_sleep_is_a_gap_and_the_times_after_it_are_true(workspace):
    computer = Computer()
    lesson = computer.lesson(workspace)
    film(computer, lesson, 2)
    computer.pass_time(HOUR)
    assert lesson.state().reading.note == "No picture is coming from the camera."
    film(computer, lesson, 2)
    assert len(lesson.class_view._recent) <= 5
    lesson.end()
    assert lesson.ended == computer.wall
    check(workspace)
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT DISTINCT hour(time) FROM observations ORDER BY 1").fetchall() == [(12,), (13,)]


def test_a_hint_rests_for_its_time_whatever_the_clock_shows(workspace):
    computer = Computer()
    lesson = computer.lesson(workspace)
    for second in range(150):
        result = crowd(6, NOON + timedelta(seconds=second))
        result.concentration[:] = 0.1
        lesson.add_result(result)
    computer.pass_time(150)
    computer.set_clock(HOUR)
    assert lesson.state().alert is not None
    computer.pass_time(180)
    assert lesson.state().alert is None
    lesson.end()


def test_frames_whose_times_go_back_by_an_hour_make_no_window_grow(workspace):
    computer = Computer()
    lesson = computer.lesson(workspace)
    for time in (*range(40), *(i - HOUR for i in range(40))):
        lesson.add_result(crowd(6, NOON + timedelta(seconds=time / 4)))
    assert len(lesson.class_view._recent) <= 9
    lesson.end()
    workspace.flush()
    with workspace.cursor() as cursor:
        assert cursor.execute(f"SELECT lesson {INVARIANTS['a second twice']}").fetchall() == []


def test_the_clock_of_a_lesson_counts_the_time_since_boot_and_never_goes_back():
    before = seconds_since_boot()
    clock = LessonClock()
    times = [clock.started, *(clock.now() for _ in range(1000))]
    assert times == sorted(times) and times[0].tzinfo is UTC
    assert seconds_since_boot() - before >= (times[-1] - times[0]).total_seconds()


RECORDING = """
    import sys, threading
    from dataclasses import replace
    from datetime import UTC, datetime
    from pathlib import Path
    from cssafe.live.clock import LessonClock
    from cssafe.observations import Seconds
    from cssafe.store import Workspace
    from tests.support.lessons import LESSON
    from tests.support.fake_pipelines import crowd

    workspace = Workspace.open(Path(sys.argv[1]))
    clock, seconds = LessonClock(), Seconds()
    lesson = workspace.start_lesson(replace(LESSON, started=clock.started))
    for jump in ("-3600s", "+3600s", "-86400s"):
        for _ in range(8):
            for second in seconds.add(crowd(6, clock.now())):
                workspace.record(lesson, second.rows)
            threading.Event().wait(0.25)  # time.sleep fails under libfaketime 0.9.10
        workspace.add_marker(lesson, "question", clock.now())
        before = datetime.now(UTC)
        Path(sys.argv[2]).write_text(jump)
        while abs((datetime.now(UTC) - before).total_seconds()) < 3000:  # libfaketime looks into its file now and then
            threading.Event().wait(0.25)
    for second in seconds.flush():
        workspace.record(lesson, second.rows)
    workspace.end_lesson(lesson, clock.now())
    workspace.close()
"""


@pytest.mark.slow
def test_a_real_process_whose_clock_is_set_three_times_keeps_each_second_once(tmp_path):
    libraries = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")]
    if not libraries:
        pytest.skip("libfaketime is not installed (Debian: apt install libfaketime)")
    moved = tmp_path / "clock"
    moved.write_text("+0s")
    faked = {"LD_PRELOAD": str(libraries[0]), "FAKETIME_TIMESTAMP_FILE": str(moved), "FAKETIME_CACHE_DURATION": "1"}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FAKETIME")}
    environment = outside | faked | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", textwrap.dedent(RECORDING), tmp_path / "a.duckdb", moved]
    done = subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    with closing(Workspace.open(tmp_path / "a.duckdb")) as workspace:
        check(workspace)
        with workspace.cursor() as cursor:
            seconds, length = cursor.execute(
                "SELECT count(DISTINCT time), any_value(ended - started) FROM observations JOIN lessons USING (lesson)"
            ).fetchone()
        assert seconds >= 6 and timedelta(seconds=5) < length < timedelta(minutes=2)


def old(path: Path) -> None:
    """A lesson as earlier versions kept it after the clock was set back: it ends before it starts, with seconds twice."""
    with closing(Workspace.open(path)) as workspace:
        computer = Computer()
        lesson = computer.lesson(workspace)
        film(computer, lesson, 3)
        lesson.end()
        workspace._queue.run(
            lambda: workspace._connection.execute(
                "INSERT INTO observations FROM observations; UPDATE lessons SET ended = started - INTERVAL 1 HOUR"
            )
        )


def test_a_lesson_that_ended_before_it_started_is_repaired_and_can_be_shown_exported_and_imported(tmp_path):
    old(tmp_path / "a.duckdb")
    with closing(Workspace.open(tmp_path / "a.duckdb")) as workspace:
        row = queries.lessons(workspace).iloc[0]
        assert row["ended"] - row["local"] == timedelta(seconds=2.7) and row["faces"] == 6
        assert lesson_report.lesson_report(workspace, row, PROFILES["consent"])
        for form in FORMATS:
            file = io.BytesIO()
            assert exporter.export_file(workspace, file, form).rows["observations"] == 18
            with closing(Workspace.open(None)) as other:
                file.seek(0)
                importer.import_file(other, file, PROFILES["consent"], lambda share: None)
                assert queries.lessons(other)["faces"].tolist() == [6]
        assert len(queries.shareable_rows(workspace, int(row["lesson"]))) == 18


def test_a_face_that_is_in_a_second_twice_counts_once_in_every_figure(workspace):
    """Two tracks that were linked as one face, and rows that an earlier version wrote twice."""
    number = add(workspace, rows(tracks=4))
    twice = "INSERT INTO observations SELECT * REPLACE (9 AS track) FROM observations WHERE track = 3;"
    workspace._queue.run(lambda: workspace._connection.execute(f"{twice} INSERT INTO observations FROM observations"))
    with workspace._database.transaction() as connection:
        summaries.summarise(connection, [number])
        connection.execute(f"INSERT INTO faces VALUES ({number}, 9, 3)")
    assert queries.lessons(workspace)["faces"].tolist() == [5]
    with workspace.cursor() as cursor:
        minutes, people = summaries.minutes_of(cursor, number)
    assert minutes["faces"].tolist() == [4] and minutes["concentration"].isna().all() and people.empty
