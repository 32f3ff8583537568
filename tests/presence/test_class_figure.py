"""Sums of a class at single looks."""

import numpy as np
import pytest

from cssafe.presence.class_figure import sum_class
from cssafe.presence.people import People
from cssafe.scoring.formula import CONCENTRATION


def test_people_whom_nobody_sees_count_as_the_mean_attention_and_concentration_before():
    none, unread = np.zeros((6, 1), bool), np.full((6, 1), np.nan)
    times = np.array(["2026-03-02T08:00:00"], "datetime64[us]")
    people = People(times, 1.0, np.arange(6), ~none, none, unread, unread, np.ones(1, bool))
    sums = sum_class(people, np.ones(1), CONCENTRATION.bands, before=(0.8, 0.6))
    assert sums.attention == pytest.approx(4.8) and sums.concentration == pytest.approx(3.6)
