"""What the serving process loads, and which way imports run where ruff's banned imports cannot see it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cssafe.settings import ROOT

LAYERS = (
    {"stats", "web", "school", "frames", "privacy"},
    {"media", "vision"},
    {"signals", "presence"},
    {"expression", "observations"},
    {"scoring"},
    {"pipeline", "store"},
    {"recording", "sample"},
    {"queries", "exchange"},
    {"timetable", "charts"},
    {"live", "report"},
    {"ui"},
    {"commands", "training"},
)
"""Folders and modules of cssafe/ above the lowest layer, from the lowest up; a part imports from its own layer and from those
below. Modules that are not named are the lowest layer."""

HEIGHT = {part: i for i, layer in enumerate(LAYERS, 1) for part in layer}

WORKSHOP = ("commands", "training")
"""Folders that nothing that serves imports."""


def parts_imported(path: Path) -> set[str]:
    """The parts of cssafe that a file names in its imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "cssafe":
            words = node.module.split(".")
            found |= {words[1]} if len(words) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("cssafe.")}
    return found


def part_of(path: Path) -> str:
    return path.relative_to(ROOT / "cssafe").parts[0].removesuffix(".py")


def arrows() -> dict[str, set[str]]:
    """Part -> the other parts that it imports."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "cssafe").rglob("*.py"):
        if (part := part_of(path)) not in {"__init__", "__main__"}:
            found.setdefault(part, set()).update(parts_imported(path) - {part})
    return found


def test_imports_run_downwards_only():
    folders = {path.name for path in (ROOT / "cssafe").iterdir() if any(path.glob("*.py"))}
    assert folders <= set(HEIGHT), "a new folder needs a place in LAYERS"
    upwards = [
        (part, other)
        for part, others in arrows().items()
        for other in others
        if HEIGHT.get(other, 0) > HEIGHT.get(part, 0)
    ]
    assert upwards == []


def test_no_two_parts_import_each_other_also_around_a_corner():
    left = arrows()
    while free := [part for part, others in left.items() if not others & set(left)]:
        for part in free:
            del left[part]
    assert left == {}, "these parts stand in a circle"


def test_the_picture_of_packages_has_the_layers_of_the_import_test_in_their_order():
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    rows = [set(re.findall(r"\w+", line)) for line in reversed(picture.splitlines())]
    heights = [next((i for i, row in enumerate(rows) if layer <= row), None) for layer in LAYERS]
    assert None not in heights and heights == sorted(heights)


@pytest.mark.parametrize("part", WORKSHOP)
def test_nothing_that_serves_imports_the_workshop(part):
    serving = [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]
    serving += [p for p in (ROOT / "cssafe").rglob("*.py") if part_of(p) not in {*WORKSHOP, "__main__"}]
    assert [str(p) for p in serving if part in parts_imported(p)] == []


def test_the_serving_process_never_loads_tensorflow_or_keras():
    """Everything the app imports, and every network loaded, in a process of its own."""
    code = """
import importlib, pkgutil, sys
import cssafe
from cssafe import settings
for module in pkgutil.walk_packages(cssafe.__path__, "cssafe."):
    if not module.name.startswith(("cssafe.training", "cssafe.__main__")) and module.name != "cssafe.ui.site":
        importlib.import_module(module.name)
from cssafe.pipeline import Pipeline
Pipeline(settings.PROFILES["attention-only"], settings.load().model).warm()
if (settings.load().model / "model.json").is_file():
    Pipeline(settings.PROFILES["consent"], settings.load().model).warm()
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"openvino", "duckdb", "streamlit"} <= loaded
    assert not loaded & {"tensorflow", "keras", "torch", "jax"}
