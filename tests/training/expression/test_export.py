import cv2
import numpy as np
import pandas as pd
import pytest

from cssafe.errors import DataError
from cssafe.labels import FER2013, FERPLUS, FERPLUS_VOTES
from cssafe.training.expression.data import labelled, read_training, vote_shares

VOTES = [f"fp_{word}" for word in FERPLUS_VOTES.values()] + ["fp_unknown", "fp_NF"]


def rows(n, seed=0, votes=None):
    """n made-up rows in the shape of the parquet files: noise, with labels and votes in turn."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 48, 48), dtype=np.uint8)
    table = pd.DataFrame(0.0, index=range(n), columns=VOTES)
    for i in range(n):
        table.iloc[i, i % len(FERPLUS)] = 10
    if votes is not None:
        table.iloc[:] = votes
    table["label"] = [FER2013[i % len(FER2013)] for i in range(n)]
    table["md5"] = [f"{int(rng.integers(2**62)):016x}" for _ in range(n)]
    table["image"] = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    return table


@pytest.mark.parametrize(
    ("votes", "shares"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]),
        ([5, 0, 0, 5, 0, 0, 0, 0, 0, 0], [0.5, 0, 0, 0.5, 0, 0, 0, 0]),
        ([8, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 0, 0]),  # single votes are slips
        ([4, 0, 0, 0, 0, 0, 0, 0, 6, 0], [0] * 8),  # 'unknown' leads
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], [0] * 8),  # not a face
        ([np.nan] * 10, [0] * 8),
    ],
)
def test_votes_become_shares_over_the_eight_emotions(votes, shares):
    assert vote_shares(rows(1, votes=votes))[0] == pytest.approx(shares)


def test_no_rows_are_no_pictures():
    assert len(labelled(rows(0))) == 0
    assert labelled(rows(0)).images.shape == (0, 48, 48)


def test_pictures_are_split_and_joined_with_all_their_labels():
    data = labelled(rows(6))
    again = data[:0] + data[:2] + data[2:]
    assert len(data[:0]) == 0 and len(again) == 6
    for name in ("images", "fer2013", "ferplus"):
        assert np.array_equal(getattr(again, name), getattr(data, name)), name


def test_labels_are_found_by_name():
    data = labelled(rows(8))
    assert [FER2013[i] for i in data.fer2013] == [FER2013[i % 7] for i in range(8)]
    assert data.ferplus.argmax(axis=1).tolist() == list(range(8))


def test_training_leaves_out_copies_faceless_rows_and_what_is_in_the_test(tmp_path):
    table, test = rows(60), rows(5, seed=1)
    table.loc[3, "md5"] = table.loc[2, "md5"]
    table.loc[4, "md5"] = test.loc[0, "md5"]
    table.loc[5, VOTES] = np.nan
    table[:40].to_parquet(tmp_path / "fer2013_train_0.parquet")
    table[40:].to_parquet(tmp_path / "fer2013_train_1.parquet")
    test.to_parquet(tmp_path / "fer2013_valid.parquet")
    learn, choose = read_training(tmp_path)
    assert len(learn) + len(choose) == 57
    assert 0 < len(choose) < 20


def test_a_folder_without_the_data_says_where_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"fer2013_.*data/README"):
        read_training(tmp_path)
