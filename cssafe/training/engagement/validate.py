"""Agreement of scores with people's labels of engagement: `python -m cssafe validate`."""

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from cssafe import settings
from cssafe.errors import ConfigurationError, DataError
from cssafe.labels import ACTIVITIES, LEVELS
from cssafe.scoring import formula as formulas
from cssafe.scoring.concentration import levels
from cssafe.scoring.formula import Formula
from cssafe.stats.agreement import MEASURES, MIN_GROUPS, agreement, auc_by_person, level_thresholds
from cssafe.training.engagement import moments as moments_module
from cssafe.training.engagement.layouts import read_clips
from cssafe.training.engagement.moments import Moments, format_notes, person_folds, require_people

OWN_LIMITS = "the formula's own limits between low, medium and high"
LEARNED_LIMITS = "limits between the levels learned from the labels of other people, who are held out in turn"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument(
        "--formula",
        metavar="NAME",
        help='only this one, such as "concentration 3" (default: all that the profile may use)',
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Arguments of `validate` and `fit`."""
    parser.add_argument(
        "data", type=Path, help="folder of DAiSEE or EngageNet, or a CSV file with lesson, time, label of own lessons"
    )
    parser.add_argument(
        "--signals",
        type=Path,
        metavar="FILE.parquet",
        help="keep what is read from the videos there; go on from it later",
    )
    parser.add_argument(
        "--activity",
        choices=ACTIVITIES,
        default="screen",
        metavar="A",
        help="what people in videos do (default: screen)",
    )
    parser.add_argument(
        "--levels", type=int, default=len(LEVELS), metavar="K", help="how many labels a CSV file knows (default: 3)"
    )


def main(args: argparse.Namespace) -> int:
    chosen = choose_formulas(args.formula)
    moments = read_moments(args)
    require_people(moments, 2, "validate")
    found = {str(one): label_agreement(moments, one) for one in chosen}
    if args.json:
        told = json.dumps(describe_labels(moments) | {"formulas": found})
        print(json.dumps(json.loads(told, parse_constant=lambda _: None)))  # JSON has no NaN
    else:
        print(format_report(moments, found))
    return 0


def choose_formulas(name: str | None) -> list[Formula]:
    """The formulas to compare.

    Raises:
        ConfigurationError: no such formula, or the profile may not use it.
    """
    paths, problems = formulas.list_formulas()
    profile = settings.load().profile
    usable = [
        one for path in paths.values() if (one := formulas.read_formula(path)).emotion is None or profile.expression
    ]
    if name is None:
        return usable
    if not (found := [one for one in usable if str(one) == name]):
        told = ", ".join(map(str, usable)) + "".join(f". {problem}" for problem in problems)
        raise ConfigurationError(f"There is no formula {name!r} for the profile {profile.name}. Choose one of: {told}.")
    return found


def read_moments(args: argparse.Namespace) -> Moments:
    """The labelled moments of the command line, analysed.

    Raises:
        DataError, ConfigurationError, StoreError: unusable arguments, data or database.
    """
    chosen = settings.load()
    if args.levels < 2:
        raise DataError(f"--levels is {args.levels}; expected are 2 or more.")
    if args.data.is_file():
        from cssafe.store import Workspace

        with closing(Workspace.open(chosen.database, chosen.profile.expression)) as workspace:
            return moments_module.moments_of_lessons(args.data, args.levels, workspace)
    if args.signals is not None and not args.signals.absolute().parent.is_dir():
        raise DataError(f"--signals {args.signals}: expected the name of a file in a folder that is there.")
    labelled = read_clips(args.data)
    from cssafe.pipeline import Pipeline

    return moments_module.moments_of_clips(
        labelled, Pipeline(chosen.profile, chosen.model), args.activity, args.signals
    )


def label_agreement(moments: Moments, formula: Formula) -> dict[str, Any]:
    """Agreement of one formula's scores with the labels: `measured` (moments with a score), each of MEASURES with `value` and
    `interval`, `persons` (the AUC within each), and the `levels` used, in words."""
    score = moments.score(formula)
    measured = ~np.isnan(score)
    own = moments.levels == len(LEVELS)
    level = np.zeros(len(score), int)
    if own:
        level[measured] = levels(score[measured], np.full(int(measured.sum()), -1, np.int8), formula)
    else:
        for taught, held in person_folds(moments.person):
            if (taught & measured).any():
                edges = level_thresholds(score[taught & measured], moments.label[taught & measured], moments.levels)
                level[held] = np.searchsorted(edges, score[held], side="right")
    score, label, person = score[measured], moments.label[measured], moments.person[measured]
    table = agreement(score, level[measured], label, moments.levels, person)
    return {
        "measured": int(measured.sum()),
        **{row.measure: {"value": row.value, "interval": [row.low, row.high]} for row in table.itertuples()},
        "persons": auc_by_person(score, label, moments.levels, person).tolist(),
        "levels": OWN_LIMITS if own else LEARNED_LIMITS,
    }


def describe_labels(moments: Moments) -> dict[str, Any]:
    """Numbers of moments, people and labels."""
    return {
        "moments": len(moments),
        "people": len(np.unique(moments.person)),
        "labels": np.bincount(moments.label, minlength=moments.levels).tolist(),
        "notes": list(moments.notes),
    }


def format_report(moments: Moments, found: dict[str, dict[str, Any]]) -> str:
    """The report as a table of text."""
    about = describe_labels(moments)
    lines = [
        f"{about['moments']} labelled moments of {about['people']} people or lessons; labels 0 to {moments.levels - 1}: "
        f"{', '.join(map(str, about['labels']))}."
    ]
    lines += [format_notes(moments.notes)] * bool(moments.notes)
    for name, one in found.items():
        lines += ["", f"{name}: {one['measured']} moments could be scored; levels by {one['levels']}."]
        for measure, title in MEASURES.items():
            value, (low, high) = one[measure]["value"], one[measure]["interval"]
            lines.append(
                f"  {title:<44} {format_number(value):>9}   95 % interval {format_number(low)} to {format_number(high)}"
            )
        lines.append(f"  {'AUC within each person':<44} {format_persons(one['persons'])}")
    lines += [
        "",
        f"Intervals are over people, not over moments, from {MIN_GROUPS} on. AUC is 0.5 and kappa 0 by chance.",
    ]
    return "\n".join(lines)


def format_persons(within: list[float]) -> str:
    """Spread of the AUC between people, in words."""
    if not within:
        return "not known: nobody has five moments and labels of both halves"
    low, middle, high = np.quantile(within, (0.1, 0.5, 0.9))
    below = sum(value < 0.5 for value in within)
    return f"median {middle:.2f}, 10 to 90 %: {low:.2f} to {high:.2f}, below 0.5 for {below} of {len(within)}"


def format_number(value: float) -> str:
    return "not known" if np.isnan(value) else f"{value:.2f}"
