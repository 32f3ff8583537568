"""Hostile and damaged inputs in large numbers: `python -m tests.fuzz --minutes 30`.

The minutes are shared equally by the targets of tests/fuzz_targets.py; starting servers comes on top. Each target runs in a
process of its own, so that one that is brought down is a row of the table and not the end of it. Faults are:

- an exception that is not the documented one, a traceback in the server's log, an apology on a page, a wrong answer;
- an answer that takes more than ANSWER_S of the answering process's own time. Processor time is counted, not the clock, so
  that a loaded machine raises no false alarm; what merely waits is a fault after HANG_S by the clock;
- more than GROWTH_MB of anonymous memory at rest above what was held after the first ROUND inputs.

The smallest failing input is printed; nothing is written to the disk. Linux only: the figures come from /proc.
"""

import argparse
import ctypes
import faulthandler
import gc
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

if (
    __name__ != "tests.fuzz"
):  # run as a command: libraries warn of what is damaged, Streamlit of a server that it misses
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")

from cssafe.vision.openvino_runtime import processor_name
from tests.fuzz_targets import TARGETS, Target
from tests.support.damage import short

ANSWER_S = 2.0
"""Seconds of processor time that one answer may take."""

HANG_S = 120
"""Seconds by the clock after which an input counts as never answered."""

GROWTH_MB = 50
"""Anonymous memory at rest that may be held at the end and was not held after the first round."""

ROUND = 100
"""Inputs that Hypothesis makes from one seed."""

FAULT_CHARACTERS = 1500
"""Of what a fault says: its end, where a traceback has its reason."""

HEAD = "| target | inputs | slowest answer, s | memory at rest before, MB | after, MB | faults |\n" + "| --- " * 6 + "|"


@dataclass
class Outcome:
    """What became of one target. slow: the input whose answer took longest. faults: in words."""

    target: str
    inputs: int = 0
    slowest_s: float = 0.0
    slow: str = ""
    before_mb: float = 0.0
    after_mb: float = 0.0
    faults: tuple[str, ...] = ()

    def row(self) -> str:
        return (
            f"| {self.target} | {self.inputs:,} | {self.slowest_s:.2f} | {self.before_mb:.0f} | {self.after_mb:.0f} "
            f"| {len(self.faults)} |"
        )


def processor_s(pid: int) -> float:
    """Seconds of processor time that a process and its ended children have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def resting_mb(pid: int) -> float:
    """Anonymous memory of a process; this one collects its garbage first."""
    if pid == os.getpid():
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(size) for size in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+)", status, re.MULTILINE)) / 1024


class Run:
    """One target and the counts of it. over: whether no further input is to be tried."""

    def __init__(self, target: Target, outcome: Outcome, over: Callable[[], bool]) -> None:
        self.target, self.outcome, self.over = target, outcome, over
        self.failing: Any = None

    def round(self, seed: int) -> str:
        """Try ROUND inputs, fewer once the time is over. The fault in words, empty if there is none."""
        options = settings(max_examples=ROUND, database=None, deadline=None, report_multiple_bugs=False,
                           phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))  # fmt: skip
        try:
            seeded(seed)(options(given(self.target.inputs)(self.check)))()
        except Exception as error:
            if isinstance(error, ExceptionGroup):  # one that the same input does not bring about again
                error = error.exceptions[0]
            return f"{type(error).__name__}: {str(error)[-FAULT_CHARACTERS:]}\n  smallest input: {short(self.failing)}"
        return ""

    def check(self, value: Any) -> None:
        if self.failing is None and self.over():
            return
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        begun = processor_s(self.target.pid)
        try:
            self.outcome.inputs += self.target.check(value) or 1
        except Exception:
            self.failing = value
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        took = processor_s(self.target.pid) - begun
        if took > self.outcome.slowest_s:
            self.outcome.slowest_s, self.outcome.slow = took, short(value)


def fuzz(name: str, seconds: float, seed: int) -> Outcome:
    """Try one target until the time is over or a fault is found."""
    with TARGETS[name]() as target:
        deadline = time.monotonic() + seconds
        return attempt(target, Outcome(name), lambda: time.monotonic() > deadline, seed)


def attempt(target: Target, outcome: Outcome, over: Callable[[], bool], seed: int) -> Outcome:
    run = Run(target, outcome, over)
    fault = run.round(seed)
    outcome.before_mb = resting_mb(target.pid)
    while not fault and not over():
        seed += 1
        fault = run.round(seed)
    outcome.after_mb = resting_mb(target.pid)
    if outcome.slowest_s > ANSWER_S:
        fault += f"\nAn answer took {outcome.slowest_s:.1f} s.\n  input: {outcome.slow}"
    if outcome.after_mb - outcome.before_mb > GROWTH_MB:
        fault += f"\nThe memory at rest grew by {outcome.after_mb - outcome.before_mb:.0f} MB."
    outcome.faults = (fault.strip(),) if fault else ()
    return outcome


def apart(name: str, seconds: float, seed: int) -> Outcome:
    """`fuzz` in a process of its own; one that dies is a fault."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(fuzz, name, seconds, seed).result()
        except BrokenProcessPool:
            return Outcome(name, faults=("The process died; what was in work stands above.",))


def run(names: Iterable[str], minutes: float, seed: int) -> list[Outcome]:
    """Try the targets one after the other and print a row and the faults of each."""
    chosen = list(names)
    print(
        f"Seed {seed}, {minutes:g} minutes, {datetime.now(UTC):%Y-%m-%d}, {processor_name()}, {os.cpu_count()} cores\n\n{HEAD}"
    )
    outcomes = []
    for name in chosen:
        outcomes.append(apart(name, 60 * minutes / len(chosen), seed))
        print(outcomes[-1].row(), flush=True)
    print(f"| together | {sum(one.inputs for one in outcomes):,} | | | | {sum(len(one.faults) for one in outcomes)} |")
    for one in outcomes:
        for fault in one.faults:
            print(f"\n{one.target} (repeat with --target {one.target} --seed {seed}): {fault}")
    return outcomes


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="of all targets together (default: 30)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the inputs (default: another each time)")
    parser.add_argument("--target", choices=TARGETS, action="append", help="one target, or several; default: all")
    args = parser.parse_args(arguments)
    return int(any(one.faults for one in run(args.target or TARGETS, args.minutes, args.seed)))


if __name__ == "__main__":
    sys.exit(main())
