"""Tiny data sets in exactly the layouts in which the real ones are handed around."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe.commands.main import main
from cssafe.errors import DataError
from cssafe.labels import FER2013, FERPLUS
from cssafe.settings import ROOT
from cssafe.training import progress
from cssafe.training.datasets import AFFECTNET, RAFDB
from cssafe.training.expression.data import read_evaluation_set, read_training

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8)
"""Every tenth or so is held back by its hash."""


def save(path, image, colour=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if colour else image)
    return path


def affectnet(root):
    """train_set with one picture of each number 0 to 10 and more, val_set with two, one of them also in train_set."""
    for part, numbers in (("train_set", [*range(11), *[1] * 20]), ("val_set", [3, 7])):
        for i, number in enumerate(numbers):
            place = i if part == "train_set" else [0, 35][i]
            save(root / part / "images" / f"{i}.png", PICTURES[place], colour=True).rename(
                root / part / "images" / f"{i}.jpg"  # lossless under the name that it has there
            )
            (root / part / "annotations").mkdir(exist_ok=True)
            # As distributed: an array of no dimension that holds a text.
            np.save(root / part / "annotations" / f"{i}_exp.npy", np.array(str(number)))
            np.save(root / part / "annotations" / f"{i}_val.npy", np.array("0.1"))
    return root


def affectnet_lists(root, header=True):
    """The older form: two lists, whole photographs with a box around the face."""
    for name, numbers in (("training", [0, 6, 8]), ("validation", [1, 7])):
        rows = []
        for i, number in enumerate(numbers):
            photograph = np.zeros((200, 300), np.uint8)
            photograph[60:140, 100:170] = 100 + 10 * number
            save(root / "Manually_Annotated" / "Manually_Annotated_Images" / "7" / f"{name}{i}.png", photograph)
            rows.append((f"7/{name}{i}.png", 100, 60, 70, 80, "1;2", number, 0.1, 0.2))
        (root / "Manually_Annotated_file_lists").mkdir(exist_ok=True)
        columns = (
            "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
        )
        pd.DataFrame(rows, columns=columns.split(",")).to_csv(
            root / "Manually_Annotated_file_lists" / f"{name}.csv", index=False, header=header
        )
    return root


def rafdb(root):
    lines = []
    for i in range(30):
        name = f"train_{i + 1:05d}" if i < 23 else f"test_{i - 22:04d}"
        save(root / "Image" / "aligned" / f"{name}_aligned.jpg", cv2.resize(PICTURES[i], (100, 100)), colour=True)
        person = root / "Annotation" / "manual" / f"{name}_manu_attri.txt"
        person.parent.mkdir(parents=True, exist_ok=True)
        person.write_text("10.0\t20.0\n" * 5 + f"{i % 3}\n{i % 3}\n{i % 5}\n")
        lines.append(f"{name}.jpg {i % 7 + 1}\n")
    (root / "EmoLabel").mkdir()
    (root / "EmoLabel" / "list_patition_label.txt").write_text("".join(lines))
    return root


def fer2013_csv(root, usage=("Training",) * 30 + ("PublicTest", "PrivateTest"), names="emotion,pixels,Usage"):
    rows = [(i % 7, " ".join(map(str, PICTURES[i].ravel())), usage[i]) for i in range(len(usage))]
    rows[-1] = (0, rows[0][1], usage[-1])  # the last picture is also the first
    pd.DataFrame(rows, columns=names.split(",")).to_csv(root / "fer2013.csv", index=False)
    return root / "fer2013.csv"


def class_folders(root, parts=("train", "val"), words=("Happiness", "anger", "neutral", "contempt", "bored")):
    i = 0
    for part in parts:
        for word in words:
            for _ in range(4):
                save(root / part / word / f"{i}.png", PICTURES[i])
                i += 1
            (root / part / word / "notes.txt").write_text("no picture")
            (root / part / word / ".hidden.png").write_text("left by a file manager")
    return root


def words(indices, labels):
    return [labels[i] if i >= 0 else None for i in indices]


@pytest.mark.parametrize(
    ("write", "learned", "judged"),
    [
        (affectnet, 8 - 1 + 20, 2),  # 8 to 10 are no emotions; the first picture stands in val_set too
        (affectnet_lists, 2, 2),
        (rafdb, 23, 7),
        (fer2013_csv, 29, 2),  # the first row's pixels come again in the test part
        (class_folders, 16, 16),
    ],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_a_layout_is_learned_from_by_its_training_part_and_judged_on_the_rest(tmp_path, write, learned, judged):
    data = write(tmp_path)
    learn, choose = read_training(data)
    assert len(learn) + len(choose) == learned
    assert learn.images.shape[1:] == (48, 48) and learn.images.dtype == np.uint8
    sets = ("fer2013",) if write is fer2013_csv else ("fer2013", "ferplus")
    assert len(read_evaluation_set(data, sets).crops) == judged
    again = read_training(data)
    assert all(np.array_equal(one.images, other.images) for one, other in zip((learn, choose), again, strict=True))


def test_enough_pictures_of_any_layout_leave_some_held_back(tmp_path):
    learn, choose = read_training(fer2013_csv(tmp_path))
    assert 0 < len(choose) < len(learn)


def test_affectnets_numbers_are_its_own_and_contempt_is_ferplus_only(tmp_path):
    learn, choose = read_training(affectnet(tmp_path))
    data = learn + choose
    order = [int(np.flatnonzero((PICTURES == image).all(axis=(1, 2)))[0]) for image in data.images]
    said = dict(zip(order, words(data.fer2013, FER2013), strict=True))
    assert [said[i] for i in range(1, 7)] == list(AFFECTNET[1:7]) and said[7] is None
    shares = data.ferplus[order.index(7)]
    assert FERPLUS[shares.argmax()] == "contempt" and shares.sum() == 1
    exam = read_evaluation_set(tmp_path, ("fer2013", "ferplus"))
    assert words(exam.truth["fer2013"], FER2013) == ["surprise", None]
    assert words(exam.truth["ferplus"], FERPLUS) == ["surprise", "contempt"]
    assert len(read_evaluation_set(tmp_path, ("fer2013",)).crops) == 1


def test_a_part_of_affectnet_by_itself_is_read_whole(tmp_path):
    affectnet(tmp_path)
    assert len(read_evaluation_set(tmp_path / "val_set", ("ferplus",)).crops) == 2
    assert len(read_evaluation_set(tmp_path / "train_set", ("ferplus",)).crops) == 28


@pytest.mark.parametrize("header", [True, False])
def test_affectnets_lists_cut_the_face_out_of_the_photograph(tmp_path, header):
    affectnet_lists(tmp_path, header)
    lists = tmp_path / "Manually_Annotated_file_lists"
    for data in (tmp_path, lists / "validation.csv"):
        exam = read_evaluation_set(data, ("ferplus",))
        assert words(exam.truth["ferplus"], FERPLUS) == ["happy", "contempt"]
        assert exam.crops[:, 24, 24].tolist() == [110, 170] and exam.crops[0, 0, 0] == 0


def test_rafdbs_numbers_are_its_own_and_its_people_are_read_when_asked_for(tmp_path):
    exam = read_evaluation_set(rafdb(tmp_path), ("fer2013",), people=("gender", "race", "age"))
    assert words(exam.truth["fer2013"], FER2013) == [RAFDB[i % 7] for i in range(23, 30)]
    assert exam.people["gender"].tolist() == [("male", "female", "unsure")[i % 3] for i in range(23, 30)]
    assert exam.people["age"][0] == "40-69" and set(exam.people) == {"gender", "race", "age"}


def test_the_other_form_of_fer2013_csv_has_blanks_in_its_columns(tmp_path):
    path = fer2013_csv(tmp_path, names="emotion, Usage, pixels".replace(" Usage, pixels", " pixels, Usage"))
    assert len(read_evaluation_set(path, ("fer2013",)).crops) == 2


def test_class_folders_go_by_the_common_words_and_need_no_parts(tmp_path, capsys):
    exam = read_evaluation_set(class_folders(tmp_path, parts=("",)), ("fer2013", "ferplus"))
    assert set(words(exam.truth["ferplus"], FERPLUS)) == {"happy", "angry", "neutral", "contempt"}
    assert set(words(exam.truth["fer2013"], FER2013)) == {"happy", "angry", "neutral", None}
    assert "passed over, for they name no emotion: bored" in capsys.readouterr().err


def test_pictures_for_training_are_never_decoded_for_an_exam(tmp_path):
    rafdb(tmp_path)
    for file in (tmp_path / "Image" / "aligned").glob("train_*"):
        file.write_bytes(b"damaged")
    assert len(read_evaluation_set(tmp_path, ("fer2013",)).crops) == 7


def test_a_long_reading_says_how_far_it_is(capsys, monkeypatch):
    assert list(progress.with_progress([], 0, "reading")) == []
    assert list(progress.with_progress(range(3), 3, "reading")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "FIRST_REPORT_S", -1)
    assert list(progress.with_progress(range(3), 3, "reading")) == [0, 1, 2]
    assert capsys.readouterr().err == "reading: 0 of 3\n"


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)


BAD = {
    "no emotion's folder": (lambda root: save(root / "bored" / "1.png", PICTURES[0]), "folders named after the labels"),
    "a damaged picture in a class folder": (
        lambda root: _write(root / "happy" / "1.png", b"no"),
        "1.png: This is not an image",
    ),
    "AffectNet without annotations": (lambda root: (root / "train_set").mkdir(), "annotations/N_exp.npy"),
    "AffectNet's empty annotation": (
        lambda root: _write(root / "val_set/annotations/1_exp.npy", b""),
        "expected one number",
    ),
    "AffectNet's unknown number": (
        lambda root: (affectnet(root), np.save(root / "val_set/annotations/0_exp.npy", np.array("11"))),
        "from 0 to 10, found 11",
    ),
    "AffectNet's missing picture": (
        lambda root: (affectnet(root), (root / "val_set/images/0.jpg").unlink()),
        "this picture is missing",
    ),
    "AffectNet's damaged picture": (
        lambda root: (affectnet(root), _write(root / "val_set/images/0.jpg", b"\xff\xd8\xff\xe0")),
        "0.jpg: This is not an image",
    ),
    "a list of AffectNet without its pictures": (
        lambda root: (affectnet_lists(root), (root / "Manually_Annotated").rename(root / "elsewhere")),
        "was looked for in",
    ),
    "a list of AffectNet with other columns": (
        lambda root: _write(root / "validation.csv", "subDirectory_filePath,expression\n1/1.jpg,1\n"),
        "columns face_x, face_y, face_width, face_height are missing",
    ),
    "a list of AffectNet with another label": (
        lambda root: _write(root / "validation.csv", "1/1.jpg,1,1,9,9,1;1,12,0,0\n1/2.jpg,1,1,9,9,1;1,1,0,0\n"),
        "numbers from 0 to 10",
    ),
    "a list of AffectNet without a box": (
        lambda root: _write(root / "validation.csv", "1/1.jpg,1,1,NULL,9,1;1,2,0,0\n1/2.jpg,1,1,9,9,1;1,1,0,0\n"),
        "face's box in pixels",
    ),
    "RAF-DB without its list": (lambda root: (root / "EmoLabel").mkdir(), "list of pictures and labels"),
    "RAF-DB's unknown label": (
        lambda root: _write(root / "EmoLabel/list_patition_label.txt", "test_0001.jpg 5\ntest_0002.jpg 8\n"),
        "line 2 is 'test_0002.jpg 8'",
    ),
    "RAF-DB's missing pictures": (
        lambda root: _write(root / "EmoLabel/list_patition_label.txt", "test_0001.jpg 5\n"),
        "this picture is missing",
    ),
    "a csv with a pixel too bright": (
        lambda root: _write(root / "fer2013.csv", "emotion,pixels\n0," + " ".join(["256"] * 2304) + "\n"),
        "row 0 of the column pixels does not hold 2304 numbers",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_end_with_status_2_and_one_line(tmp_path, name, capsys):
    change, says = BAD[name]
    change(tmp_path)
    assert main(["evaluate", str(tmp_path), "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and says in said.err
    assert len([line for line in said.err.splitlines() if "left out" not in line and "passed over" not in line]) == 1


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda root: None, "data/README.md"),
        (lambda root: save(root / "test" / "happy" / "1.png", PICTURES[0]), "no pictures to learn from"),
        (lambda root: pd.DataFrame({"a": [1]}).to_parquet(root / "fer2013_train_0.parquet"), "fer2013_valid.parquet"),
    ],
)
def test_data_without_a_training_part_say_what_is_missing(tmp_path, write, says):
    write(tmp_path)
    with pytest.raises(DataError, match=says):
        read_training(tmp_path)


def test_groups_need_their_column_and_not_too_many_values(tmp_path):
    with pytest.raises(DataError, match="columns tone are missing"):
        read_evaluation_set(rafdb(tmp_path), ("fer2013",), people=("tone",))
    rows = pd.DataFrame({"image": [cv2.imencode(".png", p)[1].tobytes() for p in PICTURES], "label": "happy"})
    rows.assign(age=range(40)).to_parquet(tmp_path / "faces.parquet")
    with pytest.raises(DataError, match="age has 40 different values"):
        read_evaluation_set(tmp_path / "faces.parquet", ("fer2013",), people=("age",))


def test_the_command_scores_rafdb_by_gender(tmp_path, capsys):
    assert main(["evaluate", str(rafdb(tmp_path)), "--group", "gender, age", "--group", "race", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["n"] == 7 and set(figures["groups"]) == {"gender", "age", "race"}
    assert sum(one["n"] for one in figures["groups"]["gender"]["groups"].values()) == 7
    assert figures["groups"]["gender"]["groups"]["female"]["accuracy"] is None


@pytest.mark.slow
def test_a_network_is_trained_on_faces_of_which_some_have_no_fer2013_label_and_evaluated(tmp_path, capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed: make torch")
    data, out = str(class_folders(tmp_path / "data")), str(tmp_path / "out")
    command = [sys.executable, "-m", "cssafe", "train", data, "--out", out, "--epochs", "1", "--batch", "8"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert main(["evaluate", data, "--model", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] > 0
