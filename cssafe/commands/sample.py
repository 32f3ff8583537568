"""A synthetic term in the database: `python -m cssafe sample`."""

import argparse

from cssafe import settings
from cssafe.commands.arguments import Parser, open_database
from cssafe.errors import CssafeError


def add_arguments(parser: Parser) -> None:
    parser.add_argument("--weeks", type=_parse_weeks, default=12, help="school weeks before this one (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="another number makes another term (default: 0)")
    parser.add_argument("--remove", action="store_true", help="take the synthetic lessons out again, and nothing else")


def main(args: argparse.Namespace) -> int:
    from cssafe import sample

    chosen = settings.load()
    database = chosen.database
    if not chosen.profile.stored:
        raise CssafeError(f"The profile {chosen.profile.name} stores nothing: set CSSAFE_PROFILE to consent.")
    with open_database(chosen) as workspace:
        if args.remove:
            sample.remove_term(workspace)
            print("The synthetic lessons are gone.")
        else:
            lessons = sample.add_term(workspace, chosen.profile, args.seed, args.weeks)
            print(f"{len(lessons)} synthetic lessons, marked as such, are in {database}.")
    return 0


def _parse_weeks(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 52):
        raise argparse.ArgumentTypeError(f"expected 1 to 52 weeks, not {text!r}")
    return int(text)
