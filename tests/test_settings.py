"""The processor's quota of a control group, in both versions of Linux' files."""

import math

import pytest

from cssafe.settings import processor_quota


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        (None, {}, math.inf),
        ("", {}, math.inf),
        ("0::/\n", {}, math.inf),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("0::/app\n", {"cpu.max": "200000 100000\n", "app/cpu.max": "100000 100000\n"}, 1.0),
        ("0::/host/path\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("4:memory:/a\n2:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "50000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 0.5),
        ("2:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, math.inf),
        (
            "2:cpu,cpuacct:/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "100000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            1.0,
        ),
        ("0::/\n", {"cpu.max": "damaged"}, math.inf),
    ],
)
def test_the_quota_is_the_smallest_that_holds(tmp_path, groups, files, cores):
    for name, content in files.items():
        (tmp_path / "mounted" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mounted" / name).write_text(content)
    if groups is not None:
        (tmp_path / "groups").write_text(groups)
    assert processor_quota(tmp_path / "groups", tmp_path / "mounted") == cores
