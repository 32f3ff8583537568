"""Recall, false alarms and precision by the height of the face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cssafe.training.detection import curves

NONE = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)


def face(height, x=0.0):
    return [x, 0.0, x + height * 0.8, float(height)]


def judged(found, faces, left_out=None):
    """One image. found: (box, score) pairs."""
    boxes = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score in found], np.float32)
    drawn = np.array(faces, np.float32).reshape(-1, 4)
    out = np.zeros(len(drawn), bool) if left_out is None else np.array(left_out)
    return curves.match_images([(boxes, scores)], [(drawn, out)])


def test_nothing_found_and_nothing_there():
    empty = curves.match_images([NONE], [(NONE[0], np.zeros(0, bool))])
    assert np.isnan(curves.band_recall(empty, 0.5, "20 up"))
    assert curves.false_alarm_rate(empty, 0.5) == 0
    assert curves.average_precision(empty, "20 up") == 0
    assert curves.precision_recall(empty, "20 up")["recall"] == []


def test_no_images_at_all():
    assert curves.false_alarm_rate(curves.match_images([], []), 0.0) == 0


def test_a_face_counts_in_the_band_of_its_own_height():
    one = judged([(face(41), 0.9)], [face(38), face(100, x=200)])
    assert curves.band_recall(one, 0.5, "20-39") == 1
    assert curves.band_recall(one, 0.5, "80 up") == 0
    assert curves.band_recall(one, 0.5, "20 up") == 0.5
    assert curves.band_recall(one, 0.95, "20-39") == 0


@pytest.mark.parametrize(("height", "left_out"), [(100, True), (15, False)])
def test_a_box_on_a_face_that_is_left_out_is_neither_right_nor_wrong(height, left_out):
    one = judged([(face(height), 0.9)], [face(height)], [left_out])
    assert curves.false_alarm_rate(one, 0.0) == 0
    assert len(one.drawn) == 0


def test_the_second_box_on_a_face_is_a_false_alarm():
    one = judged([(face(50), 0.6), (face(51), 0.9)], [face(50)])
    assert curves.band_recall(one, 0.0, "40-79") == 1
    assert curves.false_alarm_rate(one, 0.0) == 1
    assert curves.false_alarm_rate(one, 0.7) == 0, "the surer one met it"


def test_the_threshold_is_the_lowest_with_so_few_false_alarms():
    one = judged([(face(50, x=100 * i), 0.1 * i) for i in range(1, 6)], [face(50, x=300)])
    for most in range(5):
        assert curves.false_alarm_rate(one, curves.threshold_at_rate(one, most)) == most
    assert curves.false_alarm_rate(one, curves.threshold_at_rate(one, 1) - 1e-4) == 2


def test_precision_and_recall_of_a_perfect_detector():
    perfect = judged([(face(50, x=100 * i), 0.9) for i in range(3)], [face(50, x=100 * i) for i in range(3)])
    assert curves.average_precision(perfect, "40-79") == pytest.approx(1)
    assert curves.detection_figures(perfect, 0.5)["served"]["recall"]["40-79"] == 1


@given(st.lists(st.tuples(st.floats(15, 200), st.floats(0, 1), st.booleans()), max_size=12))
def test_recall_and_alarms_never_rise_with_the_threshold(rows):
    found = [(face(height, x=300 * i), score) for i, (height, score, _) in enumerate(rows)]
    faces = [face(height, x=300 * i) for i, (height, _, there) in enumerate(rows) if there]
    one = judged(found, faces)
    thresholds = np.linspace(0, 1, 11)
    recalls = np.nan_to_num([curves.band_recall(one, t, "20 up") for t in thresholds])
    alarms = [curves.false_alarm_rate(one, t) for t in thresholds]
    assert (np.diff(recalls) <= 0).all() and (np.diff(alarms) <= 0).all()
    assert all(0 <= p <= 1 for p in curves.precision_recall(one, "20 up")["precision"])
