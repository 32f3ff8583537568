"""A control group of Linux with hard limits, for a server under test. Versions 1 and 2; needs root."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.wait import until

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
NAME = "cssafe-test"


class ControlGroup:
    """folders: of the group, one in version 2, one for each controller in version 1."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders

    @property
    def prefix(self) -> list[str]:
        """Of a command that is to run inside."""
        enter = "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self.folders)
        return ["sh", "-c", f'{enter}; exec "$@"', "sh"]

    @property
    def killed(self) -> int:
        """Processes that the kernel killed for their memory."""
        files = [folder / name for folder in self.folders for name in ("memory.events", "memory.oom_control")]
        rows = [row.split() for file in files if file.is_file() for row in file.read_text().splitlines()]
        return sum(int(number) for name, number in rows if name == "oom_kill")

    @property
    def peak(self) -> int:
        """Most memory that was charged, bytes, files in the cache included; 0 where the kernel does not count it."""
        files = [folder / name for folder in self.folders for name in ("memory.peak", "memory.max_usage_in_bytes")]
        return sum(int(file.read_text()) for file in files if file.is_file())


@contextmanager
def limited(memory: int, cores: float) -> Iterator[ControlGroup]:
    """A group with at most so many bytes of memory and so much of a processor, which other programs do not take from it; the
    test is skipped where it cannot be made."""
    quota = round(cores * PERIOD_US)
    if (ROOT / "cgroup.controllers").is_file():
        limits = {
            ROOT / NAME: {
                "memory.max": memory,
                "memory.swap.max": 0,
                "cpu.max": f"{quota} {PERIOD_US}",
                "cpu.weight": 10_000,
            }
        }
    else:
        limits = {
            ROOT / "memory" / NAME: {"memory.limit_in_bytes": memory},
            ROOT / "cpu" / NAME: {"cpu.cfs_period_us": PERIOD_US, "cpu.cfs_quota_us": quota, "cpu.shares": 262_144},
        }
    try:
        _make(limits)
        yield ControlGroup(list(limits))
    finally:
        for folder in limits:
            if folder.is_dir():
                until(lambda folder=folder: not (folder / "cgroup.procs").read_text())
                folder.rmdir()


def _make(limits: dict[Path, dict[str, object]]) -> None:
    try:
        with suppress(OSError):  # they may be handed down already
            (ROOT / "cgroup.subtree_control").write_text("+memory +cpu")
        for folder, values in limits.items():
            folder.mkdir()
            for name, value in values.items():
                (folder / name).write_text(str(value))
    except OSError as error:
        pytest.skip(f"needs root and control groups whose memory and processor can be limited: {error}")
