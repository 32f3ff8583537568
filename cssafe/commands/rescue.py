"""Rescue of a damaged database: `python -m cssafe rescue FILE`. Exit status 0: everything is in the new one; 1: something was
lost; 2: nothing could be opened."""

import argparse
import sys
from pathlib import Path

from cssafe.store.rescue import RescueReport, rescue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the damaged database; it is only read")
    parser.add_argument("--out", type=Path, metavar="NEW", help="the new database (default: FILE-rescued.duckdb)")


def main(args: argparse.Namespace) -> int:
    out = args.out or args.file.with_name(f"{args.file.stem}-rescued{args.file.suffix}")
    report = rescue(args.file, out, lambda table: print(f"{table} ...", file=sys.stderr, flush=True))
    print(summary(report))
    print(
        f"The new database is {out}. Put it in the place of the old one, or open it with CSSAFE_DATA.", file=sys.stderr
    )
    return 0 if report.complete else 1


def summary(report: RescueReport) -> str:
    """Rows of each table, and the lessons that lack something."""
    lines = [f"{'table':<14} {'copied':>9} {'in part':>9} {'lost':>9}"]
    lines += [f"{t.table:<14} {t.whole:>9} {t.partly:>9} {t.lost:>9}" for t in report.tables]
    if report.lessons:
        lines.append("Lessons that lack something: " + ", ".join(report.lessons) + ".")
    if report.renamed:
        lines.append(f"Lessons whose name and class were lost, called by their number: {report.renamed}.")
    if report.behind:
        lines.append("The newest changes may be missing: a header of the file, or its write-ahead log, is damaged.")
    if report.complete:
        lines.append("Everything could be read.")
    return "\n".join(lines)
