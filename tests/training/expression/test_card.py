"""The model card's figures: written by a command in one run, and by nothing else."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe import settings
from cssafe.commands.main import main
from cssafe.expression import model_metrics
from cssafe.labels import FER2013
from cssafe.training.datasets import VOTES
from cssafe.training.expression import card

SERVED = settings.ROOT / "models" / "expression"
PLACE = f"# A network\n\nBy hand.\n\n{card.BEGIN}\nold figures\n{card.END}\n\nBy hand, too.\n"


@pytest.fixture
def folder(tmp_path):
    """A copy of the served network with a card that has a place for figures."""
    copy = Path(shutil.copytree(SERVED, tmp_path / "network", ignore=shutil.ignore_patterns(model_metrics.FIGURES)))
    (copy / card.CARD_FILE).write_text(PLACE, encoding="utf-8")
    return copy


@pytest.fixture
def data(tmp_path):
    """Three noisy pictures with labels and votes, one of them a copy of a training picture."""
    path = tmp_path / "data" / "fer2013_valid.parquet"
    path.parent.mkdir()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    encoded = [cv2.imencode(".png", picture)[1].tobytes() for picture in pictures]
    rows = pd.DataFrame({"image": encoded, "label": FER2013[:3], "dup": [True, False, False]})
    rows.assign(**dict.fromkeys(VOTES, 0) | {"fp_neutral": [9, 8, 0], "fp_NF": [0, 0, 9]}).to_parquet(path)
    return path


def test_the_command_writes_figures_and_renews_the_part_of_the_card_that_is_theirs(folder, data, capsys):
    assert main(["evaluate", str(data), "--model", str(folder), "--card", "--beside", str(SERVED)]) == 0
    measured = model_metrics.read_metrics(folder)
    assert measured["fer2013"]["n"] == 3 and measured["ferplus"]["n"] == 2
    assert measured["command"] == "python -m cssafe evaluate fer2013_valid.parquet --card --beside expression"
    assert measured["precision"] in ("int8", "bf16", "f32") and measured["processor"]
    assert measured["beside"]["sha256"] == measured["model"]["sha256"]
    assert {len(measured[labels]["robustness"]) for labels in ("fer2013", "ferplus")} == {42}
    text = (folder / card.CARD_FILE).read_text(encoding="utf-8")
    assert text.startswith(PLACE[: PLACE.index("old")].rstrip("\n")) and text.endswith(PLACE[PLACE.index(card.END) :])
    assert "old figures" not in text and card.split_card(folder)[1] == card.render_figures(measured)
    assert "not measured" in text and str(folder.parent) not in text
    assert capsys.readouterr().out.count("\n| none ") == 1


def test_the_folder_of_the_data_will_do_and_json_is_what_the_file_holds(folder, data, capsys):
    assert main(["evaluate", str(data.parent), "--model", str(folder), "--card", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        (folder / model_metrics.FIGURES).read_text(encoding="utf-8")
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no card that can be read"),
        ("# A network\n", "no place for figures"),
        (card.BEGIN, "no place for figures"),
    ],
)
def test_a_card_without_a_place_for_figures_is_told_before_the_work_and_left_as_it_is(folder, data, text, says, capsys):
    (folder / card.CARD_FILE).unlink() if text is None else (folder / card.CARD_FILE).write_text(text)
    assert main(["evaluate", str(data), "--model", str(folder), "--card"]) == 2
    said = capsys.readouterr().err
    assert says in said and card.BEGIN in said and len(said.splitlines()) == 1
    assert not (folder / model_metrics.FIGURES).exists()
    assert text is None or (folder / card.CARD_FILE).read_text() == text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.parquet", "--card"], "no such file"),
        (["nowhere.parquet", "--card", "--labels", "ferplus"], "not allowed with"),
        ([str(settings.ROOT / "tests"), "--card"], "fer2013_valid.parquet"),
    ],
)
def test_a_card_of_anything_but_one_file_is_refused(arguments, says, capsys):
    assert main(["evaluate", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said and len(said.splitlines()) == 1


def test_groups_that_were_measured_stand_in_the_card(folder, data, capsys):
    rows = pd.read_parquet(data).assign(tone=["light", "dark", None])
    rows.to_parquet(data)
    assert main(["evaluate", str(data), "--model", str(folder), "--card", "--group", "tone"]) == 0
    text = (folder / card.CARD_FILE).read_text(encoding="utf-8")
    assert "by tone" in text and "too small (1)" in text
    assert "Faces without tone: 1." in text


@pytest.mark.skipif(not (SERVED / model_metrics.FIGURES).exists(), reason="the served network was not measured yet")
def test_the_served_networks_card_holds_the_figures_of_its_own_weights():
    measured = model_metrics.read_metrics(SERVED)  # refuses figures of other weights
    served = json.loads((SERVED / "model.json").read_text(encoding="utf-8"))["sha256"]["expression.bin"]
    assert measured["model"]["sha256"] == served
    assert card.split_card(SERVED)[1] == card.render_figures(measured)
