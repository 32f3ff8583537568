"""An archive of years of lessons is exported and imported: `python -m tests.large_import --observations 20000000`.

Prints the time and the largest resident memory of one process of each command, which runs in processes of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cssafe.commands.bench_pages import DENSE, MEAN_ROWS, fill_lessons
from cssafe.store import Workspace
from cssafe.vision.openvino_runtime import processor_name

TABLES = ("lessons", "observations", "minutes", "markers", "activities")
"""Whose numbers of rows must be the same after the import."""


def run(data: Path, *command: str) -> tuple[float, float]:
    """Run `python -m cssafe` on the database in `data`: seconds, and MB of the largest of its processes."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "cssafe", *command],
        env=os.environ | {"CSSAFE_DATA": str(data), "CSSAFE_PROFILE": "consent"},
        stdout=subprocess.DEVNULL,
    )
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}")
    return time.monotonic() - begun, used.ru_maxrss / 1000


def counts(data: Path) -> dict[str, int]:
    with closing(Workspace.open(data / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        return {name: cursor.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in TABLES}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.large_import", description=__doc__)
    parser.add_argument("--observations", type=int, default=20_000_000, help="about so many (default: 20,000,000)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "first", Path(folder) / "second"
        first.mkdir()
        second.mkdir()
        with closing(Workspace.open(first / "cssafe.duckdb")) as workspace:
            fill_lessons(workspace, max(1, round(args.observations / MEAN_ROWS / DENSE)) * DENSE)
        print("| command | rows | file, MB | seconds | largest process, MB | date, processor |")
        print("| --- " * 6 + "|", flush=True)
        before, archive = counts(first), Path(folder) / "lessons.zip"
        for name, data in (("export", first), ("import", second)):
            seconds, memory = run(data, name, str(archive))
            size, rows = archive.stat().st_size / 1e6, before["observations"]
            print(
                f"| {name} | {rows:,} | {size:,.0f} | {seconds:.0f} | {memory:,.0f} |"
                f" {datetime.now(UTC):%Y-%m-%d}, {processor_name()} |",
                flush=True,
            )
        if (after := counts(second)) != before:
            raise SystemExit(f"Other numbers of rows than exported: {after}, exported {before}")


if __name__ == "__main__":
    main()
