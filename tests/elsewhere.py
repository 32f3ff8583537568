"""Run the tests that need no browser at other times and in other places: `make test-elsewhere`.

Four runs: on 29 February 2028, through the night in which Berlin puts its clocks back, in Auckland, in Turkish. libfaketime
moves the date by a constant, so that all processes agree on it; the monotonic clock stays. Arguments go to pytest.
"""

import locale
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
TURKISH = "tr_TR.UTF-8"

RUNS = (
    ("29 February 2028", datetime(2028, 2, 29, 10, tzinfo=UTC), {}),
    ("the clocks go back in Berlin", datetime(2027, 10, 31, 2, 57, tzinfo=BERLIN), {"TZ": BERLIN.key}),
    ("Auckland", None, {"TZ": "Pacific/Auckland"}),
    ("Turkish", None, {"LANG": TURKISH, "LC_ALL": TURKISH}),
)
"""Name, date at the start (None: today's), environment."""

FAKETIME = {
    "PYTHONPATH": str(Path(__file__).parent / "faketime"),
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else waiting for a condition returns at once: threads fight for Python's lock
}


def missing() -> str:
    """What has to be installed first, in one line; nothing if all is there."""
    if not shutil.which("faketime"):
        return "The command faketime is missing: install it (Debian: apt-get install faketime)."
    try:
        locale.setlocale(locale.LC_ALL, TURKISH)
    except locale.Error:
        return (
            f"The locale {TURKISH} is missing (Debian: apt-get install locales; localedef -i tr_TR -f UTF-8 {TURKISH})."
        )
    return ""


def run(date: datetime | None, environment: dict[str, str], options: list[str]) -> int:
    """Run pytest at that date in that environment; returns its exit status."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not browser", *options]
    if date is not None:
        ahead = round((date - datetime.now(UTC)).total_seconds())
        command = ["faketime", "--exclude-monotonic", "-m", "-f", f"{ahead:+d}s", *command]
        environment = FAKETIME | environment
    return subprocess.run(command, env=os.environ | environment).returncode


def main() -> None:
    if lacking := missing():
        sys.exit(lacking)
    failed = []
    for name, date, environment in RUNS:
        print(f"== {name}", flush=True)
        if run(date, environment, sys.argv[1:]):
            failed.append(name)
    sys.exit(f"Failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
