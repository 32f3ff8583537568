"""Fit of a formula to labelled moments, with people held out: `python -m cssafe fit`.

The index of a moment is the mean over its seconds of emotion weight x gaze weight / divisor. With the gaze weights fixed the
emotion weights follow by least squares against the label (0 lowest, 1 highest), and the other way round: the two alternate.
Weights stay within the limits of a formula file. A ridge pulls them towards the start formula; its strength is chosen by the
error on people held out. Limits of attention (degrees, eyelids) are not fitted.
"""

import argparse
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from cssafe import settings
from cssafe.errors import DataError
from cssafe.labels import FERPLUS
from cssafe.scoring import formula as formulas
from cssafe.scoring.concentration import read_gaze
from cssafe.scoring.formula import ATTENTION_ONLY, GAZE, MAX_GAZE_WEIGHT, PUBLISHED, Formula
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

ITERATIONS = 20
"""Alternations of emotion and gaze weights; weights then change by less than a thousandth."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--name", required=True, metavar="NAME", help="name of the formula to be made")
    parser.add_argument("--version", type=int, default=1, metavar="N", help="its version (default: 1)")
    parser.add_argument("--attention", action="store_true", help="without emotion weights")
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
    start = ATTENTION_ONLY if args.attention or not chosen.profile.expression else PUBLISHED
    moments = read_moments(args)
    require_people(moments, MIN_PEOPLE, "fit")
    x, label = emotion_gaze_shares(moments, start)
    measured = ~np.isnan(x).any(axis=(1, 2))
    if measured.sum() < MIN_MOMENTS:
        raise DataError(
            f"Of {len(moments)} labelled moments {measured.sum()} could be measured; to fit, {MIN_MOMENTS} are needed. "
            + format_notes(moments.notes)
        )
    x, label, person = x[measured], label[measured], moments.person[measured]

    held = np.full(len(label), np.nan)
    parts = list(person_folds(person))
    for taught, tested in with_progress(parts, len(parts), "fitting"):
        held[tested] = moment_index(x[tested], fit_formula(x[taught], label[taught], person[taught], start))
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
    formulas.read_formula(out)  # what is written can be read
    print("\n".join(filter(None, [format_notes(moments.notes), *format_agreement(tables)])))
    print(f"\nWritten: {out}. It is a choice on the page Formula if it lies in {chosen.data / 'formulas'}.")
    return 0


def emotion_gaze_shares(moments: Moments, start: Formula) -> tuple[np.ndarray, np.ndarray]:
    """Shares of emotion and gaze of each moment, (m, 8, 5): mean probability of each emotion in each state of GAZE, NaN where
    nothing was measured (one emotion, probability 1, where the formula has none); and its label from 0 to 1."""
    rows, n = moments.seconds, len(moments)
    state = np.full(len(rows), -1)
    for activity, those in rows.groupby("activity"):
        if start.limits[str(activity)] is not None:
            seen = signals(those)
            centre, lids = read_gaze(seen, start, str(activity))
            doing = np.where(lids == 2, 4, np.where(centre, 0, 2) + lids)
            state[those.index] = np.where(np.isnan(seen.yaw), -1, doing)
    shares = expression(rows) if start.emotion is not None else np.eye(len(FERPLUS))[np.zeros(len(rows), int)]
    kept = (state >= 0) & ~np.isnan(shares).any(axis=1)
    moment = rows["moment"].to_numpy()[kept]
    sums = np.zeros((n, len(FERPLUS), len(GAZE)))
    for i in range(len(GAZE)):
        those = state[kept] == i
        np.add.at(sums[:, :, i], moment[those], shares[kept][those])
    seconds = np.bincount(moment, minlength=n)[:, None, None]
    x = np.where(seconds > 0, sums / np.maximum(seconds, 1), np.nan)
    return x, moments.label / (moments.levels - 1)


def moment_index(x: np.ndarray, formula: Formula) -> np.ndarray:
    """The mean index of each moment, (m,)."""
    return np.einsum("mes,e,s->m", x, _emotion_weights(formula), _gaze_weights(formula)) / formula.divisor


def fit_formula(x: np.ndarray, label: np.ndarray, person: np.ndarray, start: Formula) -> Formula:
    """Fit to these moments, with the ridge towards `start` that serves people held out best."""
    errors = np.zeros(len(RIDGE_STRENGTHS))
    for taught, tested in person_folds(person):
        for i, pull in enumerate(RIDGE_STRENGTHS):
            made = _fit_with_ridge(x[taught], label[taught], start, pull)
            errors[i] += ((moment_index(x[tested], made) - label[tested]) ** 2).sum()
    return _fit_with_ridge(x, label, start, RIDGE_STRENGTHS[int(errors.argmin())])


def with_band_limits(formula: Formula, index: np.ndarray, label: np.ndarray, levels: int) -> Formula:
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
    formula: Formula, start: Formula, data: str, n: int, person: np.ndarray, tables: dict[str, Any]
) -> dict[str, Any]:
    """Content of the formula file: fitted numbers with their source, the others as in `start`'s."""
    path = formulas.FORMULAS / (formulas.PUBLISHED_FILE if start is PUBLISHED else "attention-only-2.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    held = list(tables.values())[-1].set_index("measure").loc["auc"]
    source = (
        f"fitted on {date.today()} to {n} labelled moments of {len(np.unique(person))} people or lessons in {data}; AUC on "
        f"people held out {format_number(held['value'])} ({format_number(held['low'])} to {format_number(held['high'])})"
    )
    content |= {"name": formula.name, "version": formula.version, "title": f"Fitted to {data}, begun with {start}"}
    for name, value in zip(FERPLUS, _emotion_weights(formula), strict=True):
        if formula.emotion is not None:
            content["emotion"][name] = {"value": _rounded(value), "source": source}
    for name in GAZE[1:]:
        content["gaze"][name] = {"value": _rounded(formula.gaze[name]), "source": source}
    for name in ("low_below", "high_above"):
        content["bands"][name] = {
            "value": _rounded(formula.bands[name]),
            "source": source + "; as frequent as such labels",
        }
    return content


def _fit_with_ridge(x: np.ndarray, label: np.ndarray, start: Formula, pull: float) -> Formula:
    emotion, gaze = _emotion_weights(start), _gaze_weights(start)
    first = emotion.copy(), gaze.copy()
    most = start.divisor / MAX_GAZE_WEIGHT
    for _ in range(ITERATIONS):
        if start.emotion is not None:
            emotion = _solve_bounded(np.einsum("mes,s->me", x, gaze) / start.divisor, label, first[0], pull, most)
        by_gaze = np.einsum("mes,e->ms", x, emotion) / start.divisor
        # The first gaze weight, of open eyes on the centre, is the scale of all others.
        rest = _solve_bounded(by_gaze[:, 1:], label - by_gaze[:, 0] * gaze[0], first[1][1:], pull, MAX_GAZE_WEIGHT)
        gaze = np.append(gaze[:1], rest)
    weights = emotion.astype(np.float32) if start.emotion is not None else None
    return replace(start, emotion=weights, gaze=dict(zip(GAZE, gaze.tolist(), strict=True)))


def _solve_bounded(a: np.ndarray, b: np.ndarray, first: np.ndarray, pull: float, most: float) -> np.ndarray:
    """Least squares of a w = b with 0 <= w <= most and a ridge towards the first weights, each over its largest value."""
    ridge = np.eye(len(first)) * np.sqrt(pull * len(b) / len(first)) / most
    return lsq_linear(np.vstack([a, ridge]), np.append(b, ridge @ first), bounds=(0, most)).x


def _emotion_weights(formula: Formula) -> np.ndarray:
    return np.ones(len(FERPLUS)) if formula.emotion is None else formula.emotion.astype(float)


def _gaze_weights(formula: Formula) -> np.ndarray:
    return np.array([formula.gaze[name] for name in GAZE])


def _rounded(value: float) -> float:
    return round(float(value), 4)
