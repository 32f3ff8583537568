"""Progress lines of long steps, on stderr."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

FIRST_REPORT_S = 2.0
"""Seconds before the first progress line of a step."""


def with_progress(items: Iterable[T], total: int, doing: str) -> Iterator[T]:
    """Iterate over the items, with a progress line on stderr once they take longer than FIRST_REPORT_S.

    Args:
        total: number of items. doing: start of the line, such as "reading pictures".
    """
    on_screen = sys.stderr.isatty()
    tell = time.monotonic() + FIRST_REPORT_S
    said = False
    for i, item in enumerate(items):
        if time.monotonic() > tell:
            tell = time.monotonic() + (0.5 if on_screen else 10)
            said = True
            print(f"{doing}: {i} of {total}", end="\r" if on_screen else "\n", file=sys.stderr, flush=True)
        yield item
    if said and on_screen:
        print(f"{doing}: {total} of {total}", file=sys.stderr, flush=True)
