"""A formula from labelled moments, with people held out: `python -m cssafe fit`.

The index of a moment is the mean over its seconds of emotion weight x gaze weight / divisor. What a second adds to each pair
of an emotion and a way of looking is known, so that with the gaze weights fixed the best emotion weights follow by least
squares against the label (0 for the lowest, 1 for the highest), and the other way round; the two are done in turn. Weights
stay within what a formula file allows, and are pulled towards those of the formula that was begun with, for few labels say
little: how strongly is chosen by how well people are met who did not teach it. What counts as attentive (degrees, eyelids) is
not learned.
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
from cssafe.scoring.concentration import looking
from cssafe.scoring.formula import (
    ATTENTION_ONLY,
    FORMULAS,
    GAZE,
    MOST_GAZE,
    PUBLISHED,
    PUBLISHED_FILE,
    Formula,
    read_formula,
)
from cssafe.scoring.rescoring import expression, signals
from cssafe.stats.agreement import MEASURES, agreement, level_thresholds
from cssafe.training.engagement.moments import Moments, folds, mentions, people
from cssafe.training.engagement.validate import add_data, number, read
from cssafe.training.progress import told

LEAST_PEOPLE = 10
LEAST_MOMENTS = 100
"""Below these a formula of a dozen weights would tell of the people who were labelled and of nobody else (assumption)."""

PULLS = (0.01, 0.1, 1.0, 10.0)
"""Strengths of the pull towards the first formula's weights that are tried: at 1 it weighs as much as all labels."""

TURNS = 20
"""Of fitting emotion and gaze weights in turn; weights then move by less than a thousandth."""


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
    moments = read(args)
    people(moments, LEAST_PEOPLE, "fit")
    x, label = pairs(moments, start)
    measured = ~np.isnan(x).any(axis=(1, 2))
    if measured.sum() < LEAST_MOMENTS:
        raise DataError(
            f"Of {len(moments)} labelled moments {measured.sum()} could be measured; to fit, {LEAST_MOMENTS} are needed."
        )
    x, label, person = x[measured], label[measured], moments.person[measured]

    held = np.full(len(label), np.nan)
    parts = list(folds(person))
    for taught, tested in told(parts, len(parts), "fitting"):
        held[tested] = index(x[tested], fit(x[taught], label[taught], person[taught], start))
    before = index(x, start)
    tables = {
        str(start): agree(before, moments, measured),
        f"{args.name} {args.version}, on people who did not teach it": agree(held, moments, measured),
    }
    made = fit(x, label, person, start)
    made = banded(
        replace(made, name=args.name, version=args.version), index(x, made), moments.label[measured], moments.levels
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(file(made, start, args.data.name, len(label), person, tables), indent=2) + "\n")
    read_formula(out)  # what is written can be read
    print("\n".join(filter(None, [mentions(moments.notes), *lines(tables)])))
    print(f"\nWritten: {out}. It is a choice on the page Formula if it lies in {chosen.data / 'formulas'}.")
    return 0


def pairs(moments: Moments, start: Formula) -> tuple[np.ndarray, np.ndarray]:
    """What each moment shows, (m, 8, 5): the mean over its seconds of each emotion's probability where the eyes did each of
    GAZE, NaN where nothing could be measured (one emotion, of probability 1, where none are weighed); and its label from
    0 to 1."""
    rows, n = moments.seconds, len(moments)
    state = np.full(len(rows), -1)
    for activity, those in rows.groupby("activity"):
        if start.limits[str(activity)] is not None:
            seen = signals(those)
            centre, lids = looking(seen, start, str(activity))
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


def index(x: np.ndarray, formula: Formula) -> np.ndarray:
    """The mean index of each moment, (m,)."""
    return np.einsum("mes,e,s->m", x, _emotion(formula), _gaze(formula)) / formula.divisor


def fit(x: np.ndarray, label: np.ndarray, person: np.ndarray, start: Formula) -> Formula:
    """The formula that meets these moments best, pulled towards `start` as strongly as serves people held out."""
    errors = np.zeros(len(PULLS))
    for taught, tested in folds(person):
        for i, pull in enumerate(PULLS):
            made = _fit(x[taught], label[taught], start, pull)
            errors[i] += ((index(x[tested], made) - label[tested]) ** 2).sum()
    return _fit(x, label, start, PULLS[int(errors.argmin())])


