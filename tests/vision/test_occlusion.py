"""How much of a face is hidden: things drawn over a real face, and the estimate of their share."""

import hashlib

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe.commands.main import main
from cssafe.training.occlusion.occluders import KINDS, occlude
from cssafe.vision.face_finder import FaceFinder
from cssafe.vision.face_parts import segment
from cssafe.vision.occlusion import (
    INPUTS,
    RAYS,
    STEPS,
    WEIGHTS,
    describe_cells,
    hidden_probabilities,
    hidden_share,
    load_weights,
    share_of_area,
    unroll,
)
from tests.support.faces import astronaut, classroom, nobody


@pytest.fixture(scope="module")
def points():
    return FaceFinder().find(astronaut())[1].points


def drawn(points: np.ndarray, kind: str, seed: int = 0) -> tuple[np.ndarray, float]:
    """The astronaut with something over her face, and the share that it hides."""
    image, covered = occlude(astronaut(), points[0], kind, np.random.default_rng(seed), nobody(512, 512))
    return image, float(covered[segment(points[..., :2], 512, 512) > 0].mean())


def test_of_no_face_nothing_is_hidden(points):
    assert hidden_share(astronaut(), points[:0]).shape == (0,)
    assert unroll(astronaut(), points[:0]).shape[0] == 0 and describe_cells(unroll(astronaut(), points[:0])).shape == (
        0,
        INPUTS,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_lies_over_the_face_and_nowhere_else_does_the_picture_change(points, kind):
    image, covered = occlude(astronaut(), points[0], kind, np.random.default_rng(3), nobody(512, 512))
    assert (image == astronaut())[covered == 0].all() and 0 <= covered.min() and covered.max() <= 1
    assert 0.02 < drawn(points, kind, 3)[1] < 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_a_face_with_something_before_it_seems_more_hidden_than_the_bare_one(points, kind):
    bare = hidden_share(astronaut(), points)[0]
    tries = [drawn(points, kind, seed) for seed in range(12)]
    truth = np.array([share for _, share in tries])
    estimate = np.array([hidden_share(image, points)[0] for image, _ in tries])
    assert bare < 0.2 and estimate.mean() > bare + 0.3 * truth.mean()
    assert np.abs(estimate - truth).mean() < 0.2


def test_the_estimate_hangs_neither_on_the_size_of_the_picture_nor_on_which_way_round_it_is(points):
    image, _ = drawn(points, "mask")
    once = hidden_share(image, points)[0]
    twice = hidden_share(cv2.resize(image, None, fx=2, fy=2), points * 2)[0]
    assert once > 0.25 and abs(once - twice) < 0.05


def test_each_face_is_judged_by_itself():
    meshes = FaceFinder().find(classroom())[1].points
    together = hidden_share(classroom(), meshes)
    assert len(together) == 28
    assert np.allclose(together, [hidden_share(classroom(), mesh[None])[0] for mesh in meshes], atol=1e-5)


def test_shares_count_cells_by_their_area(points):
    nothing, everything = np.zeros((1, RAYS, STEPS)), np.ones((1, RAYS, STEPS))
    assert share_of_area(nothing, points) == 0 and share_of_area(everything, points) == pytest.approx(1)
    outer = nothing.copy()
    outer[:, :, STEPS // 2 :] = 1
    assert share_of_area(outer, points) == pytest.approx(0.75)  # half of the way, three quarters of the area
    half = segment(points[..., :2], 512, 512)
    half[:, round(float(points[0, 195, 0])) :] = 0
    left = nothing.copy()
    left[:, 10:] = 1
    left[:, [0, 9]] = 0.5
    assert share_of_area(left, points) == pytest.approx(
        (half > 0).sum() / (segment(points[..., :2], 512, 512) > 0).sum(), abs=0.06
    )


def test_the_shipped_numbers_fit_and_give_probabilities():
    said = hidden_probabilities(np.random.default_rng(0).normal(0, 2, (5, INPUTS)).astype(np.float32), load_weights())
    assert said.shape == (5, RAYS, STEPS) and 0 <= said.min() <= said.max() <= 1


def test_the_card_is_of_the_shipped_numbers():
    card = (WEIGHTS.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in card


@pytest.mark.slow
def test_the_command_learns_and_reports(tmp_path, capsys):
    picture = cv2.imencode(".jpg", astronaut())[1].tobytes()
    row = {"image": picture, "boxes": [178.0, 57.0, 95.0, 117.0], "invalid": [0], "occlusion": [0], "blur": [0]}
    marked = row | {"occlusion": [1]}
    rows = [row | {"file": f"{i}m.jpg"} for i in range(8)] + [marked | {"file": f"{i}n.jpg"} for i in range(8)]
    pd.DataFrame(rows).to_parquet(tmp_path / "faces_train_0.parquet")
    assert main(["hidden", str(tmp_path), "--out", str(tmp_path / "made")]) == 0
    told = capsys.readouterr().out
    assert all(f"| {kind} |" in told for kind in ("bare", *KINDS)) and "Bare faces taken for hidden" in told
    with np.load(tmp_path / "made" / "hidden.npz") as numbers:
        assert numbers["inner"].shape[0] == INPUTS and numbers["outer"].shape[1] == RAYS * STEPS
    card = (tmp_path / "made" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert told.strip() in card and "8 bare faces" not in card and "{" not in card


def test_too_few_photographs_are_refused_before_anything_is_learned(tmp_path, capsys):
    picture = cv2.imencode(".jpg", nobody())[1].tobytes()
    row = {
        "file": "a",
        "image": picture,
        "boxes": [1.0, 1.0, 90.0, 90.0],
        "invalid": [0],
        "occlusion": [0],
        "blur": [0],
    }
    pd.DataFrame([row]).to_parquet(tmp_path / "faces_train_0.parquet")
    assert main(["hidden", str(tmp_path), "--out", str(tmp_path / "made")]) == 2
    assert "0 bare faces" in capsys.readouterr().err and not (tmp_path / "made").exists()


@pytest.mark.parametrize("columns", [None, ["file"]])
def test_a_folder_without_the_photographs_is_refused_in_a_sentence(tmp_path, capsys, columns):
    if columns:
        pd.DataFrame(columns=columns).to_parquet(tmp_path / "faces_train_0.parquet")
    assert main(["hidden", str(tmp_path)]) == 2
    assert "faces_train_*.parquet" in capsys.readouterr().err
