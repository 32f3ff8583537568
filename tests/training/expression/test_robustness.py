import numpy as np
import pytest

from cssafe.training.expression import robustness
from cssafe.training.expression.robustness import CHANGES, apply_change

FACES = np.random.default_rng(0).integers(40, 216, (3, 48, 48), np.uint8)
EVERY = [(change, strength) for change in CHANGES for strength in change.strengths]


@pytest.mark.parametrize(("change", "strength"), EVERY, ids=lambda x: getattr(x, "name", x))
def test_a_change_keeps_shape_and_type_changes_pixels_and_repeats_itself(change, strength):
    assert apply_change(FACES[:0], change, strength).shape == (0, 48, 48)
    once = apply_change(FACES, change, strength)
    assert once.shape == FACES.shape and once.dtype == np.uint8
    assert not np.array_equal(once, FACES)
    assert np.array_equal(once, apply_change(FACES, change, strength))


def test_what_is_drawn_for_a_face_does_not_hang_on_the_part_it_comes_in():
    noise = next(change for change in CHANGES if change.name == "noise")
    whole = apply_change(FACES, noise, 10)
    parts = [apply_change(FACES[:1], noise, 10), apply_change(FACES[1:], noise, 10, first=1)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(whole, apply_change(FACES, noise, 10, seed=1))


@pytest.mark.parametrize(
    ("name", "strength", "row", "column"),
    [("dark band over the eyes", 0.2, 17, 24), ("patch over the mouth", 0.2, 38, 24)],
)
def test_glasses_hide_the_eyes_and_a_hand_the_mouth_and_nothing_else(name, strength, row, column):
    change = next(change for change in CHANGES if change.name == name)
    hidden = apply_change(FACES[:1], change, strength)[0] != FACES[0]
    assert hidden[row - 3 : row + 3, column - 4 : column + 4].mean() > 0.9
    assert not hidden[[0, 27, 47]].any()


def test_a_network_beside_gets_a_column_and_faces_without_a_label_do_not_count():
    def by_light(crops):  # says 1 of a bright picture
        return {"fer2013": np.eye(2)[(crops.mean(axis=(1, 2)) > 128).astype(int)]}

    def never(crops):
        return {"fer2013": np.eye(2)[np.zeros(len(crops), int)]}

    crops = np.full((3, 48, 48), 140, np.uint8)
    truth = {"fer2013": np.array([1, 1, -1])}
    alone, both = (
        robustness.measure_robustness(networks, crops, truth)["fer2013"]
        for networks in ((by_light,), (by_light, never))
    )
    assert both[0] == {"change": "none", "strength": 0, "unit": "", "accuracy": 1, "beside": 0}
    assert alone[0]["beside"] is None
    darker = next(row for row in both if row["change"] == "brightness" and row["strength"] == -40)
    assert darker["accuracy"] == 0
    assert len(both) == 1 + len(EVERY)


def test_no_faces_have_no_accuracy_and_no_error():
    def ask(crops):
        return {"fer2013": np.zeros((len(crops), 2))}

    rows = robustness.measure_robustness((ask,), FACES[:0], {"fer2013": np.zeros(0, int)})["fer2013"]
    assert {row["accuracy"] for row in rows} == {0}
