"""Fit of a formula to labelled moments, with people held out: `python -m cssafe fit`.

The index of a moment is the mean over its seconds of attention x expression factor. For each fall of attention of FALLS_DEG the
factors follow by least squares against the label (0 lowest, 1 highest), within the limits of a formula file. A ridge pulls them
towards the start formula. Its strength and the fall are chosen by the error on people held out. Limits of attention (degrees,
eyelids) are not fitted.
"""

import argparse
import json
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import lsq_linear

from cssafe import settings
from cssafe.errors import DataError
from cssafe.labels import FERPLUS
from cssafe.scoring.concentration import attention
from cssafe.scoring.formula import (
    ATTENTION_ONLY_FILE,
    CONCENTRATION_FILE,
    FORMULAS,
    MIN_EXPRESSION_FACTOR,
    ContinuousFormula,
    default_formula,
    read_formula,
)
from cssafe.scoring.rescoring import expression, signals
from cssafe.stats.agreement import MEASURES, agreement, level_thresholds
from cssafe.training.engagement.moments import Moments, format_notes, person_folds, require_people
from cssafe.training.engagement.validate import add_data, format_number, read_moments
from cssafe.training.progress import with_progress

MIN_PEOPLE = 10
MIN_MOMENTS = 100
"""Below these a formula of a dozen weights would overfit to the labelled people (assumption)."""

RIDGE_STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Candidates; at 1 the ridge towards the start formula weighs as much as all labels."""

FALLS_DEG = (10.0, 15.0, 20.0, 25.0, 30.0)
"""Candidates for `fall`: about the error of the head pose, up to twice the width that follows from it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--name", required=True, metavar="NAME", help="name of the formula to be made")
    parser.add_argument("--version", type=int, default=1, metavar="N", help="its version (default: 1)")
    parser.add_argument("--attention", action="store_true", help="without expression factors")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.json", help="where (default: CSSAFE_DATA/formulas/NAME-N.json)"
    )


def main(args: argparse.Namespace) -> int:
    chosen = settings.load()
    out = args.out or chosen.data / "formulas" / f"{args.name}-{args.version}.json"
    if not args.name.strip() or "/" in args.name:
        raise DataError(f"--name {args.name!r}: expected is a name without strokes.")
    if out.exists():
        raise DataError(f"{out} is there already. Choose another --name, --version or --out.")
    start = default_formula(chosen.profile.expression and not args.attention)
    moments = read_moments(args)
    require_people(moments, MIN_PEOPLE, "fit")
    x, label = attentive_shares(moments, start)
    measured = ~np.isnan(x).any(axis=(0, 2))
    if measured.sum() < MIN_MOMENTS:
        raise DataError(
            f"Of {len(moments)} labelled moments {measured.sum()} could be measured; to fit, {MIN_MOMENTS} are needed. "
            + format_notes(moments.notes)
        )
    x, label, person = x[:, measured], label[measured], moments.person[measured]

    held = np.full(len(label), np.nan)
    parts = list(person_folds(person))
    for taught, tested in with_progress(parts, len(parts), "fitting"):
        held[tested] = moment_index(x[:, tested], fit_formula(x[:, taught], label[taught], person[taught], start))
    before = moment_index(x, start)
    tables = {
        str(start): held_out_agreement(before, moments, measured),
        f"{args.name} {args.version}, on people who did not teach it": held_out_agreement(held, moments, measured),
    }
    made = fit_formula(x, label, person, start)
    made = replace(made, name=args.name, version=args.version)
    made = with_band_limits(made, moment_index(x, made), moments.label[measured], moments.levels)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(formula_file(made, start, args.data.name, len(label), person, tables), indent=2) + "\n")
    read_formula(out)  # what is written can be read
    print("\n".join(filter(None, [format_notes(moments.notes), *format_agreement(tables)])))
    print(f"\nWritten: {out}. It is a choice on the page Formula if it lies in {chosen.data / 'formulas'}.")
    return 0


def attentive_shares(moments: Moments, start: ContinuousFormula) -> tuple[np.ndarray, np.ndarray]:
    """Attention x probability of each emotion, mean over each moment's measured seconds, for each of FALLS_DEG: (falls, m, 8),
    NaN where nothing was measured (one emotion, probability 1, where the formula has none); and the label from 0 to 1, (m,)."""
    rows, n = moments.seconds, len(moments)
    shares = expression(rows) if start.emotion is not None else np.eye(len(FERPLUS))[np.zeros(len(rows), int)]
    means = []
    for fall in FALLS_DEG:
        formula, attending = replace(start, fall=fall), np.full(len(rows), np.nan)
        for activity, those in rows.groupby("activity"):
            attending[those.index] = attention(signals(those), formula, str(activity))
        products = pd.DataFrame(attending[:, None] * shares).groupby(rows["moment"].to_numpy()).mean()
        means.append(products.reindex(range(n)).to_numpy())
    return np.stack(means), moments.label / (moments.levels - 1)


