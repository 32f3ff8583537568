"""Progress of the commands, on stderr."""

import sys
import time

from cssafe.exchange import Progress


def progress_printer(what: str) -> Progress:
    """A function that says how far it is, every other second."""
    last = time.monotonic()

    def say(share: float) -> None:
        nonlocal last
        if time.monotonic() > last + 2:
            last = time.monotonic()
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"{what}: {share:.0%}", end=end, file=sys.stderr, flush=True)

    return say
