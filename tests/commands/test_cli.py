"""The command line's contract, with the real pipeline and a real database."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe import observations, recording
from cssafe.commands.analyze import INCOMPLETE
from cssafe.commands.main import COMMANDS, main
from cssafe.labels import FERPLUS
from cssafe.settings import ROOT
from cssafe.store import Workspace
from tests.support.faces import astronaut
from tests.support.media_files import encode
from tests.support.room import camera


@pytest.fixture(autouse=True)
def _own_data(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CSSAFE_PROFILE", raising=False)


@pytest.fixture
def portrait(tmp_path):
    skimage = pytest.importorskip("skimage", reason="scikit-image's astronaut is the face that is looked for")
    return Path(shutil.copy(Path(skimage.__file__).parent / "data" / "astronaut.png", tmp_path / "face.png"))


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cssafe", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_command_has_its_help(capsys):
    for name in COMMANDS:
        if name != "train":  # imports Keras: ten seconds
            assert main([name, "--help"]) == 0
            assert f"python -m cssafe {name}" in capsys.readouterr().out
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert all(name in overview for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["analyze"], "SOURCE"),
        (["analyze", "nowhere.png"], "no such file"),
        (["analyze", "x.png", "--every", "-1"], "0 or more"),
        (["analyze", "x.png", "--every", "often"], "'often'"),
        (["analyze", "x.png", "--profile", "spy"], "no profile 'spy'"),
        (["analyze", "x.png", "--profile", "demo", "--lesson", "A"], "stores nothing"),
        (["analyze", "x.png", "--out", "nowhere/faces.parquet"], "a folder that is there"),
        (["sample", "--weeks", "0"], "1 to 52"),
    ],
)
def test_a_wrong_call_ends_with_status_2_and_one_line(arguments, says, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and says in said.err


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0AVI "])
def test_a_file_that_is_no_picture_ends_with_status_2_and_one_line(tmp_path, content):
    path = tmp_path / "lesson.mp4"
    path.write_bytes(content)
    done = run("analyze", str(path), "--json")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and str(path) in done.stderr


def test_bad_data_for_evaluate_ends_with_status_2_and_one_line(tmp_path, capsys):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "faces.parquet")
    assert main(["evaluate", str(tmp_path / "faces.parquet")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and "columns image, label are missing" in said.err


def test_a_folder_for_signals_ends_with_status_2_and_says_what_to_name(tmp_path, capsys):
    assert main(["signals", str(tmp_path)]) == 2
    assert "is a folder: name its pictures or parquet files" in capsys.readouterr().err


def test_a_missing_network_ends_with_status_2_and_one_line(tmp_path, picture, monkeypatch, capsys):
    monkeypatch.setenv("CSSAFE_MODEL", str(tmp_path / "nothing"))
    assert main(["analyze", str(picture), "--json"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_fault_of_our_own_shows_no_traceback(monkeypatch, capsys, picture):
    monkeypatch.setattr("cssafe.media.find", lambda source: 1 / 0)
    assert main(["analyze", str(picture)]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and "ZeroDivisionError" in error


def test_json_gives_one_object_a_picture_with_every_promised_key(portrait, picture, capsys):
    assert main(["analyze", str(portrait), str(picture), "--json"]) == 0
    with_face, without = lines(capsys.readouterr().out)
    assert without == {"source": str(picture), "time": 0.0, "formula": "concentration 3", "faces": []}
    [face] = with_face["faces"]
    assert set(face) == {
        *("track", "box", "score", "expression", "yaw", "pitch", "roll"),
        *("eyes_open", "attention", "concentration", "level", "hidden", "reason"),
    }
    assert set(face["expression"]) == set(FERPLUS) and sum(face["expression"].values()) == pytest.approx(1, abs=0.01)
    assert max(face["expression"], key=face["expression"].get) == "happy"


def test_attention_only_leaves_expression_out_everywhere(portrait, tmp_path, capsys):
    out = tmp_path / "faces.parquet"
    assert main(["analyze", str(portrait), "--json", "--profile", "attention-only", "--out", str(out)]) == 0
    [line] = lines(capsys.readouterr().out)
    assert "expression" not in line["faces"][0] and "attention" in line["faces"][0]
    assert pd.read_parquet(out)[list(observations.EXPRESSION)].isna().all(axis=None)


def test_a_video_is_analysed_on_its_own_clock(video, capsys):
    assert main(["analyze", str(video((0, 0.1, 0.25, 0.4, 0.65))), "--json", "--every", "0.25"]) == 0
    assert [line["time"] for line in lines(capsys.readouterr().out)] == pytest.approx([0, 0.25, 0.65], abs=0.002)


def test_files_in_a_folder_that_are_no_media_are_passed_over(portrait, tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    portrait.rename(folder / "face.png")
    (folder / "notes.txt").write_text("nothing to see")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert main(["analyze", str(folder), "--json"]) == INCOMPLETE
    said = capsys.readouterr()
    assert [Path(line["source"]).name for line in lines(said.out)] == ["face.png"]
    assert "broken.jpg" in said.err and "notes.txt" not in said.err


def test_a_folder_without_media_ends_with_status_2(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert main(["analyze", str(tmp_path), "--json"]) == 2
    assert "no image or video" in capsys.readouterr().err


@pytest.mark.parametrize("faces", [0, 1])
def test_observations_are_written_with_their_source(portrait, picture, tmp_path, capsys, faces):
    out, source = tmp_path / "faces.parquet", str(portrait if faces else picture)
    assert main(["analyze", source, "--out", str(out)]) == 0
    table = pd.read_parquet(out)
    assert tuple(table.columns) == (*observations.COLUMNS, "source") and len(table) == faces
    assert table["source"].tolist() == [source] * faces
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "source",
        "frames",
        "seconds",
        "faces",
        "concentration",
        "emotion",
    ]


def test_a_lesson_is_stored_once_with_a_person_for_each_source(portrait, tmp_path, capsys):
    other = Path(shutil.copy(portrait, tmp_path / "other.png"))
    assert main(["analyze", str(portrait), str(other), "--lesson", "Maths"]) == 0
    workspace = Workspace.open(tmp_path / "data" / "cssafe.duckdb")
    try:
        with workspace.cursor() as cursor:
            lessons = cursor.execute("SELECT name, source, audience, ended IS NOT NULL FROM lessons").fetchall()
            tracks = cursor.execute("SELECT count(DISTINCT track), count(*) FROM observations").fetchone()
    finally:
        workspace.close()
    assert lessons == [("Maths", "file", "self", True)] and tracks == (2, 2)


def test_a_database_in_use_is_named_on_one_line(tmp_path, capsys):
    workspace = Workspace.open(tmp_path / "data" / "cssafe.duckdb")
    try:
        done = run("sample", "--weeks", "1")
    finally:
        workspace.close()
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "cssafe.duckdb" in done.stderr


def test_a_synthetic_term_comes_and_goes(tmp_path, capsys):
    assert main(["sample", "--weeks", "1"]) == 0
    assert "synthetic lessons" in capsys.readouterr().out
    assert main(["sample", "--remove"]) == 0
    workspace = Workspace.open(tmp_path / "data" / "cssafe.duckdb")
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM lessons").fetchone() == (0,)
    workspace.close()


def test_the_helping_parts_start_at_once():
    """Only what a command needs is imported: help and complaints about a call need none of the large libraries."""
    code = "import sys; from cssafe.commands.main import main; main(['--help']); main(['analyze', '--help'])"
    code += "; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "cssafe.commands.main" in loaded
    assert not loaded & {"numpy", "pandas", "cv2", "openvino", "duckdb", "streamlit", "keras", "tensorflow"}


def test_an_image_larger_than_the_screen_is_read_too(portrait, tmp_path, capsys):
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), cv2.resize(cv2.imread(str(portrait)), None, fx=4, fy=4))
    assert main(["analyze", str(large), "--json"]) == 0
    [line] = lines(capsys.readouterr().out)
    assert len(line["faces"]) == 1 and line["faces"][0]["box"][3] > 300


@pytest.mark.parametrize("style", [[], ["--json"]], ids=["table", "json"])
def test_a_cameras_password_is_in_nothing_that_is_told_of_it(tmp_path, capsys, monkeypatch, style):
    real = recording.analyze

    def three(*arguments):
        yield from itertools.islice(real(*arguments), 3)
        raise KeyboardInterrupt  # as a recording from a camera is ended

    monkeypatch.setattr(recording, "analyze", three)
    out = tmp_path / "camera.parquet"
    with camera() as shown:
        assert main(["analyze", shown.address, "--out", str(out), *style]) == 0
    told = capsys.readouterr()
    assert "***@" in told.out
    assert "secret" not in told.out + told.err
    assert set(pd.read_parquet(out)["source"]) == {f"http://***@{shown.host}/video"}


@pytest.mark.slow
def test_a_portrait_among_four_people_is_left_out_and_named(tmp_path, capsys):
    head = cv2.resize(astronaut()[:210, 120:330], (190, 190))

    def picture(k: int) -> np.ndarray:
        room = np.full((480, 960, 3), 128, np.int16)
        room[:190, 760:950] = head
        for j in range(4):
            x, y = 20 + 235 * j + int(14 * np.sin(k / 4 + j)), 250 + int(9 * np.cos(k / 3 + j))
            room[y : y + 190, x : x + 190] = head
        return np.clip(room + np.random.default_rng(k).normal(0, 2, room.shape), 0, 255).astype(np.uint8)

    film = encode(tmp_path / "five.mkv", [picture(k) for k in range(150)])
    options = ["--json", "--every", "0.4", "--out", str(tmp_path / "rows.parquet")]
    assert main(["analyze", str(film), *options]) == 0
    said = capsys.readouterr()
    assert "One face never moves: it is left out as a picture." in said.err
    faces = [len(json.loads(line)["faces"]) for line in said.out.splitlines()]
    assert faces[0] == 5 and faces[-1] == 4
    assert pd.read_parquet(tmp_path / "rows.parquet").groupby("time")["track"].nunique().max() == 4