def moment_index(x: np.ndarray, formula: ContinuousFormula) -> np.ndarray:
    """The mean index of each moment, (m,). x: of `attentive_shares`."""
    return x[FALLS_DEG.index(formula.fall)] @ formula.factors


def fit_formula(x: np.ndarray, label: np.ndarray, person: np.ndarray, start: ContinuousFormula) -> ContinuousFormula:
    """Fit to these moments, with the fall and the ridge towards `start` that serve people held out best."""
    candidates = list(product(FALLS_DEG, RIDGE_STRENGTHS))
    errors = np.zeros(len(candidates))
    for taught, tested in person_folds(person):
        for i, (fall, pull) in enumerate(candidates):
            made = _fit_with_ridge(x[:, taught], label[taught], replace(start, fall=fall), pull)
            errors[i] += ((moment_index(x[:, tested], made) - label[tested]) ** 2).sum()
    fall, pull = candidates[int(errors.argmin())]
    return _fit_with_ridge(x, label, replace(start, fall=fall), pull)


def with_band_limits(
    formula: ContinuousFormula, index: np.ndarray, label: np.ndarray, levels: int
) -> ContinuousFormula:
    """The formula with limits of low and high that make each level as frequent as labels in that third of their range."""
    third = np.digitize(label / (levels - 1), (1 / 3, 2 / 3 + 1e-9))
    low, high = level_thresholds(index, third, 3)
    return replace(formula, bands=formula.bands | {"low_below": float(low), "high_above": float(max(low, high))})


def held_out_agreement(score: np.ndarray, moments: Moments, measured: np.ndarray) -> Any:
    """Agreement of scores with labels; limits of levels are learned from other people's labels."""
    rating, person = moments.label[measured], moments.person[measured]
    level = np.zeros(len(score), int)
    for taught, tested in person_folds(person):
        level[tested] = np.searchsorted(
            level_thresholds(score[taught], rating[taught], moments.levels), score[tested], side="right"
        )
    return agreement(score, level, rating, moments.levels, person)


def format_agreement(tables: dict[str, Any]) -> list[str]:
    """The tables of `held_out_agreement` as lines of text."""
    found = []
    for name, table in tables.items():
        found += ["", f"{name}:"]
        for row in table.itertuples():
            value, low, high = map(format_number, (row.value, row.low, row.high))
            found.append(f"  {MEASURES[row.measure]:<44} {value:>9}   95 % interval {low} to {high}")
    return found


def formula_file(
    formula: ContinuousFormula,
    start: ContinuousFormula,
    data: str,
    n: int,
    person: np.ndarray,
    tables: dict[str, Any],
) -> dict[str, Any]:
    """Content of the formula file: fitted numbers with their source, the others as in `start`'s."""
    path = FORMULAS / (ATTENTION_ONLY_FILE if start.emotion is None else CONCENTRATION_FILE)
    content = json.loads(path.read_text(encoding="utf-8"))
    held = list(tables.values())[-1].set_index("measure").loc["auc"]
    source = (
        f"fitted on {date.today()} to {n} labelled moments of {len(np.unique(person))} people or lessons in {data}; AUC on "
        f"people held out {format_number(held['value'])} ({format_number(held['low'])} to {format_number(held['high'])})"
    )
    content |= {"name": formula.name, "version": formula.version, "title": f"Fitted to {data}, begun with {start}"}
    content["fall"] |= {"value": formula.fall, "source": source}
    if formula.emotion is not None:
        factors = zip(FERPLUS, formula.emotion, strict=True)
        content["emotion"] = {name: {"value": _rounded(value), "source": source} for name, value in factors}
    for name in ("low_below", "high_above"):
        content["bands"][name] = {
            "value": _rounded(formula.bands[name]),
            "source": source + "; as frequent as such labels",
        }
    return content


def _fit_with_ridge(x: np.ndarray, label: np.ndarray, start: ContinuousFormula, pull: float) -> ContinuousFormula:
    """Least squares of the factors within their bounds, with a ridge towards those of `start`, whose fall is kept."""
    if start.emotion is None:
        return start
    ridge = np.eye(len(FERPLUS)) * np.sqrt(pull * len(label) / len(FERPLUS))
    a = np.vstack([x[FALLS_DEG.index(start.fall)], ridge])
    b = np.append(label, ridge @ start.emotion)
    factors = lsq_linear(a, b, bounds=(MIN_EXPRESSION_FACTOR, 1)).x
    return replace(start, emotion=factors.astype(np.float32))


def _rounded(value: float) -> float:
    return round(float(value), 4)
