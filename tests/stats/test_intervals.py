"""The interval of a mean over faces: in SQL and NumPy alike, and true as often as it says."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from cssafe.stats.intervals import mean_interval, mean_sql, student_t


def in_sql(values, clusters) -> tuple:
    with duckdb.connect() as connection:
        connection.register("faces", pd.DataFrame({"v": values, "c": clusters}).dropna())
        clusters = "SELECT sum(v) AS s, count(*) AS n FROM faces GROUP BY c"
        return connection.execute(f"SELECT {mean_sql('m')} FROM ({clusters})").fetchone()


@pytest.mark.parametrize(
    ("values", "clusters"),
    [
        ([], []),
        ([np.nan], [1]),
        ([0.4, 0.6], [7, 7]),
        ([0.2, 0.4, 0.6, 0.8, np.nan], [1, 2, 3, 4, 5]),
        ([0.2, 0.4, 0.6, 0.8, 0.9, 0.1], [1, 2, 3, 3, 2, 4]),
        ([0.0] * 1000 + [1.0, 1.0], [1] * 1000 + [2, 3]),
        (np.linspace(0, 1, 50), np.arange(50)),
    ],
)
def test_sql_and_numpy_agree(values, clusters):
    values, clusters = np.array(values, float), np.array(clusters, int)
    expected = [np.nan if end is None else end for end in in_sql(values, clusters)]
    assert mean_interval(values, clusters) == pytest.approx(expected, nan_ok=True)


def test_equal_faces_give_students_interval_of_their_means():
    mean, low, high = mean_interval(np.array([0.2, 0.4, 0.6, 0.8, 1.0]), np.arange(5))
    half = 2.776445 * np.std([0.2, 0.4, 0.6, 0.8, 1.0], ddof=1) / np.sqrt(5)
    assert (mean, low, high) == pytest.approx((0.6, 0.6 - half, min(1, 0.6 + half)))


def test_three_clusters_of_nearly_equal_weight_have_nearly_two_degrees_of_freedom():
    """Rounded down to one, the interval would be 2.9 times as wide."""
    values, clusters = np.repeat([0.5, 0.6, 0.7], [40, 42, 45]), np.repeat([0, 1, 2], [40, 42, 45])
    mean, low, high = mean_interval(values, clusters)
    effective = 127**2 / (40**2 + 42**2 + 45**2)
    means, n = np.array([0.5, 0.6, 0.7]), np.array([40, 42, 45])
    error = np.sqrt((n**2 * (means - mean) ** 2).sum() * effective / (effective - 1)) / 127
    assert 1.9 < effective - 1 < 2
    assert high - low == pytest.approx(2 * stdtrit(effective - 1, 0.975) * error)
    assert in_sql(values, clusters) == pytest.approx((mean, low, high))


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 4.7, 29, 100, 1e6])
def test_students_t_is_right_also_between_whole_degrees_of_freedom(freedom):
    assert student_t(freedom) == pytest.approx(stdtrit(freedom, 0.975), rel=1e-6)


def test_fewer_faces_and_fewer_seconds_widen_it():
    random = np.random.default_rng(0)
    own, noise = random.normal(0.6, 0.1, 24), random.normal(0, 0.2, (60, 24))

    def width(faces: int, seconds: int) -> float:
        values = (own + noise)[:seconds, :faces]
        _, low, high = mean_interval(values.ravel(), np.tile(np.arange(faces), seconds))
        return high - low

    assert width(24, 60) < width(24, 3) < width(8, 3) and width(24, 60) < width(8, 60) < width(5, 60)


def test_it_holds_the_truth_as_often_as_it_says():
    """Faces that differ from each other, are seen for between 1 and 60 seconds, and are read the better or worse."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        faces = random.integers(5, 30)
        seconds = random.integers(1, 60, faces)
        clusters = np.repeat(np.arange(faces), seconds)
        quality = random.uniform(0, 1, faces)[clusters]
        own = random.normal(0.5, 0.08, faces)[clusters]
        values = own + random.normal(0, 0.05 + 0.15 * (1 - quality))
        _, low, high = mean_interval(values, clusters)
        held += low <= 0.5 <= high
    assert 0.93 <= held / 1000 <= 0.98
