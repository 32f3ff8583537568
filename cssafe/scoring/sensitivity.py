"""How far a lesson's verdict hangs on the formula's numbers: each moved by a fifth, alone, and the lesson scored anew."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from cssafe.labels import FERPLUS
from cssafe.language import _
from cssafe.scoring.concentration import attention, concentration, levels
from cssafe.scoring.formula import WORDS, Formula
from cssafe.scoring.rescoring import during, expression, signals
from cssafe.stats.intervals import quality_weights

FIFTH = 0.2


def variants(formula: Formula, activities: list[str]) -> Iterator[tuple[str, float, Formula]]:
    """What was moved, in words, by which factor, and the formula with it: first the formula as it is (factor 1), then each of
    its numbers down and up. The hysteresis is left out, for it steadies a level over time and moves no score.

    activities: those whose limits matter. A moved weight may exceed what a formula file allows; scores stay in [0, 1].
    """
    yield "", 1.0, formula
    for factor in (1 - FIFTH, 1 + FIFTH):
        yield _("divisor"), factor, replace(formula, divisor=formula.divisor * factor)
        if formula.emotion is not None:
            for i, name in enumerate(FERPLUS):
                emotion = formula.emotion.copy()
                emotion[i] *= factor
                yield _(name), factor, replace(formula, emotion=emotion)
        for name, weight in formula.gaze.items():
            if weight:
                yield _(WORDS[name]), factor, replace(formula, gaze=formula.gaze | {name: weight * factor})
        for activity in activities:
            for name, limit in (formula.limits[activity] or {}).items():
                moved = (formula.limits[activity] or {}) | {name: limit * factor}
                yield (
                    f"{_(activity)}: {_(WORDS.get(name, name))}",
                    factor,
                    replace(formula, limits=formula.limits | {activity: moved}),
                )
        for name in ("low_below", "high_above"):
            yield _(WORDS[name]), factor, replace(formula, bands=formula.bands | {name: formula.bands[name] * factor})


def verdicts(
    rows: pd.DataFrame,
    activities: pd.DataFrame,
    formula: Formula,
    progress: Callable[[float], None] = lambda share: None,
) -> pd.DataFrame:
    """What each variant says of a lesson: columns number, factor, `concentration` (mean), `level` of that mean (0, 1, 2), and
    `low`, `medium`, `high`, the shares of observations on each level, without hysteresis.

    Args:
        rows: of evidence.counted, one or more. activities: as in rescoring.during. progress: called with the
            share done, 0 to 1.
    """
    doing = during(rows["time"], activities)
    groups = [(str(name), signals(rows[doing == name]), expression(rows[doing == name])) for name in np.unique(doing)]
    weight = quality_weights(
        np.concatenate(
            [rows["quality"].to_numpy(float)[doing == name] for name, _signals, _emotion in groups] or [np.zeros(0)]
        )
    )
    moved = list(variants(formula, [name for name, *_rest in groups]))
    told = []
    for i, (number, factor, variant) in enumerate(moved):
        index = np.concatenate([concentration(attention(s, variant, name), p, variant) for name, s, p in groups])
        there = ~np.isnan(index)
        index = index[there]
        fresh = np.full(len(index), -1, np.int8)
        shares = np.bincount(levels(index, fresh, variant), minlength=3) / max(1, len(index))
        mean = np.full(1, np.average(index, weights=weight[there]) if len(index) else np.nan)
        level = levels(mean, np.full(1, -1, np.int8), variant)
        told.append((number, factor, float(mean[0]), int(level[0]), *shares.tolist()))
        progress((i + 1) / len(moved))
    return pd.DataFrame(told, columns=["number", "factor", "concentration", "level", "low", "medium", "high"])
