"""`analyze` on sources that end early or cannot be read: what was read is kept, a line and the status say what is missing."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cssafe import media, pipeline
from cssafe.commands.analyze import INCOMPLETE
from cssafe.commands.main import main
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES, ROOT
from cssafe.store import Workspace
from tests.support import rtsp
from tests.support.fake_pipelines import Crowd
from tests.support.media_files import encode
from tests.support.room import camera

SECONDS = 6


class Watched(Crowd):
    """Finds six faces in every picture, and calls `then(n)` before the n-th picture is analysed."""

    profile, formula = PROFILES["consent"], PUBLISHED

    def __init__(self) -> None:
        super().__init__(6)
        self.pictures = 0
        self.then = lambda n: None

    def analyze(self, frame, stream):
        self.pictures += 1
        self.then(self.pictures)
        return super().analyze(frame, stream)


@pytest.fixture(autouse=True)
def networks(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    watched = Watched()
    monkeypatch.setattr(pipeline, "Pipeline", lambda *chosen: watched)
    return watched


@pytest.fixture
def film(tmp_path):
    """An MP4 with its index in front."""
    return encoded(tmp_path / "film.mp4", movflags="faststart")


def encoded(path: Path, **options: str) -> Path:
    """Six seconds of noise."""
    return encode(path, np.random.default_rng(0).integers(0, 256, (5 * SECONDS, 48, 64, 3), np.uint8), **options)


def cut(path: Path) -> Path:
    """A copy whose end is missing."""
    return changed(path, lambda data: data[: len(data) * 6 // 10])


def zeroed(path: Path) -> Path:
    """A copy whose end is zeros, as a stick leaves it that was pulled out."""
    return changed(path, lambda data: data[: len(data) * 6 // 10] + bytes(len(data) - len(data) * 6 // 10))


def holed(path: Path) -> Path:
    """A copy with zeros in its middle."""
    return changed(
        path, lambda data: data[: len(data) * 3 // 10] + bytes(len(data) * 4 // 10) + data[-len(data) * 3 // 10 :]
    )


def empty(path: Path) -> Path:
    """A copy that ends after its index: it promises pictures and has none."""
    return changed(path, lambda data: data[: data.index(b"mdat") + 4])


def changed(path: Path, change) -> Path:
    other = path.with_name(f"bad-{path.name}")
    other.write_bytes(change(path.read_bytes()))
    return other


def stored(folder: Path) -> list[tuple]:
    """Of each lesson its name, its seconds, and whether it ended after the last of them."""
    if not (folder / "data" / "cssafe.duckdb").exists():
        return []
    with closing(Workspace.open(folder / "data" / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        return cursor.execute(
            "SELECT name, count(DISTINCT time), any_value(ended) > max(time) FROM lessons JOIN observations"
            " USING (lesson) GROUP BY name"
        ).fetchall()


def seconds_of(folder: Path) -> int:
    [(name, seconds, ended)] = stored(folder)
    assert name == "Maths" and ended
    return seconds


@pytest.mark.parametrize("damage", [cut, zeroed])
@pytest.mark.parametrize("name", ["film.mkv", "film.avi"])
def test_a_file_says_that_it_breaks_off_in_every_container_that_states_its_length(tmp_path, name, damage):
    whole = encoded(tmp_path / name)
    assert len(list(media.frames(str(whole)))) == 5 * SECONDS
    with pytest.raises(media.MediaError, match=r"breaks off at [1-5]\.\d of 6\.0 seconds"):
        list(media.frames(str(damage(whole))))


@pytest.mark.parametrize(
    ("damage", "says"), [(cut, "breaks off at"), (zeroed, "breaks off at"), (holed, "are damaged")]
)
def test_the_readable_part_becomes_the_lesson_and_the_status_says_that_more_is_missing(
    damage, says, film, tmp_path, capsys
):
    broken = damage(film)
    assert main(["analyze", str(broken), "--lesson", "Maths"]) == INCOMPLETE
    said = capsys.readouterr()
    [line, *_] = said.err.splitlines()
    assert line.startswith(f"{broken}: ") and says in line and "It was read up to" in line
    assert 1 <= seconds_of(tmp_path) <= SECONDS + 1 and broken.name in said.out


def test_a_damaged_place_of_less_than_a_second_is_told_with_status_0(film, tmp_path, caplog):
    def spoil(data: bytes) -> bytes:
        middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
        return data[:middle] + np.random.default_rng(1).bytes(400) + data[middle + 400 :]

    broken = changed(film, spoil)
    assert main(["analyze", str(broken), "--lesson", "Maths"]) == 0
    assert (
        "seconds of the video are damaged and were passed over" in caplog.text and seconds_of(tmp_path) >= SECONDS - 1
    )


@pytest.mark.parametrize("which", range(3))
def test_good_files_become_the_lesson_whichever_of_them_is_broken(which, film, picture, tmp_path, capsys):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    sources = [str(film), str(picture)]
    sources.insert(which, str(broken))
    out = tmp_path / "faces.parquet"
    assert main(["analyze", *sources, "--lesson", "Maths", "--out", str(out)]) == INCOMPLETE
    assert f"{broken}: this is not an image or video that can be read, or it is damaged. Nothing was read." in (
        capsys.readouterr().err
    )
    assert set(pd.read_parquet(out)["source"]) == {str(film), str(picture)}
    assert seconds_of(tmp_path) >= SECONDS


def test_without_a_lesson_the_lines_and_the_table_keep_what_was_read(film, tmp_path, capsys):
    out = tmp_path / "faces.parquet"
    assert main(["analyze", str(cut(film)), "--json", "--out", str(out)]) == INCOMPLETE
    times = [json.loads(line)["time"] for line in capsys.readouterr().out.splitlines()]
    assert len(times) > 5 and len(pd.read_parquet(out)) >= 6 and stored(tmp_path) == []


def test_a_video_in_a_folder_that_breaks_off_is_kept_too(film, tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    cut(film).rename(folder / "film.mp4")
    assert main(["analyze", str(folder), "--lesson", "Maths"]) == INCOMPLETE
    assert "film.mp4: the video breaks off" in capsys.readouterr().err and seconds_of(tmp_path) >= 1


def test_files_of_which_none_can_be_read_end_with_status_2_and_one_line_and_nothing_is_stored(
    tmp_path, film, capsys, networks
):
    nothing, text = tmp_path / "nothing.mp4", tmp_path / "text.mp4"
    nothing.write_bytes(b"")
    text.write_bytes(b"no video")
    assert main(["analyze", str(nothing), str(text), str(empty(film)), "--lesson", "Maths"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert all(f"{name}: " in said.err for name in ("nothing.mp4", "text.mp4", "bad-film.mp4")), said.err
    assert networks.pictures == 0 and stored(tmp_path) == []


def test_a_camera_that_drops_leaves_its_lesson(tmp_path, capsys, networks):
    with camera() as shown:
        networks.then = lambda n: shown.cut() if n == 8 else None
        assert main(["analyze", shown.address, "--lesson", "Maths"]) == INCOMPLETE
    said = capsys.readouterr()
    line = (
        rf"http://\*\*\*@{shown.host}/video: the (camera has stopped|connection or file broke off).* It was read up to"
    )
    assert re.match(line, said.err)
    assert "secret" not in said.err + said.out and seconds_of(tmp_path) >= 1


def test_a_camera_that_falls_silent_leaves_its_lesson(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rtsp, "count", lambda: range(150))
    monkeypatch.setattr(media.cameras, "CAMERA_TIMEOUT_S", 1.0)
    with rtsp.rtsp_camera() as address:
        assert main(["analyze", address, "--lesson", "Maths"]) == INCOMPLETE
    said = capsys.readouterr()
    assert "broke off (nothing came for 1 seconds). It was read up to" in said.err
    assert "secret" not in said.err + said.out and seconds_of(tmp_path) >= 1


@pytest.mark.parametrize(
    ("error", "status", "says"), [(KeyboardInterrupt, 130, "Stopped."), (ZeroDivisionError, 1, "a fault in CSSAFE")]
)
def test_what_was_read_is_kept_whatever_ends_the_reading(
    error, status, says, film, picture, tmp_path, capsys, networks
):
    def end(n: int) -> None:
        if n == 12:
            raise error

    networks.then = end
    assert main(["analyze", str(picture), str(film), "--lesson", "Maths"]) == status
    assert 'Stored as the lesson "Maths"' in (told := capsys.readouterr().err) and says in told
    assert 2 <= seconds_of(tmp_path) < SECONDS


def test_ctrl_c_says_how_far_the_file_was_read_and_which_were_not(film, picture, tmp_path, capsys, networks):
    def stop(n: int) -> None:
        if n == 12:
            raise KeyboardInterrupt

    networks.then = stop
    assert main(["analyze", str(film), str(picture), "--lesson", "Maths"]) == 130
    said = capsys.readouterr().err
    assert re.search(rf"^{film}: it was read up to 2\.\d s\.\nNot read: {picture}\.\n", said, re.MULTILINE), said


def test_a_table_that_cannot_be_written_does_not_take_the_lesson_with_it(film, tmp_path, capsys, networks):
    folder = tmp_path / "stick"
    folder.mkdir()
    networks.then = lambda n: folder.rmdir() if n == 3 else None
    assert main(["analyze", str(film), "--lesson", "Maths", "--out", str(folder / "faces.parquet")]) == 2
    assert "stick" in capsys.readouterr().err and seconds_of(tmp_path) >= SECONDS


def test_a_database_in_use_is_told_before_the_work(tmp_path, film, networks):
    """By another process: in one process DuckDB would share it."""
    holder = "import sys; from pathlib import Path; from cssafe.store import Workspace; w = Workspace.open(Path(sys.argv[1]))"
    holder += "; print('open', flush=True); input()"
    command = [sys.executable, "-c", holder, str(tmp_path / "data" / "cssafe.duckdb")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        assert main(["analyze", str(film), "--lesson", "Maths"]) == 2
        process.communicate("\n")
    assert networks.pictures == 0


@pytest.mark.slow
def test_ctrl_c_keeps_what_a_real_process_has_read(tmp_path, video):
    long = video(tuple(i / 5 for i in range(3000)))
    command = [sys.executable, "-m", "cssafe", "analyze", str(long), "--json", "--lesson", "Maths"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # ignored where the tests run in the background
    ) as process:
        for _ in range(10):
            assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and 'Stored as the lesson "Maths"' in err and err.endswith("Stopped.\n")
    with closing(Workspace.open(tmp_path / "data" / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM lessons WHERE ended IS NOT NULL").fetchone() == (1,)
