"""Shape of the code: short functions, searchable names, no hidden state, helpers where they belong."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from cssafe.settings import ROOT

MAX_FUNCTION_LINES = 40
MAX_MODULES_PER_NAME = 3
MAX_TOP_FILES = 14

SHARED_NAMES = {"main", "add_arguments"}
"""Functions that every command has."""

CHART_FOLDERS = {"queries", "charts", "report"}
"""A query, its chart, its caption and its section of a report share a name, and count as one module."""

FIELD_NOUNS = {
    "drawing": "drawing on pictures",
    "housekeeping": "upkeep of a database",
    "importing": "import is a keyword",
    "rating": "the page of teachers' ratings",
    "recording": "a recorded lesson",
    "rescoring": "scores computed again",
    "smoothing": "of a signal over time",
    "track_linking": "of a tracker's tracks",
}
"""Names in -ing that are nouns of the field, and what they name."""


@cache
def sources(*folders: str) -> list[tuple[Path, ast.Module]]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def test_no_function_is_longer_than_a_screen():
    found = [
        f"{path}:{node.lineno}: {node.name} has {lines} lines, expected at most {MAX_FUNCTION_LINES}"
        for path, tree in sources("cssafe", "pages")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := node.end_lineno - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not found, "\n".join(found)


def test_only_the_language_is_a_global():
    found = [
        f"{path}:{node.lineno}: global {', '.join(node.names)}"
        for path, tree in sources("cssafe", "pages")
        for node in ast.walk(tree)
        if isinstance(node, ast.Global) and path != Path("cssafe/language.py")
    ]
    assert not found, "\n".join(found)


def test_a_public_function_name_is_defined_in_at_most_three_modules():
    where = defaultdict(list)
    for path, tree in sources("cssafe", "pages"):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                where[node.name].append(path)
    found = [
        f"{name}: {', '.join(map(str, paths))}"
        for name, paths in sorted(where.items())
        if name not in SHARED_NAMES and len({_module(path) for path in paths}) > MAX_MODULES_PER_NAME
    ]
    assert not found, "each needs a name of its own to search for\n" + "\n".join(found)


def _module(path: Path) -> str:
    return "chart" if path.parts[1] in CHART_FOLDERS else str(path)


def test_no_module_is_named_by_a_gerund():
    names = {path.stem for path, _ in sources("cssafe", "pages") if path.stem.endswith("ing")}
    assert names - set(FIELD_NOUNS) == set(), "expected a noun of the field"
    assert set(FIELD_NOUNS) - names == set(), "exceptions that nothing needs"


def test_the_top_of_the_package_stays_small():
    files = sorted(path.name for path in (ROOT / "cssafe").glob("*.py"))
    assert len(files) <= MAX_TOP_FILES, files


def test_every_page_is_registered():
    site = (ROOT / "cssafe" / "ui" / "site.py").read_text(encoding="utf-8")
    registered = set(re.findall(r"pages/(\w+)\.py", site))
    assert {path.stem for path, _ in sources("pages")} == registered


def test_no_test_or_helper_imports_from_a_test():
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] + [getattr(node, "module", "") or ""])
        if re.search(r"(^|\.)test_|^tests(\.\w+)*\.conftest$", name)
    ]
    assert not found, "helpers live in tests/support/, fixtures in conftest.py\n" + "\n".join(found)
