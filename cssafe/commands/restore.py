"""A backup in the place of the database: `python -m cssafe restore`."""

import argparse
from pathlib import Path

from cssafe import settings
from cssafe.commands.arguments import Parser
from cssafe.errors import CssafeError


def add_arguments(parser: Parser) -> None:
    parser.add_argument("backup", nargs="?", metavar="DATE|FILE", help="such as 2026-11-29 (default: the newest)")
    parser.add_argument("--list", action="store_true", help="show the backups, and restore none")


def main(args: argparse.Namespace) -> int:
    from cssafe.store import backups, restore_file

    database = settings.load().database
    found, newest = backups.list_backups(database), backups.newest_backup(database)
    if newest is None and (args.list or args.backup is None):
        raise CssafeError(f"There is no backup of {database} yet. CSSAFE makes one on a day on which a lesson ends.")
    if args.list:
        for backup in found:
            held = "cannot be read" if backup.lessons is None else f"{backup.lessons} lessons"
            print(f"{backup.day}  {held:>14}  {backup.size / 1e6:>7.1f} MB  {backup.path}")
        return 0
    dated = newest if args.backup is None else backups.backup_path(database, args.backup)
    chosen = dated if dated is not None and dated.is_file() else Path(args.backup)
    if not chosen.is_file():
        raise CssafeError(
            f"There is no backup {chosen}: expected a date or a file that python -m cssafe restore --list shows."
        )
    kept = restore_file(database, chosen)
    print(f"Restored {chosen}." + (f" The database before is kept as {kept}." if kept else ""))
    return 0
