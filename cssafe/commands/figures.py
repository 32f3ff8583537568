"""The figures of the pages for other programs: `python -m cssafe figures`. docs/data.md has every field."""

import argparse
import sys
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from cssafe import settings
from cssafe.commands.arguments import open_database
from cssafe.errors import CssafeError, StoreError
from cssafe.names import clean_text

if TYPE_CHECKING:
    from cssafe.queries import Filter
    from cssafe.store import Workspace

KINDS = ("lessons", "minutes", "weekly", "presence", "slots", "compare", "term")

POOLED = ("weekly", "slots", "compare", "term")
"""Kinds that leave out lessons which may not be averaged for a class, and say so on standard error."""

MEASURES = ("concentration", "attentiveness", "presence", "engaged_presence", "expression")
"""queries.presence.FACTORS, which takes seconds to import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind",
        choices=KINDS,
        help="lessons, their minutes, the week, the factors of lessons, or the findings of Timetable, Compare or Term",
    )
    parser.add_argument("--class", dest="classes", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument(
        "--subject", dest="subjects", action="append", default=[], metavar="NAME", help="may be repeated"
    )
    parser.add_argument(
        "--lesson", dest="lessons", action="append", default=[], type=int, metavar="NUMBER", help="the same"
    )
    parser.add_argument("--since", type=_parse_day, metavar="DAY", help="first day, such as 2026-11-29")
    parser.add_argument("--until", type=_parse_day, metavar="DAY", help="last day")
    parser.add_argument("--with-sample", action="store_true", help="also the synthetic lessons")
    parser.add_argument("--measure", choices=MEASURES, default=MEASURES[0], help="of weekly (default: concentration)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line (default: a table)")


def main(args: argparse.Namespace) -> int:
    from cssafe.queries import Filter, describe_left_out

    if args.since and args.until and args.since > args.until:
        raise CssafeError(f"--since {args.since} is later than --until {args.until}. Change one of them.")
    chosen = settings.load()
    if not chosen.database.is_file():
        raise StoreError(f"There is no database {chosen.database} yet, so there are no figures.")
    which = Filter(args.classes, args.subjects, args.lessons, args.since, args.until, synthetic=args.with_sample)
    with open_database(chosen) as workspace:
        table, notes = read_figures(workspace, args.kind, which, args.measure)
        notes += describe_left_out(workspace, which) if args.kind in POOLED else []
    if notes:
        print(*notes, sep="\n", file=sys.stderr)
    if not table.empty:
        print(to_json_lines(table) if args.json else _to_text(table))
    return 0


def read_figures(
    workspace: "Workspace", kind: str, which: "Filter", measure: str = MEASURES[0]
) -> tuple[pd.DataFrame, list[str]]:
    """The rows of one of KINDS, from the pages' queries, and sentences about what is missing. Of minutes, what may leave the
    workspace."""
    from cssafe import queries

    if kind in ("slots", "compare", "term"):
        return _read_findings(workspace, kind, which)
    if kind == "minutes":
        lessons = sorted(queries.lessons(workspace, which)["lesson"])
        parts = {lesson: queries.shareable_timeline(workspace, lesson) for lesson in lessons}
        filled = {lesson: part for lesson, part in parts.items() if len(part)}
        table = pd.concat(filled, names=["lesson", None]).reset_index("lesson") if filled else pd.DataFrame()
    elif kind == "weekly":
        table = queries.weekly(workspace, workspace.get("periods", []), which, measure)
    else:
        table = queries.lessons(workspace, which) if kind == "lessons" else queries.factors(workspace, which)
    return table, []


def _read_findings(workspace: "Workspace", kind: str, which: "Filter") -> tuple[pd.DataFrame, list[str]]:
    """The rows of slots, compare or term. The last term has as many days as this one, which begins at --since."""
    from cssafe import queries
    from cssafe.report import findings

    if kind == "slots":
        periods = workspace.get("periods", [])
        if not periods:
            return pd.DataFrame(), ["The school's periods are not saved yet. Enter them on the page Timetable."]
        table, reason = findings.slot_findings(workspace, periods, which)
        return table, [reason] if reason else []
    if kind == "compare":
        return findings.comparison_findings(workspace, which), []
    until = which.until or queries.choices(workspace).last
    last = findings.preceding_days(which.since, until) if which.since and until else None
    return findings.term_findings(workspace, which, last), []


def to_json_lines(table: pd.DataFrame) -> str:
    """One JSON object for each row; times as "2026-03-02 09:00:00", unknown values null."""
    times = {name: table[name].dt.strftime("%Y-%m-%d %H:%M:%S") for name in table.select_dtypes("datetime")}
    whole = {"expected": table["expected"].astype("Int64")} if "expected" in table else {}
    plain = table.assign(**times, **whole)
    return plain.to_json(orient="records", lines=True, force_ascii=False, double_precision=15).rstrip("\n")


def _to_text(table: pd.DataFrame) -> str:
    texts = {
        name: table[name].map(clean_text)
        for name in ("name", "class_name", "subject", "room", "period")
        if name in table
    }
    return table.assign(**texts).to_string(index=False, float_format="{:.3f}".format, na_rep="-")


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day such as 2026-11-29, not {text!r}") from None
