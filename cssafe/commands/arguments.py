"""What the commands share: the parser and the database they write to."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NoReturn

from cssafe.settings import Settings

if TYPE_CHECKING:
    from cssafe.store import Workspace


class Parser(argparse.ArgumentParser):
    """argparse with the complaint on one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


@contextmanager
def open_database(chosen: Settings) -> "Iterator[Workspace]":
    """The workspace of these settings, closed at the end; a backup that failed is reported on stderr."""
    from cssafe.store import Workspace

    with closing(Workspace.open(chosen.database, chosen.profile.expression)) as workspace:
        yield workspace
    if workspace.backup_problem:
        print(workspace.backup_problem, file=sys.stderr)
