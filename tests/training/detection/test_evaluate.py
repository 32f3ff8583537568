"""What `evaluate --task detection` measures and prints."""

import cv2
import numpy as np
import pytest

from cssafe.commands.main import main
from cssafe.training.detection import card, curves, evaluate, stability
from cssafe.training.detection.dataset import Photograph
from cssafe.training.expression.card import BEGIN, CARD_FILE, END
from cssafe.vision.face_finder import FaceFinder
from tests.support.faces import astronaut, nobody

FACE = np.array([[180, 60, 270, 180]], np.float32)


def photograph(image, boxes):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    data = cv2.imencode(".png", image)[1].tobytes()
    return Photograph("a.png", data, boxes, np.zeros(len(boxes), bool))


def sees(*scores):
    """A detector that draws the same face in every picture."""
    return lambda image: (np.repeat(FACE, len(scores), axis=0), np.array(scores, np.float32))


def test_no_photographs_give_no_figures_and_no_fault():
    measured = evaluate.run_detectors({"one": sees(0.9)}, [])
    assert measured["one"][0].images == 0
    assert curves.detection_figures(measured["one"][0], 0.5)["faces"]["20 up"] == 0


def test_each_detector_is_judged_on_every_photograph_and_told_in_the_tables():
    photographs = [photograph(nobody(), FACE), photograph(nobody(), [])]
    measured = evaluate.run_detectors({"sure": sees(0.9), "blind": sees()}, photographs)
    figures = {name: curves.detection_figures(judged, 0.5) for name, (judged, _) in measured.items()}
    assert figures["sure"]["served"]["recall"]["80 up"] == 1
    assert figures["sure"]["served"]["false_alarms"] == 0.5
    assert figures["blind"]["served"]["recall"]["80 up"] == 0
    told = evaluate.format_tables({name: one | {"median_ms": 1.0} for name, one in figures.items()})
    assert "| sure | as served: 0.500 | 0.500 |" in told
    assert "2 images; faces: 20-39 px 0" in told


def test_haar_meets_a_face_and_finds_nobody_in_an_empty_picture():
    photographs = [photograph(astronaut(), FACE), photograph(nobody(), [])]
    judged, _ = evaluate.run_detectors({"it": evaluate.haar()}, photographs)["it"]
    best = judged.faces[judged.scores.argmax()]
    assert best == pytest.approx(120)


def figures_of(*photographs):
    measured = evaluate.run_detectors({"sure": sees(0.9), "blind": sees()}, list(photographs))
    return {name: curves.detection_figures(judged, None) | {"median_ms": ms} for name, (judged, ms) in measured.items()}


@pytest.mark.parametrize("photographs", [[], [photograph(nobody(), FACE), photograph(nobody(), [])]])
def test_the_curves_are_drawn_a_panel_for_each_height(photographs):
    figures = figures_of(*photographs)
    drawn = card.curve_chart(figures).to_dict()
    assert [panel["title"] for panel in drawn["hconcat"]] == [f"faces of {band} px" for band in card.PANEL_BANDS]
    rows = card.curve_points(figures)
    assert list(rows["precision"]) == ([1.0, 0.5] if photographs else []), (
        "one box in either picture, one of them right"
    )


def test_a_card_keeps_its_words_and_takes_new_figures_and_a_picture(tmp_path):
    (tmp_path / "model.json").write_text('{"threshold": 0.25}')
    (tmp_path / "detector.bin").write_bytes(b"weights")
    (tmp_path / CARD_FILE).write_text(f"by hand\n{BEGIN}\nyesterday\n{END}\nby hand, too\n")
    card.check_card(tmp_path)
    figures = figures_of(photograph(nobody(), FACE))
    card.write_card(tmp_path, figures, evaluate.format_tables(figures), "python -m cssafe evaluate scenes --card")
    said = (tmp_path / CARD_FILE).read_text()
    assert said.startswith(f"by hand\n{BEGIN}") and said.endswith(f"{END}\nby hand, too\n") and "yesterday" not in said
    assert "| sure | at most 0.05" in said and "from a score of 0.25 on" in said
    assert (tmp_path / card.CURVES_FILE).read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("files", "told"), [([], "no detector"), (["model.json"], CARD_FILE), (["model.json", CARD_FILE], BEGIN)]
)
def test_a_card_that_cannot_be_written_is_told_before_the_work(tmp_path, capsys, files, told):
    for name in files:
        (tmp_path / name).write_text("{}")
    assert main(["evaluate", "--task", "detection", "nowhere", "--model", str(tmp_path), "--card"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and told in said


def test_data_that_are_not_there_end_with_one_line(tmp_path, capsys):
    assert main(["evaluate", "--task", "detection", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "boxes.csv" in said


def test_help_of_a_task_is_its_own(capsys):
    assert main(["evaluate", "--task", "detection", "--help"]) == 0
    assert "--held-back" in capsys.readouterr().out
    assert main(["evaluate", "--help"]) == 0
    assert "--task" in (said := capsys.readouterr().out) and "--held-back" not in said


def test_of_no_photographs_nothing_moves():
    rows = stability.measure_stability(FaceFinder().find, [])
    assert rows.empty and stability.format_stability(rows).endswith("| 0 |")


def test_a_detector_is_told_by_how_far_its_crops_move_beside_the_picture():
    find, photographs = FaceFinder().find, [photograph(astronaut(), FACE)]

    def slips(image):
        faces, meshes = find(image)
        meshes.points[..., 0] += 10 * next(late)
        return faces, meshes

    late = iter([0, 1])
    steady, slipped = (stability.measure_stability(one, photographs) for one in (find, slips))
    assert steady["middle"].item() < 3 and slipped["middle"].item() == pytest.approx(steady["middle"].item() + 9, abs=4)
    assert steady[["yaw", "pitch", "roll"]].to_numpy().max() < 5
    assert stability.format_stability(steady).endswith("| 1 |")
