"""Measure what takes longer than continuous integration allows: `make measure` writes build/measured.md.

Each command's output stands there under its own name, with the date and the processor. Add a command to COMMANDS to run it too.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cssafe.settings import ROOT
from cssafe.vision.openvino_runtime import processor_name

COMMANDS = (
    "-m cssafe bench",
    "-m cssafe bench --observations 20000000",
    "-m tests.large_import --observations 20000000",
    "-m tests.kills --kills 50",
    "-m tests.fuzz --minutes 30",
    "-m tests.class_figure --lessons 300",
    "-m tests.evidence_markers --n 200",
    "-m tests.evidence_forms --n 300",
    "-m tests.evidence_agreement --n 200",
    "-m tests.evidence_terms --n 2000",
    "-m tests.evidence_slots --n 200",
    "-m pytest -s -q -m slow tests/pages/test_hosted.py tests/browser/test_lines.py",
)
"""What follows `python`."""


def measure(commands: Iterable[str], path: Path) -> list[str]:
    """Run each command and write what it prints; returns those that failed."""
    failed = []
    with path.open("w", encoding="utf-8") as file:
        file.write(f"# Measured on {datetime.now(UTC):%Y-%m-%d}, {processor_name()}, {os.cpu_count()} cores\n")
        for command in commands:
            print(f"== python {command}", flush=True)
            done = subprocess.run(
                [sys.executable, *shlex.split(command)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            print(done.stdout, flush=True)
            file.write(f"\n## `python {command}`\n\n{done.stdout}")
            file.flush()
            failed += [command] if done.returncode else []
    return failed


def main() -> None:
    path = ROOT / "build" / "measured.md"
    path.parent.mkdir(exist_ok=True)
    failed = measure(COMMANDS, path)
    print(f"Written to {path.relative_to(ROOT)}.")
    sys.exit(f"Failed: {'; '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
