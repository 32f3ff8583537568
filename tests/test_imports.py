"""What the serving process loads, and which way imports run where ruff's banned imports cannot see it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = (
    {"settings", "language", "errors", "colours", "labels", "intervals", "agreement", "names", "places"},
    {"alerts", "comparison", "frames", "privacy", "vision"},
    {"affect", "expression", "formula", "observations", "signals"},
    {"concentration", "media", "periods", "timetable"},
    {"rescoring"},
    {"pipeline", "simulated", "store"},
    {"recording"},
    {
        "live",
        "queries",
        "charts",
        "readings",
        "model_charts",
        "sample",
        "explanation",
        "formula_charts",
        "sensitivity",
        "evidence",
        "exchange",
        "responses",
        "seats",
        "notes",
        "teaching",
    },
    {"class_charts", "model_readings", "schedule", "services", "suggestions"},
    {"health", "report", "ui", "site", "bench_pages"},
    {"bench", "training", "watch"},
    {"cli"},
    {"__main__"},
)
"""From the lowest up; a module imports from its own layer and from those below."""


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


def test_imports_run_downwards_only():
    height = {part: i for i, layer in enumerate(LAYERS) for part in layer}
    upwards = []
    for path in sorted((ROOT / "cssafe").rglob("*.py")):
        part = path.relative_to(ROOT / "cssafe").parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        assert part in height, f"cssafe/{part} has no place in LAYERS yet: give it one"
        upwards += [
            (str(path.relative_to(ROOT)), other) for other in parts_imported(path) if height[other] > height[part]
        ]
    assert upwards == []


@pytest.mark.parametrize("part", ["training", "cli", "bench", "bench_pages"])
def test_nothing_that_serves_imports_the_workshop(part):
    serving = [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]
    serving += [
        p
        for p in (ROOT / "cssafe").rglob("*.py")
        if not {"training", "cli.py", "bench.py", "bench_pages.py", "__main__.py"} & set(p.parts)
    ]
    assert [str(p) for p in serving if p.is_file() and part in parts_imported(p)] == []


def test_the_serving_process_never_loads_tensorflow_or_keras():
    """Everything the app imports, and every network loaded, in a process of its own."""
    code = """
import importlib, pkgutil, sys
import cssafe
from cssafe import settings
for module in pkgutil.walk_packages(cssafe.__path__, "cssafe."):
    if not module.name.startswith(("cssafe.training", "cssafe.__main__")) and module.name != "cssafe.site":
        importlib.import_module(module.name)
from cssafe.pipeline import Pipeline
Pipeline(settings.PROFILES["attention-only"], settings.read().model).warm()
if (settings.read().model / "model.json").is_file():
    Pipeline(settings.PROFILES["consent"], settings.read().model).warm()
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"openvino", "duckdb", "streamlit"} <= loaded
    assert not loaded & {"tensorflow", "keras", "torch", "jax"}
