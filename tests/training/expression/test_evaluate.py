"""The command, from data to figures, through a real exported network."""

import io
import json
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cssafe import media, settings
from cssafe.commands.main import main
from cssafe.errors import DataError
from cssafe.labels import FER2013, FERPLUS
from cssafe.training.datasets import VOTES
from cssafe.training.expression import card, evaluate
from cssafe.training.expression.data import face, ferplus_majority, read_exam
from cssafe.vision.crops import grey
from tests.support.shared import shared_data


@pytest.fixture
def model():
    return settings.ROOT / "models" / "expression"


def png(side: int = 48, level: int = 100) -> bytes:
    data = io.BytesIO()
    Image.new("L", (side, side), level).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    ("votes", "name", "counted"),
    [
        ({}, None, False),
        ({"fp_happiness": 6, "fp_neutral": 4}, "happy", True),
        ({"fp_happiness": 4, "fp_unknown": 6}, "happy", False),
        ({"fp_happiness": 1, "fp_NF": 9}, "happy", False),
        ({"fp_fear": 5, "fp_contempt": 5}, "fear", True),  # equal: the first in FERPlus' order
        ({"fp_neutral": np.nan}, None, False),
    ],
)
def test_ferplus_truth_is_the_majority_of_the_votes(votes, name, counted):
    rows = pd.DataFrame([dict.fromkeys(VOTES, 0.0) | votes])
    (truth,) = ferplus_majority(rows)
    assert truth == (FERPLUS.index(name) if counted else -1)


def test_duplicates_count_only_in_the_figure_that_keeps_them():
    probabilities = np.eye(2)[[0, 0, 1, 1]]
    truth, duplicate = np.array([0, 0, 0, 1]), np.array([True, True, False, False])
    figures = evaluate.evaluate(probabilities, truth, ("no", "yes"), duplicate)
    assert (figures["accuracy"], figures["accuracy_without_duplicates"]) == (0.75, 0.5)
    assert "accuracy_without_duplicates" not in evaluate.evaluate(probabilities, truth, ("no", "yes"))


def test_no_rows_give_figures_of_zero_and_a_table():
    figures = evaluate.evaluate(np.zeros((0, 7)), np.zeros(0, int), FER2013)
    assert (figures["n"], figures["accuracy"], figures["macro_f1"]) == (0, 0, 0)
    assert "0.0 to 100.0" in card.tables({"fer2013": figures})


def test_parquet_csv_and_folder_give_the_same_crops(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, 48, 48), np.uint8)
    labels = ["angry", "happy", "neutral"]
    encoded = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    pd.DataFrame({"image": encoded, "label": labels}).to_parquet(tmp_path / "faces.parquet")
    pd.DataFrame(
        {
            "emotion": [FER2013.index(name) for name in labels],
            "pixels": [" ".join(map(str, image.ravel())) for image in images],
            "Usage": "PublicTest",
        }
    ).to_csv(tmp_path / "fer2013.csv", index=False)
    for name, data in zip(labels, encoded, strict=True):
        (tmp_path / "folder" / name).mkdir(parents=True)
        (tmp_path / "folder" / name / "1.png").write_bytes(data)
        (tmp_path / "folder" / name / "notes.txt").write_text("no picture")
    for source in ("faces.parquet", "fer2013.csv", "folder"):
        data = read_exam(tmp_path / source, ("fer2013",))
        assert [FER2013[i] for i in data.truth["fer2013"]] == labels
        assert np.array_equal(data.crops, images)


def test_rows_for_training_are_left_out_of_a_whole_fer2013_csv(tmp_path, capsys):
    pixels = " ".join(["7"] * 2304)
    rows = pd.DataFrame({"emotion": [0, 1], "pixels": pixels, "Usage": ["Training", "PrivateTest"]})
    rows.to_csv(tmp_path / "fer2013.csv", index=False)
    assert read_exam(tmp_path / "fer2013.csv", ("fer2013",)).truth["fer2013"].tolist() == [1]
    assert "left out" in capsys.readouterr().err


def test_a_face_in_a_larger_image_is_cut_as_a_live_face_is():
    image = np.zeros((200, 300), np.uint8)
    image[60:140, 100:170] = 200
    cut = face(image, np.array([100, 60, 70, 80]), 48)
    assert cut.shape == (48, 48) and cut[24, 24] == 200 and cut[0, 0] == 0
    assert face(image, None, 48).shape == (48, 48)


def test_a_grey_picture_keeps_its_levels_through_decoding():
    assert np.array_equal(grey(media.decode(png(level=137))), np.full((48, 48), 137, np.uint8))