def banded(formula: Formula, index: np.ndarray, label: np.ndarray, levels: int) -> Formula:
    """The formula with limits between low, medium and high such that each is as frequent as labels in the lowest third, the
    middle and the highest third of their range."""
    third = np.digitize(label / (levels - 1), (1 / 3, 2 / 3 + 1e-9))
    low, high = level_thresholds(index, third, 3)
    return replace(formula, bands=formula.bands | {"low_below": float(low), "high_above": float(max(low, high))})


def agree(score: np.ndarray, moments: Moments, measured: np.ndarray) -> Any:
    """How far scores agree with the labels; levels by limits that the labels of other people teach."""
    rating, person = moments.label[measured], moments.person[measured]
    level = np.zeros(len(score), int)
    for taught, tested in folds(person):
        level[tested] = np.searchsorted(
            level_thresholds(score[taught], rating[taught], moments.levels), score[tested], side="right"
        )
    return agreement(score, level, rating, moments.levels, person)


def lines(tables: dict[str, Any]) -> list[str]:
    """The tables of `agree` to be read."""
    told = []
    for name, table in tables.items():
        told += ["", f"{name}:"]
        told += [
            f"  {MEASURES[row.measure]:<44} {number(row.value):>9}   95 % interval {number(row.low)} to {number(row.high)}"
            for row in table.itertuples()
        ]
    return told


def file(
    formula: Formula, start: Formula, data: str, n: int, person: np.ndarray, tables: dict[str, Any]
) -> dict[str, Any]:
    """The formula as a file: each fitted number with what it was fitted to, each other one as it stands in `start`'s."""
    path = FORMULAS / (PUBLISHED_FILE if start is PUBLISHED else "attention-only-2.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    held = list(tables.values())[-1].set_index("measure").loc["auc"]
    source = (
        f"fitted on {date.today()} to {n} labelled moments of {len(np.unique(person))} people or lessons in {data}; AUC on "
        f"people held out {number(held['value'])} ({number(held['low'])} to {number(held['high'])})"
    )
    content |= {"name": formula.name, "version": formula.version, "title": f"Fitted to {data}, begun with {start}"}
    for name, value in zip(FERPLUS, _emotion(formula), strict=True):
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


def _fit(x: np.ndarray, label: np.ndarray, start: Formula, pull: float) -> Formula:
    emotion, gaze = _emotion(start), _gaze(start)
    first = emotion.copy(), gaze.copy()
    most = start.divisor / MOST_GAZE
    for _ in range(TURNS):
        if start.emotion is not None:
            emotion = _solve(np.einsum("mes,s->me", x, gaze) / start.divisor, label, first[0], pull, most)
        by_gaze = np.einsum("mes,e->ms", x, emotion) / start.divisor
        # The first gaze weight, of open eyes on what is attended to, stays: it is the scale of all others.
        rest = _solve(by_gaze[:, 1:], label - by_gaze[:, 0] * gaze[0], first[1][1:], pull, MOST_GAZE)
        gaze = np.append(gaze[:1], rest)
    weights = emotion.astype(np.float32) if start.emotion is not None else None
    return replace(start, emotion=weights, gaze=dict(zip(GAZE, gaze.tolist(), strict=True)))


def _solve(a: np.ndarray, b: np.ndarray, first: np.ndarray, pull: float, most: float) -> np.ndarray:
    """Least squares of a w = b with 0 <= w <= most, and pull towards the first weights, each over its largest value."""
    ridge = np.eye(len(first)) * np.sqrt(pull * len(b) / len(first)) / most
    return lsq_linear(np.vstack([a, ridge]), np.append(b, ridge @ first), bounds=(0, most)).x


def _emotion(formula: Formula) -> np.ndarray:
    return np.ones(len(FERPLUS)) if formula.emotion is None else formula.emotion.astype(float)


def _gaze(formula: Formula) -> np.ndarray:
    return np.array([formula.gaze[name] for name in GAZE])


def _rounded(value: float) -> float:
    return round(float(value), 4)
