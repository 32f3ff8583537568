"""Photographs with face boxes, in every layout."""

import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe.errors import DataError
from cssafe.training.detection import dataset

BOXES = np.array([[1, 2, 10, 20], [30, 4, 5, 6]], np.float32)  # x, y, w, h


def picture(path=None):
    encoded = cv2.imencode(".png", np.full((40, 60, 3), 90, np.uint8))[1].tobytes()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded)
    return encoded


def parquet(path):
    rows = [("b/two.jpg", BOXES.ravel(), [False, True]), ("a/one.jpg", BOXES[:0].ravel(), [])]
    frame = pd.DataFrame(rows, columns=["file", "boxes", "invalid"]).assign(image=picture())
    frame.to_parquet(path / "faces_train_0.parquet")


def table(path):
    picture(path / "two.jpg")
    rows = [("two.jpg", *xywh, i) for i, xywh in enumerate(BOXES)]
    pd.DataFrame(rows, columns=["file", "x", "y", "w", "h", "invalid"]).to_csv(path / "boxes.csv", index=False)


def wider(path):
    for part in ("train", "val"):
        picture(path / f"WIDER_{part}" / "images" / "0--Parade" / f"{part}.jpg")
        (path / "wider_face_split").mkdir(exist_ok=True)
        lines = ["0--Parade/none.jpg", "0", "0 0 0 0 0 0 0 0 0 0"] if part == "train" else []
        lines += [f"0--Parade/{part}.jpg", "2", "1 2 10 20 0 0 0 0 0 0 ", "30 4 5 6 2 0 0 1 0 0 "]
        (path / "wider_face_split" / f"wider_face_{part}_bbx_gt.txt").write_text("\n".join(lines) + "\n")


def test_a_folder_without_photographs_says_what_was_expected(tmp_path):
    with pytest.raises(DataError, match="wider_face_split"):
        dataset.read(tmp_path)


def test_a_photograph_without_a_face_is_an_ordinary_one(tmp_path):
    parquet(tmp_path)
    assert dataset.read(tmp_path)[0].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        (parquet, ["a/one.jpg", "b/two.jpg"]),
        (table, ["two.jpg"]),
        (wider, ["0--Parade/none.jpg", "0--Parade/train.jpg", "0--Parade/val.jpg"]),
    ],
)
def test_every_layout_gives_corners_and_marks_what_is_to_be_ignored(tmp_path, layout, names):
    layout(tmp_path)
    found = dataset.read(tmp_path)
    assert [photograph.name for photograph in found] == names
    assert found[-1].boxes.tolist() == [[1, 2, 11, 22], [30, 4, 35, 10]]
    assert found[-1].invalid.tolist() == [False, True]
    assert found[-1].read().shape == (40, 60, 3)


def test_a_list_that_breaks_off_is_told(tmp_path):
    wider(tmp_path)
    (tmp_path / "wider_face_split" / "wider_face_val_bbx_gt.txt").write_text(
        "0--Parade/val.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n"
    )
    with pytest.raises(DataError, match=r"after 0--Parade/val\.jpg expected a number"):
        dataset.read(tmp_path)


def test_a_missing_picture_is_told_when_it_is_needed(tmp_path):
    wider(tmp_path)
    with pytest.raises(DataError, match=r"none\.jpg: this picture cannot be read"):
        dataset.read(tmp_path)[0].read()


def test_a_box_without_extent_is_ignored(tmp_path):
    table(tmp_path)
    csv = tmp_path / "boxes.csv"
    csv.write_text(csv.read_text().replace("1.0,2.0,10.0,20.0", "1.0,2.0,0.0,20.0"))
    assert dataset.read(tmp_path)[0].invalid.tolist() == [True, True]


def test_the_same_photographs_are_held_back_wherever_they_lie():
    def named(folder):
        one = np.zeros((0, 4), np.float32), np.zeros(0, bool)
        return [dataset.Photograph(f"{folder}{i}.jpg", b"", *one) for i in range(200)]

    learn, choose = dataset.split(named("a/"))
    assert len(learn) + len(choose) == 200 and 10 <= len(choose) <= 40
    assert [p.name[2:] for p in choose] == [p.name[2:] for p in dataset.split(named("b/"))[1]]