BAD = {
    "missing.parquet": (None, "no such file"),
    "text.parquet": (b"not parquet", "no parquet file"),
    "columns.parquet": (pd.DataFrame({"picture": [png()]}), "columns image, label are missing"),
    "label.parquet": (pd.DataFrame({"image": [png()], "label": ["bored"]}), "'bored' is none"),
    "image.parquet": (pd.DataFrame({"image": [b"no"], "label": ["happy"]}), "image of row 0"),
    "columns.csv": (b"a,b\n1,2\n", "columns emotion, pixels are missing"),
    "pixels.csv": (b"emotion,pixels\n0,1 2 3\n", "2304 numbers"),
    "emotion.csv": (b"emotion,pixels\n9,1 2 3\n", "numbers from 0 to 6"),
    "empty.csv": (b"", "no table"),
}


@pytest.mark.parametrize("name", BAD)
def test_data_of_the_wrong_shape_raises_one_sentence(tmp_path, name):
    content, says = BAD[name]
    path = tmp_path / name
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        read_exam(path, ("fer2013",))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["faces.parquet", "fer2013.csv"])
def test_fer2013s_own_labels_do_not_stand_in_for_ferplus_votes(tmp_path, name):
    if name == "faces.parquet":
        pd.DataFrame({"image": [png()], "label": ["happy"]}).to_parquet(tmp_path / name)
    else:
        (tmp_path / name).write_text("emotion,pixels\n0,1 2 3\n")
    with pytest.raises(DataError, match=r"columns fp_neutral, .* are missing"):
        read_exam(tmp_path / name, ("ferplus",))


def test_figures_come_with_intervals_curves_and_shares():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(7), 500)
    truth = np.where(rng.random(500) < 0.7, probabilities.argmax(axis=1), 0)
    people = {"glasses": np.array(["yes", "no"])[rng.integers(0, 2, 500)]}
    figures = evaluate.evaluate(probabilities, truth, FER2013, truth > 3, people)
    for name in ("accuracy", "accuracy_without_duplicates", "macro_f1"):
        low, high = figures[f"{name}_interval"]
        assert low < figures[name] < high
    assert figures["n_without_duplicates"] == (truth <= 3).sum()
    assert np.array(figures["confusion_normalised"]).sum(axis=1) == pytest.approx(np.ones(7))
    assert sum(row["count"] for row in figures["reliability"]) == 500
    assert figures["coverage"][-1]["accuracy"] == pytest.approx(figures["accuracy"])
    assert set(figures["groups"]["glasses"]["groups"]) == {"yes", "no"}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_the_command_prints_one_object_on_one_line(tmp_path, model, capsys):
    rows = pd.DataFrame({"image": [png(), png(96)], "label": ["happy", "sad"], "dup": [True, False]})
    rows = rows.assign(**dict.fromkeys(VOTES, 0) | {"fp_sadness": [9, 0], "fp_NF": [0, 9]})
    rows.to_parquet(tmp_path / "faces.parquet")
    for labels, n in (("fer2013", 2), ("ferplus", 1)):
        arguments = ["evaluate", str(tmp_path / "faces.parquet"), "--labels", labels, "--model", str(model), "--json"]
        assert main(arguments) == 0
        [line] = capsys.readouterr().out.splitlines()
        figures = json.loads(line)
        assert figures["n"] == n == sum(map(sum, figures["confusion"]))
        assert set(figures["per_class"]) == set(figures["labels"])


def test_robustness_beside_another_network_is_switched_on_by_naming_it(tmp_path, model, capsys):
    pd.DataFrame({"image": [png(), png(96)], "label": ["happy", "sad"]}).to_parquet(tmp_path / "faces.parquet")
    arguments = ["evaluate", str(tmp_path / "faces.parquet"), "--beside", str(model)]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["robustness"]
    assert rows[0]["change"] == "none" and all(row["accuracy"] == row["beside"] for row in rows)
    assert main(arguments) == 0
    assert "FER2013's labels, expression" in capsys.readouterr().out


def test_evaluating_never_loads_keras_or_tensorflow():
    code = "import sys; from cssafe.training import evaluate; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, check=True)
    assert "openvino" in done.stdout.split()
    assert not {"keras", "tensorflow", "torch", "jax"} & set(done.stdout.split())


@pytest.mark.slow
def test_the_served_network_reaches_what_was_promised_on_public_test(model, capsys):
    """Issue 2: at least 68 % without duplicates, at least 83 % on the FERPlus majority."""
    data = str(shared_data("fer2013_valid.parquet"))
    reached = []
    for labels in ("fer2013", "ferplus"):
        assert main(["evaluate", data, "--labels", labels, "--model", str(model), "--json"]) == 0
        reached.append(json.loads(capsys.readouterr().out))
    assert reached[0]["accuracy_without_duplicates"] >= 0.68
    assert reached[1]["accuracy"] >= 0.83
