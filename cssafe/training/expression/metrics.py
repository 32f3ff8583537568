"""Metrics of a classifier: pure functions of arrays. A metric with denominator zero is 0."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import binomtest

BINS = 15
"""Equal-width bins of confidence, the usual number (Guo et al. 2017)."""

Metric = Callable[[np.ndarray], np.ndarray]
"""Confusion matrices (..., k, k) -> (...), in [0, 1]."""

RESAMPLES = 1000
"""Bootstrap resamples: the ends of 95 % intervals then vary by about a twentieth of their width between seeds."""

PERMUTATIONS = 10_000
"""Draws of the permutation test: a p of .05 is then known to within .004."""

COVERAGES = np.linspace(0.025, 1, 40)
"""Shares of answered faces at which accuracy is reported."""

MIN_GROUP_FACES = 30
"""Smallest group with a figure: below, its 95 % interval reaches 17 points and more to either side."""


def confusion(truth: np.ndarray, guess: np.ndarray, k: int) -> np.ndarray:
    """Counts int (k, k): rows are the true class, columns the guess."""
    return np.bincount(truth * k + guess, minlength=k * k).reshape(k, k)


def normalised(counts: np.ndarray) -> np.ndarray:
    """Each row of a confusion matrix (k, k) as shares of its sum, in [0, 1]."""
    return safe_ratio(counts, counts.sum(axis=1, keepdims=True))


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Share on the diagonal of confusion matrices (..., k, k), in [0, 1]."""
    return safe_ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def per_class(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1 of confusion matrices (..., k, k): (..., k) each, in [0, 1]."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    guessed, true = counts.sum(axis=-2), counts.sum(axis=-1)
    return safe_ratio(right, guessed), safe_ratio(right, true), safe_ratio(2 * right, guessed + true)


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """Mean of the classes' F1 for confusion matrices (..., k, k), in [0, 1]."""
    return per_class(counts)[2].mean(axis=-1)


def bootstrap(counts: np.ndarray, metric: Metric, seed: int = 0) -> tuple[float, float]:
    """95 % interval of a metric of a confusion matrix (k, k) by the percentile bootstrap over faces (Efron 1979); [0, 1]
    without faces.

    Resampled confusion matrices are drawn directly: they follow a multinomial distribution.

    Args:
        metric: of several matrices at once.
    """
    n = int(counts.sum())
    if n == 0:
        return 0.0, 1.0
    draws = np.random.default_rng(seed).multinomial(n, counts.ravel() / n, size=RESAMPLES)
    low, high = np.quantile(metric(draws.reshape(-1, *counts.shape)), (0.025, 0.975))
    return float(low), float(high)


def wilson(cases: int, n: int) -> tuple[float, float]:
    """95 % interval of the share of these cases in n independent ones (Wilson 1927); [0, 1] where n is 0."""
    if n == 0:
        return 0.0, 1.0
    low, high = binomtest(int(cases), int(n)).proportion_ci(method="wilson")
    return float(low), float(high)


def reliability(probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence against accuracy of the guess over BINS bins of confidence (Niculescu-Mizil & Caruana 2005).

    Args:
        probabilities: (n, k), rows sum to 1. truth: int (n,).

    Returns:
        faces int (BINS,), mean confidence (BINS,) and accuracy (BINS,), in [0, 1], NaN in an empty bin.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    faces = np.bincount(bins, minlength=BINS)
    sums = (np.bincount(bins, weights=values, minlength=BINS) for values in (confidence, right))
    means = [np.where(faces > 0, safe_ratio(total, faces), np.nan) for total in sums]
    return faces, means[0], means[1]


def calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error over BINS bins of confidence, in [0, 1] (Naeini et al. 2015)."""
    faces, confidence, right = reliability(probabilities, truth)
    return float(safe_ratio(np.nansum(faces * np.abs(confidence - right)), len(truth)))


def coverage(probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy against coverage when unsure faces are left unanswered (El-Yaniv & Wiener 2010).

    Args:
        probabilities: (n, k), rows sum to 1. truth: int (n,).

    Returns:
        By rising share of answered faces: that share (m,), their lowest confidence (m,), and their accuracy (m,), all in
        [0, 1]. m is at most the number of COVERAGES, fewer with few faces, 0 without.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    order = np.argsort(-confidence, kind="stable")
    answered = np.unique(np.ceil(COVERAGES * len(truth) - 1e-9).astype(int))
    answered = answered[answered > 0]
    return (
        answered / max(1, len(truth)),
        confidence[order][answered - 1],
        np.cumsum(right[order])[answered - 1] / answered,
    )


def permutation_p(sizes: np.ndarray, right: np.ndarray, seed: int = 0) -> float | None:
    """p of a permutation test for different accuracies of groups, in (0, 1], with the chi-square statistic.

    Permuted right answers follow a multivariate hypergeometric distribution. The observed one counts as a draw (Phipson &
    Smyth 2010).

    Args:
        sizes: int (g,), faces of each group. right: int (g,), of these named rightly.

    Returns:
        None with fewer than two groups.
    """
    if len(sizes) < 2:
        return None
    share = right.sum() / sizes.sum()
    if share in (0, 1):
        return 1.0
    rng = np.random.default_rng(seed)
    dealt = rng.multivariate_hypergeometric(sizes, right.sum(), size=PERMUTATIONS)
    seen, by_chance = (((some - sizes * share) ** 2 / sizes).sum(axis=-1) for some in (right, dealt))
    return float((1 + (by_chance >= seen * (1 - 1e-12)).sum()) / (1 + PERMUTATIONS))


def holm(p: dict[str, float | None]) -> dict[str, float | None]:
    """p of several tests, adjusted for their number (Holm 1979); None stays None."""
    told = sorted((value, name) for name, value in p.items() if value is not None)
    raised, highest = dict(p), 0.0
    for i, (value, name) in enumerate(told):
        highest = max(highest, min(1.0, value * (len(told) - i)))
        raised[name] = highest
    return raised


def group_figures(truth: np.ndarray, guess: np.ndarray, values: np.ndarray, labels: tuple[str, ...]) -> dict[str, Any]:
    """Figures by groups of people: the object of one column in cssafe.expression.model_metrics.

    Accuracy also differs where groups show different emotions; recall by label does not, so its adjusted p decides.

    Args:
        truth, guess: int (n,), index into the labels. values: str (n,), the group of each face, '' where unknown.
    """
    names = sorted(set(values.tolist()) - {""})
    counts = np.array([confusion(truth[values == name], guess[values == name], len(labels)) for name in names])
    counts = counts.reshape(-1, len(labels), len(labels))
    support, right = counts.sum(axis=2), np.diagonal(counts, axis1=1, axis2=2)

    def p(sizes: np.ndarray, hits: np.ndarray) -> float | None:
        large = sizes >= MIN_GROUP_FACES
        return permutation_p(sizes[large], hits[large])

    return {
        "groups": {
            name: {
                "n": int(support[g].sum()),
                **_share("accuracy", right[g].sum(), support[g].sum()),
                "per_class": {
                    label: {"support": int(support[g, i]), **_share("recall", right[g, i], support[g, i])}
                    for i, label in enumerate(labels)
                },
            }
            for g, name in enumerate(names)
        },
        "smallest": MIN_GROUP_FACES,
        "unknown": int((values == "").sum()),
        "p_accuracy": p(support.sum(axis=1), right.sum(axis=1)),
        "p_recall": holm({label: p(support[:, i], right[:, i]) for i, label in enumerate(labels)}),
    }


def _share(name: str, right: int, n: int) -> dict[str, Any]:
    if n < MIN_GROUP_FACES:
        return {name: None, f"{name}_interval": None}
    return {name: float(right / n), f"{name}_interval": list(wilson(right, n))}


def safe_ratio(top: Any, bottom: Any) -> Any:
    """top / bottom, and 0 where bottom is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    return np.divide(top, bottom, out=np.zeros(top.shape), where=bottom > 0)
