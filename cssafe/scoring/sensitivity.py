"""Sensitivity of a lesson's result: each number of the formula changed alone by a fifth, and the lesson rescored."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.scoring.concentration import attention, concentration, levels
from cssafe.scoring.formula import NUMBER_NAMES, ContinuousFormula, Formula, SteppedFormula
from cssafe.scoring.rescoring import activity_at, expression, signals

RELATIVE_CHANGE = 0.2


def variants(formula: Formula, activities: list[str]) -> Iterator[tuple[str, float, Formula]]:
    """Name of the changed number, factor, and formula: first the formula as it is (factor 1), then each number down and up.

    The hysteresis is not changed, because it moves no score. activities: of the lesson. A changed weight may exceed the limits
    of a formula file; scores stay in [0, 1].
    """
    yield "", 1.0, formula
    for factor in (1 - RELATIVE_CHANGE, 1 + RELATIVE_CHANGE):
        if isinstance(formula, SteppedFormula):
            yield _(NUMBER_NAMES["divisor"]), factor, replace(formula, divisor=formula.divisor * factor)
        elif isinstance(formula, ContinuousFormula):
            yield _(NUMBER_NAMES["fall"]), factor, replace(formula, fall=formula.fall * factor)
        if formula.emotion is not None:
            for i, name in enumerate(FERPLUS):
                emotion = formula.emotion.copy()
                emotion[i] *= factor
                yield _(name), factor, replace(formula, emotion=emotion)
        if isinstance(formula, SteppedFormula):
            for name, weight in formula.gaze.items():
                if weight:
                    yield _(NUMBER_NAMES[name]), factor, replace(formula, gaze=formula.gaze | {name: weight * factor})
        for activity in activities:
            for name, limit in (formula.limits[activity] or {}).items():
                moved = (formula.limits[activity] or {}) | {name: limit * factor}
                yield (
                    f"{_(activity)}: {_(NUMBER_NAMES.get(name, name))}",
                    factor,
                    replace(formula, limits=formula.limits | {activity: moved}),
                )
        for name in ("low_below", "high_above"):
            yield (
                _(NUMBER_NAMES[name]),
                factor,
                replace(formula, bands=formula.bands | {name: formula.bands[name] * factor}),
            )


def rescore_variants(
    rows: pd.DataFrame,
    activities: pd.DataFrame,
    formula: Formula,
    progress: Callable[[float], object] = lambda share: None,
) -> pd.DataFrame:
    """Result of a lesson by each variant. Columns: number, factor, `concentration` (mean), `level` of the mean (0, 1, 2), and
    `low`, `medium`, `high`, the shares of observations on each level, without hysteresis.

    Args:
        rows: scored_observations.counted, at least one. activities: as in rescoring.activity_at. progress: called with the
            share done, 0 to 1.
    """
    doing = activity_at(rows["time"], activities)
    groups = [(str(name), signals(rows[doing == name]), expression(rows[doing == name])) for name in np.unique(doing)]
    moved = list(variants(formula, [name for name, *_rest in groups]))
    results = []
    for i, (number, factor, variant) in enumerate(moved):
        index = np.concatenate([concentration(attention(s, variant, name), p, variant) for name, s, p in groups])
        index = index[~np.isnan(index)]
        fresh = np.full(len(index), -1, np.int8)
        shares = np.bincount(levels(index, fresh, variant), minlength=3) / max(1, len(index))
        mean = np.full(1, index.mean(dtype=float) if len(index) else np.nan)
        level = levels(mean, np.full(1, -1, np.int8), variant)
        results.append((number, factor, float(mean[0]), int(level[0]), *shares.tolist()))
        progress((i + 1) / len(moved))
    return pd.DataFrame(results, columns=["number", "factor", "concentration", "level", "low", "medium", "high"])
