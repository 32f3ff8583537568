"""The metrics against values worked out by hand."""

import numpy as np
import pytest

from cssafe.training.expression import metrics


@pytest.mark.parametrize(
    ("truth", "guess", "expected"),
    [
        ([], [], [[0, 0], [0, 0]]),
        ([0, 0, 1], [0, 1, 1], [[1, 1], [0, 1]]),
        ([1, 1], [0, 0], [[0, 0], [2, 0]]),
    ],
)
def test_confusion_counts_true_rows_and_guessed_columns(truth, guess, expected):
    counts = metrics.confusion(np.array(truth, int), np.array(guess, int), 2)
    assert counts.tolist() == expected


@pytest.mark.parametrize(
    ("counts", "accuracy", "precision", "recall", "f1"),
    [
        ([[0, 0], [0, 0]], 0, [0, 0], [0, 0], [0, 0]),
        ([[3, 1], [0, 4]], 7 / 8, [1, 4 / 5], [3 / 4, 1], [6 / 7, 8 / 9]),
        ([[0, 2], [0, 0]], 0, [0, 0], [0, 0], [0, 0]),  # a class that is never right, and one that is never true
    ],
)
def test_a_metric_with_nothing_to_divide_by_is_zero(counts, accuracy, precision, recall, f1):
    counts = np.array(counts)
    assert metrics.accuracy(counts) == pytest.approx(accuracy)
    assert [list(x) for x in metrics.per_class(counts)] == [pytest.approx(x) for x in (precision, recall, f1)]
    assert metrics.macro_f1(counts) == pytest.approx(np.mean(f1))


def test_metrics_of_several_matrices_at_once_are_those_of_each():
    several = np.random.default_rng(0).integers(0, 9, (5, 3, 3))
    for metric in (metrics.accuracy, metrics.macro_f1):
        assert metric(several) == pytest.approx([float(metric(one)) for one in several])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[0, 0], [0, 0]], [[0, 0], [0, 0]]),
        ([[3, 1], [0, 4]], [[0.75, 0.25], [0, 1]]),
    ],
)
def test_a_normalised_confusion_has_rows_of_one(counts, expected):
    assert metrics.normalised(np.array(counts)) == pytest.approx(np.array(expected))


def test_the_bootstrap_of_an_accuracy_is_its_binomial_interval_and_the_same_each_time():
    counts = np.array([[300, 100], [100, 300]])
    interval = metrics.bootstrap(counts, metrics.accuracy)
    assert interval == pytest.approx(metrics.wilson(600, 800), abs=0.005)
    assert interval == metrics.bootstrap(counts, metrics.accuracy)


@pytest.mark.parametrize(("counts", "expected"), [([[0, 0], [0, 0]], (0, 1)), ([[5, 0], [0, 5]], (1, 1))])
def test_the_bootstrap_knows_nothing_without_faces_and_no_doubt_without_errors(counts, expected):
    assert metrics.bootstrap(np.array(counts), metrics.accuracy) == expected


@pytest.mark.parametrize(
    ("cases", "n", "low", "high"),
    [(0, 0, 0, 1), (0, 10, 0, 0.2775), (50, 100, 0.4038, 0.5962), (10, 10, 0.7225, 1)],
)
def test_wilson_interval(cases, n, low, high):
    assert metrics.wilson(cases, n) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("probabilities", "truth", "expected"),
    [
        (np.zeros((0, 2)), [], 0.0),
        ([[1.0, 0.0], [1.0, 0.0]], [0, 0], 0.0),  # sure and right
        ([[1.0, 0.0], [1.0, 0.0]], [1, 1], 1.0),  # sure and wrong
        ([[0.8, 0.2], [0.8, 0.2]], [0, 1], 0.3),  # says .8, is right half the time
        ([[0.9, 0.1], [0.6, 0.4]], [0, 1], 0.35),  # two bins: (.1 + .6) / 2
    ],
)
def test_calibration_error_is_confidence_against_being_right(probabilities, truth, expected):
    assert metrics.calibration_error(np.array(probabilities), np.array(truth, int)) == pytest.approx(expected)


