"""No sentence names a winner, a rise or an effect past cssafe/stats/evidence.py.

The rule, for every literal in `_(...)`, `N_(...)` and `ngettext(...)` of cssafe/ and pages/: if it has a word of CLAIM and does
not explain a chart ("How to read it", a tooltip's help), its module imports from cssafe.stats.evidence. And no module compares
an interval's `low` or `high` with zero by itself.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from cssafe.settings import ROOT

CLAIM = re.compile(
    r"\b(highest|lowest|higher|lower|best|weakest|worst|rose|fell|leads|rather (un)?pleasant|clear(ly)? (change|changed|differ)"
    r"|clear difference|clearly different)\b",
    re.IGNORECASE,
)

EXPLANATION = re.compile(r"How to read it|AUC, |Unweighted recall|Export it again|a higher resolution")
"""Sentences that explain a chart or a number."""

JUDGED_ELSEWHERE = {
    "cssafe/charts/live.py": "probabilities of one picture, without a claim about the class",
    "cssafe/charts/model.py": "accuracy of the network at the strength of a change with the fewest right",
    "cssafe/live/alerts.py": "a hint while the lesson runs, by rules with bars of their own (docs/concentration.md)",
    "cssafe/stats/evidence.py": "the place itself",
    "cssafe/ui/week_proposal.py": "a search that runs, and its proven bound",
}
"""Modules with such words that judge by a test of their own or make no claim, and why."""


def texts(tree: ast.Module) -> Iterator[str]:
    """Literals that are translated."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_", "ngettext"):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def claims(code: str) -> list[str]:
    """Sentences that name a winner, a rise or an effect."""
    said = ((text, re.sub(r"{.*?}", "", text)) for text in texts(ast.parse(code)))
    return [text for text, words in said if CLAIM.search(words) and not EXPLANATION.search(words)]


def uses_evidence(code: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "cssafe.stats.evidence"
        for node in ast.walk(ast.parse(code))
    )


def own_judgements(code: str) -> list[int]:
    """Lines that compare an interval's low or high with zero."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.Gt | ast.Lt)
        and isinstance(node.comparators[0], ast.Constant)
        and node.comparators[0].value == 0
        and re.search(r"\b(low|high)\b", ast.unparse(node.left))
    ]


@cache
def sources() -> dict[str, str]:
    paths = [path for folder in ("cssafe", "pages") for path in (ROOT / folder).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}
    return {name: code for name, code in found.items() if not name.startswith("cssafe/training/")}


def test_every_module_that_names_a_winner_a_rise_or_an_effect_asks_the_one_place():
    found = {name: claims(code) for name, code in sources().items() if name not in JUDGED_ELSEWHERE}
    past = {name: said for name, said in found.items() if said and not uses_evidence(sources()[name])}
    assert past == {}, "judge with cssafe.stats.evidence, or say in JUDGED_ELSEWHERE by what test"


def test_no_interval_is_held_against_zero_elsewhere():
    found = {
        name: lines
        for name, code in sources().items()
        if name not in JUDGED_ELSEWHERE and (lines := own_judgements(code))
    }
    assert found == {}, "use Finding.rises, Finding.falls or excludes_zero"


def test_the_modules_that_are_excused_have_something_to_judge():
    needless = {
        name for name in JUDGED_ELSEWHERE if not claims(sources()[name]) and not own_judgements(sources()[name])
    }
    assert needless == set()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('_("Highest: {place}")', ["Highest: {place}"]),
        ('N_("It rose by {n}")', ["It rose by {n}"]),
        ('ngettext("{n} was best", "{n} were best", n)', ["{n} was best", "{n} were best"]),
        ('_("How to read it: the highest is blue")', []),
        ('_("Rose is a colour")', ["Rose is a colour"]),
        ('log.info("the highest")', []),
        ('_("A lesson")', []),
    ],
)
def test_a_claim_is_found(code, said):
    assert claims(code) == said


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ('x = row["low"] > 0', [1]),
        ("x = (found.high < 0)", [1]),
        ("x = low > high", []),
        ('x = table["lowest"] > 0', []),
    ],
)
def test_a_judgement_of_its_own_is_found(code, lines):
    assert own_judgements(code) == lines
