"""The lists of packages: whatever is imported is listed, and the locks pin what is listed."""

import ast
import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cssafe.settings import ROOT

OWN = {"app", "cssafe", "pages", "tests"}
OPTIONAL = {"torch"}
"""Imported only where somebody has chosen it as Keras's backend."""

TRAINING = [*(ROOT / "cssafe" / "training").rglob("*.py")]
SERVING = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *{*(ROOT / "cssafe").rglob("*.py")}.difference(TRAINING)]
LISTS = {"requirements.txt": SERVING, "requirements-dev.txt": [*TRAINING, *(ROOT / "tests").rglob("*.py")]}


def requirements(name: str) -> list[Requirement]:
    """The requirements in a file and in those that it includes."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    included = [one for line in lines if line.startswith("-r ") for one in requirements(line.removeprefix("-r "))]
    return included + [Requirement(line) for line in lines if line and not line.startswith("-r ")]


def packages_imported(codes: Iterable[str]) -> set[str]:
    """The top-level names of other people's packages that sources import, also inside functions."""
    found = set()
    for node in (node for code in codes for node in ast.walk(ast.parse(code))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - OWN


def unlisted(names: Iterable[str], listed: Iterable[Requirement]) -> list[str]:
    """Those imported names that no listed package provides."""
    provided, known = packages_distributions(), {canonicalize_name(one.name) for one in listed}
    return sorted(name for name in names if known.isdisjoint(map(canonicalize_name, provided.get(name, ()))))


def test_a_package_that_is_not_listed_is_found_wherever_it_is_imported():
    codes = (
        "import os, numpy.linalg\nfrom . import x\nimport cssafe",
        "def f():\n    from cv2.dnn import z\n    import nowhere",
    )
    names = packages_imported(codes)
    assert names == {"numpy", "cv2", "nowhere"}
    assert unlisted(names, [Requirement("Opencv_Python-headless~=4.1")]) == ["nowhere", "numpy"]


@pytest.mark.parametrize("name", LISTS)
def test_every_package_that_is_imported_is_listed(name):
    names = packages_imported(path.read_text(encoding="utf-8") for path in LISTS[name])
    assert unlisted(names - OPTIONAL, requirements(name)) == []


def test_every_package_is_listed_at_a_tested_version():
    wanted = requirements("requirements-dev.txt")
    assert [str(one) for one in wanted if not re.fullmatch(r"(==|~=)[\d.]+", str(one.specifier))] == []


@pytest.mark.parametrize("name", LISTS)
def test_the_lock_pins_every_listed_package_within_its_bounds_and_by_hash(name):
    lock = (ROOT / name.replace(".txt", "-lock.txt")).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)[^\n]*\\\n +--hash=sha256:", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\w", lock, re.MULTILINE)) and "://" not in lock
    wrong = [
        str(wanted)
        for wanted in requirements(name)
        if not (versions := [v for pinned, v in pins if pinned == canonicalize_name(wanted.name)])
        or not all(wanted.specifier.contains(version) for version in versions)
    ]
    assert wrong == [], "run `make lock`"


def test_both_locks_pin_the_same_versions():
    run, dev = (
        set(re.findall(r"^[\w.-]+==[^\\\n]+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("requirements-lock.txt", "requirements-dev-lock.txt")
    )
    assert run and run <= dev


def test_community_cloud_reads_nothing_before_requirements_txt():
    assert [name for name in ("uv.lock", "Pipfile", "environment.yml") if (ROOT / name).exists()] == []
