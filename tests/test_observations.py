from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cssafe.frames import Faces, FrameResult, Signals
from cssafe.labels import FERPLUS
from cssafe.observations import COLUMNS, Seconds, average_seconds
from tests.support.faces import START


def result(seconds=0.0, tracks=(1,), concentration=0.5, level=1, expression=True, openness=0.3):
    n = len(tracks)
    signals = {name: np.full(n, 1.0, np.float32) for name in Signals.__dataclass_fields__}
    signals["openness"] = np.full(n, openness, np.float32)
    return FrameResult(
        time=START + timedelta(seconds=seconds), width=640, height=480,
        faces=Faces(np.tile(np.array([0, 0, 50, 50], np.float32), (n, 1)), np.full(n, 0.9, np.float32)),
        tracks=np.array(tracks, np.int32), signals=Signals(**signals),
        expression=np.full((n, 8), 1 / 8, np.float32) if expression else None,
        attention=np.full(n, 1.0, np.float32), concentration=np.full(n, concentration, np.float32),
        levels=np.full(n, level, np.int8),
    )  # fmt: skip


def test_no_frames_and_empty_frames_give_no_rows_but_all_columns():
    for results in ([], [result(tracks=())]):
        rows = average_seconds(results)
        assert len(rows) == 0
        assert tuple(rows.columns) == COLUMNS


def test_a_second_of_frames_becomes_one_row_a_face():
    rows = average_seconds(
        [result(0.1, (1, 2)), result(0.5, (1, 2), concentration=0.7), result(0.9, (1,), concentration=0.9)]
    )
    assert rows["track"].tolist() == [1, 2]
    assert rows["frames"].tolist() == [3, 2]
    assert rows["concentration"].tolist() == pytest.approx([0.7, 0.6])
    assert rows["time"].tolist() == [pd.Timestamp("2026-03-02 08:00:00")] * 2


def test_what_was_not_measurable_does_not_count_into_the_mean():
    rows = average_seconds([result(0, openness=np.nan), result(0.5, openness=0.2)])
    assert rows["openness"][0] == pytest.approx(0.2)
    rows = average_seconds([result(concentration=np.nan, level=-1)])
    assert rows[["concentration", "level"]].isna().all(axis=None)


def test_without_expression_every_probability_is_missing():
    assert average_seconds([result(expression=False)])[[f"p_{name}" for name in FERPLUS]].isna().all(axis=None)


def test_the_commonest_level_of_the_second_is_kept():
    assert average_seconds([result(0, level=2), result(0.3, level=0), result(0.6, level=2)])["level"][0] == 2


def test_seconds_hands_each_second_out_when_the_next_begins():
    seconds = Seconds()
    assert list(seconds.add(result(0.2))) == []
    assert list(seconds.add(result(0.8))) == []
    (first,) = seconds.add(result(1.1))
    assert first.rows["frames"].tolist() == [2]
    assert [second.rows["frames"].tolist() for second in seconds.flush()] == [[1]]
    assert seconds.flush() == []


def test_what_flashes_up_in_less_than_half_of_the_frames_is_no_face():
    flash = [result(i / 10, (1, 2) if i in (3, 4, 5, 6) else (1,)) for i in range(10)]
    assert average_seconds(flash)["track"].tolist() == [1]
    assert average_seconds(flash[2:8])["track"].tolist() == [1, 2]


def still_frames(seconds: range) -> list[FrameResult]:
    return [replace(result(second), changed=False) for second in seconds]


def given(seconds: Seconds, results: list[FrameResult]) -> list[int]:
    """The seconds handed out."""
    return [second.time.second for one in results for second in seconds.add(one)]


def test_a_frozen_picture_is_known_within_ten_seconds_and_gives_no_rows():
    seconds = Seconds()
    assert given(seconds, still_frames(range(10))) == [] and seconds.frozen
    assert seconds.flush() == []


def test_recording_resumes_when_the_picture_changes_again():
    seconds = Seconds()
    assert given(seconds, [result(0), *still_frames(range(1, 20))]) == [0]
    assert given(seconds, [result(20), result(21)]) == [20] and not seconds.frozen


def test_a_short_stillness_loses_no_second():
    seconds = Seconds()
    assert given(seconds, [result(0), *still_frames(range(1, 6)), result(6), result(7)]) == list(range(7))
