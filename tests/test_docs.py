"""What the documents promise is there, and what is there is documented."""

import re

import pytest

from cssafe.commands.main import COMMANDS
from cssafe.settings import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HOSTING = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")


def test_every_environment_variable_that_is_read_stands_in_the_table_and_no_other():
    sources = [ROOT / "app.py", *(ROOT / "cssafe").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    read = {
        name
        for path in sources
        for name in re.findall(r'(?:env|environ|getenv)\b[^"\n]*"(CSSAFE_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    told = re.findall(r"^\| `(CSSAFE_[A-Z_]+)` \|", HOSTING, re.MULTILINE)
    assert {"CSSAFE_MODE", "CSSAFE_DATA"} <= read
    assert sorted(told) == sorted(read)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_in_a_document(command):
    assert any(f"python -m cssafe {command}" in path.read_text(encoding="utf-8") for path in DOCUMENTS)


def test_what_health_tells_is_told_in_the_document():
    from cssafe.live import health, services

    try:
        assert [key for key in health.report() if f"`{key}`" not in HOSTING] == []
    finally:
        services.current().close()


def test_the_dockerfile_copies_only_what_is_there_and_what_dockerignore_lets_through():
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    parts = [part for line in copied for part in line.split()]
    passed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(parts) == sorted(passed) and all((ROOT / part).exists() for part in parts)


def test_every_signal_is_told_in_the_method():
    from cssafe.frames import SIGNALS

    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert [name for name in SIGNALS if f"`{name}`" not in method] == []


def anchors(text: str) -> set[str]:
    """The fragments of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_heading_that_exist(document):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        path, _, fragment = target.partition("#")
        file = document.parent / path if path else document
        if not target.startswith("https:") and not (
            file.exists() and (not fragment or fragment in anchors(file.read_text(encoding="utf-8")))
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_source_file_that_a_document_names_exists(document):
    named = re.findall(r"`(\w+(?:/[\w.-]+)*\.(?:py|js|json|html))`(?!\])", document.read_text(encoding="utf-8"))
    made = {"about.json", "model.json"}  # in export files and in folders of networks
    missing = [name for name in named if not (ROOT / name).exists() and not (ROOT / "cssafe" / name).exists()]
    assert set(missing) <= made


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