def test_reliability_has_the_mean_confidence_and_the_accuracy_of_each_bin():
    probabilities = np.array([[0.99, 0.01], [0.97, 0.03], [0.55, 0.45]])
    faces, confidence, right = metrics.reliability(probabilities, np.array([0, 1, 0]))
    assert faces.sum() == 3 and faces[-1] == 2 and faces[8] == 1
    assert confidence[[8, -1]] == pytest.approx([0.55, 0.98]) and right[[8, -1]] == pytest.approx([1, 0.5])
    assert np.isnan(confidence[0]) and np.isnan(right[0])


@pytest.mark.parametrize(
    ("sure", "right", "expected"),
    [
        ([], [], []),
        ([0.9], [True], [(1, 0.9, 1)]),
        (
            [0.6, 0.9, 0.8, 0.7],
            [False, True, True, False],
            [(0.25, 0.9, 1), (0.5, 0.8, 1), (0.75, 0.7, 2 / 3), (1, 0.6, 0.5)],
        ),
    ],
)
def test_coverage_answers_the_surest_faces_first(sure, right, expected):
    probabilities = np.array([[p, 1 - p] for p in sure]).reshape(-1, 2)
    points = metrics.coverage(probabilities, np.where(right, 0, 1).astype(int))
    assert [pytest.approx(point) for point in zip(*points, strict=True)] == expected


def test_coverage_of_many_faces_has_a_few_dozen_points_up_to_all_of_them():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 1000)
    coverage, confidence, accuracy = metrics.coverage(probabilities, probabilities.argmax(axis=1))
    assert len(coverage) == 40 and coverage[-1] == 1
    assert (np.diff(confidence) <= 0).all() and (accuracy == 1).all()


@pytest.mark.parametrize(
    ("sizes", "right", "low", "high"),
    [
        ([], [], None, None),
        ([40], [30], None, None),
        ([40, 60], [0, 0], 1, 1),
        ([40, 60], [40, 60], 1, 1),
        ([100, 100], [60, 60], 0.9, 1),
        ([100, 100], [60, 45], 0.03, 0.07),  # Fisher's exact test: .047
        ([500, 500], [450, 300], 0, 0.0002),
    ],
)
def test_the_permutation_test_finds_differences_that_chance_does_not_make(sizes, right, low, high):
    p = metrics.permutation_p(np.array(sizes, int), np.array(right, int))
    assert p is None if low is None else low <= p <= high


def test_holm_raises_the_smallest_most_and_leaves_out_what_was_not_tested():
    assert metrics.holm({}) == {}
    raised = metrics.holm({"a": 0.01, "b": None, "c": 0.04, "d": 0.03, "e": 0.9})
    assert raised == {"a": pytest.approx(0.04), "b": None, "c": pytest.approx(0.09), "d": pytest.approx(0.09), "e": 0.9}


def test_no_faces_are_no_groups():
    found = metrics.group_figures(np.zeros(0, int), np.zeros(0, int), np.zeros(0, str), ("no", "yes"))
    assert found["groups"] == {} and found["p_accuracy"] is None and found["p_recall"] == {"no": None, "yes": None}


def test_a_group_with_few_faces_gets_no_figure_and_one_that_fares_worse_is_found():
    values = np.repeat(["a", "b", "c", ""], [100, 100, 5, 7])
    truth = np.arange(len(values)) % 2
    guess = np.where((values == "b") & (truth == 1), 0, truth)
    found = metrics.group_figures(truth, guess, values, ("no", "yes"))
    assert [one["n"] for one in found["groups"].values()] == [100, 100, 5] and found["unknown"] == 7
    small = found["groups"]["c"]
    assert small["accuracy"] is None and small["per_class"]["yes"] == {
        "support": small["per_class"]["yes"]["support"],
        "recall": None,
        "recall_interval": None,
    }
    assert found["groups"]["b"]["per_class"]["yes"]["recall"] == 0
    assert found["p_accuracy"] < 0.001 and found["p_recall"]["yes"] < 0.001 and found["p_recall"]["no"] == 1
