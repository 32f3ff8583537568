"""What a network looks at, and the parts of a face, in colours."""

import numpy as np
import pytest

from cssafe.vision.evidence_map import AGAINST, FOR, PART_COLOURS, draw_evidence, draw_parts, relative_evidence
from cssafe.vision.face_parts import PARTS
from tests.support.faces import astronaut

GREY = np.full((120, 120), 128, np.uint8)


def at(row: int, column: int, value: float) -> np.ndarray:
    """Evidence at one place of a grid of six by six."""
    evidence = np.zeros((6, 6), np.float32)
    evidence[row, column] = value
    return evidence


@pytest.mark.parametrize("picture", [GREY, astronaut()], ids=["grey", "colour"])
def test_no_evidence_leaves_the_picture_as_it_is(picture):
    drawn = draw_evidence(picture, np.zeros((6, 6), np.float32), 1.0)
    assert drawn.shape == (*picture.shape[:2], 3) and drawn.dtype == np.uint8
    assert (drawn == (picture[..., None] if picture.ndim == 2 else picture)).all()


@pytest.mark.parametrize("size", [(120, 120), (60, 180), (240, 240)])
@pytest.mark.parametrize(("row", "column"), [(1, 4), (4, 1), (0, 0), (5, 5)])
def test_the_colour_is_strongest_where_the_evidence_is(row, column, size):
    picture = np.full(size, 128, np.uint8)
    changed = np.abs(draw_evidence(picture, at(row, column, 3.0), 3.0).astype(int) - 128).sum(axis=2)
    strongest = np.argwhere(changed == changed.max()).mean(axis=0)
    assert strongest // (size[0] / 6, size[1] / 6) == pytest.approx([row, column])
    opposite = changed[::-1, ::-1][int(strongest[0]), int(strongest[1])]
    assert opposite < changed.max() / 4


def test_what_speaks_for_is_orange_and_what_speaks_against_blue_and_the_given_picture_is_not_touched():
    assert (FOR, AGAINST) == ("#E69F00", "#0072B2")
    blue, _, red = draw_evidence(GREY, at(2, 2, 1.0), 1.0)[50, 50].astype(int)
    assert red - blue > 100
    blue, _, red = draw_evidence(GREY, at(2, 2, -1.0), 1.0)[50, 50].astype(int)
    assert blue - red > 100
    assert (GREY == 128).all()


def test_evidence_beyond_the_strongest_changes_the_colour_no_more():
    everywhere = np.ones((6, 6), np.float32)
    assert (draw_evidence(GREY, 9 * everywhere, 1.0) == draw_evidence(GREY, everywhere, 1.0)).all()


def test_what_speaks_for_all_emotions_alike_is_no_evidence():
    evidence = np.random.default_rng(0).normal(size=(6, 6, 8))
    everywhere = np.random.default_rng(1).normal(size=(6, 6, 1))
    assert relative_evidence(evidence + everywhere) == pytest.approx(relative_evidence(evidence))
    assert relative_evidence(evidence).mean(axis=-1) == pytest.approx(np.zeros((6, 6)))


@pytest.mark.parametrize("picture", [GREY, astronaut()], ids=["grey", "colour"])
def test_each_part_has_a_colour_of_its_own_and_the_rest_stays(picture):
    labels = np.zeros(picture.shape[:2], np.uint8)
    for value in range(len(PARTS)):
        labels[20 * value : 20 * value + 20] = value
    drawn = draw_parts(picture, labels)
    assert (drawn[labels == 0] == (picture[..., None] if picture.ndim == 2 else picture)[labels == 0]).all()
    colours = {tuple(draw_parts(GREY[:1], np.full((1, 120), value, np.uint8))[0, 0]) for value in range(len(PARTS))}
    assert len(colours) == len(PARTS) == len(PART_COLOURS) + 1
